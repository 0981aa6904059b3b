//! Rows of sealed files: whose they are, and whether headquarters has them.

use super::Store;
use crate::PhoneError;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeSet;
use testigo_wire::{Attachment, BlobRef, RecordId};

/// A sealed file that headquarters does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueFile {
    pub blob: BlobRef,
    /// Makes the upload this phone's own.
    pub token: [u8; 16],
    /// The path of the upload that was begun.
    pub upload: Option<String>,
}

impl Store {
    /// The most urgent sealed file to send, but none of `skipped`. Headquarters takes a file only for
    /// an envelope that it holds, so its record must have been received before.
    pub(crate) fn due_file(
        &self,
        skipped: &BTreeSet<[u8; 32]>,
    ) -> Result<Option<DueFile>, PhoneError> {
        let mut query = self.db.prepare_cached(
            "SELECT sha256, size, token, upload
             FROM attachment JOIN envelope USING (sequence)
             WHERE attachment.receipt IS NULL AND envelope.state = 1
             ORDER BY attachment.lane, sequence",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let sha256 = row.get(0)?;
            if !skipped.contains(&sha256) {
                return Ok(Some(DueFile {
                    blob: BlobRef {
                        sha256,
                        size: row.get::<_, i64>(1)?.unsigned_abs(),
                    },
                    token: row.get(2)?,
                    upload: row.get(3)?,
                }));
            }
        }
        Ok(None)
    }

    /// Keeps where an upload was begun, so that a killed phone goes on where it was; `None` forgets it.
    pub(crate) fn keep_upload(
        &self,
        sha256: &[u8; 32],
        path: Option<&str>,
    ) -> Result<(), PhoneError> {
        self.db.execute(
            "UPDATE attachment SET upload = ?2 WHERE sha256 = ?1",
            params![sha256, path],
        )?;
        Ok(())
    }

    /// Notes that headquarters has signed for a file; returns whether it was news.
    pub(crate) fn settle_file(
        &self,
        sha256: &[u8; 32],
        receipt: &[u8],
    ) -> Result<bool, PhoneError> {
        let rows = self.db.execute(
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
        ])?;
    }
    Ok(())
}
