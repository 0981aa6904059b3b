use crate::sign::{self, Unverified};
use crate::{
    Body, Eid, ElectionId, KeyId, SealPublicKey, SealSecretKey, SigningKey, VerifyingKey,
    WireError, body, cbor, seal,
};
use minicbor::{Decode, Encode};

const VERSION: u64 = 1;

const ENVELOPE: sign::Kind = sign::Kind {
    what: "envelope",
    typ: "testigo.envelope",
    max_payload: body::MAX_BODY + seal::TAG_LEN + seal::ENC_LEN + 4096,
};

/// The largest envelope, in bytes.
pub const MAX_ENVELOPE: usize = ENVELOPE.limit();

/// A sealed attachment that an envelope names, so that no carrier can swap it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct BlobRef {
    /// SHA-256 of the sealed bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// Their number.
    #[n(1)]
    pub size: u64,
}

/// The signed payload: `[version, election, seal_kid, enc, ct, [[sha256, size] ...]]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Payload {
    #[n(0)]
    version: u64,
    #[n(1)]
    election: ElectionId,
    #[n(2)]
    seal_kid: KeyId,
    #[cbor(n(3), with = "minicbor::bytes")]
    enc: Vec<u8>,
    #[cbor(n(4), with = "minicbor::bytes")]
    ct: Vec<u8>,
    #[n(5)]
    blobs: Vec<BlobRef>,
}

/// What the sealed text is bound to: everything in clear but `enc` and `ct`.
#[derive(Encode)]
struct Bound<'a> {
    #[cbor(n(0), with = "minicbor::bytes")]
    protected: &'a [u8],
    #[n(1)]
    version: u64,
    #[n(2)]
    election: ElectionId,
    #[n(3)]
    seal_kid: KeyId,
    #[n(4)]
    blobs: &'a [BlobRef],
}

impl Payload {
    fn aad(&self, device: KeyId) -> Vec<u8> {
        cbor::to_vec(&Bound {
            protected: &ENVELOPE.protected(device),
            version: self.version,
            election: self.election,
            seal_kid: self.seal_kid,
            blobs: &self.blobs,
        })
    }
}

/// One sealed record on its way: signed by the device, readable by the seal key's holder alone.
///
/// In clear it shows the device's and the seal key's short names, the election and a size class;
/// neither time, table, kind nor sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    bytes: Vec<u8>,
    device: KeyId,
    payload: Payload,
}

impl Envelope {
    /// Seals a body to headquarters and signs it with the device's key.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] where the record does not fit into 64 KiB.
    pub fn seal(
        body: &Body,
        election: ElectionId,
        seal_key: &SealPublicKey,
        device: &SigningKey,
    ) -> Result<Self, WireError> {
        let mut payload = Payload {
            version: VERSION,
            election,
            seal_kid: seal_key.key_id(),
            enc: Vec::new(),
            ct: Vec::new(),
            blobs: body.attachments.iter().map(|file| file.blob).collect(),
        };
        let kid = device.verifying_key().key_id();
        (payload.enc, payload.ct) =
            seal_key.seal(&seal::BODY, &body.to_padded()?, &payload.aad(kid))?;
        Ok(Self {
            bytes: ENVELOPE.sign(device, cbor::to_vec(&payload))?,
            device: kid,
            payload,
        })
    }

    /// Takes an envelope's bytes apart. Who sent it is known only after [`UnverifiedEnvelope::verify`].
    ///
    /// # Errors
    /// [`WireError`] where they are no envelope, or one of a version that this program does not know.
    pub fn parse(bytes: &[u8]) -> Result<UnverifiedEnvelope, WireError> {
        let signed = ENVELOPE.parse(bytes)?;
        let version = version_of(ENVELOPE.what, &signed.payload)?;
        if version != VERSION {
            return Err(WireError::Version {
                what: ENVELOPE.what,
                found: version,
            });
        }
        let payload: Payload =
            cbor::from_slice(ENVELOPE.what, &signed.payload, ENVELOPE.max_payload)?;
        if cbor::to_vec(&payload) != signed.payload {
            return Err(WireError::malformed(
                ENVELOPE.what,
                "fields that do not belong",
            ));
        }
        Ok(UnverifiedEnvelope {
            envelope: Self {
                bytes: bytes.to_vec(),
                device: signed.kid,
                payload,
            },
            signed,
        })
    }

    /// Its identity.
    pub fn eid(&self) -> Eid {
        Eid::of(&self.bytes)
    }

    /// Its exact bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The short name of the device that signed it.
    pub fn device(&self) -> KeyId {
        self.device
    }

    /// The election it belongs to.
    pub fn election(&self) -> ElectionId {
        self.payload.election
    }

    /// The short name of the key it is sealed to.
    pub fn seal_kid(&self) -> KeyId {
        self.payload.seal_kid
    }

    /// The sealed attachments that belong to it.
    pub fn blobs(&self) -> &[BlobRef] {
        &self.payload.blobs
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`WireError::Sealed`] with any other key than the one it was sealed to;
    /// [`WireError::Malformed`] where what lies inside is no body.
    pub fn open(&self, key: &SealSecretKey) -> Result<Body, WireError> {
        let Payload { enc, ct, .. } = &self.payload;
        Body::from_padded(&key.open(&seal::BODY, enc, ct, &self.payload.aad(self.device))?)
    }
}

/// Reads the version that stands first in every signed payload array.
pub(crate) fn version_of(what: &'static str, payload: &[u8]) -> Result<u64, WireError> {
    let mut decoder = minicbor::Decoder::new(payload);
    decoder
        .array()
        .and_then(|_| decoder.u64())
        .map_err(|error| WireError::malformed(what, error))
}

/// An envelope of right form whose signature has not been checked.
#[derive(Debug)]
pub struct UnverifiedEnvelope {
    envelope: Envelope,
    signed: Unverified,
}

impl UnverifiedEnvelope {
    /// The short name of the device that is said to have signed it.
    pub fn device(&self) -> KeyId {
        self.envelope.device
    }

    /// The sealed attachments that it names.
    pub fn blobs(&self) -> &[BlobRef] {
        self.envelope.blobs()
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`WireError::Signature`] where another key signed it, or a bit was changed.
    pub fn verify(self, device: &VerifyingKey) -> Result<Envelope, WireError> {
        self.signed.verify(device)?;
        Ok(self.envelope)
    }
}
