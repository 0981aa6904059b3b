use super::Reader;
use super::blobs::UNOPENED_BUNDLES;
use super::schema::ENVELOPE;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use testigo_tally::Vouch;
use testigo_wire::{Kind, Record, TypedTally, Warning};

/// How far a device is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// No coordinator has spoken with its owner yet: counted, provisionally.
    Unconfirmed,
    /// A coordinator has.
    Confirmed,
    /// More devices than a capability may enrol: kept, and waits for review.
    Quarantined,
    /// Somebody at headquarters has taken their trust back, from a time on: what came since is kept, and waits for
    /// review.
    Revoked,
    /// The root has, by a keyset: what was opened since is kept, and waits for review. Only another keyset takes that
    /// back.
    RevokedByRoot,
}

impl DeviceState {
    /// What the database does not know counts as not believed.
    pub(super) fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        Ok(match row.get_ref(column)?.as_str()? {
            "unconfirmed" => Self::Unconfirmed,
            "confirmed" => Self::Confirmed,
            "revoked" => Self::Revoked,
            _ => Self::Quarantined,
        })
    }
}

/// A tally sheet that arrived.
pub(crate) struct ReadingRow {
    pub arrival: i64,
    /// The table on the sheet; `None` where its text is no known sheet.
    pub table: Option<String>,
    /// The table that the record was filed under.
    pub filed_under: Option<String>,
    /// Votes by slot, joined: equal text is an equal reading.
    pub slots: String,
    pub null_votes: u64,
    pub device: DeviceState,
    /// It counts only once a person says so.
    pub waits: bool,
    /// What inside its texts vouches for the numbers.
    pub vouch: Vouch,
    /// The code that its device was enrolled under.
    pub capability: Vec<u8>,
    /// A person at headquarters lets it count.
    pub by_staff: bool,
    /// Names the record among all devices.
    pub record: (Vec<u8>, Vec<u8>),
    pub received_at: i64,
    pub saved_at: String,
}

/// A report that arrived.
pub(crate) struct IncidentRow {
    pub arrival: i64,
    pub code: u16,
    pub table: Option<String>,
    pub received_at: i64,
    pub claimed_at: Option<String>,
    pub saved_at: String,
    pub delay_minutes: Option<u32>,
    pub started: Option<String>,
    pub ended: Option<String>,
    pub people: Option<u32>,
    pub note: Option<String>,
    /// The record as it came.
    pub content: Vec<u8>,
    pub device: DeviceState,
    pub waits: bool,
}

/// A file that belongs to a record.
pub(crate) struct AttachmentRow {
    pub id: i64,
    pub lane: u8,
    pub media_type: String,
    pub size: u64,
    pub held: bool,
}

/// What is kept but not shown in full.
pub(crate) struct Counts {
    pub unopened: u64,
    pub unreadable: u64,
    pub unknown_kinds: u64,
    pub records: u64,
    pub notices: u64,
    pub safe: u64,
    pub copy_made_at: Option<i64>,
    pub attachments_named: u64,
    pub attachments_held: u64,
}

/// Everything that results and incidents are made of, from one moment.
pub(crate) struct Snapshot {
    pub readings: Vec<ReadingRow>,
    pub votes: BTreeMap<i64, BTreeMap<String, u64>>,
    pub unread_texts: BTreeMap<i64, Vec<Vec<u8>>>,
    /// Sheets that were typed from the paper.
    pub typed: BTreeMap<i64, TypedTally>,
    pub incidents: Vec<IncidentRow>,
    pub flags: BTreeMap<i64, BTreeSet<Warning>>,
    pub attachments: BTreeMap<i64, Vec<AttachmentRow>>,
    pub counts: Counts,
}

impl Reader {
    pub(crate) fn counts(&self) -> rusqlite::Result<Counts> {
        counts(&self.0)
    }

    pub(crate) fn snapshot(&self) -> rusqlite::Result<Snapshot> {
        // One read transaction: one moment.
        let db = self.0.unchecked_transaction()?;
        let mut votes: BTreeMap<i64, BTreeMap<String, u64>> = BTreeMap::new();
        for (arrival, candidate, n) in all(
            &db,
            "SELECT arrival, candidate, votes FROM reading_votes",
            |row| Ok((row.get(0)?, row.get(1)?, count(row, 2)?)),
        )? {
            votes.entry(arrival).or_default().insert(candidate, n);
        }
        let mut unread_texts: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
        for (arrival, text) in all(
            &db,
            "SELECT t.arrival, t.text FROM reading_text t JOIN reading r ON r.arrival = t.arrival
             WHERE r.table_id IS NULL ORDER BY t.arrival, t.n",
            |row| Ok((row.get(0)?, row.get(1)?)),
        )? {
            unread_texts.entry(arrival).or_default().push(text);
        }
        let typed = all(
            &db,
            "SELECT r.arrival, o.content FROM reading r
             JOIN opened o ON o.arrival = r.arrival AND o.copy_of IS NULL WHERE r.vouch = 20",
            |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)),
        )?;
        let typed = (typed.into_iter())
            .filter_map(|(arrival, content)| {
                match Record::from_bytes(Kind::TYPED, &content).ok()? {
                    Record::Typed(typed) => Some((arrival, typed)),
                    _ => None,
                }
            })
            .collect();
        let mut flags: BTreeMap<i64, BTreeSet<Warning>> = BTreeMap::new();
        for (arrival, code) in all(&db, "SELECT arrival, code FROM flag", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })? {
            flags.entry(arrival).or_default().insert(Warning(code));
        }
        let mut attachments: BTreeMap<i64, Vec<AttachmentRow>> = BTreeMap::new();
        for (arrival, file) in all(
            &db,
            "SELECT a.arrival, a.id, a.lane, a.media_type, a.size, b.sha256 IS NOT NULL
             FROM attachment a LEFT JOIN blob b ON b.sha256 = a.sha256 ORDER BY a.id",
            |row| Ok((row.get(0)?, attachment(row)?)),
        )? {
            attachments.entry(arrival).or_default().push(file);
        }
        Ok(Snapshot {
            readings: all(
                &db,
                "SELECT r.arrival, r.table_id, o.table_id, r.slots, r.null_votes, s.state, a.device,
                        o.record_id, a.received_at, o.saved_at, s.waits, r.vouch, d.capability,
                        (SELECT x.what FROM decision x WHERE x.arrival = r.arrival
                         ORDER BY x.id DESC LIMIT 1) IS 'count'
                 FROM reading r
                 JOIN opened o ON o.arrival = r.arrival
                 JOIN arrival a ON a.id = r.arrival
                 JOIN standing s ON s.arrival = r.arrival
                 JOIN device d ON d.kid = a.device
                 WHERE o.copy_of IS NULL ORDER BY r.arrival",
                reading,
            )?,
            votes,
            unread_texts,
            typed,
            incidents: all(
                &db,
                "SELECT i.arrival, i.code, o.table_id, a.received_at, o.claimed_at, o.saved_at,
                        i.delay_minutes, i.started, i.ended, i.people, i.note, s.state,
                        s.waits, o.content
                 FROM incident i
                 JOIN opened o ON o.arrival = i.arrival
                 JOIN arrival a ON a.id = i.arrival
                 JOIN standing s ON s.arrival = i.arrival
                 WHERE o.copy_of IS NULL ORDER BY i.arrival DESC",
                incident,
            )?,
            flags,
            attachments,
            counts: counts(&db)?,
        })
    }
}

fn all<T>(
    db: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map([], read)?.collect()
}

fn counts(db: &Connection) -> rusqlite::Result<Counts> {
    db.prepare_cached(&format!(
        "SELECT (SELECT count(*) FROM arrival WHERE kind = ?1 AND bytes IS NOT NULL)
                - (SELECT count(*) FROM opened o JOIN arrival a ON a.id = o.arrival) + (SELECT count(*) {UNOPENED_BUNDLES}),
                (SELECT count(*) FROM opened WHERE outcome = 'unreadable'),
                (SELECT count(*) FROM opened WHERE outcome = 'unknown kind'),
                (SELECT count(*) FROM arrival WHERE kind = ?1 AND bytes IS NOT NULL),
                (SELECT count(*) FROM notice),
                (SELECT count(*) FROM safe),
                (SELECT max(made_at) FROM copy),
                (SELECT count(*) FROM (SELECT DISTINCT sha256 FROM named_blob)),
                (SELECT count(*) FROM blob)"
    ))?
    .query_row([ENVELOPE], |row| {
        Ok(Counts {
            unopened: count(row, 0)?,
            unreadable: count(row, 1)?,
            unknown_kinds: count(row, 2)?,
            records: count(row, 3)?,
            notices: count(row, 4)?,
            safe: count(row, 5)?,
            copy_made_at: row.get(6)?,
            attachments_named: count(row, 7)?,
            attachments_held: count(row, 8)?,
        })
    })
}

/// SQLite's numbers have a sign; counts and votes do not.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

fn reading(row: &Row<'_>) -> rusqlite::Result<ReadingRow> {
    Ok(ReadingRow {
        arrival: row.get(0)?,
        table: row.get(1)?,
        filed_under: row.get(2)?,
        slots: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
        null_votes: u64::from(row.get::<_, Option<u32>>(4)?.unwrap_or_default()),
        device: DeviceState::read(row, 5)?,
        waits: row.get(10)?,
        vouch: Vouch(row.get(11)?),
        capability: row.get(12)?,
        by_staff: row.get(13)?,
        record: (row.get(6)?, row.get(7)?),
        received_at: row.get(8)?,
        saved_at: row.get(9)?,
    })
}

fn attachment(row: &Row<'_>) -> rusqlite::Result<AttachmentRow> {
    Ok(AttachmentRow {
        id: row.get(1)?,
        lane: row.get(2)?,
        media_type: row.get(3)?,
        size: count(row, 4)?,
        held: row.get(5)?,
    })
}

fn incident(row: &Row<'_>) -> rusqlite::Result<IncidentRow> {
    Ok(IncidentRow {
        arrival: row.get(0)?,
        code: row.get(1)?,
        table: row.get(2)?,
        received_at: row.get(3)?,
        claimed_at: row.get(4)?,
        saved_at: row.get(5)?,
        delay_minutes: row.get(6)?,
        started: row.get(7)?,
        ended: row.get(8)?,
        people: row.get(9)?,
        note: row.get(10)?,
        device: DeviceState::read(row, 11)?,
        waits: row.get(12)?,
        content: row.get::<_, Option<Vec<u8>>>(13)?.unwrap_or_default(),
    })
}
