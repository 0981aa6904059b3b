//! What programs read: health, results and incidents as JSON.

use crate::incidents::IncidentsView;
use crate::problem::Problem;
use crate::results::ResultsView;
use crate::serve::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use testigo_wire::Time;

/// `GET /v1/keyset`: headquarters' keys and addresses as the root signed them, for phones that hold older ones.
pub(crate) async fn get_keyset(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/cose")], shared.keyset.clone())
}

/// `GET /v1/health`: the database answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// `ok`; anything else comes as a problem document.
    pub status: String,
    /// The run of this store, in hexadecimal.
    pub epoch: String,
    /// Version of the program.
    pub version: String,
    /// Envelopes that the desk has not opened yet.
    pub unopened: u64,
    /// Envelopes that were kept and could not be read.
    pub unreadable: u64,
    /// Envelopes that are kept.
    pub records: u64,
    /// Notices that the desk has signed, one for each envelope that it has dealt with; always 0 for
    /// headquarters that were made before desks had a key.
    pub notices: u64,
    /// Envelopes of which a confirmed copy lies elsewhere, with all their attachments.
    pub safe: u64,
    /// When the newest confirmed copy was made (RFC 3339); none before the first.
    pub copy_made_at: Option<String>,
    /// Attachments that records name.
    pub attachments_named: u64,
    /// How many of them are held whole.
    pub attachments_held: u64,
}

pub(crate) async fn get_health(
    State(shared): State<Arc<Shared>>,
) -> Result<Json<HealthView>, Problem> {
    let counts = shared.read(|reader| reader.counts()).await?;
    Ok(Json(HealthView {
        status: "ok".to_owned(),
        epoch: shared.identity.epoch.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        unopened: counts.unopened,
        unreadable: counts.unreadable,
        records: counts.records,
        notices: counts.notices,
        safe: counts.safe,
        copy_made_at: counts.copy_made_at.map(rfc3339),
        attachments_named: counts.attachments_named,
        attachments_held: counts.attachments_held,
    }))
}

/// A time of headquarters, in UTC.
pub(crate) fn rfc3339(millis: i64) -> String {
    Time::from_millis(millis, 0).map_or_else(String::new, |time| time.to_string())
}

pub(crate) async fn get_results(
    State(shared): State<Arc<Shared>>,
) -> Result<Json<ResultsView>, Problem> {
    let snapshot = shared.read(|reader| reader.snapshot()).await?;
    Ok(Json(ResultsView::new(&shared.pack, &snapshot)))
}

pub(crate) async fn get_incidents(
    State(shared): State<Arc<Shared>>,
) -> Result<Json<IncidentsView>, Problem> {
    let snapshot = shared.read(|reader| reader.snapshot()).await?;
    Ok(Json(IncidentsView::new(&shared.pack, &snapshot)))
}
