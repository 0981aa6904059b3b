//! Whom ingest believes: it follows from what people decided, which is the desk's to know.

use super::{DeskStore, Store};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// By short names of devices and capabilities.
type Beliefs = BTreeMap<[u8; 8], bool>;

impl DeskStore {
    /// Tells ingest whom the desk believes, where people decided something since this was asked last. It is worked out
    /// from all decisions and held against all that ingest has, so that nothing that failed or was cut off is forgotten.
    pub(crate) fn tell_beliefs(&mut self) -> rusqlite::Result<()> {
        let latest: Option<i64> = (self.desk)
            .prepare_cached("SELECT max(id) FROM decision")?
            .query_row([], |row| row.get(0))?;
        if self.owed.decisions == Some(latest) {
            return Ok(());
        }
        let beliefs = all(
            &self.desk,
            "SELECT s.kid, s.state <> 'quarantined' AND s.revoked_since IS NULL FROM device_standing s
             WHERE EXISTS (SELECT 1 FROM decision x WHERE x.device = s.kid OR x.capability = s.capability)
             UNION ALL
             SELECT DISTINCT capability, 0 FROM decision WHERE capability IS NOT NULL",
        )?;
        self.ingest.keep_beliefs(&beliefs)?;
        self.owed.decisions = Some(latest);
        Ok(())
    }
}

impl Store {
    fn keep_beliefs(&mut self, beliefs: &Beliefs) -> rusqlite::Result<()> {
        if all(&self.0, "SELECT kid, believed FROM belief")? == *beliefs {
            return Ok(());
        }
        let tx = self.begin()?;
        tx.execute("DELETE FROM belief", [])?;
        for (kid, believed) in beliefs {
            tx.prepare_cached("INSERT INTO belief (kid, believed) VALUES (?1, ?2)")?
                .execute(params![kid, believed])?;
        }
        tx.commit()
    }
}

fn all(db: &Connection, sql: &str) -> rusqlite::Result<Beliefs> {
    db.prepare_cached(sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
