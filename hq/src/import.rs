//! Files that couriers bring by hand. It is the desk's work, since it takes the seal key, which ingest does not have.

use crate::courier::{Carried, Courier};
use crate::init::Headquarters;
use crate::keys::write_new;
use crate::ring::SealKeys;
use crate::store::DeskStore;
use crate::{Clock, HqError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testigo_wire::{Answer, Bundle, ReturnPost, WireError};

/// What became of one file.
#[derive(Debug)]
pub struct Imported {
    /// The file.
    pub file: PathBuf,
    /// What was in it, or why it could not be opened: then nothing of it was taken.
    pub outcome: Result<Carried, NotTaken>,
}

/// Why a file could not be opened.
#[derive(Debug)]
pub enum NotTaken {
    /// It cannot be read.
    File(io::Error),
    /// It is no bundle, a damaged one, or one for other headquarters.
    Bundle(WireError),
    /// It says that it is sealed to another key than those of this headquarters.
    OtherHeadquarters,
}

/// Takes in these bundles, each with the name of its file, and writes the receipts for all that headquarters keep of them into the new
/// file `receipts`, for the way back to the phones. A file that cannot be opened takes nothing from the others.
/// What was brought before changes nothing and is receipted again. Works while headquarters serve.
///
/// # Errors
/// [`HqError`] where the folder, its keys or its database cannot be used, or where `receipts` exists or cannot be
/// written. What was taken in until then stays, and the same call may be made again.
pub fn import(
    data_dir: &Path,
    bundles: impl IntoIterator<Item = (PathBuf, io::Result<Vec<u8>>)>,
    receipts: Option<&Path>,
    clock: Arc<dyn Clock>,
) -> Result<Vec<Imported>, HqError> {
    let hq = Headquarters::open(data_dir)?;
    let seal_keys = hq.seal_keys()?;
    if let Some(path) = receipts
        && path.exists()
    {
        return Err(HqError::file(path)(io::ErrorKind::AlreadyExists.into()));
    }
    let mut courier = Courier::of(&hq, clock)?;
    let mut store = DeskStore::open(&hq.folder)?;
    // A phone without a network has no other way to hear of new keys.
    let keyset = (hq.keyset.version > 1).then_some(Answer::Keyset(hq.signed_keyset));
    let mut post = ReturnPost::default();
    let mut imported = Vec::new();
    for (file, read) in bundles {
        let outcome = match open(read, &seal_keys) {
            Ok(bundle) => {
                let (carried, letter) = courier.take_in(store.ingest(), &bundle)?;
                if let Some(mut letter) = letter {
                    letter.reply.answers.splice(0..0, keyset.clone());
                    if !letter.reply.answers.is_empty() {
                        post.add(&letter.secret, &letter.reply)
                            .map_err(HqError::keys)?;
                    }
                }
                Ok(carried)
            }
            Err(reason) => Err(reason),
        };
        imported.push(Imported { file, outcome });
    }
    if let Some(path) = receipts {
        write_new(path, post.to_bytes(), true)?;
    }
    Ok(imported)
}

fn open(read: io::Result<Vec<u8>>, keys: &SealKeys) -> Result<Bundle, NotTaken> {
    let bytes = read.map_err(NotTaken::File)?;
    let kid = Bundle::seal_kid(&bytes).map_err(NotTaken::Bundle)?;
    let key = keys.get(kid).ok_or(NotTaken::OtherHeadquarters)?;
    Bundle::open(&bytes, key).map_err(NotTaken::Bundle)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::SystemClock;
    use crate::stage::Stage;
    use sha2::{Digest, Sha256};
    use testigo_wire::{
        Ask, BlobRef, BlobSecret, BundleItem, BundleSealer, Deferral, Epoch, SigningKey,
    };

    fn bundle(stage: &Stage, name: &str, items: &[Vec<u8>]) -> PathBuf {
        let seal = stage.hq.keyset.seal.first().unwrap();
        let secret = BlobSecret::random().unwrap();
        let (mut sealer, mut file) = BundleSealer::new(seal, &secret).unwrap();
        for item in items {
            file.extend(sealer.add(item).unwrap());
        }
        file.extend(sealer.finish().unwrap());
        let path = stage.data.join(name);
        std::fs::write(&path, file).unwrap();
        path
    }

    fn carried(stage: &Stage, file: PathBuf) -> Carried {
        let imported = import(
            &stage.data,
            [(file.clone(), std::fs::read(file))],
            None,
            Arc::new(SystemClock),
        )
        .unwrap();
        imported.into_iter().next().unwrap().outcome.unwrap()
    }

    #[test]
    fn what_is_not_believed_is_named_and_takes_nothing_from_the_rest() {
        let stage = Stage::new();
        let mut witness = stage.witness();
        let mut stranger = stage.witness();
        stranger.capability = SigningKey::random().unwrap();
        let mut forged = witness.envelope();
        *forged.last_mut().unwrap() ^= 1;
        let ask = Ask::new(Epoch([0; 16]), 0).sign(&witness.device).unwrap();
        let items = [
            // More than one transaction's worth, the enrolment not the first.
            vec![witness.envelope(), witness.enrolment()],
            vec![stranger.enrolment(), stranger.envelope(), forged, ask],
            vec![b"\x63new".to_vec()],
            (0..2 * 64).map(|_| witness.envelope()).collect(),
        ]
        .concat();
        let file = bundle(&stage, "bundle", &items);
        let found = carried(&stage, file.clone());
        let new = 2 * 64 + 1;
        let expected = Carried {
            enrolments: 1,
            new,
            known: 0,
            refused: 0,
            deferred: vec![
                Deferral::UNKNOWN_CAPABILITY,
                Deferral::UNKNOWN_DEVICE,
                Deferral::SIGNATURE,
                Deferral::MALFORMED,
                Deferral::MALFORMED,
            ],
            receipts: new + 1,
            ..Carried::default()
        };
        assert_eq!(found, expected);
        let again = carried(&stage, file);
        assert_eq!((again.new, again.known), (0, new));
        assert_eq!(again.deferred, expected.deferred);
    }

    #[test]
    fn a_file_is_held_only_whole_and_where_a_record_names_it() {
        let stage = Stage::new();
        let mut witness = stage.witness();
        let (bytes, other) = (vec![7; 5000], vec![8; 5000]);
        let blob = |bytes: &[u8]| BlobRef {
            sha256: Sha256::digest(bytes).into(),
            size: bytes.len() as u64,
        };
        let piece = |blob, bytes: &[u8]| {
            let piece = BundleItem::Piece {
                blob,
                offset: 0,
                bytes,
            };
            piece.to_bytes().unwrap()
        };
        let held = || std::fs::read_dir(stage.data.join("blobs")).map_or(0, Iterator::count);
        let named = blob(&bytes);
        let mut changed = bytes.clone();
        changed[4000] ^= 1;
        let records = [witness.enrolment(), witness.envelope_with(&[named])];
        // Nobody names it; it is not what its name says.
        for (wrong, of) in [(&other, blob(&other)), (&changed, named)] {
            let items = [&records[..], &[piece(of, wrong)]].concat();
            let found = carried(&stage, bundle(&stage, "bundle", &items));
            assert_eq!((found.files, found.files_deferred), (0, 1));
            assert_eq!(held(), 0);
        }
        let items = [&records[..], &[piece(named, &bytes)]].concat();
        let found = carried(&stage, bundle(&stage, "bundle", &items));
        assert_eq!((found.files, found.files_deferred), (1, 0));
        assert_eq!(held(), 1);
    }

    #[test]
    fn receipts_may_go_to_a_bare_name() {
        crate::keys::sync_folder(Path::new("")).unwrap();
    }

    #[test]
    fn nothing_that_is_carried_waits_for_a_quota() {
        let stage = Stage::new();
        let mut witness = stage.witness();
        // The quota of a capability over the network is 5,000 in a day and 30 beyond it.
        let mut items = vec![witness.enrolment()];
        items.extend((0..5_100).map(|_| witness.envelope()));
        let found = carried(&stage, bundle(&stage, "bundle", &items));
        assert_eq!((found.new, found.deferred.len()), (5_100, 0));
    }
}
