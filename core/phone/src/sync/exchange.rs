use super::{Held, SyncFailure};
use testigo_wire::Deferral;

/// What a pass sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selection {
    /// What waits and is due.
    #[default]
    Queued,
    /// Everything, also what was delivered before or is not due yet: headquarters answers with the same
    /// receipts and changes nothing. For a headquarters that lost what it had.
    Everything,
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `HEAD`.
    Head,
    /// `PATCH`.
    Patch,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// The body: to `/v1/envelopes` a CBOR sequence (RFC 8742) of an enrolment, an ask and
    /// envelopes, padded to a size class.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The media type, without parameters.
    pub media_type: String,
    /// `Retry-After` in seconds.
    pub retry_after_s: Option<u32>,
    /// `Location`.
    pub location: Option<String>,
    /// `Upload-Offset`, in bytes (tus).
    pub upload_offset: Option<u64>,
    /// `Testigo-Blob-Receipt`: headquarters' receipt for a whole attachment, in base 64.
    pub blob_receipt: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the shell has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make this request and hand its outcome to [`SyncPass::reply`](super::SyncPass::reply).
    Send(Request),
    /// The pass is over.
    Done(SyncReport),
}

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Records whose receipt was verified in this pass for the first time.
    pub delivered: u64,
    /// Records that had been delivered before and were confirmed again.
    pub confirmed: u64,
    /// Records that headquarters signed it will not take.
    pub parked: u64,
    /// Records that still wait.
    pub remaining: u64,
    /// Attachments whose receipt was verified in this pass.
    pub attachments_delivered: u64,
    /// Attachments that still wait.
    pub attachments_remaining: u64,
    /// Attachments whose sealed file cannot be read on this phone any more.
    pub attachments_missing: u64,
    /// Notices of headquarters' desk that were news.
    pub notices: u64,
    /// Requests made.
    pub requests: u32,
    /// Bytes sent in their bodies.
    pub bytes_sent: u64,
    /// Why headquarters has not kept some of them yet.
    pub deferrals: Vec<Deferral>,
    /// What this pass was not to send, and why.
    pub held: Held,
    /// Headquarters has not confirmed the enrolment yet.
    pub unintroduced: bool,
    /// A witness in danger still waits.
    pub danger_waits: bool,
    /// Milliseconds from its end to the next pass: to send what is left, or to hear what becomes of what was
    /// delivered. `None` where waiting could help neither.
    pub next_attempt_ms: Option<u64>,
    /// Why the pass ended early.
    pub failure: Option<SyncFailure>,
}
