//! What couriers bring. It is the desk's work, since it takes the seal key, which ingest does not have; what
//! comes out of a bundle goes the way of what comes over the network, signatures and all.

use crate::door::{self, Brought};
use crate::init::Headquarters;
use crate::keys::write_new;
use crate::quota::Rates;
use crate::store::{Reader, Store, receipt};
use crate::writer::{Clerk, Item};
use crate::{Clock, HqError};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testigo_wire::{
    Answer, Bundle, Deferral, Eid, Receipt, ReceiptCode, Reply, SealSecretKey, WireError,
};

/// How many things share one transaction, so that headquarters can write between.
const BATCH: usize = 64;

/// What became of one file.
#[derive(Debug)]
pub struct Imported {
    /// The file.
    pub file: PathBuf,
    /// What was in it, or why it could not be opened: then nothing of it was taken.
    pub outcome: Result<Carried, NotTaken>,
}

/// What was in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// Enrolments.
    pub enrolments: u64,
    /// Records that headquarters did not have.
    pub new: u64,
    /// Records that it had already: nothing changed by them.
    pub known: u64,
    /// Records that it signed it will not take.
    pub refused: u64,
    /// What it has not taken, and why. It may be brought again.
    pub deferred: Vec<Deferral>,
    /// Receipts for the way back.
    pub receipts: u64,
}

/// Why a file could not be opened.
#[derive(Debug)]
pub enum NotTaken {
    /// It cannot be read.
    File(io::Error),
    /// It is no bundle, a damaged one, or one for other headquarters.
    Bundle(WireError),
    /// It says that it is sealed to another key than this headquarters'.
    OtherHeadquarters,
}

/// Takes in the bundles in `files`, and writes the receipts for all that headquarters keep of them into the new
/// file `receipts`, for the way back to the phones. A file that cannot be opened takes nothing from the others.
/// What was brought before changes nothing and is receipted again. Works while headquarters serve.
///
/// # Errors
/// [`HqError`] where the folder, its keys or its database cannot be used, or where `receipts` exists or cannot be
/// written. What was taken in until then stays, and the same call may be made again.
pub fn import(
    data_dir: &Path,
    files: &[PathBuf],
    receipts: Option<&Path>,
    clock: Arc<dyn Clock>,
) -> Result<Vec<Imported>, HqError> {
    let hq = Headquarters::open(data_dir)?;
    let seal_key = hq.seal_key()?;
    if let Some(path) = receipts
        && path.exists()
    {
        return Err(HqError::file(path)(io::ErrorKind::AlreadyExists.into()));
    }
    let mut desk = Courier {
        clerk: Clerk::new(hq.identity, hq.receipt_key()?, clock, Rates::CARRIED),
        store: Store::open(&hq.folder)?,
        reader: hq.reader,
        signed: Vec::new(),
    };
    let mut imported = Vec::with_capacity(files.len());
    for file in files {
        let outcome = match open(file, &seal_key) {
            Ok(bundle) => Ok(desk.take_in(&bundle)?),
            Err(reason) => Err(reason),
        };
        imported.push(Imported {
            file: file.clone(),
            outcome,
        });
    }
    if let Some(path) = receipts {
        let reply = Reply {
            epoch: hq.identity.epoch,
            answers: desk.signed,
        };
        write_new(path, &reply.to_bytes(), true)?;
    }
    Ok(imported)
}

fn open(file: &Path, key: &SealSecretKey) -> Result<Bundle, NotTaken> {
    let mut bytes = Vec::new();
    // One byte more than the largest: that it is too large must show.
    let most = Bundle::MAX_FILE as u64 + 1;
    let read = File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(NotTaken::File)?;
    let kid = Bundle::seal_kid(&bytes).map_err(NotTaken::Bundle)?;
    let own = key.public_key().map_err(NotTaken::Bundle)?.key_id();
    if kid != own {
        return Err(NotTaken::OtherHeadquarters);
    }
    Bundle::open(&bytes, key).map_err(NotTaken::Bundle)
}

struct Courier {
    clerk: Clerk,
    store: Store,
    reader: Reader,
    /// Receipts of all bundles.
    signed: Vec<Answer>,
}

impl Courier {
    fn take_in(&mut self, bundle: &Bundle) -> Result<Carried, HqError> {
        let mut carried = Carried::default();
        let mut items = bundle.items().peekable();
        while items.peek().is_some() {
            let brought: Vec<_> = (items.by_ref().take(BATCH))
                .map(|item| (item.to_vec(), Brought::read(item)))
                .collect();
            let keys = self.reader.keys(&door::signers(&brought))?;
            let entered = door::check(brought, keys).items.into_iter();
            // A question is of a phone that waits for its answer: here nobody does.
            let entered: Vec<_> = entered
                .map(|(bytes, item)| match item {
                    Item::Ask(..) => (bytes, Item::NotYet(Deferral::MALFORMED)),
                    item => (bytes, item),
                })
                .collect();
            self.write(entered, &mut carried)?;
        }
        tracing::info!(new = carried.new, known = carried.known, "bundle");
        Ok(carried)
    }

    fn write(
        &mut self,
        entered: Vec<(Vec<u8>, Item)>,
        carried: &mut Carried,
    ) -> Result<(), HqError> {
        let mut transaction = self.store.begin()?;
        let savepoint = transaction.savepoint()?;
        // Inside the write lock: nobody comes between this look and what is kept.
        let mut before = Vec::with_capacity(entered.len());
        for (bytes, item) in &entered {
            let known = receipt(&savepoint, Eid::of(bytes))?.is_some();
            before.push((matches!(item, Item::Enrolment(..)), known));
        }
        let answers = self.clerk.answer(&savepoint, entered)?;
        savepoint.commit()?;
        transaction.commit()?;
        for (answer, (enrolment, known)) in answers.into_iter().zip(before) {
            match &answer {
                Answer::Receipt(bytes) => {
                    let code = Receipt::from_kept(bytes).map_or(ReceiptCode::ACCEPTED, |r| r.code);
                    let count = match (enrolment, code.is_refusal(), known) {
                        (true, ..) => &mut carried.enrolments,
                        (_, true, _) => &mut carried.refused,
                        (_, _, true) => &mut carried.known,
                        _ => &mut carried.new,
                    };
                    *count += 1;
                    carried.receipts += 1;
                    self.signed.push(answer);
                }
                Answer::Deferred { deferral, .. } => carried.deferred.push(*deferral),
                Answer::Notice { .. } | Answer::Unknown => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::SystemClock;
    use crate::stage::Stage;
    use testigo_wire::{Ask, BlobSecret, BundleSealer, Epoch, SigningKey};

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
        let imported = import(&stage.data, &[file], None, Arc::new(SystemClock)).unwrap();
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
            (0..2 * BATCH).map(|_| witness.envelope()).collect(),
        ]
        .concat();
        let file = bundle(&stage, "bundle", &items);
        let found = carried(&stage, file.clone());
        let new = 2 * BATCH as u64 + 1;
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
        };
        assert_eq!(found, expected);
        let again = carried(&stage, file);
        assert_eq!((again.new, again.known), (0, new));
        assert_eq!(again.deferred, expected.deferred);
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
