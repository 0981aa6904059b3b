//! The host's key store: Android's Keystore, Apple's Keychain, or what stands in for one.

use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// What one of the host's keys is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostKey {
    /// Wraps the key of the store. It must work on a locked phone, from the first unlock after its start on.
    Store,
    /// Wraps the key of the readable history. It may ask for an unlocked phone.
    History,
}

impl HostKey {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Store, Self::History];

    /// A stable name, for hosts that keep keys by name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::History => "history",
        }
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why the host's key store did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HostKeysFault {
    /// The key is gone, or what was to be unwrapped is not of it: trying again changes nothing.
    #[error("the key is gone from the phone's key store")]
    Gone,
    /// It did not answer now, such as on a phone that was not unlocked since its start.
    #[error("the phone's key store does not answer now")]
    Unavailable,
}

/// The host's key store. Its keys never leave it: it wraps and unwraps, authenticated, and forgets on demand.
pub trait HostKeys: Send + Sync {
    /// Encrypts under the key of this name, which is made where there is none.
    ///
    /// # Errors
    /// [`HostKeysFault`].
    fn wrap(&self, key: HostKey, secret: &[u8]) -> Result<Vec<u8>, HostKeysFault>;

    /// What [`HostKeys::wrap`] was given.
    ///
    /// # Errors
    /// [`HostKeysFault::Gone`] where it cannot be had any more.
    fn unwrap(&self, key: HostKey, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, HostKeysFault>;

    /// Destroys the key of this name for ever; where there is none, nothing happens.
    ///
    /// # Errors
    /// [`HostKeysFault`] where it may still be there.
    fn destroy(&self, key: HostKey) -> Result<(), HostKeysFault>;
}
