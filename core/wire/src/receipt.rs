use crate::envelope::version_of;
use crate::sign::{self, Unverified};
use crate::{BlobRef, Eid, Keyset, Language, SigningKey, StoreId, Time, WireError, cbor};
use minicbor::{Decode, Encode};

const VERSION: u64 = 1;

pub(crate) const RECEIPT: sign::Kind = sign::Kind {
    what: "receipt",
    typ: "testigo.receipt",
    max_payload: 256,
};

pub(crate) const BLOB_RECEIPT: sign::Kind = sign::Kind {
    what: "blob receipt",
    typ: "testigo.blob-receipt",
    max_payload: 128,
};

/// The largest receipt, in bytes.
pub(crate) const MAX_RECEIPT: usize = RECEIPT.limit();

/// What headquarters says of an envelope. From 100 on it is a refusal; numbers of a newer
/// headquarters are kept as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ReceiptCode(#[n(0)] pub u16);

impl ReceiptCode {
    /// It is kept.
    pub const ACCEPTED: Self = Self(0);
    /// It belongs to another election.
    pub const WRONG_ELECTION: Self = Self(100);

    /// Headquarters will never take it: the phone parks it for a person to decide.
    pub fn is_refusal(self) -> bool {
        self.0 >= 100
    }

    /// What a person is told of a refusal.
    pub fn sentence(self, language: Language) -> String {
        let code = self.0;
        match self {
            Self::WRONG_ELECTION => language.pick3(
                "La central no lo recibe: es de otra elección. Sigue guardado aquí; avise a su coordinación.",
                "Headquarters will not take it: it is of another election. It stays saved here; tell your coordinator.",
                "A central não o recebe: é de outra eleição. Continua guardado aqui; avise sua coordenação.",
            )
            .to_owned(),
            _ => language.pick3(
                format!("La central no lo recibe (código {code}). Sigue guardado aquí; avise a su coordinación."),
                format!("Headquarters will not take it (code {code}). It stays saved here; tell your coordinator."),
                format!("A central não o recebe (código {code}). Continua guardado aqui; avise sua coordenação."),
            ),
        }
    }
}

/// Headquarters' signed word on one envelope: `[version, store, eid, received at, code]`.
///
/// Its first bytes are kept for ever: the same envelope is always answered by the same receipt.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    #[n(0)]
    version: u64,
    /// The phone's store that sent it.
    #[n(1)]
    pub store_id: StoreId,
    /// Identity of the envelope.
    #[n(2)]
    pub eid: Eid,
    /// When headquarters received it, by its own clock.
    #[n(3)]
    pub received_at: Time,
    /// What became of it.
    #[n(4)]
    pub code: ReceiptCode,
}

impl Receipt {
    /// Of this envelope.
    pub fn new(store_id: StoreId, eid: Eid, received_at: Time, code: ReceiptCode) -> Self {
        Self {
            version: VERSION,
            store_id,
            eid,
            received_at,
            code,
        }
    }

    /// Signs it with headquarters' receipt key.
    ///
    /// # Errors
    /// None in practice: its size is fixed.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, WireError> {
        RECEIPT.sign(key, cbor::to_vec(self))
    }

    /// Reads a receipt and verifies it under one of the keyset's receipt keys.
    ///
    /// # Errors
    /// [`WireError::Signature`] where no such key signed it; [`WireError`] where it is none.
    pub fn verify(bytes: &[u8], keyset: &Keyset) -> Result<Self, WireError> {
        let signed = Self::parse(bytes)?;
        verified(&signed, keyset, RECEIPT.what)?;
        cbor::from_slice(RECEIPT.what, &signed.payload, RECEIPT.max_payload)
    }

    /// Reads a receipt that was verified before it was kept; the signature is not checked again, so
    /// that a key which has been replaced since does not hide what was delivered.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are no receipt.
    pub fn from_kept(bytes: &[u8]) -> Result<Self, WireError> {
        let signed = Self::parse(bytes)?;
        cbor::from_slice(RECEIPT.what, &signed.payload, RECEIPT.max_payload)
    }

    fn parse(bytes: &[u8]) -> Result<Unverified, WireError> {
        parse(&RECEIPT, bytes)
    }
}

/// Headquarters' signed word that it holds a whole attachment: `[version, sha256, size]`. It is the
/// same for whoever sent it, so it can be given again and again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlobReceipt {
    #[n(0)]
    version: u64,
    /// The sealed file.
    #[n(1)]
    pub blob: BlobRef,
}

impl BlobReceipt {
    /// Of this attachment.
    pub fn new(blob: BlobRef) -> Self {
        Self {
            version: VERSION,
            blob,
        }
    }

    /// Signs it with headquarters' receipt key.
    ///
    /// # Errors
    /// None in practice: its size is fixed.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, WireError> {
        BLOB_RECEIPT.sign(key, cbor::to_vec(self))
    }

    /// Reads one and verifies it under one of the keyset's receipt keys.
    ///
    /// # Errors
    /// [`WireError::Signature`] where no such key signed it; [`WireError`] where it is none.
    pub fn verify(bytes: &[u8], keyset: &Keyset) -> Result<Self, WireError> {
        let signed = parse(&BLOB_RECEIPT, bytes)?;
        verified(&signed, keyset, BLOB_RECEIPT.what)?;
        cbor::from_slice(BLOB_RECEIPT.what, &signed.payload, BLOB_RECEIPT.max_payload)
    }

    /// Reads one that was verified, or signed here, before it was kept; the signature is not checked again.
    ///
    /// # Errors
    /// [`WireError`] where the bytes are none.
    pub fn from_kept(bytes: &[u8]) -> Result<Self, WireError> {
        let signed = parse(&BLOB_RECEIPT, bytes)?;
        cbor::from_slice(BLOB_RECEIPT.what, &signed.payload, BLOB_RECEIPT.max_payload)
    }
}

fn parse(kind: &sign::Kind, bytes: &[u8]) -> Result<Unverified, WireError> {
    let signed = kind.parse(bytes)?;
    match version_of(kind.what, &signed.payload)? {
        VERSION => Ok(signed),
        found => Err(WireError::Version {
            what: kind.what,
            found,
        }),
    }
}

fn verified(signed: &Unverified, keyset: &Keyset, what: &'static str) -> Result<(), WireError> {
    let key = keyset
        .receipt_key(signed.kid)
        .ok_or(WireError::Signature { what })?;
    signed.verify(key)
}
