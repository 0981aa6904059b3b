//! The platform's key store, as the app lends it to the phone.

use crate::error::caught;
use crate::phone::{key, recovered};
use crate::{RecoveredView, TestigoError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use testigo_phone::{HostClock, HostKeysFault};
use zeroize::Zeroizing;

/// What one of the key store's keys is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum HostKey {
    /// Wraps the key of the store. It must work on a locked phone, from the first unlock after its start on.
    Store,
    /// Wraps the key of the readable history. It may ask for an unlocked phone.
    History,
}

/// Why the key store did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HostKeysError {
    /// The key is gone, or what was to be unwrapped is not of it: trying again changes nothing.
    #[error("the key is gone")]
    Gone,
    /// It did not answer now, such as on a phone that was not unlocked since its start.
    #[error("the key store does not answer now")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostKeysError {
    /// The text of a foreign exception may hold anything: it is dropped.
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

/// The platform's key store: Android's Keystore, Apple's Keychain. Its keys never leave it. It is called while the
/// phone is at work, and must not call the phone.
#[uniffi::export(with_foreign)]
pub trait HostKeys: Send + Sync {
    /// Encrypts, authenticated, under the key of this name, which is made where there is none.
    ///
    /// # Errors
    /// What it throws.
    fn wrap(&self, key: HostKey, secret: Vec<u8>) -> Result<Vec<u8>, HostKeysError>;

    /// What `wrap` was given.
    ///
    /// # Errors
    /// `Gone` where it cannot be had any more.
    fn unwrap(&self, key: HostKey, wrapped: Vec<u8>) -> Result<Vec<u8>, HostKeysError>;

    /// Destroys the key of this name for ever; where there is none, nothing happens.
    ///
    /// # Errors
    /// What it throws, where the key may still be there.
    fn destroy(&self, key: HostKey) -> Result<(), HostKeysError>;
}

/// Puts a phone whose database key the app kept itself under the key store; `Phone.open_under` opens it from then on.
///
/// # Errors
/// `Input` for a key of another length; `Store`.
#[uniffi::export]
pub fn keep_key_under(
    directory: String,
    database_key: Vec<u8>,
    keys: Arc<dyn HostKeys>,
) -> Result<(), TestigoError> {
    caught(|| {
        let key = key(database_key)?;
        let host = Lent(keys);
        Ok(testigo_phone::Phone::keep_key_under(
            Path::new(&directory),
            &key,
            &host,
        )?)
    })
}

/// As `recover_store`, for a phone under the key store.
///
/// # Errors
/// As `recover_store`.
#[uniffi::export]
pub fn recover_store_under(
    directory: String,
    keys: Arc<dyn HostKeys>,
    key_is_right: bool,
) -> Result<RecoveredView, TestigoError> {
    caught(|| {
        let (folder, clock) = (Path::new(&directory), Box::new(HostClock::new(0)));
        let (_, of) =
            testigo_phone::Phone::recover_under(folder, Lent::of(keys), clock, key_is_right)?;
        Ok(recovered(of))
    })
}

/// The app's key store, for the core.
pub(crate) struct Lent(Arc<dyn HostKeys>);

impl Lent {
    pub(crate) fn of(keys: Arc<dyn HostKeys>) -> Arc<dyn testigo_phone::HostKeys> {
        Arc::new(Self(keys))
    }

    fn call<T>(
        &self,
        work: impl FnOnce(&dyn HostKeys) -> Result<T, HostKeysError>,
    ) -> Result<T, HostKeysFault> {
        catch_unwind(AssertUnwindSafe(|| work(self.0.as_ref())))
            .unwrap_or(Err(HostKeysError::Unavailable))
            .map_err(|error| match error {
                HostKeysError::Gone => HostKeysFault::Gone,
                HostKeysError::Unavailable => HostKeysFault::Unavailable,
            })
    }
}

impl From<testigo_phone::HostKey> for HostKey {
    fn from(key: testigo_phone::HostKey) -> Self {
        match key {
            testigo_phone::HostKey::Store => Self::Store,
            testigo_phone::HostKey::History => Self::History,
        }
    }
}

impl testigo_phone::HostKeys for Lent {
    fn wrap(&self, key: testigo_phone::HostKey, secret: &[u8]) -> Result<Vec<u8>, HostKeysFault> {
        self.call(|keys| keys.wrap(key.into(), secret.to_vec()))
    }

    fn unwrap(
        &self,
        key: testigo_phone::HostKey,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HostKeysFault> {
        let unwrapped = self.call(|keys| keys.unwrap(key.into(), wrapped.to_vec()));
        unwrapped.map(Zeroizing::new)
    }

    fn destroy(&self, key: testigo_phone::HostKey) -> Result<(), HostKeysFault> {
        self.call(|keys| keys.destroy(key.into()))
    }
}
