use crate::sign::SigningKey;
use crate::{ElectionId, RootId, TableId, WireError};
use data_encoding::BASE32_NOPAD;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// The right to enrol a phone: a 16-byte secret, handed to a witness as a QR code or typed.
///
/// Headquarters keeps only the public half of the key derived from it. Erased from memory when
/// dropped; cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Capability(Zeroizing<[u8; 16]>);

impl Capability {
    /// A fresh one from the operating system's randomness.
    ///
    /// # Errors
    /// Where the operating system has none to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut secret = Zeroizing::new([0; 16]);
        getrandom::fill(secret.as_mut())?;
        Ok(Self(secret))
    }

    /// The Ed25519 key that signs the enrolment: HKDF-SHA256 (RFC 5869) over the secret.
    ///
    /// # Errors
    /// None in practice: 32 bytes are always available.
    pub fn signing_key(&self) -> Result<SigningKey, WireError> {
        let mut seed = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.0.as_ref())
            .expand(b"testigo/1/capability", seed.as_mut())
            .map_err(|error| WireError::malformed("capability", error))?;
        Ok(SigningKey::from_seed(&seed))
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Capability(..)")
    }
}

/// What the enrolment QR code says: `TESTIGO1:` and, in RFC 4648 base 32, the capability's secret,
/// the root to trust and the election; then, behind a colon, the table the witness is sent to.
/// It fits the QR alphanumeric mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The right to enrol.
    pub capability: Capability,
    /// The root whose keysets the phone will believe.
    pub root: RootId,
    /// The election.
    pub election: ElectionId,
    /// The table that the witness is sent to.
    pub table: Option<TableId>,
}

const PREFIX: &str = "TESTIGO1:";

impl Invitation {
    /// The QR code's text. It holds the secret: it is shown, printed, and kept nowhere.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(40));
        bytes.extend_from_slice(self.capability.0.as_ref());
        bytes.extend_from_slice(&self.root.0);
        bytes.extend_from_slice(&self.election.0);
        let mut text = Zeroizing::new(PREFIX.to_owned());
        BASE32_NOPAD.encode_append(&bytes, &mut text);
        if let Some(table) = &self.table {
            text.push(':');
            text.push_str(table.as_str());
        }
        text
    }

    /// Reads the QR code's text; small letters and white space are forgiven, for it may be typed.
    ///
    /// # Errors
    /// [`WireError::Malformed`] where the text is no enrolment code.
    pub fn from_text(text: &str) -> Result<Self, WireError> {
        let fault = |reason| WireError::malformed("enrolment code", reason);
        if text.len() > 512 {
            return Err(fault("longer than any enrolment code"));
        }
        let text: Zeroizing<String> = Zeroizing::new(
            text.chars()
                .filter(|c| !c.is_whitespace())
                .map(|c| c.to_ascii_uppercase())
                .collect(),
        );
        let rest = text
            .strip_prefix(PREFIX)
            .ok_or_else(|| fault("it does not start with TESTIGO1:"))?;
        let (code, table) = match rest.split_once(':') {
            Some((code, table)) => (code, Some(TableId::new(table)?)),
            None => (rest, None),
        };
        let bytes: Zeroizing<[u8; 40]> = BASE32_NOPAD
            .decode(code.as_bytes())
            .map(Zeroizing::new)
            .ok()
            .and_then(|bytes| bytes.as_slice().try_into().ok())
            .map(Zeroizing::new)
            .ok_or_else(|| fault("a letter is wrong or missing"))?;
        let (secret, rest) = bytes.split_at(16);
        let (root, election) = rest.split_at(16);
        let mut capability = Zeroizing::new([0; 16]);
        capability.copy_from_slice(secret);
        Ok(Self {
            capability: Capability(capability),
            root: RootId::from_slice(root)?,
            election: ElectionId::from_slice(election)?,
            table,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn invitation(table: Option<&str>) -> Invitation {
        Invitation {
            capability: Capability(Zeroizing::new([7; 16])),
            root: RootId([1; 16]),
            election: ElectionId([2; 8]),
            table: table.map(|t| TableId::new(t).unwrap()),
        }
    }

    #[test]
    fn a_typed_code_is_read_in_any_case_and_spacing() {
        for table in [None, Some("201301006.01")] {
            let invitation = invitation(table);
            let text = invitation.to_text();
            assert_eq!(Invitation::from_text(&text).unwrap(), invitation);
            let lower = text.to_lowercase();
            let (head, tail) = lower.split_at(20);
            let typed = format!(" {head} {tail}\n");
            assert_eq!(Invitation::from_text(&typed).unwrap(), invitation);
        }
    }

    #[test]
    fn the_code_text_is_stable() {
        insta::assert_snapshot!(invitation(Some("201301006.01")).to_text().as_str());
    }

    #[test]
    fn what_is_no_code_says_why() {
        for text in [
            "",
            "HELLO",
            "TESTIGO1:",
            "TESTIGO1:AAAA",
            "TESTIGO1:A1A1",
            &"A".repeat(600),
        ] {
            assert!(Invitation::from_text(text).is_err(), "{text}");
        }
        assert_eq!(
            format!("{:?}", invitation(None).capability),
            "Capability(..)"
        );
    }
}
