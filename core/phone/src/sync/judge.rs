//! What an answer over HTTP is worth.

use super::{Response, SyncFailure};
use testigo_wire::Reply;

/// The longest wait that headquarters may ask for, in seconds.
const MAX_RETRY_AFTER: u32 = 300;
/// The media type of headquarters' refusals.
pub(super) const PROBLEM: &str = "application/problem+json";

/// Whether headquarters asks to wait.
pub(super) fn busy(response: &Response) -> Option<SyncFailure> {
    matches!(response.status, 429 | 503).then(|| SyncFailure::Busy {
        retry_after_s: response.retry_after_s.unwrap_or(30).min(MAX_RETRY_AFTER),
    })
}

/// Whether a response is headquarters' reply. A status alone proves nothing: a captive portal
/// answers 200 as well.
pub(super) fn judge(response: &Response) -> Result<Reply, SyncFailure> {
    let status = response.status;
    match status {
        200 if response.media_type == Reply::MEDIA_TYPE => {
            Reply::from_bytes(&response.body).map_err(|_| SyncFailure::NotHeadquarters)
        }
        // 511 is a captive portal's own status (RFC 6585, section 6); headquarters explains whatever it
        // refuses in a problem document (RFC 9457).
        400..=499 if response.media_type != PROBLEM => Err(SyncFailure::Portal { status }),
        511 => Err(SyncFailure::Portal { status }),
        400..=599 => Err(SyncFailure::Headquarters { status }),
        _ => Err(SyncFailure::Portal { status }),
    }
}
