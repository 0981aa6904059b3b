//! The incidents as the API shows them.

use crate::results::{AttachmentsView, LabelView, WarningView, attachments, received_at, warnings};
use crate::store::{DeviceState, IncidentRow, Snapshot};
use serde::{Deserialize, Serialize};
use testigo_wire::catalogue::{Phase, Severity};
use testigo_wire::{Code, Language};

/// `GET /v1/incidents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentsView {
    /// The newest arrival first.
    pub incidents: Vec<IncidentView>,
}

/// A report. Times are RFC 3339; those that the phone told keep the offset that it told them in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentView {
    /// Number in the catalogue.
    pub code: u16,
    /// Its name.
    pub label: LabelView,
    /// `opening`, `voting`, `safety`, `count`, `sheet` or `other`; none for an unknown code.
    pub phase: Option<String>,
    /// `info`, `low`, `high` or `danger`; none for an unknown code.
    pub severity: Option<String>,
    /// The table it was filed under.
    pub table: Option<String>,
    /// When headquarters received it, in the phone's offset.
    pub received_at: String,
    /// When the witness says that it happened.
    pub claimed_at: Option<String>,
    /// What the phone's clock showed when it was saved.
    pub saved_at: String,
    /// How late, in minutes.
    pub delay_minutes: Option<u32>,
    /// When it started.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// How many people were involved.
    pub people: Option<u32>,
    /// The witness's own words.
    pub note: Option<String>,
    /// Doubts.
    pub warnings: Vec<WarningView>,
    /// How far its device was believed when it arrived.
    pub device: DeviceState,
    /// It waits for review.
    pub waits: bool,
    /// Its files.
    pub attachments: AttachmentsView,
}

impl IncidentsView {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let incidents = snapshot.incidents.iter();
        Self {
            incidents: incidents.map(|row| incident(row, snapshot)).collect(),
        }
    }
}

fn incident(row: &IncidentRow, snapshot: &Snapshot) -> IncidentView {
    let code = Code(row.code);
    let entry = code.entry();
    IncidentView {
        code: row.code,
        label: LabelView {
            es: code.label(Language::Es),
            en: code.label(Language::En),
        },
        phase: entry.map(|entry| phase(entry.phase).to_owned()),
        severity: entry.map(|entry| severity(entry.severity).to_owned()),
        table: row.table.clone(),
        received_at: received_at(row.received_at, &row.saved_at),
        claimed_at: row.claimed_at.clone(),
        saved_at: row.saved_at.clone(),
        delay_minutes: row.delay_minutes,
        started: row.started.clone(),
        ended: row.ended.clone(),
        people: row.people,
        note: row.note.clone(),
        warnings: warnings(std::iter::once(row.arrival), snapshot),
        device: row.device,
        waits: row.waits,
        attachments: attachments(std::iter::once(row.arrival), snapshot),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Opening => "opening",
        Phase::Voting => "voting",
        Phase::Safety => "safety",
        Phase::Count => "count",
        Phase::Sheet => "sheet",
        Phase::Other => "other",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::High => "high",
        Severity::Danger => "danger",
    }
}
