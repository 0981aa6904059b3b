//! What a courier takes along.

use super::{Row, Store};
use crate::PhoneError;
use rusqlite::params;
use testigo_wire::Lane;

/// Records that wait, whether they are due or not.
const WAITING: &str = "SELECT sequence, lane, bytes FROM envelope
     WHERE state = 0 AND size > 0 AND (lane, sequence) > (?1, ?2)
     ORDER BY lane, sequence LIMIT ?3";

/// Records in whatever state, but those that are safe.
const NOT_SAFE: &str = "SELECT sequence, lane, bytes FROM envelope
     WHERE state IN (0, 1, 2) AND size > 0 AND safe = 0 AND (lane, sequence) > (?1, ?2)
     ORDER BY lane, sequence LIMIT ?3";

impl Store {
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
