//! Notices: the desk's latest word on each envelope, under a number that only rises in one run of the store.

use super::{DeskStore, Store};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::BTreeMap;
use testigo_wire::{Ask, Eid, ElectionPack, KeyId, Notice, NoticeStatus, SigningKey, Time};

/// How many notices are written in one transaction for records of which a copy was confirmed.
const BATCH: u32 = 256;

/// What the desk signs with.
pub(crate) struct Pen<'a> {
    pub key: &'a SigningKey,
    pub pack: &'a ElectionPack,
    /// The desk's time.
    pub now: Time,
}

/// A notice to be written: of which arrival, and what it says.
pub(super) type Word = (i64, NoticeStatus);

/// What the desk has in its own database and ingest, for all that this process knows, has not in its own.
pub(super) struct Owed {
    /// Notices of arrivals behind this one may differ from what the desk says; `None`: none does.
    pub notices: Option<i64>,
    /// Ingest believes what follows from the decisions up to this one. The outer `None`: nobody has looked.
    pub decisions: Option<Option<i64>>,
}

impl Default for Owed {
    fn default() -> Self {
        Self {
            notices: Some(0),
            decisions: None,
        }
    }
}

impl DeskStore {
    /// Writes notices that ingest should have and has not, whatever came between: a power cut, a full disk, a backup. Returns
    /// how many there were.
    pub(crate) fn tell_owed(&mut self, pen: &Pen<'_>) -> rusqlite::Result<usize> {
        let Some(after) = self.owed.notices else {
            return Ok(0);
        };
        let words: Vec<Word> = self
            .desk
            .prepare_cached(
                "SELECT o.arrival, o.status FROM opened o
                 JOIN arrival a ON a.id = o.arrival
                 LEFT JOIN notice n ON n.arrival = o.arrival
                 WHERE o.arrival > ?1 AND o.status IS NOT NULL AND n.status IS NOT o.status
                 ORDER BY o.arrival LIMIT ?2",
            )?
            .query_map([after, BATCH.into()], |row| {
                Ok((row.get(0)?, NoticeStatus(row.get(1)?)))
            })?
            .collect::<Result<_, _>>()?;
        self.ingest.say(&words, pen)?;
        self.owed.notices = words.last().map(|(arrival, _)| *arrival);
        Ok(words.len())
    }
}

impl Store {
    /// Signs these and puts them in their places, all or none.
    pub(super) fn say(&mut self, words: &[Word], pen: &Pen<'_>) -> rusqlite::Result<()> {
        if words.is_empty() {
            return Ok(());
        }
        let tx = self.begin()?;
        for (arrival, status) in words {
            say(&tx, *arrival, *status, pen)?;
        }
        tx.commit()
    }

    /// Signs for records of which a copy was confirmed since; returns how many there were.
    pub(crate) fn tell_safe(&mut self, pen: &Pen<'_>) -> rusqlite::Result<usize> {
        let told: Vec<Word> = self
            .0
            .prepare_cached(
                "SELECT n.arrival, n.status FROM safe s CROSS JOIN notice n ON n.arrival = s.arrival
                 WHERE s.told = 0 ORDER BY s.arrival LIMIT ?1",
            )?
            .query_map([BATCH], |row| Ok((row.get(0)?, NoticeStatus(row.get(1)?))))?
            .collect::<Result<_, _>>()?;
        // Where another desk on the same folder came between, it is only said once more.
        self.say(&told, pen)?;
        Ok(told.len())
    }
}

/// Notes what the desk says of envelopes that it has just filed, and of what they change; returns what ingest's notices
/// do not say already.
pub(super) fn decide(
    tx: &Transaction<'_>,
    arrivals: &[i64],
    pack: &ElectionPack,
) -> rusqlite::Result<Vec<Word>> {
    let mut said = BTreeMap::new();
    let mut note = |arrival: i64, status: NoticeStatus| {
        said.insert(arrival, status);
        tx.prepare_cached("UPDATE opened SET status = ?2 WHERE arrival = ?1")?
            .execute(params![arrival, status.0])
    };
    for arrival in arrivals {
        let (status, table) = status(tx, *arrival, pack)?;
        note(*arrival, status)?;
        if status == NoticeStatus::CONFLICT {
            for other in counted(tx, &table.unwrap_or_default())? {
                note(other, status)?;
            }
        }
    }
    let mut known = tx.prepare_cached("SELECT 1 FROM notice WHERE arrival = ?1 AND status = ?2")?;
    let mut words = Vec::with_capacity(said.len());
    for (arrival, status) in said {
        if !known.exists(params![arrival, status.0])? {
            words.push((arrival, status));
        }
    }
    Ok(words)
}

/// What became of an envelope, and the table of its sheet.
fn status(
    db: &Connection,
    arrival: i64,
    pack: &ElectionPack,
) -> rusqlite::Result<(NoticeStatus, Option<String>)> {
    struct Found {
        outcome: String,
        filed_under: Option<String>,
        sheet: Option<String>,
        counts: bool,
    }
    let found = db
        .prepare_cached(
            "SELECT o.outcome, o.table_id, r.table_id, NOT s.waits AND
                    EXISTS (SELECT 1 FROM reading_votes v WHERE v.arrival = o.arrival)
             FROM opened o JOIN standing s ON s.arrival = o.arrival
             LEFT JOIN reading r ON r.arrival = o.arrival WHERE o.arrival = ?1",
        )?
        .query_row([arrival], |row| {
            Ok(Found {
                outcome: row.get(0)?,
                filed_under: row.get(1)?,
                sheet: row.get(2)?,
                counts: row.get(3)?,
            })
        })?;
    let table = found.sheet.as_ref().or(found.filed_under.as_ref());
    // What the pack's bounds refuse as a table it does not have either.
    let unknown = table.is_some_and(|table| pack.tables.iter().all(|t| t.id.as_str() != table));
    let status = if found.outcome != "read" {
        NoticeStatus::UNREADABLE
    } else if unknown {
        NoticeStatus::UNKNOWN_TABLE
    } else {
        match &found.sheet {
            Some(sheet) if found.counts => match differ(db, sheet)? {
                true => NoticeStatus::CONFLICT,
                false => NoticeStatus::COUNTED,
            },
            _ => NoticeStatus::READ,
        }
    };
    Ok((status, found.sheet))
}

/// Whether a table's readings differ, as the results show it.
fn differ(db: &Connection, table: &str) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT count(*) > 1 FROM (
             SELECT DISTINCT r.slots, r.null_votes
             FROM reading r
             JOIN opened o ON o.arrival = r.arrival AND o.copy_of IS NULL
             JOIN standing s ON s.arrival = r.arrival AND NOT s.waits
             WHERE r.table_id = ?1)",
    )?
    .query_row([table], |row| row.get(0))
}

/// Readings of a table that were said to count.
fn counted(db: &Connection, table: &str) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT r.arrival FROM reading r JOIN opened o ON o.arrival = r.arrival
         WHERE r.table_id = ?1 AND o.status = ?2",
    )?
    .query_map(params![table, NoticeStatus::COUNTED.0], |row| row.get(0))?
    .collect()
}

/// Signs a notice and puts it in the place of the one before, behind all others.
fn say(db: &Connection, arrival: i64, status: NoticeStatus, pen: &Pen<'_>) -> rusqlite::Result<()> {
    let (eid, device, safe): (_, [u8; 8], bool) = db
        .prepare_cached(
            "SELECT eid, device, EXISTS (SELECT 1 FROM safe WHERE arrival = id)
             FROM arrival WHERE id = ?1",
        )?
        .query_row([arrival], |row| {
            Ok((Eid(row.get(0)?), row.get(1)?, row.get(2)?))
        })?;
    let before: Option<i64> = db
        .prepare_cached("DELETE FROM notice WHERE arrival = ?1 RETURNING issued_at")?
        .query_row([arrival], |row| row.get(0))
        .optional()?;
    // By its time the phone knows which is the later one, whatever the clock did meanwhile.
    let millis = before.map_or(pen.now.millis(), |before| {
        pen.now.millis().max(before.saturating_add(1))
    });
    let issued_at = Time::from_millis(millis, pen.now.offset_minutes()).unwrap_or(pen.now);
    let notice = Notice::new(eid, status, safe, issued_at)
        .sign(pen.key)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    db.prepare_cached(
        "INSERT INTO notice (arrival, device, status, safe, issued_at, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![arrival, device, status.0, safe, millis, notice])?;
    if safe {
        db.prepare_cached("UPDATE safe SET told = 1 WHERE arrival = ?1")?
            .execute([arrival])?;
    }
    Ok(())
}

/// A device's notices behind a number, the lowest first, with their numbers.
pub(crate) fn notices(
    db: &Connection,
    device: KeyId,
    after: u64,
) -> rusqlite::Result<Vec<(u64, Vec<u8>)>> {
    let given: i64 = db
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'notice'")?
        .query_row([], |row| row.get(0))?;
    // A number that was never given is none of this store's.
    let after = match i64::try_from(after) {
        Ok(after) if after <= given => after,
        _ => 0,
    };
    db.prepare_cached(
        "SELECT number, bytes FROM notice WHERE device = ?1 AND number > ?2
         ORDER BY number LIMIT ?3",
    )?
    .query_map(params![device.0, after, Ask::MAX_NOTICES as i64], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?))
    })?
    .collect()
}
