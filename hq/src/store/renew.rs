//! What was signed by keys that are believed no more is signed anew, and what could not be opened for want of a key
//! is looked at again.

use super::notices::{Pen, Word};
use super::{DeskStore, Store};
use rusqlite::params;
use testigo_wire::{BlobReceipt, Keyset, NoticeStatus, Receipt, SigningKey, Statement, WireError};

impl Store {
    /// Signs receipts and notices anew whose keys the keyset does not list any more: they say what they said. Returns
    /// how many there were.
    pub(crate) fn renew(
        &mut self,
        keyset: &Keyset,
        receipt_key: &SigningKey,
        pen: Option<&Pen<'_>>,
    ) -> rusqlite::Result<usize> {
        let tx = self.begin()?;
        let is_old = |bytes: &[u8]| {
            Statement::signer(bytes).is_some_and(|kid| {
                keyset.receipt_key(kid).is_none() && keyset.desk_key(kid).is_none()
            })
        };
        let mut renewed = 0;
        for (select, update, blob) in [
            (
                "SELECT id, receipt FROM arrival",
                "UPDATE arrival SET receipt = ?2 WHERE id = ?1",
                false,
            ),
            (
                "SELECT rowid, receipt FROM blob",
                "UPDATE blob SET receipt = ?2 WHERE rowid = ?1",
                true,
            ),
        ] {
            let mut query = tx.prepare(select)?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut old: Vec<(i64, Vec<u8>)> = Vec::new();
            for row in rows {
                let (id, bytes): (i64, Vec<u8>) = row?;
                if is_old(&bytes) {
                    old.push((id, bytes));
                }
            }
            for (id, bytes) in old {
                let signed = match blob {
                    true => BlobReceipt::from_kept(&bytes).and_then(|r| r.sign(receipt_key)),
                    false => Receipt::from_kept(&bytes).and_then(|r| r.sign(receipt_key)),
                };
                tx.prepare_cached(update)?
                    .execute(params![id, signed.map_err(fault)?])?;
                renewed += 1;
            }
        }
        let mut old: Vec<Word> = Vec::new();
        if pen.is_some() {
            let mut query =
                tx.prepare("SELECT arrival, status, bytes FROM notice ORDER BY number")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            for row in rows {
                let (arrival, status, bytes): (i64, u16, Vec<u8>) = row?;
                if is_old(&bytes) {
                    old.push((arrival, NoticeStatus(status)));
                }
            }
        }
        tx.commit()?;
        if let Some(pen) = pen {
            self.say(&old, pen)?;
        }
        Ok(renewed + old.len())
    }
}

impl DeskStore {
    /// Lets the desk look again at what it could not read: a key may have come back. Its notices stay until it has.
    pub(crate) fn look_again(&mut self) -> rusqlite::Result<()> {
        let tx = self.begin()?;
        tx.execute("DELETE FROM opened WHERE outcome = 'unreadable'", [])?;
        tx.commit()
    }
}

fn fault(error: WireError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}
