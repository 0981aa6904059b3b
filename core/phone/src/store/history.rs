//! Readable copies: sealed in the transaction that saves the record, gone with its receipt.

use super::{Kept, Store};
use crate::PhoneError;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeSet;
use testigo_wire::{Body, Deferral, Eid, Record, SealPublicKey, StoreId, padded_len};
use zeroize::Zeroizing;

/// Which part of a readable copy is sealed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Whole = 1,
    Harmless = 2,
}

/// The public keys that readable copies are sealed to. They stay the same as long as the store.
pub(crate) struct HistoryKeys {
    pub whole: SealPublicKey,
    pub harmless: SealPublicKey,
}

/// What a sealed part is bound to: the store, the record's number and which part it is.
pub(crate) fn aad(store: StoreId, sequence: i64, part: Part) -> Vec<u8> {
    let mut aad = store.0.to_vec();
    aad.extend_from_slice(&sequence.to_be_bytes());
    aad.push(part as u8);
    aad
}

impl HistoryKeys {
    /// Seals a padded body into its row; one that is not harmless leaves zeros of its length in the harmless part,
    /// so that all rows look the same.
    pub(crate) fn insert(
        &self,
        tx: &Transaction<'_>,
        store: StoreId,
        sequence: i64,
        padded: &[u8],
        harmless: bool,
    ) -> Result<(), PhoneError> {
        let seal = |key: &SealPublicKey, plain: &[u8], part| {
            (key.seal_history(plain, &aad(store, sequence, part))).map_err(PhoneError::Damaged)
        };
        let whole = seal(&self.whole, padded, Part::Whole)?;
        let shown = Zeroizing::new(match harmless {
            true => padded.to_vec(),
            false => vec![0; padded.len()],
        });
        let harmless = seal(&self.harmless, &shown, Part::Harmless)?;
        tx.prepare_cached(
            "INSERT INTO sealed_history (sequence, whole, harmless) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![sequence, whole, harmless])?;
        Ok(())
    }
}

impl Store {
    /// Everything saved, newest first, whether a readable copy is there or not.
    pub(crate) fn history(&self) -> Result<Vec<Kept>, PhoneError> {
        let mut query = self.db.prepare_cached(
            "SELECT envelope.sequence, envelope.quiet, whole, harmless, envelope.state,
                    envelope.receipt,
                    (SELECT count(*) FROM attachment
                     WHERE attachment.sequence = envelope.sequence AND attachment.receipt IS NULL),
                    envelope.notice, envelope.safe,
                    (SELECT code FROM deferral WHERE deferral.sequence = envelope.sequence)
             FROM envelope LEFT JOIN sealed_history USING (sequence) ORDER BY sequence DESC",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Kept {
                sequence: row.get(0)?,
                quiet: row.get(1)?,
                whole: row.get(2)?,
                harmless: row.get(3)?,
                state: row.get(4)?,
                receipt: row.get(5)?,
                files_left: row.get::<_, i64>(6)?.unsigned_abs(),
                notice: row.get(7)?,
                safe: row.get(8)?,
                deferral: row.get::<_, Option<u16>>(9)?.map(Deferral),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Numbers of the records that nobody but their witness is to see.
    pub(crate) fn quiet_ones(&self) -> Result<BTreeSet<u64>, PhoneError> {
        let mut query =
            (self.db).prepare_cached("SELECT sequence FROM envelope WHERE quiet = 1")?;
        let rows = query.query_map([], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Burns the readable copy of what headquarters has signed for, unless the witness keeps copies.
    pub(super) fn burn(tx: &Transaction<'_>, eid: Eid) -> Result<(), PhoneError> {
        tx.prepare_cached(
            "DELETE FROM sealed_history
             WHERE sequence = (SELECT sequence FROM envelope WHERE eid = ?1 AND state = 1)
               AND EXISTS (SELECT 1 FROM lock WHERE burn = 1)",
        )?
        .execute([eid.0])?;
        Ok(())
    }

    /// Seals the readable copies that an earlier release left, all at once; what is delivered already burns
    /// instead, where it is to.
    pub(crate) fn seal_earlier(&mut self, keys: &HistoryKeys) -> Result<(), PhoneError> {
        let any = (self.db)
            .prepare("SELECT 1 FROM history LIMIT 1")?
            .exists([])?;
        if !any {
            return Ok(());
        }
        let store = self.device()?.store_id;
        self.note(|tx| {
            let burn = tx.query_row("SELECT burn FROM lock", [], |row| row.get::<_, bool>(0))?;
            let mut query = tx.prepare(
                "SELECT sequence, body, state FROM history JOIN envelope USING (sequence)",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                if burn && row.get::<_, i64>(2)? == 1 {
                    continue;
                }
                let mut body = Zeroizing::new(row.get::<_, Vec<u8>>(1)?);
                let length = padded_len(body.len()).unwrap_or(body.len());
                body.resize(length, 0);
                let harmless = Body::from_padded(&body)
                    .and_then(|body| Record::from_bytes(body.kind, &body.record))
                    .is_ok_and(|record| record.is_harmless());
                keys.insert(tx, store, row.get(0)?, &body, harmless)?;
            }
            tx.execute("DELETE FROM history", [])?;
            Ok(())
        })?;
        // The log still has the pages as they were; where somebody reads it now, the next opening cuts it.
        let cut = "PRAGMA wal_checkpoint(TRUNCATE)";
        let _ = self.db.query_row(cut, [], |_| Ok(())).optional();
        Ok(())
    }

    /// Burns what has been delivered, or no longer burns what will be.
    pub(crate) fn keep_burn(&mut self, burn: bool) -> Result<(), PhoneError> {
        self.note(|tx| {
            tx.execute("UPDATE lock SET burn = ?1", [burn])?;
            if burn {
                tx.execute(
                    "DELETE FROM sealed_history
                     WHERE sequence IN (SELECT sequence FROM envelope WHERE state = 1)",
                    [],
                )?;
            }
            Ok(())
        })
    }
}
