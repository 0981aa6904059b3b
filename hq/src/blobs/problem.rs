//! Why an upload is refused.

use crate::problem::Problem;
use axum::http::StatusCode;
use std::error::Error;
use std::io;

impl Problem {
    pub(super) const TUS_VERSION: Self = Self::new(
        StatusCode::PRECONDITION_FAILED,
        "tus_version",
        "This server speaks tus 1.0.0: send the header Tus-Resumable: 1.0.0.",
    );
    pub(super) const UPLOAD_HEADERS: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "upload_headers",
        "Creating takes Upload-Length and Upload-Metadata with sha256 (64 hexadecimal digits) and token (32); writing takes Upload-Offset.",
    );
    pub(super) const UPLOAD_CHECKSUM: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "upload_checksum",
        "Upload-Checksum is sha1 or sha256 and the digest in base 64.",
    );
    pub(super) const NOT_NAMED: Self = Self::new(
        StatusCode::FORBIDDEN,
        "not_named",
        "No record that headquarters holds names this attachment with this size: send the record first.",
    );
    pub(super) const TOO_MANY_UPLOADS: Self = Self::new(
        StatusCode::CONFLICT,
        "too_many_uploads",
        "Too many uploads of this attachment are open: go on with one of them, or try again later.",
    );
    pub(super) const OVER_QUOTA: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "over_quota",
        "Too many bytes came under the capability of this attachment's record: the rest waits, and records go on.",
    )
    .retry(300);
    pub(super) const NO_ROOM: Self = Self::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "no_room",
        "What is left of the disk is kept for records: send the attachment later.",
    )
    .retry(300);
    pub(super) const BLOB_TOO_LARGE: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "blob_too_large",
        "An attachment has at most the bytes that Tus-Max-Size tells.",
    );
    pub(super) const BEYOND: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "beyond",
        "More than what is missing; nothing of this request was kept.",
    );
    pub(super) const OFFSET: Self = Self::new(
        StatusCode::CONFLICT,
        "offset",
        "The upload goes on at another byte: ask with HEAD where.",
    );
    pub(super) const LOCKED: Self = Self::new(
        StatusCode::LOCKED,
        "locked",
        "Another request writes this upload: ask with HEAD where to go on.",
    );
    pub(super) const OFFSET_STREAM: Self = Self::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media_type",
        "Send application/offset+octet-stream.",
    );
    pub(super) const HASH: Self = Self::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "hash",
        "The whole has another SHA-256 than it should have; the upload was removed: begin anew.",
    );
    pub(super) const BLOBS: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "blobs",
        "The attachment could not be written: try again.",
    )
    .retry(10);
    pub(super) const CLOSING: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "closing",
        "Headquarters stop for a moment: try again.",
    )
    .retry(10);

    /// What a failing disk or store of attachments means to who sends.
    pub(super) fn of_disk(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(%error, "an attachment could not be written or read");
        let mut cause = Some(error);
        while let Some(error) = cause {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if let Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) = kind {
                return Self::DISK_FULL;
            }
            cause = error.source();
        }
        Self::BLOBS
    }
}
