//! What programs read: health, results and incidents as JSON.

use crate::problem::Problem;
use crate::results::{IncidentsView, ResultsView};
use crate::serve::Shared;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    }))
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
    Ok(Json(IncidentsView::new(&snapshot)))
}
