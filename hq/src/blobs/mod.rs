//! Attachments: taken in by tus 1.0.0 (<https://tus.io/protocols/resumable-upload>) with its extensions
//! creation, checksum and expiration, kept under their SHA-256, and opened for staff.
//!
//! An upload's file is the truth about how far it has come; the database knows whose it is. A receipt
//! is given only behind the fsync of the whole and the commit of its row.

mod checksum;
mod opened;
mod partial;
mod problem;
mod room;
mod turns;
mod tus;

pub use opened::open_blob;
pub(crate) use room::Room;
pub(crate) use tus::router;

use crate::hex;
use crate::init::Headquarters;
use crate::keys::{Folder, private_folder};
use crate::problem::Problem;
use crate::store::{Store, Upload};
use crate::{Clock, HqError};
use data_encoding::HEXLOWER;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use testigo_wire::{BlobReceipt, BlobRef, SigningKey};
use tokio::sync::watch;
use turns::Turns;

/// How long an upload may take from its creation on, in milliseconds.
const UPLOAD_LIFE: i64 = 14 * 24 * 3600 * 1000;
/// How often what has expired is collected.
const COLLECT_EVERY: Duration = Duration::from_secs(3600);
/// A file that the store of attachments did not finish is left alone for so long.
const STAGED_AGE: Duration = Duration::from_secs(24 * 3600);
/// Bytes that are handed to the store at a time.
const PART: usize = 1024 * 1024;

/// Names an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UploadId(pub [u8; 16]);

impl UploadId {
    fn random() -> Result<Self, getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        Ok(Self(id))
    }

    fn from_text(text: &str) -> Option<Self> {
        hex::bytes(text).map(Self)
    }

    fn text(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

/// What is held whole.
pub(crate) fn held(folder: &Path) -> Result<Arc<dyn ObjectStore>, HqError> {
    if !folder.exists() {
        private_folder(folder)?;
    }
    let store = LocalFileSystem::new_with_prefix(folder)
        .map_err(|error| HqError::file(folder)(io::Error::other(error)))?;
    Ok(Arc::new(store.with_fsync(true)))
}

/// What is held whole, for who has no thread of the network's.
pub(crate) struct Held {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

impl Held {
    pub(crate) fn open(folder: &Folder) -> Result<Self, HqError> {
        Ok(Self {
            store: held(&folder.blobs())?,
            folder: folder.blobs(),
        })
    }

    /// Holds a whole file, durably, under its hash.
    pub(crate) fn put(&self, blob: &BlobRef, bytes: &[u8]) -> Result<(), HqError> {
        let name = name(&blob.sha256);
        let putting = self.store.put(&name, bytes.to_vec().into());
        waited_for(putting)
            .and_then(|put| put.map_err(io::Error::other))
            .map(drop)
            .map_err(HqError::file(&self.folder))
    }

    /// The bytes of a file that is held, where it can be read.
    pub(crate) fn get(&self, sha256: &[u8; 32]) -> Option<Vec<u8>> {
        let reading = async { self.store.get(&name(sha256)).await?.bytes().await };
        waited_for(reading).ok()?.ok().map(|bytes| bytes.to_vec())
    }
}

fn waited_for<T>(future: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(future))
}

/// A held attachment's name.
pub(crate) fn name(sha256: &[u8; 32]) -> Name {
    Name::from(HEXLOWER.encode(sha256))
}

/// Takes attachments in.
pub(crate) struct Blobs {
    store: Mutex<Store>,
    held: Arc<dyn ObjectStore>,
    held_folder: PathBuf,
    uploads: PathBuf,
    receipt_key: SigningKey,
    turns: Arc<Turns>,
    closing: watch::Sender<bool>,
    clock: Arc<dyn Clock>,
    room: Room,
}

impl Blobs {
    pub(crate) fn open(
        headquarters: &Headquarters,
        clock: Arc<dyn Clock>,
        room: Room,
    ) -> Result<Arc<Self>, HqError> {
        let folder = &headquarters.folder;
        let uploads = folder.uploads();
        if !uploads.exists() {
            private_folder(&uploads)?;
        }
        Ok(Arc::new(Self {
            store: Mutex::new(Store::open(folder)?),
            held: held(&folder.blobs())?,
            held_folder: folder.blobs(),
            uploads,
            receipt_key: headquarters.receipt_key()?,
            turns: Arc::default(),
            closing: watch::Sender::new(false),
            clock,
            room,
        }))
    }

    /// Ends what is being received; what has arrived stays.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    async fn closed(&self) {
        // It can only end early where the sender is gone, and `self` holds it.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Collects what has expired, now and every hour, for as long as it is polled.
    pub(crate) async fn collect_hourly(self: Arc<Self>) {
        loop {
            let now = (self.clock.now().millis(), SystemTime::now());
            let collected = self.work(move |blobs| blobs.collect(now.0, now.1)).await;
            if let Ok(collected @ 1..) = collected {
                tracing::info!(collected, "unfinished uploads were removed");
            }
            tokio::time::sleep(COLLECT_EVERY).await;
        }
    }

    /// Removes uploads past their time, files that no upload has, and what the store did not finish.
    fn collect(self: &Arc<Self>, now: i64, clock: SystemTime) -> Result<u64, Problem> {
        let mut collected = 0;
        let expired = self.sql(|store| store.uploads_before(now - UPLOAD_LIFE))?;
        for id in expired {
            // One that is being written goes the next time.
            if let Some(_turn) = self.turns.at_once(id) {
                self.forget(id)?;
                collected += 1;
            }
        }
        for entry in files(&self.uploads) {
            let id = entry.file_name().to_str().and_then(UploadId::from_text);
            let known = match id {
                Some(id) => self.sql(|store| store.upload(id))?.is_some(),
                None => false,
            };
            // A row is there before its file is.
            if !known && fs::remove_file(entry.path()).is_ok() {
                collected += 1;
            }
        }
        for entry in files(&self.held_folder) {
            let staged = (entry.file_name().to_str()).is_some_and(|name| name.contains('#'));
            let age = (entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok())
            .and_then(|modified| clock.duration_since(modified).ok());
            if staged && age > Some(STAGED_AGE) && fs::remove_file(entry.path()).is_ok() {
                collected += 1;
            }
        }
        Ok(collected)
    }

    fn file(&self, id: UploadId) -> PathBuf {
        self.uploads.join(id.text())
    }

    /// Does what waits for the disk on a thread that may.
    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let blobs = self.clone();
        let worked = tokio::task::spawn_blocking(move || work(&blobs)).await;
        worked.unwrap_or(Err(Problem::STORE))
    }

    fn sql<T>(&self, ask: impl FnOnce(&mut Store) -> rusqlite::Result<T>) -> Result<T, Problem> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut store).map_err(|error| {
            tracing::error!(%error, "the database of attachments failed");
            Problem::of_store(&error)
        })
    }

    async fn upload(self: &Arc<Self>, id: UploadId) -> Result<Upload, Problem> {
        let upload = self.work(move |blobs| blobs.sql(|store| store.upload(id)));
        upload.await?.ok_or(Problem::NOT_FOUND)
    }

    /// Forgets an upload: the row first, for a file without one is garbage and the other way round not.
    fn forget(&self, id: UploadId) -> Result<(), Problem> {
        self.sql(|store| store.forget_upload(id))?;
        let _ = fs::remove_file(self.file(id));
        Ok(())
    }

    /// Takes a file that has all its bytes into the store, and signs for it. To be called by who has the
    /// upload's turn. A wrong file goes, and its upload with it.
    async fn finish(self: &Arc<Self>, id: UploadId, blob: BlobRef) -> Result<Vec<u8>, Problem> {
        let path = self.file(id);
        let right = self.work(move |blobs| match is_whole(&path, &blob) {
            Ok(true) => Ok(true),
            Ok(false) => blobs.forget(id).map(|()| false),
            Err(error) => Err(Problem::of_disk(&error)),
        });
        if !right.await? {
            tracing::warn!("an attachment arrived with another hash and was removed");
            return Err(Problem::HASH);
        }
        put(self.held.as_ref(), &self.file(id), &blob)
            .await
            .map_err(|error| Problem::of_disk(&error))?;
        self.work(move |blobs| {
            let receipt = BlobReceipt::new(blob)
                .sign(&blobs.receipt_key)
                .map_err(|_| Problem::STORE)?;
            let now = blobs.clock.now().millis();
            let receipt = blobs.sql(|store| store.keep_blob(&blob, now, &receipt))?;
            // Also what others had begun of it: they are told that it is held.
            for other in blobs.sql(|store| store.uploads_of(&blob))? {
                let _ = fs::remove_file(blobs.file(other));
            }
            tracing::info!(bytes = blob.size, "an attachment is held");
            Ok(receipt)
        })
        .await
    }
}

fn files(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// Makes a file durable and compares its hash.
fn is_whole(path: &Path, blob: &BlobRef) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    let mut sha256 = Sha256::new();
    let mut size = 0;
    let mut part = vec![0; PART];
    loop {
        match file.read(&mut part)? {
            0 => break,
            n => {
                size += n as u64;
                sha256.update(part.get(..n).unwrap_or_default());
            }
        }
    }
    Ok(size == blob.size && sha256.finalize().as_slice() == blob.sha256)
}

/// Copies a file into the store, durably, under its hash.
async fn put(
    store: &dyn ObjectStore,
    path: &Path,
    blob: &BlobRef,
) -> Result<(), object_store::Error> {
    let broken = |source: io::Error| object_store::Error::Generic {
        store: "upload",
        source: source.into(),
    };
    let upload = store.put_multipart(&name(&blob.sha256)).await?;
    let mut writing = WriteMultipart::new_with_chunk_size(upload, PART);
    let copied = async {
        let mut file = tokio::fs::File::open(path).await.map_err(broken)?;
        let mut part = vec![0; PART];
        loop {
            let n = tokio::io::AsyncReadExt::read(&mut file, &mut part)
                .await
                .map_err(broken)?;
            if n == 0 {
                return Ok(());
            }
            writing.wait_for_capacity(2).await?;
            writing.write(part.get(..n).unwrap_or_default());
        }
    };
    match copied.await {
        Ok(()) => writing.finish().await.map(drop),
        Err(error) => {
            let _ = writing.abort().await;
            Err(error)
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]
mod tests;
