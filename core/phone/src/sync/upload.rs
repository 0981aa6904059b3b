//! One attachment on its way, by tus 1.0.0 (<https://tus.io/protocols/resumable-upload>) with its
//! extensions creation and checksum.
//!
//! What the server says it has is believed for where to go on, never for "delivered": that takes a signed
//! receipt for these bytes.

use super::{Method, Request, Response};
use crate::attachment::sealed_path;
use crate::store::{DueFile, Store};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use testigo_wire::{BlobReceipt, Keyset, WireError};

/// The version of the protocol that every request names.
const VERSION: (&str, &str) = ("Tus-Resumable", "1.0.0");
/// Where uploads are made.
const BLOBS: &str = "/v1/blobs";
/// Bounds of a chunk, in bytes: a lost link costs at most one.
const CHUNKS: std::ops::RangeInclusive<usize> = 16 * 1024..=1024 * 1024;
/// The smallest chunk, in bytes.
pub(super) const MIN_CHUNK: u64 = 16 * 1024;
/// A chunk that took less than this is followed by a larger one, in milliseconds.
const QUICK_MS: u64 = 2_000;
/// One that took longer than this is followed by a smaller one.
const SLOW_MS: u64 = 8_000;
/// How often a pass tries the same chunk, or asks where to go on, without getting any further.
const TRIES: u8 = 3;

/// What is being asked about the attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Create,
    Offset,
    Chunk { length: usize },
}

/// What a reply means for the pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on with the same attachment.
    GoOn,
    /// The address of the upload is known now; keep it.
    Created(String),
    /// The upload is gone at the other side; forget its address and begin anew.
    Gone,
    /// Signed with a key that the phone does not know: perhaps headquarters' newer keyset has it.
    UnknownKey,
    /// Headquarters has signed that it holds the whole.
    Delivered(Vec<u8>),
    /// Not in this pass.
    Later,
    /// What answers is no tus server.
    NotUnderstood,
}

/// The upload of one attachment within one pass.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) file: DueFile,
    asked: Asked,
    offset: Option<u64>,
    began_anew: bool,
    in_vain: u8,
    sent_at_ms: u64,
}

/// How large the next chunk is: grows on a quick link, shrinks on a slow or broken one.
#[derive(Debug)]
pub(super) struct ChunkSize(usize);

impl ChunkSize {
    pub(super) fn new() -> Self {
        Self(64 * 1024)
    }

    /// Its bytes, but never more than may be spent.
    pub(super) fn within(&self, allowance: Option<u64>) -> usize {
        let allowed = allowance.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        self.0.min(allowed)
    }

    pub(super) fn took(&mut self, ms: u64) {
        if ms < QUICK_MS {
            self.0 = (self.0 * 2).min(*CHUNKS.end());
        } else if ms > SLOW_MS {
            self.broke();
        }
    }

    pub(super) fn broke(&mut self) {
        self.0 = (self.0 / 2).max(*CHUNKS.start());
    }
}

impl Upload {
    pub(super) fn new(file: DueFile) -> Self {
        Self {
            file,
            asked: Asked::Create,
            offset: None,
            began_anew: false,
            in_vain: 0,
            sent_at_ms: 0,
        }
    }

    /// How many of its bytes the other side has, as far as is known.
    pub(super) fn offset(&self) -> u64 {
        self.offset.unwrap_or(0)
    }

    /// The next request for it.
    ///
    /// # Errors
    /// Where the sealed file cannot be read.
    pub(super) fn request(
        &mut self,
        store: &Store,
        endpoint: &str,
        chunk: usize,
        now_ms: u64,
    ) -> io::Result<Request> {
        let endpoint = endpoint.trim_end_matches('/');
        let version = (VERSION.0, VERSION.1.to_owned());
        self.sent_at_ms = now_ms;
        let (asked, request) = match (&self.file.upload, self.offset) {
            (None, _) => (
                Asked::Create,
                Request {
                    method: Method::Post,
                    url: format!("{endpoint}{BLOBS}"),
                    headers: vec![
                        version,
                        ("Upload-Length", self.file.blob.size.to_string()),
                        ("Upload-Metadata", self.metadata()),
                    ],
                    body: Vec::new(),
                },
            ),
            (Some(path), None) => (
                Asked::Offset,
                Request {
                    method: Method::Head,
                    url: format!("{endpoint}{path}"),
                    headers: vec![version],
                    body: Vec::new(),
                },
            ),
            (Some(path), Some(offset)) => {
                let body = read_chunk(store, &self.file, offset, chunk)?;
                let mut headers = vec![
                    version,
                    ("Content-Type", "application/offset+octet-stream".to_owned()),
                    ("Upload-Offset", offset.to_string()),
                ];
                if self.began_anew {
                    // Something on the way changes bytes. Before that a checksum would only cost: of a
                    // chunk that has one nothing stays when the link breaks.
                    let checksum = BASE64.encode(&Sha256::digest(&body));
                    headers.push(("Upload-Checksum", format!("sha256 {checksum}")));
                }
                (
                    Asked::Chunk { length: body.len() },
                    Request {
                        method: Method::Patch,
                        url: format!("{endpoint}{path}"),
                        headers,
                        body,
                    },
                )
            }
        };
        self.asked = asked;
        Ok(request)
    }

    fn metadata(&self) -> String {
        let pair = |key: &str, value: String| format!("{key} {}", BASE64.encode(value.as_bytes()));
        [
            pair("sha256", HEXLOWER.encode(&self.file.blob.sha256)),
            pair("token", HEXLOWER.encode(&self.file.token)),
        ]
        .join(",")
    }

    /// Takes the reply to [`Upload::request`].
    pub(super) fn reply(
        &mut self,
        response: &Response,
        url: &str,
        keyset: &Keyset,
        may_ask_for_keys: bool,
        chunk: &mut ChunkSize,
        now_ms: u64,
    ) -> Verdict {
        let said = (response.blob_receipt.as_deref())
            .and_then(|text| BASE64.decode(text.as_bytes()).ok())
            .map(|bytes| (BlobReceipt::verify(&bytes, keyset), bytes));
        match said {
            Some((Ok(receipt), bytes)) if receipt.blob == self.file.blob => {
                return Verdict::Delivered(bytes);
            }
            Some((Err(WireError::Signature { .. }), _)) if may_ask_for_keys => {
                self.offset = None;
                return Verdict::UnknownKey;
            }
            _ => {}
        }
        match (self.asked, response.status) {
            (Asked::Create, 201) => match response.location.as_deref().and_then(|l| path(url, l)) {
                Some(path) => {
                    self.offset = Some(0);
                    self.file.upload = Some(path.clone());
                    Verdict::Created(path)
                }
                None => Verdict::NotUnderstood,
            },
            (Asked::Create, 400..=499) => Verdict::Later,
            (Asked::Offset, 200 | 204) => self.go_on_at(response.upload_offset),
            (Asked::Chunk { length }, 204) => {
                chunk.took(now_ms.saturating_sub(self.sent_at_ms));
                let expected = self.offset.map(|offset| offset + length as u64);
                if response.upload_offset == expected {
                    self.in_vain = 0;
                    self.go_on_at(expected)
                } else {
                    self.ask_again()
                }
            }
            // What was sent twice, or by another process: the server knows better where to go on.
            (Asked::Chunk { .. }, 409) => self.ask_again(),
            // 460 Checksum Mismatch, of the checksum extension.
            (Asked::Chunk { .. }, 460) => {
                chunk.broke();
                self.ask_again()
            }
            // 422: the whole has another hash than it should have.
            (_, 403 | 404 | 410 | 422) if !self.began_anew => {
                self.began_anew = true;
                self.file.upload = None;
                self.offset = None;
                Verdict::Gone
            }
            (_, 400..=499) => Verdict::Later,
            _ => Verdict::NotUnderstood,
        }
    }

    fn ask_again(&mut self) -> Verdict {
        self.in_vain += 1;
        self.offset = None;
        if self.in_vain > TRIES {
            return Verdict::Later;
        }
        Verdict::GoOn
    }

    /// All bytes and still no receipt: that server cannot sign for headquarters.
    fn go_on_at(&mut self, offset: Option<u64>) -> Verdict {
        match offset {
            Some(offset) if offset < self.file.blob.size => {
                self.offset = Some(offset);
                Verdict::GoOn
            }
            Some(_) => Verdict::Later,
            None => Verdict::NotUnderstood,
        }
    }
}

fn read_chunk(store: &Store, due: &DueFile, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(sealed_path(store, &due.blob))?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(length);
    file.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// The path of an upload behind the address of the server that was asked. One that leads elsewhere is not
/// followed: attachments go to headquarters' addresses only.
fn path(asked: &str, location: &str) -> Option<String> {
    let asked = url::Url::parse(asked).ok()?;
    let upload = asked.join(location).ok()?;
    if upload.origin() != asked.origin() {
        return None;
    }
    // An address may have a path of its own, with a proxy behind it that takes it away or leaves it.
    let own = asked.path().strip_suffix(BLOBS).unwrap_or_default();
    let path = upload.path();
    Some(path.strip_prefix(own).unwrap_or(path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_leads_nowhere_but_to_headquarters() {
        let asked = "https://hq.example/v1/blobs";
        let same = Some("/v1/blobs/7".to_owned());
        assert_eq!(path(asked, "/v1/blobs/7"), same);
        assert_eq!(path(asked, "https://hq.example/v1/blobs/7"), same);
        assert_eq!(path(asked, "blobs/7"), same);
        let behind = "https://hq.example/night/v1/blobs";
        assert_eq!(path(behind, "/night/v1/blobs/7"), same);
        assert_eq!(path(behind, "/v1/blobs/7"), same);
        assert_eq!(path(asked, "https://evil.example/v1/blobs/7"), None);
        assert_eq!(path(asked, "//evil.example/7"), None);
        assert_eq!(path(asked, "http://hq.example/v1/blobs/7"), None);
    }

    #[test]
    fn chunks_follow_the_link_within_their_bounds() {
        let mut size = ChunkSize::new();
        for _ in 0..20 {
            size.took(QUICK_MS - 1);
        }
        assert_eq!(size.0, *CHUNKS.end());
        size.took(QUICK_MS);
        assert_eq!(size.0, *CHUNKS.end());
        for _ in 0..20 {
            size.took(SLOW_MS + 1);
        }
        assert_eq!(size.0, *CHUNKS.start());
    }
}
