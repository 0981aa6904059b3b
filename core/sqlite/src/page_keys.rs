//! One encrypted page by itself (<https://www.zetetic.net/sqlcipher/design/>), with SQLCipher 4's own settings.

use crate::DatabaseKey;
use aes::Aes256;
use cbc::cipher::{Array, BlockModeDecrypt, KeyIvInit, typenum::U16};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

/// Bytes of a page as it lies in the file.
pub(crate) const PAGE: usize = 4096;
/// Bytes of it that SQLite uses.
pub(crate) const USABLE: usize = PAGE - IV - CODE;
/// Bytes at the beginning of the first page: no secret, and needed to verify any page.
pub(crate) const SALT: usize = 16;
const IV: usize = 16;
const CODE: usize = 64;
/// What stands in the salt's place once the first page is decrypted.
const MAGIC: &[u8; SALT] = b"SQLite format 3\0";

/// What decrypts and verifies the pages of one file.
pub(crate) struct PageKeys {
    key: DatabaseKey,
    code: Zeroizing<[u8; 32]>,
}

impl PageKeys {
    pub(crate) fn new(key: &DatabaseKey, salt: [u8; SALT]) -> Self {
        let mut code = Zeroizing::new([0; 32]);
        let masked = salt.map(|byte| byte ^ 0x3a);
        pbkdf2::pbkdf2_hmac::<Sha512>(key.expose(), &masked, 2, code.as_mut_slice());
        Self {
            key: key.clone(),
            code,
        }
    }

    /// The [`USABLE`] bytes of a page; `None` where it is not as it was written under this number.
    pub(crate) fn open(&self, page: &[u8; PAGE], number: u32) -> Option<Vec<u8>> {
        let (signed, code) = page.split_at_checked(PAGE - CODE)?;
        let head = if number == 1 { SALT } else { 0 };
        let signed = signed.get(head..)?;
        let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice(self.code.as_slice()).ok()?;
        mac.update(signed);
        mac.update(&number.to_le_bytes());
        mac.verify_slice(code).ok()?;
        let (sealed, iv) = signed.split_at_checked(USABLE - head)?;
        let mut content = sealed.to_vec();
        let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut content);
        cbc::Decryptor::<Aes256>::new_from_slices(self.key.expose(), iv)
            .ok()?
            .decrypt_blocks(blocks);
        if number == 1 {
            content.splice(..0, *MAGIC);
        }
        Some(content)
    }
}
