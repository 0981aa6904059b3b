//! Hashes and names as text.

use data_encoding::HEXLOWER;

/// The bytes that this text of so many hexadecimal digits stands for.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}
