//! What waits: the next rows to send, what is left by lane, and what waits apart.
//!
//! Every query here is answered from indices (a test asks SQLite for its plans), so that ten thousand
//! records that wait cost about as much as ten.

use super::{Row, Store};
use crate::moment::Moment;
use crate::sync::{Held, LaneLeft, row_wait_ms};
use crate::{OutboxView, PhoneError};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction, named_params, params};
use std::collections::BTreeMap;
use testigo_wire::{BlobRef, Eid, Lane};

/// Whether the wait of a row in `setback` still lasts. The same rule as [`Moment::left`].
pub(super) const WAITS: &str = "CASE WHEN setback.boot = :boot
     THEN :monotonic BETWEEN setback.monotonic_ms AND setback.monotonic_ms + setback.wait_ms - 1
     ELSE :wall BETWEEN setback.wall_ms AND setback.wall_ms + setback.wait_ms - 1 END";

/// A file whose record headquarters does not have: it would not be taken.
pub(super) const RECORD_MISSING: &str =
    "attachment.sequence IN (SELECT sequence FROM envelope WHERE state = 0)";
/// A file whose record headquarters refused.
pub(super) const RECORD_PARKED: &str =
    "attachment.sequence IN (SELECT sequence FROM envelope WHERE state = 2)";

/// Records that wait and are due. A witness in danger is never held back.
fn due_sql() -> String {
    format!(
        "SELECT sequence, lane, size, bytes FROM envelope
         WHERE state = 0 AND (lane, sequence) > (:lane, :sequence)
           AND (lane = 0 OR NOT EXISTS (SELECT 1 FROM setback
                WHERE setback.sequence = envelope.sequence AND setback.sha256 = x'' AND {WAITS}))
         ORDER BY lane, sequence LIMIT :limit"
    )
}

/// Records in whatever state, but those whose bytes went because they are safe.
const EVERYTHING: &str = "SELECT sequence, lane, size, bytes FROM envelope
     WHERE sequence IN (SELECT sequence FROM envelope INDEXED BY envelope_outbox
         WHERE state IN (0, 1, 2) AND size > 0 AND (lane, sequence) > (?1, ?2)
         ORDER BY lane, sequence LIMIT ?3)
     ORDER BY lane, sequence";

const LEFT: &str = "SELECT lane, count(*), sum(size) FROM envelope WHERE state = 0 GROUP BY lane";

fn files_left_sql() -> String {
    format!(
        "SELECT lane, count(*), sum(size) FROM attachment
         WHERE receipt IS NULL AND NOT {RECORD_PARKED} GROUP BY lane"
    )
}

/// Files left by their lane, and whether they or their record wait apart.
fn files_held_sql() -> String {
    format!(
        "SELECT lane, count(*), EXISTS (SELECT 1 FROM setback
              WHERE setback.sequence = attachment.sequence
                AND setback.sha256 IN (x'', attachment.sha256) AND {WAITS}) AS apart
         FROM attachment WHERE receipt IS NULL AND NOT {RECORD_PARKED} GROUP BY lane, apart"
    )
}

/// What is set back, when, and for how long.
const SETBACKS: &str = "SELECT lane, length(setback.sha256) = 0, setback.boot,
         setback.monotonic_ms, setback.wall_ms, setback.wait_ms
     FROM setback JOIN envelope USING (sequence) WHERE envelope.state <> 2";

const DELIVERED: &str = "SELECT (SELECT count(*) FROM envelope WHERE state = 1) -
     (SELECT count(DISTINCT sequence) FROM attachment
      WHERE receipt IS NULL AND sequence IN (SELECT sequence FROM envelope WHERE state = 1)),
     (SELECT count(*) FROM envelope WHERE state = 2)";

/// How many of the quiet ones are in a state, and their bytes.
const QUIET: &str =
    "SELECT count(*), coalesce(sum(size), 0) FROM envelope WHERE quiet = 1 AND state = ?1";

/// What is left to deliver, but for what is quiet.
#[derive(Default)]
pub(crate) struct Left {
    /// The most urgent lane first; those with nothing left are not there.
    pub lanes: Vec<LaneLeft>,
    pub record_bytes: u64,
    pub file_bytes: u64,
}

/// A record as it travels.
pub(crate) struct Sealed {
    pub envelope: Vec<u8>,
    pub enrolment: Vec<u8>,
    pub blobs: Vec<BlobRef>,
}

impl Store {
    /// Rows to send, the most urgent lane first, then in the order of saving, as many as fit into `bytes`
    /// and at least one; with `everything` also those that were delivered before or are not due yet. Rows
    /// after `after` (lane and sequence) only.
    pub(crate) fn due(
        &self,
        everything: bool,
        after: Option<(Lane, i64)>,
        now: Moment,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<Row>, PhoneError> {
        let (lane, sequence) = after.map_or((-1, -1), |(lane, seq)| (i64::from(lane.0), seq));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut query;
        let mut found = if everything {
            query = self.db.prepare_cached(EVERYTHING)?;
            query.query(params![lane, sequence, limit])?
        } else {
            query = self.db.prepare_cached(&due_sql())?;
            query.query(named_params! {
                ":lane": lane, ":sequence": sequence, ":limit": limit,
                ":boot": now.boot.0, ":monotonic": now.monotonic_ms, ":wall": now.wall_ms,
            })?
        };
        let mut rows = Vec::new();
        let mut total = 0;
        while let Some(row) = found.next()? {
            total += row.get::<_, usize>(2)?;
            if total > bytes && !rows.is_empty() {
                break;
            }
            rows.push(Row {
                sequence: row.get(0)?,
                lane: Lane(row.get(1)?),
                bytes: row.get(3)?,
            });
        }
        Ok(rows)
    }

    /// What is left to deliver, by lane: of records, and of files.
    pub(crate) fn left(&self) -> Result<Left, PhoneError> {
        let mut left = Left::default();
        let mut lanes = BTreeMap::new();
        let mut records = self.db.prepare_cached(LEFT)?;
        let mut rows = records.query([])?;
        while let Some(row) = rows.next()? {
            let lane = Lane(row.get(0)?);
            let of_lane = LaneLeft {
                records: row.get(1)?,
                bytes: row.get(2)?,
                ..LaneLeft::of(lane)
            };
            left.record_bytes += of_lane.bytes;
            lanes.insert(lane, of_lane);
        }
        let (quiet, bytes) = self.quiet(0)?;
        if let (1.., Some(danger)) = (quiet, lanes.get_mut(&Lane::DANGER)) {
            danger.records = danger.records.saturating_sub(quiet);
            danger.bytes = danger.bytes.saturating_sub(bytes);
            left.record_bytes = left.record_bytes.saturating_sub(bytes);
            if danger.records == 0 {
                lanes.remove(&Lane::DANGER);
            }
        }
        let mut files = self.db.prepare_cached(&files_left_sql())?;
        let mut rows = files.query([])?;
        while let Some(row) = rows.next()? {
            let (lane, bytes): (_, u64) = (Lane(row.get(0)?), row.get(2)?);
            let of_lane = lanes.entry(lane).or_insert_with(|| LaneLeft::of(lane));
            of_lane.files = row.get(1)?;
            of_lane.bytes += bytes;
            left.file_bytes += bytes;
        }
        left.lanes = lanes.into_values().collect();
        Ok(left)
    }

    /// What waits apart now; of the files besides, those from `photos_from` on wait for an unmetered link,
    /// and the rest, with `no_more_files`, for the budget.
    pub(crate) fn held(
        &self,
        now: Moment,
        photos_from: Option<Lane>,
        no_more_files: bool,
    ) -> Result<Held, PhoneError> {
        let mut held = Held::default();
        let mut setbacks = self.db.prepare_cached(SETBACKS)?;
        let mut rows = setbacks.query([])?;
        while let Some(row) = rows.next()? {
            let (lane, record): (u8, bool) = (row.get(0)?, row.get(1)?);
            let since = moment(row, 2)?;
            let left = now.left(&since, row.get(5)?);
            if left == 0 || (record && Lane(lane) == Lane::DANGER) {
                continue;
            }
            held.records += u64::from(record);
            held.due_in_ms = Some(held.due_in_ms.map_or(left, |due| due.min(left)));
        }
        let mut files = self.db.prepare_cached(&files_held_sql())?;
        let mut rows = files.query(named_params! {
            ":boot": now.boot.0, ":monotonic": now.monotonic_ms, ":wall": now.wall_ms,
        })?;
        while let Some(row) = rows.next()? {
            let (lane, count, apart): (u8, u64, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if apart {
                held.files += count;
            } else if photos_from.is_some_and(|from| Lane(lane) >= from) {
                held.unmetered_only += count;
            } else if no_more_files {
                held.over_budget += count;
            }
        }
        Ok(held)
    }

    /// Quiet records in this state, and their bytes.
    pub(crate) fn quiet(&self, state: i64) -> Result<(u64, u64), PhoneError> {
        Ok((self.db)
            .prepare_cached(QUIET)?
            .query_row([state], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Whether headquarters has confirmed the enrolment; `None` before it.
    pub(crate) fn introduced(&self) -> Result<Option<bool>, PhoneError> {
        Ok((self.db)
            .prepare_cached("SELECT enrolment_receipt IS NOT NULL FROM headquarters")?
            .query_row([], |row| row.get(0))
            .optional()?)
    }

    /// Sets back a record, or with `sha256` one of its files, that headquarters itself did not take.
    pub(crate) fn set_back(
        tx: &Transaction<'_>,
        sequence: i64,
        sha256: Option<&[u8; 32]>,
        now: Moment,
        chance: u32,
    ) -> Result<(), PhoneError> {
        let thing: &[u8] = sha256.map_or(&[], |hash| hash);
        let before: Option<u32> = tx
            .prepare_cached("SELECT tries FROM setback WHERE sequence = ?1 AND sha256 = ?2")?
            .query_row(params![sequence, thing], |row| row.get(0))
            .optional()?;
        let tries = before.unwrap_or(0).saturating_add(1);
        tx.prepare_cached(
            "INSERT OR REPLACE INTO setback
                 (sequence, sha256, tries, boot, monotonic_ms, wall_ms, wait_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            sequence,
            thing,
            tries,
            now.boot.0,
            now.monotonic_ms,
            now.wall_ms,
            row_wait_ms(tries, chance),
        ])?;
        Ok(())
    }

    /// The sequence number of a record that waits.
    pub(crate) fn queued(tx: &Transaction<'_>, eid: Eid) -> Result<Option<i64>, PhoneError> {
        Ok(tx
            .prepare_cached("SELECT sequence FROM envelope WHERE eid = ?1 AND state = 0")?
            .query_row([eid.0], |row| row.get(0))
            .optional()?)
    }

    /// Forgets that a record was not taken.
    pub(super) fn taken(tx: &Transaction<'_>, eid: Eid) -> Result<(), PhoneError> {
        tx.prepare_cached(
            "DELETE FROM deferral
             WHERE sequence = (SELECT sequence FROM envelope WHERE eid = ?1)",
        )?
        .execute([eid.0])?;
        tx.prepare_cached(
            "DELETE FROM setback WHERE sha256 = x''
             AND sequence = (SELECT sequence FROM envelope WHERE eid = ?1)",
        )?
        .execute([eid.0])?;
        Ok(())
    }

    /// Lets a parked record, or one that was set back, go again in the next pass. Returns whether there was
    /// anything to change.
    pub(crate) fn retry(&mut self, sequence: u64) -> Result<bool, PhoneError> {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        self.note(|tx| {
            let unparked = tx.execute(
                "UPDATE envelope SET state = 0, receipt = NULL WHERE sequence = ?1 AND state = 2",
                [sequence],
            )?;
            let eager = tx.execute("DELETE FROM setback WHERE sequence = ?1", [sequence])?;
            tx.execute("DELETE FROM deferral WHERE sequence = ?1", [sequence])?;
            // What waits between passes ends too: a person is there and wants it gone.
            tx.execute("UPDATE sync SET ended_boot = NULL, wait_ms = 0", [])?;
            Ok(unparked + eager > 0)
        })
    }

    /// A record as it travels, with the enrolment that vouches for it and the names of its files.
    pub(crate) fn sealed(&self, sequence: u64) -> Result<Option<Sealed>, PhoneError> {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        let sealed = (self.db)
            .prepare_cached(
                "SELECT bytes, (SELECT enrolment FROM headquarters) FROM envelope WHERE sequence = ?1",
            )?
            .query_row([sequence], |row| {
                Ok(Sealed {
                    envelope: row.get(0)?,
                    enrolment: row.get(1)?,
                    blobs: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut sealed) = sealed else {
            return Ok(None);
        };
        let mut blobs = (self.db).prepare_cached(
            "SELECT sha256, size FROM attachment WHERE sequence = ?1 ORDER BY lane, sha256",
        )?;
        let rows = blobs.query_map([sequence], |row| {
            Ok(BlobRef {
                sha256: row.get(0)?,
                size: row.get(1)?,
            })
        })?;
        sealed.blobs = rows.collect::<Result<_, _>>()?;
        Ok(Some(sealed))
    }

    pub(crate) fn outbox(&self) -> Result<OutboxView, PhoneError> {
        self.outbox_with(&self.left()?)
    }

    /// The same, where what is left is known already.
    pub(crate) fn outbox_with(&self, left: &Left) -> Result<OutboxView, PhoneError> {
        let (delivered, parked) = (self.db)
            .prepare_cached(DELIVERED)?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let shown = |all: u64, state| Ok::<_, PhoneError>(all.saturating_sub(self.quiet(state)?.0));
        let (delivered, parked) = (shown(delivered, 1)?, shown(parked, 2)?);
        let introduced = self.introduced()?;
        Ok(OutboxView {
            enrolled: introduced.is_some(),
            enrolment_delivered: introduced == Some(true),
            queued: left.lanes.iter().map(|lane| lane.records).sum(),
            queued_bytes: left.record_bytes,
            attachments_queued: left.lanes.iter().map(|lane| lane.files).sum(),
            attachment_bytes: left.file_bytes,
            delivered,
            parked,
            last_contact: self.device()?.last_hq_time,
        })
    }
}

/// Three clocks in three columns.
pub(super) fn moment(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Moment> {
    Ok(Moment {
        boot: testigo_wire::BootId(row.get(at)?),
        monotonic_ms: row.get(at + 1)?,
        wall_ms: row.get(at + 2)?,
    })
}

/// NULL where there is no moment.
pub(super) fn boot(moment: Option<Moment>) -> Value {
    moment.map_or(Value::Null, |moment| Value::Blob(moment.boot.0.to_vec()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::store::attachments::due_file_sql;
    use testigo_sqlite::DatabaseKey;

    /// Ten thousand records that wait must cost about as much as ten: nothing reads whole rows to count.
    #[test]
    fn what_is_left_is_told_by_indices_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create(dir.path(), &DatabaseKey::from_bytes([7; 32])).unwrap();
        let plan = |sql: &str| -> Vec<String> {
            let mut query = store
                .db
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let rows = query.raw_query().mapped(|row| row.get(3));
            rows.collect::<Result<_, _>>().unwrap()
        };
        let queries = [
            due_sql(),
            EVERYTHING.to_owned(),
            LEFT.to_owned(),
            files_left_sql(),
            files_held_sql(),
            DELIVERED.to_owned(),
            QUIET.to_owned(),
            due_file_sql(),
        ];
        for sql in queries {
            let steps = plan(&sql);
            for step in &steps {
                let whole =
                    step.starts_with("SCAN envelope") || step.starts_with("SCAN attachment");
                let by_index = step.contains("USING COVERING INDEX")
                    || step.contains("USING INDEX attachment_left");
                assert!(!whole || by_index, "{step}\n{sql}");
            }
        }
        // No sort: the first rows are there before the rest is looked at.
        for sql in [due_sql(), due_file_sql()] {
            let steps = plan(&sql);
            assert!(
                !steps.iter().any(|s| s.contains("TEMP B-TREE")),
                "{steps:?}"
            );
        }
    }
}
