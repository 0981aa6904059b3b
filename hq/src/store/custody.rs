use super::Reader;
use crate::custody::HandoverView;
use data_encoding::HEXLOWER;
use rusqlite::params;
use testigo_wire::{Handover, TableId};

impl Reader {
    /// Hand-overs of paper sheets, by table and time.
    pub(crate) fn custody(&self, table: Option<&TableId>) -> rusqlite::Result<Vec<HandoverView>> {
        let mut query = self.0.prepare_cached(
            "SELECT o.table_id, h.giver, h.taker, coalesce(h.at, o.saved_at), h.place, a.device, h.arrival
             FROM handover h JOIN opened o USING (arrival) JOIN arrival a ON a.id = h.arrival
             WHERE h.what = ?1 AND o.copy_of IS NULL AND (?2 IS NULL OR o.table_id = ?2)
             ORDER BY o.table_id, datetime(coalesce(h.at, o.saved_at)), h.arrival",
        )?;
        let rows = query.query_map(
            params![Handover::SHEET, table.map(TableId::as_str)],
            |row| {
                Ok(HandoverView {
                    table: row.get(0)?,
                    from: row.get(1)?,
                    to: row.get(2)?,
                    at: row.get(3)?,
                    place: row.get(4)?,
                    device: HEXLOWER.encode(&row.get::<_, Vec<u8>>(5)?),
                    record: row.get(6)?,
                })
            },
        )?;
        rows.collect()
    }
}
