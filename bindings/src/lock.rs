//! PINs, locking, what is kept to be read, and wiping.

use crate::error::caught;
use crate::host_keys::Lent;
use crate::{HostKeys, Phone, TestigoError};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the witness chose for this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct Settings {
    /// What can be read of a record goes as soon as headquarters has signed for it.
    pub burn: bool,
    /// The phone is wiped after so many wrong PINs in a row (at least 3); none: never.
    pub wipe_after: Option<u32>,
}

/// What a wipe destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct WipedView {
    /// Records that headquarters had not signed for.
    pub undelivered_records: u64,
    /// Files that headquarters had not signed for.
    pub undelivered_files: u64,
}

/// Wipes a phone that does not open, such as where the key is gone: as `Phone.wipe`, but what was not delivered cannot
/// be counted. With no phone open on the folder; one that is not there is no error. An app that keeps the database key
/// itself destroys that, too.
///
/// # Errors
/// `Store` where a file may still be there: the same call goes on.
#[uniffi::export]
pub fn wipe_folder(directory: String) -> Result<(), TestigoError> {
    wiped(&directory, None)
}

/// The same for a phone under the key store, whose keys are destroyed first.
///
/// # Errors
/// `Store` where a key or a file may still be there: the same call goes on.
#[uniffi::export]
pub fn wipe_folder_under(directory: String, keys: Arc<dyn HostKeys>) -> Result<(), TestigoError> {
    wiped(&directory, Some(keys))
}

fn wiped(directory: &str, keys: Option<Arc<dyn HostKeys>>) -> Result<(), TestigoError> {
    caught(|| {
        let host = keys.map(Lent::of);
        testigo_phone::Phone::wipe_folder(Path::new(directory), host.as_deref())?;
        tracing::warn!("a phone that did not open was wiped");
        Ok(())
    })
}

#[uniffi::export]
impl Phone {
    /// Whether a PIN opens what can be read here.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn has_pin(&self) -> Result<bool, TestigoError> {
        caught(|| Ok(self.shared.phone().has_pin()?))
    }

    /// Whether a PIN must be given first to read anything here. What is saved and sent never asks.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn is_locked(&self) -> Result<bool, TestigoError> {
        caught(|| Ok(self.shared.phone().is_locked()?))
    }

    /// Forgets what opens the readable history. Without a PIN nothing is locked.
    ///
    /// # Errors
    /// `Internal` alone.
    pub fn lock(&self) -> Result<(), TestigoError> {
        self.changing("locked", |phone| {
            phone.lock();
            Ok(())
        })
    }

    /// Unlocks with the PIN. Each PIN takes a good part of a second: off the main thread.
    ///
    /// # Errors
    /// `Locked` for a wrong PIN, and where none is looked at yet, with the wait; `Enrolment` (`wiped`) where it was
    /// one wrong PIN too many; `Store`.
    pub fn unlock(&self, pin: String) -> Result<(), TestigoError> {
        let pin = Zeroizing::new(pin);
        self.changing("unlocked", |phone| phone.unlock(&pin))
    }

    /// Sets the first PIN: 6 to 64 digits or letters. From then on the phone starts locked.
    ///
    /// # Errors
    /// `Input` for a PIN of another length, or where there is one; `Store`.
    pub fn set_pin(&self, pin: String) -> Result<(), TestigoError> {
        let pin = Zeroizing::new(pin);
        self.changing("set a PIN", |phone| phone.set_pin(&pin))
    }

    /// Sets another PIN in the place of this one.
    ///
    /// # Errors
    /// As `unlock` for this one, as `set_pin` for the new one.
    pub fn change_pin(&self, pin: String, new: String) -> Result<(), TestigoError> {
        let (pin, new) = (Zeroizing::new(pin), Zeroizing::new(new));
        self.changing("changed a PIN", |phone| phone.change_pin(&pin, &new))
    }

    /// Takes the PIN away, and the duress PIN with it.
    ///
    /// # Errors
    /// As `unlock`.
    pub fn remove_pin(&self, pin: String) -> Result<(), TestigoError> {
        let pin = Zeroizing::new(pin);
        self.changing("removed a PIN", |phone| phone.remove_pin(&pin))
    }

    /// Sets a second PIN, which shows check-ins and no other content. With `alarm` headquarters are told each time
    /// that it is given, before everything else, and the phone shows nothing of it. The app must treat it as the
    /// other one.
    ///
    /// # Errors
    /// As `unlock` for the PIN, as `set_pin` for the other one, which must differ.
    pub fn set_duress_pin(
        &self,
        pin: String,
        duress: String,
        alarm: bool,
    ) -> Result<(), TestigoError> {
        let (pin, duress) = (Zeroizing::new(pin), Zeroizing::new(duress));
        // The log says the same of both.
        self.changing("changed a PIN", |phone| {
            phone.set_duress_pin(&pin, &duress, alarm)
        })
    }

    /// Takes the duress PIN away, where there is one; nobody can tell.
    ///
    /// # Errors
    /// As `unlock`.
    pub fn remove_duress_pin(&self, pin: String) -> Result<(), TestigoError> {
        let pin = Zeroizing::new(pin);
        self.changing("changed a PIN", |phone| phone.remove_duress_pin(&pin))
    }

    /// What the witness chose.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn settings(&self) -> Result<Settings, TestigoError> {
        caught(|| {
            let settings = self.shared.phone().settings()?;
            Ok(Settings {
                burn: settings.burn,
                wipe_after: settings.wipe_after,
            })
        })
    }

    /// Sets it. Where copies are to burn, those of what is delivered burn at once.
    ///
    /// # Errors
    /// `Locked` before the PIN is given: nobody loosens what it guards without it; `Input` for a wipe after fewer than 3
    /// wrong PINs; or where the store fails.
    pub fn set_settings(&self, settings: Settings) -> Result<(), TestigoError> {
        self.changing("set what is kept", |phone| {
            phone.set_settings(testigo_phone::Settings {
                burn: settings.burn,
                wipe_after: settings.wipe_after,
            })
        })
    }

    /// Destroys this phone: its keys first, then its files. What `status` counts as queued or parked is lost. An app
    /// that keeps the database key itself destroys that, too. Afterwards close the phone.
    ///
    /// # Errors
    /// `Store` where a key or a file may still be there: the next opening tries again.
    pub fn wipe(&self) -> Result<WipedView, TestigoError> {
        caught(|| {
            let wiped = self.shared.phone().wipe()?;
            Ok(WipedView {
                undelivered_records: wiped.undelivered_records,
                undelivered_files: wiped.undelivered_files,
            })
        })
    }
}
