//! What a PIN opens, and how often a wrong one was tried.

use super::Store;
use super::history::HistoryKeys;
use crate::PhoneError;
use crate::lock::PinCost;
use crate::moment::Moment;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use testigo_wire::{BootId, SealPublicKey};

/// The row of the table `lock`, but for the public keys.
pub(crate) struct LockRow {
    pub has_pin: bool,
    pub cost: PinCost,
    pub salt: [u8; 16],
    /// Secret keys, as the host's key store wrapped them.
    pub slots: [Vec<u8>; 2],
    pub tries: u32,
    pub tried: Option<Moment>,
    pub wipe_after: Option<u32>,
    pub burn: bool,
}

impl LockRow {
    const COLUMNS: &str = "has_pin, memory_kib, passes, salt, first_slot, second_slot, tries,
         tried_boot, tried_monotonic_ms, wipe_after, burn";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let monotonic_ms = row.get(8)?;
        let boot: Option<[u8; 16]> = row.get(7)?;
        Ok(Self {
            has_pin: row.get(0)?,
            cost: PinCost {
                memory_kib: row.get(1)?,
                passes: row.get(2)?,
            },
            salt: row.get(3)?,
            slots: [row.get(4)?, row.get(5)?],
            tries: row.get(6)?,
            tried: boot.map(|boot| Moment {
                boot: BootId(boot),
                monotonic_ms,
                // Waits after a wrong PIN never ask the clock on the wall.
                wall_ms: 0,
            }),
            wipe_after: row.get(9)?,
            burn: row.get(10)?,
        })
    }
}

impl Store {
    /// The keys that readable copies are sealed to; `None` before there are any.
    pub(crate) fn history_keys(&self) -> Result<Option<HistoryKeys>, PhoneError> {
        let row: Option<(Vec<u8>, Vec<u8>)> = (self.db)
            .query_row("SELECT whole_key, harmless_key FROM lock", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let key = |bytes: &[u8]| SealPublicKey::from_bytes(bytes).map_err(PhoneError::Damaged);
        row.map(|(whole, harmless)| {
            Ok(HistoryKeys {
                whole: key(&whole)?,
                harmless: key(&harmless)?,
            })
        })
        .transpose()
    }

    /// Begins with these keys, unless another process did so first.
    pub(crate) fn begin_lock(
        &mut self,
        keys: &HistoryKeys,
        slots: &[Vec<u8>; 2],
        cost: PinCost,
        salt: &[u8; 16],
    ) -> Result<(), PhoneError> {
        let [first, second] = slots;
        self.note(|tx| {
            tx.execute(
                "INSERT INTO lock (id, whole_key, harmless_key, memory_kib, passes, salt,
                     first_slot, second_slot)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                params![
                    keys.whole.to_bytes(),
                    keys.harmless.to_bytes(),
                    cost.memory_kib,
                    cost.passes,
                    salt,
                    first,
                    second
                ],
            )?;
            Ok(())
        })
    }

    pub(crate) fn lock(&self) -> Result<LockRow, PhoneError> {
        let sql = format!("SELECT {} FROM lock", LockRow::COLUMNS);
        let mut query = self.db.prepare_cached(&sql)?;
        Ok(query.query_row([], LockRow::read)?)
    }

    /// Whether there is a PIN; a store that is just being made has no such row yet.
    pub(super) fn lock_has_pin(&self) -> Result<bool, PhoneError> {
        let mut query = self.db.prepare_cached("SELECT has_pin FROM lock")?;
        Ok(query
            .query_row([], |row| row.get(0))
            .optional()?
            .unwrap_or(false))
    }

    /// Counts a PIN that is about to be looked at, durably, unless `refuse` says that it comes too soon.
    /// Returns what it is looked at with.
    pub(crate) fn count_try(
        &mut self,
        now: Moment,
        refuse: impl Fn(&LockRow) -> Option<PhoneError>,
    ) -> Result<LockRow, PhoneError> {
        let sql = format!(
            "UPDATE lock SET tries = tries + 1, tried_boot = ?1, tried_monotonic_ms = ?2
             RETURNING {}",
            LockRow::COLUMNS
        );
        self.note(|tx| {
            let before = tx.query_row(
                &format!("SELECT {} FROM lock", LockRow::COLUMNS),
                [],
                LockRow::read,
            )?;
            if let Some(error) = refuse(&before) {
                return Err(error);
            }
            let counted = params![now.boot.0, now.monotonic_ms];
            Ok(tx.query_row(&sql, counted, LockRow::read)?)
        })
    }

    /// A right PIN was given.
    pub(crate) fn forget_tries(&mut self) -> Result<(), PhoneError> {
        self.note(forget)
    }

    /// Other slots, for another PIN or for none.
    pub(crate) fn keep_slots(
        &mut self,
        has_pin: bool,
        slots: &[Vec<u8>; 2],
    ) -> Result<(), PhoneError> {
        if has_pin {
            self.wipe_memory();
        }
        let [first, second] = slots;
        self.note(|tx| {
            tx.execute(
                "UPDATE lock SET has_pin = ?1, first_slot = ?2, second_slot = ?3",
                params![has_pin, first, second],
            )?;
            forget(tx)
        })
    }

    /// After how many wrong PINs in a row the phone is wiped.
    pub(crate) fn keep_wipe_after(&mut self, wrong: Option<u32>) -> Result<(), PhoneError> {
        self.note(|tx| {
            tx.execute("UPDATE lock SET wipe_after = ?1", [wrong])?;
            Ok(())
        })
    }
}

fn forget(tx: &Transaction<'_>) -> Result<(), PhoneError> {
    tx.execute(
        "UPDATE lock SET tries = 0, tried_boot = NULL, tried_monotonic_ms = 0",
        [],
    )?;
    Ok(())
}
