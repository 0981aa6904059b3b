//! What one pass leaves for the next: the address that works, the budget, and how the last one ended.

use super::Store;
use super::outbox::{boot, moment};
use crate::PhoneError;
use crate::moment::Moment;
use crate::sync::{Budget, Link, Spent, SyncFailure};
use rusqlite::{Connection, Transaction, params};
use testigo_wire::Deferral;

/// Stands for the enrolment among the sequence numbers of records, which begin with 1.
pub(super) const ENROLMENT: i64 = 0;

/// How the last pass ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LastPass {
    /// Passes in a row that got nowhere.
    pub failures: u32,
    pub failure: Option<SyncFailure>,
    /// What it went over.
    pub link: Link,
    /// From this moment on, for so many milliseconds, the next pass waits.
    pub wait: Option<(Moment, u64)>,
}

impl Store {
    /// The address that last answered as headquarters.
    pub(crate) fn endpoint(&self) -> Result<Option<String>, PhoneError> {
        let mut query = self.db.prepare_cached("SELECT endpoint FROM sync")?;
        Ok(query.query_row([], |row| row.get(0))?)
    }

    /// Remembers it.
    pub(crate) fn keep_endpoint(db: &Connection, endpoint: &str) -> Result<(), PhoneError> {
        db.execute(
            "UPDATE sync SET endpoint = ?1 WHERE endpoint IS NOT ?1",
            [endpoint],
        )?;
        Ok(())
    }

    /// Puts a newer keyset in the place of the one that was held; where another process was first, its one stays.
    pub(crate) fn replace_keyset(&mut self, held: &[u8], newer: &[u8]) -> Result<(), PhoneError> {
        self.note(|tx| {
            tx.execute(
                "UPDATE headquarters SET keyset = ?2 WHERE keyset = ?1",
                params![held, newer],
            )?;
            Ok(())
        })
    }

    pub(crate) fn budget(&self) -> Result<Budget, PhoneError> {
        let mut query =
            (self.db).prepare_cached("SELECT bytes_a_day, photos_on_metered FROM sync")?;
        Ok(query.query_row([], |row| {
            Ok(Budget {
                bytes_a_day: row.get(0)?,
                photos_on_metered: row.get(1)?,
            })
        })?)
    }

    pub(crate) fn keep_budget(&mut self, budget: &Budget) -> Result<(), PhoneError> {
        let limit = (budget.bytes_a_day).map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        self.note(|tx| {
            tx.execute(
                "UPDATE sync SET bytes_a_day = ?1, photos_on_metered = ?2",
                params![limit, budget.photos_on_metered],
            )?;
            Ok(())
        })
    }

    /// What was spent on metered links and counts now.
    pub(crate) fn spent(&self, now: Moment) -> Result<Spent, PhoneError> {
        spent(&self.db, now)
    }

    /// Adds to it.
    pub(crate) fn spend(tx: &Transaction<'_>, now: Moment, bytes: u64) -> Result<(), PhoneError> {
        let before = spent(tx, now)?;
        tx.execute(
            "UPDATE sync SET spent_bytes = ?1, spent_boot = ?2, spent_monotonic_ms = ?3,
                 spent_wall_ms = ?4",
            params![
                i64::try_from(before.bytes.saturating_add(bytes)).unwrap_or(i64::MAX),
                before.since.boot.0,
                before.since.monotonic_ms,
                before.since.wall_ms,
            ],
        )?;
        Ok(())
    }

    pub(crate) fn last_pass(&self) -> Result<LastPass, PhoneError> {
        let mut query = self.db.prepare_cached(
            "SELECT failures, failure, failure_number, wait_ms, ended_boot, ended_monotonic_ms,
                    ended_wall_ms, metered
             FROM sync",
        )?;
        Ok(query.query_row([], |row| {
            let code: Option<String> = row.get(1)?;
            let number = row.get(2)?;
            Ok(LastPass {
                failures: row.get(0)?,
                failure: code.and_then(|code| SyncFailure::from_kept(&code, number)),
                link: match row.get(7)? {
                    true => Link::Metered,
                    false => Link::Unmetered,
                },
                wait: match row.get::<_, Option<[u8; 16]>>(4)? {
                    Some(_) => Some((moment(row, 4)?, row.get(3)?)),
                    None => None,
                },
            })
        })?)
    }

    pub(crate) fn keep_last_pass(&mut self, last: &LastPass) -> Result<(), PhoneError> {
        let (code, number) = last.failure.as_ref().map(SyncFailure::kept).unzip();
        let at = last.wait.map(|(at, _)| at);
        self.note(|tx| {
            tx.execute(
                "UPDATE sync SET failures = ?1, failure = ?2, failure_number = ?3, wait_ms = ?4,
                     ended_boot = ?5, ended_monotonic_ms = ?6, ended_wall_ms = ?7, metered = ?8",
                params![
                    last.failures,
                    code,
                    number.unwrap_or(0),
                    last.wait
                        .map_or(0, |(_, wait)| i64::try_from(wait).unwrap_or(i64::MAX)),
                    boot(at),
                    at.map_or(0, |at| at.monotonic_ms),
                    at.map_or(0, |at| at.wall_ms),
                    last.link == Link::Metered,
                ],
            )?;
            Ok(())
        })
    }

    /// Why headquarters has not taken what it has not taken, each reason once.
    pub(crate) fn deferrals(&self) -> Result<Vec<Deferral>, PhoneError> {
        let mut query =
            (self.db).prepare_cached("SELECT DISTINCT code FROM deferral ORDER BY code")?;
        let rows = query.query_map([], |row| row.get(0).map(Deferral))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes headquarters' word on a record that it did not take.
    pub(crate) fn defer(
        tx: &Transaction<'_>,
        sequence: i64,
        deferral: Deferral,
    ) -> Result<(), PhoneError> {
        tx.prepare_cached("INSERT OR REPLACE INTO deferral (sequence, code) VALUES (?1, ?2)")?
            .execute(params![sequence, deferral.0])?;
        Ok(())
    }

    /// The same of the enrolment; `None` once it is taken.
    pub(crate) fn defer_enrolment(
        tx: &Transaction<'_>,
        deferral: Option<Deferral>,
    ) -> Result<(), PhoneError> {
        match deferral {
            Some(deferral) => Self::defer(tx, ENROLMENT, deferral),
            None => {
                tx.execute("DELETE FROM deferral WHERE sequence = ?1", [ENROLMENT])?;
                Ok(())
            }
        }
    }
}

fn spent(db: &Connection, now: Moment) -> Result<Spent, PhoneError> {
    let mut query = db.prepare_cached(
        "SELECT spent_bytes, spent_boot, spent_monotonic_ms, spent_wall_ms FROM sync",
    )?;
    let kept = query.query_row([], |row| {
        Ok(match row.get::<_, Option<[u8; 16]>>(1)? {
            Some(_) => Some(Spent {
                bytes: row.get(0)?,
                since: moment(row, 1)?,
            }),
            None => None,
        })
    })?;
    Ok(Spent::now(kept, now))
}
