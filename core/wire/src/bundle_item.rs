//! What lies in a courier's bundle beside what is signed: pieces of sealed files, and what the receipts for
//! the way back are sealed under.

use crate::{BlobRef, BlobSecret, WireError, cbor};
use minicbor::Decoder;
use minicbor::bytes::ByteSlice;

const WHAT: &str = "bundle";
const PIECE: u8 = 1;
const RETURN: u8 = 2;

/// The most bytes of a file in one piece.
pub const MAX_PIECE: usize = 48 * 1024;

/// One thing in a bundle.
#[derive(Debug, PartialEq, Eq)]
pub enum BundleItem<'a> {
    /// An enrolment or an envelope: whatever is signed, or is none of the others.
    Signed(&'a [u8]),
    /// The next piece of a sealed file: `[1, sha256, size, offset, bytes]`.
    Piece {
        /// The file.
        blob: BlobRef,
        /// Where in it the piece begins.
        offset: u64,
        /// The piece, at most [`MAX_PIECE`] bytes.
        bytes: &'a [u8],
    },
    /// What only the phone that made the bundle opens receipts with: `[2, secret]`.
    Return(BlobSecret),
}

impl<'a> BundleItem<'a> {
    /// Tells what an item of [`Bundle::items`](crate::Bundle::items) is.
    pub fn read(item: &'a [u8]) -> Self {
        Self::unsigned(item).unwrap_or(Self::Signed(item))
    }

    fn unsigned(item: &'a [u8]) -> Option<Self> {
        let mut d = Decoder::new(item);
        let length = d.array().ok()??;
        match (length, d.u8().ok()?) {
            (5, PIECE) => {
                let blob = BlobRef {
                    sha256: d.bytes().ok()?.try_into().ok()?,
                    size: d.u64().ok()?,
                };
                Some(Self::Piece {
                    blob,
                    offset: d.u64().ok()?,
                    bytes: d.bytes().ok()?,
                })
            }
            (2, RETURN) => {
                let secret: [u8; 32] = d.bytes().ok()?.try_into().ok()?;
                Some(Self::Return(BlobSecret::from_bytes(secret)))
            }
            _ => None,
        }
    }

    /// Its CBOR.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] for a piece of more than [`MAX_PIECE`] bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        match self {
            Self::Signed(item) => Ok(item.to_vec()),
            Self::Piece { bytes, .. } if bytes.len() > MAX_PIECE => Err(WireError::TooLarge {
                what: WHAT,
                found: bytes.len(),
                limit: MAX_PIECE,
            }),
            Self::Piece {
                blob,
                offset,
                bytes,
            } => Ok(cbor::to_vec(&(
                PIECE,
                <&ByteSlice>::from(blob.sha256.as_slice()),
                blob.size,
                offset,
                <&ByteSlice>::from(*bytes),
            ))),
            Self::Return(secret) => Ok(cbor::to_vec(&(RETURN, secret))),
        }
    }
}
