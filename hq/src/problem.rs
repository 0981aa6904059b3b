use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use testigo_sqlite::Failure;

/// An HTTP error as a problem document (RFC 9457) with a stable `code` for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    retry_after: Option<u16>,
}

impl Problem {
    pub(crate) const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
            retry_after: None,
        }
    }

    pub(crate) const fn retry(self, seconds: u16) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    pub(crate) const TOO_LARGE: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        "At most 1 MiB and 256 items in one request: send them in several.",
    );
    pub(crate) const MEDIA_TYPE: Self = Self::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media_type",
        "Send application/cbor-seq.",
    );
    pub(crate) const NO_SEQUENCE: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "no_sequence",
        "The body is no sequence of deterministic CBOR items: it was damaged on the way, send it again.",
    );
    pub(crate) const BODY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "body",
        "The body could not be read to its end: send it again.",
    );
    pub(crate) const NOT_FOUND: Self = Self::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is nothing at this address.",
    );
    pub(crate) const METHOD: Self = Self::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "This address does not take that method.",
    );
    pub(crate) const TIMEOUT: Self = Self::new(
        StatusCode::REQUEST_TIMEOUT,
        "timeout",
        "It took too long: send it again.",
    );
    pub(crate) const BUSY: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "Too much waits to be written: try again in a moment.",
    )
    .retry(2);
    pub(crate) const TOO_MANY: Self = Self::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many",
        "Too many requests under this capability wait to be written: wait for their answers.",
    )
    .retry(5);
    pub(crate) const STORE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "store",
        "The database failed; nothing of this request was kept: try again.",
    )
    .retry(10);
    pub(crate) const DISK_FULL: Self = Self::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "disk_full",
        "Headquarters' disk is full; nothing of this request was kept: try again.",
    )
    .retry(30);

    /// Its stable code.
    #[cfg(test)]
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// `460 Checksum Mismatch`, a status of tus's own.
    pub(crate) fn checksum() -> Self {
        Self::new(
            StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
            "checksum",
            "The chunk was damaged on the way and was not kept: send it again.",
        )
    }

    pub(crate) fn of_store(error: &rusqlite::Error) -> Self {
        match testigo_sqlite::classify(error) {
            Failure::DiskFull => Self::DISK_FULL,
            Failure::Busy => Self::BUSY,
            Failure::Corrupt | Failure::Other => Self::STORE,
        }
    }
}

#[derive(Serialize)]
struct ProblemView {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: &'static str,
    code: &'static str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let view = ProblemView {
            kind: "about:blank",
            // Only tus's 460 is in no registry.
            title: (self.status.canonical_reason()).unwrap_or("Checksum Mismatch"),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
        };
        let mut response = (self.status, Json(view)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
