use crate::{BlobRef, BlobSecret, Lane};
use minicbor::{Decode, Encode};

/// A file that belongs to a record: what only headquarters may know of it. It lies inside the sealed
/// body; in clear the envelope names no more than the sealed file's hash and size.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attachment {
    /// The sealed file.
    #[n(0)]
    pub blob: BlobRef,
    /// What opens it.
    #[n(1)]
    pub secret: BlobSecret,
    /// How urgently it leaves: [`Lane::THUMBNAIL`] or [`Lane::PHOTO`].
    #[n(2)]
    pub lane: Lane,
    /// Its media type, such as `image/jpeg`.
    #[n(3)]
    pub media_type: String,
    /// Its size before sealing, in bytes.
    #[n(4)]
    pub size: u64,
}

impl Attachment {
    /// The most that one record may have.
    pub const MAX: usize = 16;
}
