//! Locked and unlocked: a locked phone captures and sends, and shows nothing.
//!
//! Readable copies are sealed to a public key as they are saved, which needs no secret. What opens them is kept
//! under the PIN and, outside it, under the host's key store. docs/lock.md has the whole of it.

mod pin;
mod slot;

pub(crate) use pin::PinCost;
pub(crate) use slot::Opened;

use crate::moment::Moment;
use crate::store::{HistoryKeys, Kept, LockRow, Part, Store, aad};
use crate::{HostKey, HostKeys, HostKeysFault, Phone, PhoneError, ReportInput};
use pin::PinKey;
use std::sync::Arc;
use testigo_wire::{Body, Code, SealSecretKey, StoreId};
use zeroize::Zeroizing;

/// The host's key store did not wrap what follows.
const BARE: u8 = 0;
/// It did.
const WRAPPED: u8 = 1;

/// What the witness chose for this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What can be read of a record goes as soon as headquarters has signed for it.
    pub burn: bool,
    /// The phone is wiped after so many wrong PINs in a row.
    pub wipe_after: Option<u32>,
}

impl Phone {
    /// Whether a PIN opens what can be read here.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn has_pin(&self) -> Result<bool, PhoneError> {
        Ok(self.store.lock()?.has_pin)
    }

    /// Whether a PIN must be given first to read anything here. What is saved and what is sent never asks.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn is_locked(&self) -> Result<bool, PhoneError> {
        Ok(self.opened.is_none() && self.has_pin()?)
    }

    /// Forgets what opens the readable history. Without a PIN nothing is locked.
    pub fn lock(&mut self) {
        self.opened = None;
    }

    /// Unlocks with the PIN. On a phone without one nothing is locked.
    ///
    /// # Errors
    /// [`PhoneError::WrongPin`] and [`PhoneError::TooSoon`] say when the next one is looked at;
    /// [`PhoneError::Wiped`] where it was one wrong PIN too many; [`PhoneError::HostKeys`].
    pub fn unlock(&mut self, pin: &str) -> Result<(), PhoneError> {
        if self.has_pin()? {
            self.opened = Some(Box::new(self.check(pin)?.opened));
        }
        Ok(())
    }

    /// Sets the first PIN: 6 to 64 digits or letters. From then on the phone starts locked.
    ///
    /// # Errors
    /// [`PhoneError::Input`] for a PIN of another length, or where there is one; [`PhoneError::HostKeys`].
    pub fn set_pin(&mut self, pin: &str) -> Result<(), PhoneError> {
        pin::check("pin", pin)?;
        let row = self.store.lock()?;
        if row.has_pin {
            return Err(PhoneError::input(
                "pin",
                "ya hay uno; cámbielo",
                "there is one already; change it",
                "já existe um; troque-o",
            ));
        }
        let opened = self.without_pin(&row)?;
        let key = row.cost.derive(pin, &row.salt)?;
        let slots = [self.wrap(&opened.close(&key)?)?, self.wrap(&slot::shut()?)?];
        self.store.keep_slots(true, &slots)?;
        self.opened = Some(Box::new(opened));
        Ok(())
    }

    /// Sets another PIN in the place of this one.
    ///
    /// # Errors
    /// As [`Phone::unlock`] for this one, as [`Phone::set_pin`] for the new one.
    pub fn change_pin(&mut self, pin: &str, new: &str) -> Result<(), PhoneError> {
        pin::check("new", new)?;
        let checked = self.check(pin)?;
        let key = checked.row.cost.derive(new, &checked.row.salt)?;
        let closed = self.wrap(&checked.opened.close(&key)?)?;
        // Whoever gave the duress PIN must not learn that he hit upon the other one: from then on it shows what the
        // duress PIN shows.
        if matches!(checked.opened, Opened::Whole { .. }) {
            let [first, second] = &checked.row.slots;
            let other = if checked.at == 0 { second } else { first };
            if self.open_slot(other, &key)?.is_some() {
                return Err(other_pin("new"));
            }
        }
        self.keep_slot(&checked, checked.at, closed)?;
        self.opened = Some(Box::new(checked.opened));
        Ok(())
    }

    /// Takes the PIN away, and the duress PIN with it.
    ///
    /// # Errors
    /// As [`Phone::unlock`].
    pub fn remove_pin(&mut self, pin: &str) -> Result<(), PhoneError> {
        let checked = self.check(pin)?;
        let slots = [
            self.wrap(&checked.opened.to_bytes())?,
            self.wrap(&slot::shut()?)?,
        ];
        self.store.keep_slots(false, &slots)?;
        self.opened = None;
        Ok(())
    }

    /// Sets a second PIN, which shows of what was saved only that it was and what is harmless: check-ins. With
    /// `alarm`, each time that it is given headquarters are told, before everything else, and the phone shows
    /// nothing of it. Whoever gives it meets the same delays and words as with the other one.
    ///
    /// # Errors
    /// As [`Phone::unlock`] for the PIN; as [`Phone::set_pin`] for the other one, which must differ.
    pub fn set_duress_pin(
        &mut self,
        pin: &str,
        duress: &str,
        alarm: bool,
    ) -> Result<(), PhoneError> {
        pin::check("duress", duress)?;
        let checked = self.check(pin)?;
        if pin == duress {
            return Err(other_pin("duress"));
        }
        let key = checked.row.cost.derive(duress, &checked.row.salt)?;
        let closed = self.wrap(&checked.opened.under_duress(alarm).close(&key)?)?;
        self.keep_slot(&checked, 1 - checked.at, closed)
    }

    /// Takes the duress PIN away, where there is one; nobody can tell.
    ///
    /// # Errors
    /// As [`Phone::unlock`].
    pub fn remove_duress_pin(&mut self, pin: &str) -> Result<(), PhoneError> {
        let checked = self.check(pin)?;
        let shut = self.wrap(&slot::shut()?)?;
        self.keep_slot(&checked, 1 - checked.at, shut)
    }

    /// What the witness chose.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn settings(&self) -> Result<Settings, PhoneError> {
        let row = self.store.lock()?;
        Ok(Settings {
            burn: row.burn,
            wipe_after: row.wipe_after,
        })
    }

    /// Sets it. Where copies are to burn, those of what is delivered burn at once.
    ///
    /// # Errors
    /// [`PhoneError::Locked`]: nobody loosens what a PIN guards without it. [`PhoneError::Input`] for a wipe after fewer
    /// than 3 wrong PINs; or where the store fails.
    pub fn set_settings(&mut self, settings: Settings) -> Result<(), PhoneError> {
        if settings.wipe_after.is_some_and(|wrong| wrong < 3) {
            return Err(PhoneError::input(
                "wipe_after",
                "al menos 3: uno se equivoca",
                "at least 3: people mistype",
                "pelo menos 3: qualquer um erra",
            ));
        }
        if self.is_locked()? {
            return Err(PhoneError::Locked);
        }
        self.store.keep_wipe_after(settings.wipe_after)?;
        self.store.keep_burn(settings.burn)
    }

    /// What opens the history now.
    pub(crate) fn shown(&self) -> Result<Shown<'_>, PhoneError> {
        if let Some(opened) = &self.opened {
            return Ok(Shown::Open(opened));
        }
        let row = self.store.lock()?;
        if row.has_pin {
            return Err(PhoneError::Locked);
        }
        Ok(Shown::Own(Box::new(self.without_pin(&row)?)))
    }

    /// Has keys that readable copies are sealed to, and has sealed what an earlier release left.
    pub(crate) fn begin_history(
        store: &mut Store,
        host: Option<&Arc<dyn HostKeys>>,
    ) -> Result<HistoryKeys, PhoneError> {
        let keys = match store.history_keys()? {
            Some(keys) => keys,
            None => {
                let (whole, harmless) = (SealSecretKey::random()?, SealSecretKey::random()?);
                let public = |key: &SealSecretKey| key.public_key().map_err(PhoneError::Damaged);
                let keys = HistoryKeys {
                    whole: public(&whole)?,
                    harmless: public(&harmless)?,
                };
                let opened = Opened::Whole { whole, harmless };
                let slots = [wrap(host, &opened.to_bytes())?, wrap(host, &slot::shut()?)?];
                let mut salt = [0; 16];
                getrandom::fill(&mut salt)?;
                store.begin_lock(&keys, &slots, PinCost::STANDARD, &salt)?;
                // Another process may have come first.
                store.history_keys()?.unwrap_or(keys)
            }
        };
        store.seal_earlier(&keys)?;
        Ok(keys)
    }

    fn keep_slot(&mut self, checked: &Checked, at: usize, slot: Vec<u8>) -> Result<(), PhoneError> {
        let [first, second] = checked.row.slots.clone();
        let slots = match at {
            0 => [slot, second],
            _ => [first, slot],
        };
        self.store.keep_slots(true, &slots)
    }

    fn without_pin(&self, row: &LockRow) -> Result<Opened, PhoneError> {
        let [first, _] = &row.slots;
        Opened::from_bytes(&self.unwrap(first)?).ok_or(PhoneError::HostKeys(HostKeysFault::Gone))
    }

    /// Looks at a PIN. It counts as wrong until it proves right, so that nobody gains by pulling the battery.
    fn check(&mut self, pin: &str) -> Result<Checked, PhoneError> {
        if !self.has_pin()? {
            return Err(PhoneError::input(
                "pin",
                "no hay ninguno",
                "there is none",
                "não há nenhum",
            ));
        }
        // What no PIN can be is none that was tried: keys pressed by accident wipe nothing.
        pin::check("pin", pin)?;
        let now = Moment::of(self.clock.as_ref());
        let row = self.store.count_try(now, |row| {
            match pin::left_ms(&now, row.tried.as_ref(), row.tries) {
                0 => None,
                wait_ms => Some(PhoneError::TooSoon { wait_ms }),
            }
        })?;
        let key = row.cost.derive(pin, &row.salt)?;
        // Both are tried whichever opens: nobody can tell them apart by time.
        let [first, second] = &row.slots;
        let opened = [self.open_slot(first, &key)?, self.open_slot(second, &key)?];
        let found = (opened.into_iter().enumerate())
            .filter_map(|(at, slot)| Some((at, slot?)))
            // The harmless one, should one PIN open both.
            .max_by_key(|(_, opened)| matches!(opened, Opened::Harmless { .. }));
        let Some((at, opened)) = found else {
            let left = row.wipe_after.map(|limit| limit.saturating_sub(row.tries));
            if left == Some(0) {
                self.wipe()?;
                return Err(PhoneError::Wiped);
            }
            return Err(PhoneError::WrongPin {
                wait_ms: pin::wait_ms(row.tries),
                left_before_wipe: left,
            });
        };
        self.store.forget_tries()?;
        if opened.alarm() {
            // Whatever comes of it, the phone must look as ever.
            let _ = self.raise_alarm();
        }
        Ok(Checked { row, at, opened })
    }

    fn raise_alarm(&mut self) -> Result<(), PhoneError> {
        let report = ReportInput {
            code: Code::DURESS.0,
            ..ReportInput::default()
        };
        self.report_quietly(&report)
    }

    fn open_slot(&self, wrapped: &[u8], key: &PinKey) -> Result<Option<Opened>, PhoneError> {
        Ok(Opened::open(&self.unwrap(wrapped)?, key))
    }

    fn wrap(&self, secret: &[u8]) -> Result<Vec<u8>, PhoneError> {
        wrap(self.host.as_ref(), secret)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, PhoneError> {
        match (wrapped.split_first(), &self.host) {
            (Some((&BARE, bare)), _) => Ok(Zeroizing::new(bare.to_vec())),
            (Some((&WRAPPED, wrapped)), Some(host)) => Ok(host.unwrap(HostKey::History, wrapped)?),
            _ => Err(PhoneError::HostKeys(HostKeysFault::Gone)),
        }
    }
}

/// A PIN that proved right.
struct Checked {
    row: LockRow,
    /// The slot that it opened.
    at: usize,
    opened: Opened,
}

/// What opens the history: a session's, or on a phone without a PIN for this one look.
pub(crate) enum Shown<'a> {
    Open(&'a Opened),
    Own(Box<Opened>),
}

impl Shown<'_> {
    /// The key, and the part that it opens.
    pub(crate) fn key(&self) -> (&SealSecretKey, Part) {
        let opened = match self {
            Self::Open(opened) => *opened,
            Self::Own(opened) => opened,
        };
        match opened {
            Opened::Whole { whole, .. } => (whole, Part::Whole),
            Opened::Harmless { harmless, .. } => (harmless, Part::Harmless),
        }
    }
}

fn wrap(host: Option<&Arc<dyn HostKeys>>, secret: &[u8]) -> Result<Vec<u8>, PhoneError> {
    let (form, bytes) = match host {
        Some(host) => (WRAPPED, host.wrap(HostKey::History, secret)?),
        None => (BARE, secret.to_vec()),
    };
    let mut wrapped = Vec::with_capacity(1 + bytes.len());
    wrapped.push(form);
    wrapped.extend(bytes);
    Ok(wrapped)
}

fn other_pin(field: &'static str) -> PhoneError {
    PhoneError::input(field, "elija otro", "choose another one", "escolha outro")
}

/// The part of a record's readable copy that this opens; `None` where nothing of it is to be read.
pub(crate) fn read_copy(shown: &Shown<'_>, store: StoreId, kept: &Kept) -> Option<Body> {
    let (key, part) = shown.key();
    let sealed = match part {
        Part::Whole => kept.whole.as_deref(),
        Part::Harmless => kept.harmless.as_deref(),
    }?;
    let padded = key
        .open_history(sealed, &aad(store, kept.sequence, part))
        .ok()?;
    // Zeros where it is not harmless; and where it cannot be read, it must not hide the others.
    Body::from_padded(&padded).ok()
}

#[cfg(test)]
mod tests;
