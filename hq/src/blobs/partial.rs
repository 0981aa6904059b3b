use super::Blobs;
use super::checksum::Checksum;
use super::turns::Turn;
use crate::problem::Problem;
use axum::body::Body;
use http_body_util::BodyExt;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

/// The longest that one request may write. What has arrived stays, but for a chunk with a checksum.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// A link that is silent for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// The same where another request waits for this upload: the sender has probably come back.
const SILENCE_WHILE_WANTED: Duration = Duration::from_secs(2);

/// An upload's file. Its length is how far the upload has come.
pub(super) struct Partial {
    file: File,
    length: u64,
}

impl Partial {
    /// Opens it; there is none before the first byte.
    pub(super) async fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(path).await?;
        let length = file.metadata().await?.len();
        Ok(Self { file, length })
    }

    /// How far an upload has come that nobody may be writing.
    pub(super) async fn length(path: &Path) -> io::Result<u64> {
        match tokio::fs::metadata(path).await {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.length
    }

    /// Appends a body of at most `missing` bytes; returns how long the file is then. With a checksum, what
    /// breaks or does not fit is cut off again; without one, what has arrived stays.
    pub(super) async fn append(
        mut self,
        body: Body,
        missing: u64,
        checksum: Option<Checksum>,
        turn: &Turn,
        blobs: &Blobs,
    ) -> Result<u64, Problem> {
        let start = self.length;
        let mut checksum = checksum;
        let copied = self
            .copy(body, missing, checksum.as_mut(), turn, blobs)
            .await;
        let flushed = self.file.flush().await;
        let checked = checksum.is_some();
        let outcome = copied.and_then(|()| {
            flushed.map_err(|error| Problem::of_disk(&error))?;
            match checksum.is_none_or(Checksum::fits) {
                true => Ok(()),
                false => Err(Problem::checksum()),
            }
        });
        let cut = match &outcome {
            Ok(()) => false,
            Err(problem) => checked || *problem == Problem::BEYOND,
        };
        if cut {
            self.file
                .set_len(start)
                .await
                .map_err(|error| Problem::of_disk(&error))?;
        }
        outcome.map(|()| self.length)
    }

    async fn copy(
        &mut self,
        mut body: Body,
        mut missing: u64,
        mut checksum: Option<&mut Checksum>,
        turn: &Turn,
        blobs: &Blobs,
    ) -> Result<(), Problem> {
        let longest = sleep(LONGEST);
        tokio::pin!(longest);
        loop {
            let given_up = async {
                sleep(SILENCE_WHILE_WANTED).await;
                turn.wanted().await;
            };
            let frame = tokio::select! {
                frame = body.frame() => frame,
                () = given_up => return Err(Problem::LOCKED),
                () = sleep(SILENCE) => return Err(Problem::TIMEOUT),
                () = &mut longest => return Err(Problem::TIMEOUT),
                () = blobs.closed() => return Err(Problem::CLOSING),
            };
            let Some(frame) = frame else {
                return Ok(());
            };
            let Ok(data) = frame.map_err(|_| Problem::BODY)?.into_data() else {
                continue;
            };
            let length = data.len() as u64;
            missing = missing.checked_sub(length).ok_or(Problem::BEYOND)?;
            if let Some(checksum) = checksum.as_mut() {
                checksum.update(&data);
            }
            (self.file.write_all(&data).await).map_err(|error| Problem::of_disk(&error))?;
            self.length += length;
        }
    }
}
