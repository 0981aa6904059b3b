//! Headquarters' keys as they change while phones are out.

use crate::{Phone, PhoneError};
use testigo_wire::{Keyset, Language, RootId, Succession, WireError, root_words};

/// What the phone trusts, for a screen of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustView {
    /// The root that signs headquarters' keys.
    pub root: RootId,
    /// Version of the keyset that the phone holds.
    pub keyset: u64,
}

impl TrustView {
    /// The root's six words, which a person compares with what a coordinator says.
    pub fn words(&self, language: Language) -> String {
        root_words(self.root, language)
    }
}

/// What became of a keyset that was handed to the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysetTaken {
    /// It is newer and holds from now on.
    Newer(u64),
    /// The phone had it already.
    Known(u64),
    /// It was replaced long ago; the phone keeps the newer one.
    Older {
        /// Its version.
        found: u64,
        /// The version that the phone keeps.
        held: u64,
    },
}

impl Phone {
    /// What the phone trusts; `None` before it has enrolled.
    pub fn trust(&self) -> Option<TrustView> {
        self.hq.as_ref().map(|hq| TrustView {
            root: RootId::of(&hq.keyset.root),
            keyset: hq.keyset.version,
        })
    }

    /// Takes a newer keyset, from wherever it comes: what is saved from now on is sealed to its first key, and its
    /// addresses and receipt keys hold from the next request on. What waits under an earlier key stays as it is,
    /// and arrives.
    ///
    /// # Errors
    /// [`PhoneError::OtherHeadquarters`] where it is of another root or election, or gives a version that the
    /// phone has another content; [`PhoneError::Damaged`] where it is none; [`PhoneError::NotEnrolled`], or where
    /// the store fails. Nothing changes then.
    pub fn take_keyset(&mut self, signed: &[u8]) -> Result<KeysetTaken, PhoneError> {
        let held = self.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let keyset = Keyset::verify(&held.keyset, held.root).map_err(PhoneError::Damaged)?;
        let succession = keyset.succession(&held.keyset, signed);
        let taken = match succession.map_err(|error| match error {
            WireError::Signature { .. } => {
                PhoneError::OtherHeadquarters("the keyset is signed by another root")
            }
            error => PhoneError::Damaged(error),
        })? {
            Succession::Newer(newer) => {
                self.store.replace_keyset(&held.keyset, signed)?;
                KeysetTaken::Newer(newer.version)
            }
            Succession::Same => KeysetTaken::Known(keyset.version),
            Succession::Older(found) => KeysetTaken::Older {
                found,
                held: keyset.version,
            },
            Succession::OtherElection => {
                return Err(PhoneError::OtherHeadquarters(
                    "the keyset is of another election",
                ));
            }
            Succession::Conflict => {
                return Err(PhoneError::OtherHeadquarters(
                    "the root signed two keysets of one version",
                ));
            }
        };
        // Another process may have been first.
        self.load_headquarters()?;
        self.keep_key_for_headquarters();
        Ok(taken)
    }
}
