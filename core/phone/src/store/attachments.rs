//! Rows of sealed files: whose they are, and whether headquarters has them.

use super::Store;
use super::outbox::{RECORD_MISSING, RECORD_PARKED, WAITS};
use crate::PhoneError;
use crate::moment::Moment;
use rusqlite::{ErrorCode, OptionalExtension, Transaction, named_params, params};
use std::collections::BTreeSet;
use testigo_wire::{Attachment, BlobRef, Lane, RecordId};

/// A sealed file that headquarters does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueFile {
    pub sequence: i64,
    pub lane: Lane,
    pub blob: BlobRef,
    /// Makes the upload this phone's own.
    pub token: [u8; 16],
    /// The path of the upload that was begun.
    pub upload: Option<String>,
}

/// Files to send, the most urgent first, of records that headquarters has.
pub(super) fn due_file_sql() -> String {
    format!(
        "SELECT sequence, sha256, size, token, upload, lane FROM attachment
         WHERE receipt IS NULL AND lane < :below
           AND NOT {RECORD_MISSING} AND NOT {RECORD_PARKED}
           AND (:everything OR NOT EXISTS (SELECT 1 FROM setback
                WHERE setback.sequence = attachment.sequence
                  AND setback.sha256 = attachment.sha256 AND {WAITS}))
         ORDER BY lane, sequence"
    )
}

impl Store {
    /// The most urgent sealed file to send, below the lane `below`, but none of `skipped` and, unless with
    /// `everything`, none that waits apart. Headquarters takes a file only for an envelope that it holds, so
    /// its record must have been received before.
    pub(crate) fn due_file(
        &self,
        skipped: &BTreeSet<[u8; 32]>,
        below: Lane,
        everything: bool,
        now: Moment,
    ) -> Result<Option<DueFile>, PhoneError> {
        let mut query = self.db.prepare_cached(&due_file_sql())?;
        let mut rows = query.query(named_params! {
            ":below": below.0, ":everything": everything,
            ":boot": now.boot.0, ":monotonic": now.monotonic_ms, ":wall": now.wall_ms,
        })?;
        while let Some(row) = rows.next()? {
            let sha256 = row.get(1)?;
            if !skipped.contains(&sha256) {
                return Ok(Some(DueFile {
                    sequence: row.get(0)?,
                    blob: BlobRef {
                        sha256,
                        size: row.get(2)?,
                    },
                    token: row.get(3)?,
                    upload: row.get(4)?,
                    lane: Lane(row.get(5)?),
                }));
            }
        }
        Ok(None)
    }

    /// Keeps where an upload was begun, so that a killed phone goes on where it was; `None` forgets it.
    pub(crate) fn keep_upload(
        &mut self,
        sha256: &[u8; 32],
        path: Option<&str>,
    ) -> Result<(), PhoneError> {
        self.note(|tx| {
            tx.execute(
                "UPDATE attachment SET upload = ?2 WHERE sha256 = ?1",
                params![sha256, path],
            )?;
            Ok(())
        })
    }

    /// Notes that headquarters has signed for a file; returns whether it was news.
    pub(crate) fn settle_file(
        tx: &Transaction<'_>,
        sha256: &[u8; 32],
        receipt: &[u8],
    ) -> Result<bool, PhoneError> {
        tx.execute(
            "DELETE FROM setback WHERE sha256 = ?1
             AND sequence = (SELECT sequence FROM attachment WHERE sha256 = ?1)",
            [sha256],
        )?;
        let rows = tx.execute(
            "UPDATE attachment SET receipt = ?2, upload = NULL
             WHERE sha256 = ?1 AND receipt IS NULL",
            params![sha256, receipt],
        )?;
        Ok(rows == 1)
    }

    /// Whether a record names this sealed file; where it does, whether the file is still needed.
    pub(crate) fn needs_blob(&self, sha256: &[u8; 32]) -> Result<Option<bool>, PhoneError> {
        let needed = self
            .db
            .prepare_cached(
                "SELECT length(bytes) > 0 FROM attachment JOIN envelope USING (sequence)
                 WHERE sha256 = ?1",
            )?
            .query_row([sha256], |row| row.get(0))
            .optional()?;
        Ok(needed)
    }
}

/// Puts a record's sealed files into the outbox.
pub(super) fn insert(
    tx: &Transaction<'_>,
    sequence: i64,
    attachments: &[Attachment],
) -> Result<(), PhoneError> {
    for file in attachments {
        let token = RecordId::random()?;
        tx.prepare_cached(
            "INSERT INTO attachment (sha256, sequence, lane, size, token)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            file.blob.sha256,
            sequence,
            file.lane.0,
            i64::try_from(file.blob.size).unwrap_or(i64::MAX),
            token.0,
        ])
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => PhoneError::input(
                "attachments",
                "este archivo ya va con un registro; séllelo de nuevo para enviarlo con otro",
                "this file goes with a record already; seal it again to send it with another",
                "este arquivo já vai com um registro; lacre-o de novo para enviá-lo com outro",
            ),
            _ => error.into(),
        })?;
    }
    Ok(())
}
