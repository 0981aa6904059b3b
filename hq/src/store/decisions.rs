//! What people at headquarters decided about devices and records. Decisions are added, and never changed or taken
//! away; what holds is the latest, in the views of the schema.

use super::{DeskStore, DeviceState, Reader};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use testigo_wire::{Confirmation, KeyId, TableId, VerifyingKey, Warning};

/// A decision, of this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decided<'a> {
    /// A coordinator has heard the device's characters.
    Confirm(KeyId),
    /// What arrives from the device waits, from a moment on (milliseconds since the Unix epoch).
    Revoke(KeyId, i64),
    /// The same for all devices of a capability, those to come too.
    RevokeCapability(KeyId, i64),
    /// A revocation was a mistake.
    Trust(KeyId),
    /// The witness was sent to another table.
    Reassign(KeyId, &'a TableId),
    /// A record counts, whatever its device is.
    Count(i64),
    /// A record waits, whatever its device is.
    SetAside(i64),
    /// Whether records of devices that nobody has confirmed wait.
    UnconfirmedWait(bool),
}

/// When it was decided, by whom and why, in words of the one who did: a sign, and no name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Note<'a> {
    pub at: i64,
    pub by: Option<&'a str>,
    pub why: Option<&'a str>,
}

/// A device as headquarters know it.
pub(crate) struct DeviceRow {
    pub kid: KeyId,
    pub capability: KeyId,
    pub table: Option<String>,
    pub state: DeviceState,
    /// Milliseconds since the Unix epoch.
    pub revoked_since: Option<i64>,
    pub enrolled_at: i64,
    pub records: u64,
    pub waiting: u64,
}

/// A record that waits for a person.
pub(crate) struct WaitingRow {
    pub arrival: i64,
    pub received_at: i64,
    pub device: KeyId,
    pub state: DeviceState,
    pub table: Option<String>,
    pub is_sheet: bool,
}

/// A decision as it was kept.
pub(crate) struct DecisionRow {
    pub id: i64,
    pub decided_at: i64,
    pub what: String,
    pub device: Option<[u8; 8]>,
    pub capability: Option<[u8; 8]>,
    pub arrival: Option<i64>,
    pub since: Option<i64>,
    pub table: Option<String>,
    pub by: Option<String>,
    pub why: Option<String>,
}

impl DeskStore {
    /// Keeps decisions, all or none. Ingest hears of them from the desk ([`tell_beliefs`](Self::tell_beliefs)).
    pub(crate) fn decide(
        &mut self,
        decided: &[Decided<'_>],
        note: &Note<'_>,
    ) -> rusqlite::Result<()> {
        let tx = self.begin()?;
        for decided in decided {
            keep(&tx, decided, note)?;
        }
        tx.commit()
    }
}

fn keep(tx: &Transaction<'_>, decided: &Decided<'_>, note: &Note<'_>) -> rusqlite::Result<()> {
    let (mut device, mut capability, mut arrival) = (None, None, None);
    let (mut since, mut table) = (None, None);
    let what = match decided {
        Decided::Confirm(kid) => {
            device = Some(kid.0);
            "confirm"
        }
        Decided::Revoke(kid, from) => {
            (device, since) = (Some(kid.0), Some(*from));
            "revoke"
        }
        Decided::RevokeCapability(kid, from) => {
            (capability, since) = (Some(kid.0), Some(*from));
            "revoke"
        }
        Decided::Trust(kid) => {
            device = Some(kid.0);
            "trust"
        }
        Decided::Reassign(kid, to) => {
            (device, table) = (Some(kid.0), Some(to.as_str()));
            "reassign"
        }
        Decided::Count(id) => {
            arrival = Some(*id);
            "count"
        }
        Decided::SetAside(id) => {
            arrival = Some(*id);
            "set aside"
        }
        Decided::UnconfirmedWait(true) => "unconfirmed wait",
        Decided::UnconfirmedWait(false) => "unconfirmed count",
    };
    tx.prepare_cached(
        "INSERT INTO decision
             (decided_at, what, device, capability, arrival, since, table_id, decided_by, why)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        note.at, what, device, capability, arrival, since, table, note.by, note.why
    ])
    .map(drop)
}

impl Reader {
    /// All devices, in the order of their enrolment.
    pub(crate) fn devices(&self) -> rusqlite::Result<Vec<DeviceRow>> {
        self.0
            .prepare_cached(
                "SELECT d.kid, d.capability, s.table_id, s.state, s.revoked_since, e.received_at,
                        count(a.id), coalesce(sum(w.waits), 0)
                 FROM device d
                 JOIN device_standing s ON s.kid = d.kid
                 JOIN arrival e ON e.id = d.enrolment
                 LEFT JOIN arrival a ON a.device = d.kid AND a.kind = 1 AND a.bytes IS NOT NULL
                 LEFT JOIN standing w ON w.arrival = a.id
                 GROUP BY d.kid ORDER BY d.enrolment, d.kid",
            )?
            .query_map([], |row| {
                let revoked_since = row.get(4)?;
                Ok(DeviceRow {
                    kid: KeyId(row.get(0)?),
                    capability: KeyId(row.get(1)?),
                    table: row.get(2)?,
                    state: match revoked_since {
                        Some(_) => DeviceState::Revoked,
                        None => DeviceState::read(row, 3)?,
                    },
                    revoked_since,
                    enrolled_at: row.get(5)?,
                    records: row.get::<_, i64>(6)?.unsigned_abs(),
                    waiting: row.get::<_, i64>(7)?.unsigned_abs(),
                })
            })?
            .collect()
    }

    /// The device with these characters.
    pub(crate) fn confirmed_by(&self, heard: Confirmation) -> rusqlite::Result<Option<KeyId>> {
        let mut query = (self.0).prepare_cached("SELECT public_key, capability FROM device")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let capability = KeyId(row.get(1)?);
            if let Ok(device) = VerifyingKey::from_bytes(&row.get(0)?)
                && Confirmation::of(capability, &device) == heard
            {
                return Ok(Some(device.key_id()));
            }
        }
        Ok(None)
    }

    /// The records that wait for a person, in the order of their arrival. One of which an equal one of the same
    /// device was filed is left out with it.
    pub(crate) fn waiting(&self) -> rusqlite::Result<Vec<WaitingRow>> {
        self.0
            .prepare_cached(
                "SELECT a.id, a.received_at, a.device, s.state, coalesce(r.table_id, o.table_id),
                        r.arrival IS NOT NULL,
                        EXISTS (SELECT 1 FROM flag f WHERE f.arrival = s.arrival AND f.code = ?1)
                 FROM standing s
                 JOIN arrival a ON a.id = s.arrival
                 JOIN opened o ON o.arrival = s.arrival AND o.copy_of IS NULL
                 LEFT JOIN reading r ON r.arrival = s.arrival
                 WHERE s.waits ORDER BY a.id",
            )?
            .query_map([Warning::DEVICE_REVOKED.0], |row| {
                Ok(WaitingRow {
                    arrival: row.get(0)?,
                    received_at: row.get(1)?,
                    device: KeyId(row.get(2)?),
                    state: match row.get(6)? {
                        true => DeviceState::RevokedByRoot,
                        false => DeviceState::read(row, 3)?,
                    },
                    table: row.get(4)?,
                    is_sheet: row.get(5)?,
                })
            })?
            .collect()
    }

    /// The readings that count at the table of a reading, and whether each says the same as it does.
    pub(crate) fn versions(&self, arrival: i64) -> rusqlite::Result<Vec<(i64, bool)>> {
        self.0
            .prepare_cached(
                "SELECT r.arrival, r.slots IS c.slots AND r.null_votes IS c.null_votes
                 FROM reading c JOIN reading r ON r.table_id = c.table_id
                 JOIN opened o ON o.arrival = r.arrival AND o.copy_of IS NULL
                 JOIN standing s ON s.arrival = r.arrival
                 WHERE c.arrival = ?1 AND (r.arrival = c.arrival OR NOT s.waits)
                 ORDER BY r.arrival",
            )?
            .query_map([arrival], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    /// Whether a record was filed under this number.
    pub(crate) fn is_filed(&self, arrival: i64) -> rusqlite::Result<bool> {
        self.0
            .prepare_cached("SELECT 1 FROM opened WHERE arrival = ?1")?
            .query_row([arrival], |_| Ok(()))
            .optional()
            .map(|found| found.is_some())
    }

    /// Every decision, the oldest first.
    pub(crate) fn decisions(&self) -> rusqlite::Result<Vec<DecisionRow>> {
        self.0
            .prepare_cached(
                "SELECT id, decided_at, what, device, capability, arrival, since, table_id, decided_by, why
                 FROM decision ORDER BY id",
            )?
            .query_map([], |row: &Row<'_>| {
                Ok(DecisionRow {
                    id: row.get(0)?,
                    decided_at: row.get(1)?,
                    what: row.get(2)?,
                    device: row.get(3)?,
                    capability: row.get(4)?,
                    arrival: row.get(5)?,
                    since: row.get(6)?,
                    table: row.get(7)?,
                    by: row.get(8)?,
                    why: row.get(9)?,
                })
            })?
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::stage::Stage;

    #[test]
    fn decisions_are_neither_changed_nor_taken_away() {
        let stage = Stage::new();
        let mut store = DeskStore::open(&stage.hq.folder).unwrap();
        let decided = [
            Decided::Revoke(KeyId([1; 8]), 7),
            Decided::Trust(KeyId([1; 8])),
        ];
        store.decide(&decided, &Note::default()).unwrap();
        for sql in ["UPDATE decision SET since = 8", "DELETE FROM decision"] {
            assert!(store.desk.execute(sql, []).is_err(), "{sql}");
        }
        let kept = stage.hq.reader.decisions().unwrap();
        let kept: Vec<_> = (kept.iter())
            .map(|row| (row.what.as_str(), row.since))
            .collect();
        assert_eq!(kept, [("revoke", Some(7)), ("trust", None)]);
    }
}
