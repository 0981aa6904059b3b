use super::DeskStore;
use super::notices::{self, Pen};
use super::schema::ENVELOPE;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::collections::BTreeSet;
use testigo_tally::{Contest, Tally, Vouch};
use testigo_wire::{Body, KeyId, Pseudonym, Record, Time, VerifyingKey, Warning};

/// An envelope that the desk has not looked at.
pub(crate) struct Unopened {
    pub arrival: i64,
    pub bytes: Vec<u8>,
    pub received_at: i64,
    pub device: [u8; 32],
    pub capability: KeyId,
    pub capability_created_at: i64,
    pub assigned_table: Option<String>,
}

/// What was found in an envelope.
pub(crate) struct Finding {
    pub arrival: i64,
    /// `None`: it cannot be opened or read, and is kept as it is.
    pub opened: Option<Box<Opened>>,
}

/// An envelope's content with headquarters' own doubts.
pub(crate) struct Opened {
    pub body: Body,
    pub record: Record,
    /// What the sheet says, where the record is a tally that can be read.
    pub tally: Option<Tally>,
    pub flags: BTreeSet<Warning>,
}

impl Unopened {
    /// The device's public key.
    pub(crate) fn key(&self) -> Option<VerifyingKey> {
        VerifyingKey::from_bytes(&self.device).ok()
    }
}

impl DeskStore {
    /// The oldest envelopes behind this arrival that the desk has not looked at.
    pub(crate) fn unopened(&self, after: i64, limit: u32) -> rusqlite::Result<Vec<Unopened>> {
        self.desk
            .prepare_cached(
                "SELECT a.id, a.bytes, a.received_at, d.public_key, c.created_at, s.table_id,
                        c.kid
                 FROM arrival a
                 JOIN device d ON d.kid = a.device
                 JOIN capability c ON c.kid = d.capability
                 JOIN device_standing s ON s.kid = d.kid
                 WHERE a.kind = ?1 AND a.id > ?3 AND a.bytes IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM opened o WHERE o.arrival = a.id)
                 ORDER BY a.id LIMIT ?2",
            )?
            .query_map(params![ENVELOPE, limit, after], |row| {
                Ok(Unopened {
                    arrival: row.get(0)?,
                    bytes: row.get(1)?,
                    received_at: row.get(2)?,
                    device: row.get(3)?,
                    capability_created_at: row.get(4)?,
                    assigned_table: row.get(5)?,
                    capability: KeyId(row.get(6)?),
                })
            })?
            .collect()
    }

    /// Keeps findings and what the desk says of them, all or none; then ingest has it as notices, all or none. Where that
    /// fails it is owed ([`tell_owed`](Self::tell_owed)). What the database itself cannot hold is kept as unreadable, so
    /// that it never blocks the next. Without a pen nothing is said.
    pub(crate) fn keep_findings(
        &mut self,
        findings: &[Finding],
        pen: Option<&Pen<'_>>,
    ) -> rusqlite::Result<()> {
        let mut transaction = self.begin()?;
        let mut filed = Vec::with_capacity(findings.len());
        for finding in findings {
            let savepoint = transaction.savepoint()?;
            match keep(&savepoint, finding) {
                Ok(new) => {
                    savepoint.commit()?;
                    filed.extend(new.then_some(finding.arrival));
                }
                Err(error) if is_about_the_row(&error) => {
                    drop(savepoint);
                    let new = keep_unreadable(&transaction, finding.arrival)?;
                    filed.extend(new.then_some(finding.arrival));
                }
                Err(error) => return Err(error),
            }
        }
        let words = match pen {
            Some(pen) => notices::decide(&transaction, &filed, pen.pack)?,
            None => Vec::new(),
        };
        transaction.commit()?;
        match pen {
            Some(pen) => self.ingest.say(&words, pen).inspect_err(|_| {
                self.owed.notices = Some(0);
            }),
            None => Ok(()),
        }
    }
}

fn is_about_the_row(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
        ),
        None => true,
    }
}

/// Returns whether it was filed now; another desk on the same folder may have been first.
fn keep_unreadable(db: &Connection, arrival: i64) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "INSERT INTO opened (arrival, outcome) VALUES (?1, 'unreadable')
         ON CONFLICT (arrival) DO NOTHING",
    )?
    .execute([arrival])
    .map(|rows| rows == 1)
}

fn text(time: Time) -> String {
    time.datetime().to_rfc3339()
}

/// Returns whether it was filed now.
fn keep(db: &Connection, finding: &Finding) -> rusqlite::Result<bool> {
    let arrival = finding.arrival;
    let Some(opened) = &finding.opened else {
        return keep_unreadable(db, arrival);
    };
    let Opened {
        body,
        record,
        tally,
        flags,
    } = opened.as_ref();
    let outcome = match record {
        Record::Unknown { .. } => "unknown kind",
        Record::Report(_) | Record::Tally(_) | Record::Typed(_) | Record::Handover(_) => "read",
    };
    let table = body.table.as_ref().map(testigo_wire::TableId::as_str);
    let copy_of: Option<i64> = db
        .prepare_cached(
            "SELECT o.arrival FROM opened o
             JOIN arrival mine ON mine.id = ?1
             JOIN arrival theirs ON theirs.id = o.arrival AND theirs.device = mine.device
             WHERE o.record_id = ?2 AND o.content = ?3 AND o.table_id IS ?4 AND o.copy_of IS NULL
             ORDER BY o.arrival LIMIT 1",
        )?
        .query_row(
            params![arrival, body.record_id.0, body.record, table],
            |row| row.get(0),
        )
        .optional()?;
    let inserted = db
        .prepare_cached(
            "INSERT INTO opened
                 (arrival, outcome, record_id, table_id, claimed_at, saved_at, content, copy_of)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (arrival) DO NOTHING",
        )?
        .execute(params![
            arrival,
            outcome,
            body.record_id.0,
            table,
            body.claimed_at.map(text),
            text(body.saved_at),
            body.record,
            copy_of
        ])?;
    if inserted == 0 {
        return Ok(false);
    }
    let mut flag = db.prepare_cached("INSERT INTO flag (arrival, code) VALUES (?1, ?2)")?;
    for warning in flags {
        flag.execute(params![arrival, warning.0])?;
    }
    let mut file = db.prepare_cached(
        "INSERT INTO attachment (arrival, sha256, secret, lane, media_type, size)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for attachment in &body.attachments {
        file.execute(params![
            arrival,
            attachment.blob.sha256,
            attachment.secret.expose(),
            attachment.lane.0,
            attachment.media_type,
            i64::try_from(attachment.size).unwrap_or(i64::MAX)
        ])?;
    }
    match record {
        Record::Tally(record) => {
            keep_reading(db, arrival, tally.as_ref())?;
            let mut insert = db.prepare_cached(
                "INSERT INTO reading_text (arrival, n, text) VALUES (?1, ?2, ?3)",
            )?;
            for (n, text) in (0i64..).zip(record.texts()) {
                insert.execute(params![arrival, n, text])?;
            }
        }
        // What was typed stands in the record's content.
        Record::Typed(_) => keep_reading(db, arrival, tally.as_ref())?,
        Record::Report(report) => {
            db.prepare_cached(
                "INSERT INTO incident
                     (arrival, code, note, delay_minutes, started, ended, people)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                arrival,
                report.code.0,
                report.note,
                report.delay_minutes,
                report.started.map(text),
                report.ended.map(text),
                report.people
            ])?;
        }
        Record::Handover(handover) => {
            let name = |name: &Option<Pseudonym>| name.as_ref().map(|n| n.as_str().to_owned());
            db.prepare_cached(
                "INSERT INTO handover (arrival, what, giver, taker, at, place)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                arrival,
                handover.what,
                name(&handover.from),
                name(&handover.to),
                handover.at.map(text),
                handover.place
            ])?;
        }
        Record::Unknown { .. } => {}
    }
    Ok(true)
}

/// Files what a sheet says; a sheet that nothing reads has no table.
fn keep_reading(db: &Connection, arrival: i64, tally: Option<&Tally>) -> rusqlite::Result<()> {
    let contest = tally.and_then(Tally::contest);
    db.prepare_cached(
        "INSERT INTO reading (arrival, table_id, slots, null_votes, vouch)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        arrival,
        tally.map(|tally| tally.table.as_str()),
        contest.map(Contest::to_string),
        contest.map(|contest| contest.null.unwrap_or(0)),
        tally.map_or(Vouch::PLAIN_CODE, |tally| tally.vouch).0
    ])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO reading_votes (arrival, candidate, votes) VALUES (?1, ?2, ?3)",
    )?;
    for votes in tally.iter().flat_map(|tally| &tally.candidates) {
        let n = i64::try_from(votes.votes).unwrap_or(i64::MAX);
        insert.execute(params![arrival, votes.code, n])?;
    }
    Ok(())
}
