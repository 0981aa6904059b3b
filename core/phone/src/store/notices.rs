//! What the desk said of records, how far it has been heard, and what may go once a copy lies elsewhere.

use super::Store;
use crate::{PhoneError, Proof};
use rusqlite::{OptionalExtension, Transaction, params};
use testigo_wire::{Ask, Eid, Epoch, Notice};

impl Store {
    /// Keeps the desk's latest word on a record; an older one changes nothing but that what is safe stays
    /// safe. Returns whether it was news of what is shown.
    pub(crate) fn settle_notice(
        tx: &Transaction<'_>,
        notice: &Notice,
        bytes: &[u8],
    ) -> Result<bool, PhoneError> {
        let quiet: Option<bool> = tx
            .prepare_cached(
                "UPDATE envelope SET notice = ?2, notice_millis = ?3, safe = max(safe, ?4)
                 WHERE eid = ?1 AND (coalesce(notice_millis < ?3, 1) OR safe < ?4)
                 RETURNING quiet",
            )?
            .query_row(
                params![notice.eid.0, bytes, notice.issued_at.millis(), notice.safe],
                |row| row.get(0),
            )
            .optional()?;
        Ok(quiet == Some(false))
    }

    /// Notes how far this run of headquarters' store has been heard; a number of another run means nothing.
    pub(crate) fn settle_heard(
        tx: &Transaction<'_>,
        epoch: Epoch,
        number: u64,
    ) -> Result<(), PhoneError> {
        tx.execute(
            "UPDATE headquarters SET heard = max(heard, ?2) WHERE epoch = ?1",
            params![epoch.0, i64::try_from(number).unwrap_or(i64::MAX)],
        )?;
        Ok(())
    }

    /// What headquarters signed for a record.
    pub(crate) fn proof(&self, sequence: u64) -> Result<Option<Proof>, PhoneError> {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        let row = self
            .db
            .query_row(
                "SELECT eid, receipt, notice, bytes FROM envelope WHERE sequence = ?1",
                [sequence],
                |row| {
                    Ok((
                        Eid(row.get(0)?),
                        row.get::<_, Option<Vec<u8>>>(1)?,
                        row.get::<_, Option<Vec<u8>>>(2)?,
                        row.get::<_, Vec<u8>>(3)?,
                    ))
                },
            )
            .optional()?;
        let Some((eid, receipt, notice, envelope)) = row else {
            return Ok(None);
        };
        let files: Vec<Vec<u8>> = self
            .db
            .prepare(
                "SELECT receipt FROM attachment WHERE sequence = ?1 AND receipt IS NOT NULL
                 ORDER BY lane, sha256",
            )?
            .query_map([sequence], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let signed: Vec<Vec<u8>> = receipt.into_iter().chain(files).chain(notice).collect();
        Ok(Some(Proof {
            eid,
            statements: signed.len() as u64,
            signed: signed.concat(),
            envelope: (!envelope.is_empty()).then_some(envelope),
        }))
    }

    /// What to ask the desk for; `None` before headquarters has answered at all.
    pub(crate) fn ask(&self) -> Result<Option<Ask>, PhoneError> {
        let row = self.db.query_row(
            "SELECT epoch, heard FROM headquarters WHERE epoch IS NOT NULL",
            [],
            |row| {
                Ok(Ask::new(
                    Epoch(row.get(0)?),
                    row.get::<_, i64>(1)?.unsigned_abs(),
                ))
            },
        );
        Ok(row.optional()?)
    }

    /// Whether the desk may still have something to say of what was delivered.
    pub(crate) fn awaits_notices(&self) -> Result<bool, PhoneError> {
        Ok(self
            .db
            .prepare_cached("SELECT 1 FROM envelope WHERE state = 1 AND safe = 0 LIMIT 1")?
            .exists([])?)
    }

    /// Lets the sealed bytes of what is safe go, where headquarters has signed for the record and for each
    /// of its files; row, receipts and notice stay. Returns the sealed files that may go after it.
    pub(crate) fn release_safe(&mut self) -> Result<Vec<[u8; 32]>, PhoneError> {
        const RELEASED: &str = "state = 1 AND safe = 1 AND length(bytes) > 0
             AND sequence NOT IN (SELECT sequence FROM attachment WHERE receipt IS NULL)";
        let any = self
            .db
            .prepare_cached(&format!("SELECT 1 FROM envelope WHERE {RELEASED} LIMIT 1"))?
            .exists([])?;
        if !any {
            return Ok(Vec::new());
        }
        self.note(|tx| {
            let files = tx
                .prepare(&format!(
                    "SELECT sha256 FROM attachment
                     WHERE sequence IN (SELECT sequence FROM envelope WHERE {RELEASED})"
                ))?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            tx.execute(
                &format!("UPDATE envelope SET bytes = x'' WHERE {RELEASED}"),
                [],
            )?;
            Ok(files)
        })
    }
}
