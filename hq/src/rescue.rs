//! Phones that are brought to headquarters because their key store lost the key of their store.

use crate::HqError;
use crate::init::Headquarters;
use std::path::Path;
use testigo_wire::SealedStoreKey;
use zeroize::Zeroizing;

/// Opens the key of a phone's store with the seal key, which is the desk's.
///
/// # Errors
/// [`HqError::StoreKey`] where it is sealed to other headquarters or damaged; others where the folder or its keys
/// cannot be used.
pub fn open_store_key(
    data_dir: &Path,
    sealed: &SealedStoreKey,
) -> Result<Zeroizing<[u8; 32]>, HqError> {
    let keys = Headquarters::open(data_dir)?.seal_keys()?;
    let key = keys.get(sealed.seal_kid).ok_or(HqError::StoreKey)?;
    sealed.open(key).map_err(|_| HqError::StoreKey)
}
