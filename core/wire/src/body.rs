use crate::{
    Attachment, BootId, Kind, Lane, Record, RecordId, StoreId, TableId, Time, Warning, WireError,
    cbor,
};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

/// The longest body, padding included, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// What is sealed: the record and all that headquarters needs to judge it. Only the holder of the
/// seal key ever reads it; on the wire it shows nothing but a size class.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Body {
    /// Names the record; an amendment names the record that it amends.
    #[n(0)]
    pub record_id: RecordId,
    /// The phone's store.
    #[n(1)]
    pub store_id: StoreId,
    /// The store's own count of what it saved, from 1 without a gap.
    #[n(2)]
    pub sequence: u64,
    /// How urgently it left.
    #[n(3)]
    pub lane: Lane,
    /// What kind of record it is.
    #[n(4)]
    pub kind: Kind,
    /// The polling table it was filed under.
    #[n(5)]
    pub table: Option<TableId>,
    /// When the witness says that it happened.
    #[n(6)]
    pub claimed_at: Option<Time>,
    /// What the phone's clock showed when it was saved; never believed, always kept.
    #[n(7)]
    pub saved_at: Time,
    /// Milliseconds since the phone's start, at saving.
    #[n(8)]
    pub monotonic_ms: u64,
    /// Which start of the phone that counts from.
    #[n(9)]
    pub boot_id: BootId,
    /// The latest time that headquarters had signed before.
    #[n(10)]
    pub last_hq_time: Option<Time>,
    /// Milliseconds since the phone was unlocked, where the host knows.
    #[n(11)]
    pub since_unlock_ms: Option<u64>,
    /// Files that belong to it, and what opens them.
    #[cbor(n(12), skip_if = "Vec::is_empty", default)]
    pub attachments: Vec<Attachment>,
    /// What the phone doubted.
    #[n(13)]
    pub warnings: Vec<Warning>,
    /// The record's CBOR.
    #[cbor(n(14), with = "minicbor::bytes")]
    pub record: Vec<u8>,
}

impl Body {
    /// The record inside.
    ///
    /// # Errors
    /// [`WireError`] where its bytes are not of its kind.
    pub fn record(&self) -> Result<Record, WireError> {
        Record::from_bytes(self.kind, &self.record)
    }

    /// Its CBOR, for a store of one's own.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// From its CBOR without padding.
    ///
    /// # Errors
    /// [`WireError`] where it is no body.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        cbor::from_slice("body", bytes, MAX_BODY)
    }

    /// Its CBOR, padded with zeros to its size class.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] above 64 KiB.
    pub fn to_padded(&self) -> Result<Zeroizing<Vec<u8>>, WireError> {
        let mut bytes = Zeroizing::new(self.to_bytes());
        let len = padded_len(bytes.len()).ok_or(WireError::TooLarge {
            what: "record",
            found: bytes.len(),
            limit: MAX_BODY,
        })?;
        bytes.resize(len, 0);
        Ok(bytes)
    }

    /// From CBOR with its padding.
    ///
    /// # Errors
    /// [`WireError`] where it is no body, or its padding is anything but zeros to the size class.
    pub fn from_padded(bytes: &[u8]) -> Result<Self, WireError> {
        let (item, padding) = cbor::first("body", bytes, MAX_BODY)?;
        if padding.iter().any(|byte| *byte != 0) || padded_len(item.len()) != Some(bytes.len()) {
            return Err(WireError::malformed("body", "padding"));
        }
        Self::from_bytes(item)
    }
}

/// The size class of a body of `len` bytes: 256, 512, 1,024, 2,048, then multiples of 2,048 up to
/// 64 KiB; `None` above.
pub fn padded_len(len: usize) -> Option<usize> {
    match len {
        0..=256 => Some(256),
        257..=512 => Some(512),
        513..=1024 => Some(1024),
        1025..=MAX_BODY => Some(len.next_multiple_of(2048)),
        _ => None,
    }
}
