//! What a courier takes along.

use super::{Row, Store};
use crate::PhoneError;
use rusqlite::params;
use testigo_wire::{BlobRef, Lane};

/// Records that wait, whether they are due or not.
const WAITING: &str = "SELECT sequence, lane, bytes FROM envelope
     WHERE state = 0 AND size > 0 AND (lane, sequence) > (?1, ?2)
     ORDER BY lane, sequence LIMIT ?3";

/// Records in whatever state, but those that are safe.
const NOT_SAFE: &str = "SELECT sequence, lane, bytes FROM envelope
     WHERE state IN (0, 1, 2) AND size > 0 AND safe = 0 AND (lane, sequence) > (?1, ?2)
     ORDER BY lane, sequence LIMIT ?3";

/// Sealed files of records that wait or were received, of which headquarters has signed for none.
const FILES: &str = "SELECT sha256, attachment.size FROM attachment JOIN envelope USING (sequence)
     WHERE envelope.state IN (0, 1) AND envelope.safe = 0
       AND (attachment.receipt IS NULL OR ?1)
     ORDER BY attachment.lane, sequence";

impl Store {
    /// Sealed files for a courier, the most urgent first.
    pub(crate) fn files_to_carry(&self, everything: bool) -> Result<Vec<BlobRef>, PhoneError> {
        let mut query = self.db.prepare_cached(FILES)?;
        let rows = query.query_map([everything], |row| {
            Ok(BlobRef {
                sha256: row.get(0)?,
                size: row.get(1)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Up to `limit` records for a courier, the most urgent lane first, behind `after` (lane and sequence).
    pub(crate) fn to_carry(
        &self,
        everything: bool,
        after: Option<(Lane, i64)>,
        limit: usize,
    ) -> Result<Vec<Row>, PhoneError> {
        let (lane, sequence) = after.map_or((-1, -1), |(lane, seq)| (i64::from(lane.0), seq));
        let mut query = (self.db).prepare_cached(if everything { NOT_SAFE } else { WAITING })?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map(params![lane, sequence, limit], |row| {
            Ok(Row {
                sequence: row.get(0)?,
                lane: Lane(row.get(1)?),
                bytes: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
