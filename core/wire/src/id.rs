use crate::sign::digest;
use crate::{VerifyingKey, WireError};
use data_encoding::HEXLOWER;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::fmt;

macro_rules! fixed_bytes {
    ($($(#[$doc:meta])* $name:ident [$len:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// A fresh one from the operating system's randomness.
            ///
            /// # Errors
            /// Where the operating system has none to give.
            pub fn random() -> Result<Self, getrandom::Error> {
                let mut bytes = [0; $len];
                getrandom::fill(&mut bytes)?;
                Ok(Self(bytes))
            }

            /// From bytes of exactly this length.
            ///
            /// # Errors
            /// [`WireError::Malformed`] for any other length.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, WireError> {
                match bytes.try_into() {
                    Ok(bytes) => Ok(Self(bytes)),
                    Err(_) => Err(WireError::malformed(stringify!($name), "wrong length")),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let position = d.position();
                Self::from_slice(d.bytes()?)
                    .map_err(|error| decode::Error::message(error).at(position))
            }
        }
    )*};
}

fixed_bytes! {
    /// Identity of an envelope or enrolment: SHA-256 of its exact bytes.
    Eid[32];
    /// Names a key: the first eight bytes of SHA-256 over its public half.
    KeyId[8];
    /// Names the offline root that a witness trusts: the first 16 bytes of SHA-256 over its public key.
    RootId[16];
    /// Names an election; drawn at random when its headquarters is made, from ones apart for practice.
    ElectionId[8];
    /// Names a record inside envelopes; random, so that it tells nothing.
    RecordId[16];
    /// Names the store of one phone.
    StoreId[16];
    /// Names one run of headquarters' store: a store restored from a backup has a new one.
    Epoch[16];
    /// Names one boot of a phone, so that monotonic times can be compared.
    BootId[16];
}

impl ElectionId {
    /// What every practice election's begins with, and no other's.
    const PRACTICE: [u8; 4] = *b"PRAC";

    /// A fresh one for an election that counts.
    ///
    /// # Errors
    /// Where the operating system has no randomness to give.
    pub fn draw() -> Result<Self, getrandom::Error> {
        loop {
            let id = Self::random()?;
            if !id.is_practice() {
                return Ok(id);
            }
        }
    }

    /// A fresh one for practice, which no headquarters of an election that counts can have.
    ///
    /// # Errors
    /// Where the operating system has no randomness to give.
    pub fn draw_practice() -> Result<Self, getrandom::Error> {
        let mut id = Self::random()?;
        (id.0.iter_mut().zip(Self::PRACTICE)).for_each(|(to, from)| *to = from);
        Ok(id)
    }

    /// Whether it is for practice: nothing in it ever counts.
    pub fn is_practice(&self) -> bool {
        self.0.starts_with(&Self::PRACTICE)
    }
}

impl Eid {
    /// The identity of these exact bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(digest(bytes))
    }
}

impl KeyId {
    /// The identity of a public key's bytes.
    pub fn of(public_key: &[u8]) -> Self {
        Self(truncated(public_key))
    }
}

impl RootId {
    /// The identity of a root's public key.
    pub fn of(root: &VerifyingKey) -> Self {
        Self(truncated(&root.to_bytes()))
    }
}

fn truncated<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.iter_mut()
        .zip(digest(bytes))
        .for_each(|(to, from)| *to = from);
    out
}
