//! The incidents as the API shows them.

use crate::results::{AttachmentsView, WarningView, attachments, received_at, warnings};
use crate::store::{DeviceState, IncidentRow, Snapshot};
use serde::{Deserialize, Serialize};
use testigo_wire::{
    Catalogue, Code, DetailField, ElectionPack, Kind, Language, Record, Report, Texts,
};

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
    /// Areas and centre of the table; empty for one that the election does not have.
    pub place: String,
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
    /// What else its entry of the catalogue asks for.
    pub details: Vec<DetailView>,
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

/// A name in the three languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelView {
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
    /// In Portuguese.
    pub pt: String,
}

/// A detail of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailView {
    /// The field's name in the catalogue.
    pub field: String,
    /// Its name for people; the field's name where the catalogue has none.
    pub label: LabelView,
    /// What the witness wrote.
    pub value: String,
    /// The same for people: a choice by its name.
    pub shown: LabelView,
}

impl IncidentsView {
    pub(crate) fn new(pack: &ElectionPack, snapshot: &Snapshot) -> Self {
        let (catalogue, incidents) = (pack.catalogue(), snapshot.incidents.iter());
        Self {
            incidents: incidents
                .map(|row| incident(row, pack, &catalogue, snapshot))
                .collect(),
        }
    }
}

fn label(texts: &Texts) -> LabelView {
    in_each(|language| texts.pick(language).to_owned())
}

fn in_each(said: impl Fn(Language) -> String) -> LabelView {
    LabelView {
        es: said(Language::Es),
        en: said(Language::En),
        pt: said(Language::Pt),
    }
}

/// Details of a report that the desk has read before; a newer phone's unknown fields among them.
fn details(report: &Report, catalogue: &Catalogue) -> Vec<DetailView> {
    let entry = catalogue.entry(report.code);
    let known = |name: &str| -> Option<&DetailField> { entry.and_then(|entry| entry.field(name)) };
    (report.details.iter())
        .map(|detail| {
            let field = known(&detail.name);
            let name = || in_each(|_| detail.name.clone());
            DetailView {
                field: detail.name.clone(),
                label: field.map_or_else(name, |field| label(&field.label)),
                value: detail.value.clone(),
                shown: in_each(|language| {
                    let value = detail.value.as_str();
                    field
                        .map_or(value, |field| field.shown(value, language))
                        .to_owned()
                }),
            }
        })
        .collect()
}

fn incident(
    row: &IncidentRow,
    pack: &ElectionPack,
    catalogue: &Catalogue,
    snapshot: &Snapshot,
) -> IncidentView {
    let code = Code(row.code);
    let entry = catalogue.entry(code);
    let table = (row.table.as_deref())
        .and_then(|table| testigo_wire::TableId::new(table).ok())
        .and_then(|table| pack.table(&table));
    IncidentView {
        code: row.code,
        label: in_each(|language| catalogue.label(code, language)),
        phase: entry.map(|entry| entry.phase.name().to_owned()),
        severity: entry.map(|entry| entry.severity.name().to_owned()),
        table: row.table.clone(),
        place: table.map_or_else(String::new, testigo_wire::PollingTable::place),
        received_at: received_at(row.received_at, &row.saved_at),
        claimed_at: row.claimed_at.clone(),
        saved_at: row.saved_at.clone(),
        delay_minutes: row.delay_minutes,
        started: row.started.clone(),
        ended: row.ended.clone(),
        people: row.people,
        details: match Record::from_bytes(Kind::REPORT, &row.content) {
            Ok(Record::Report(report)) => details(&report, catalogue),
            _ => Vec::new(),
        },
        note: row.note.clone(),
        warnings: warnings(std::iter::once(row.arrival), snapshot),
        device: row.device,
        waits: row.waits,
        attachments: attachments(std::iter::once(row.arrival), snapshot),
    }
}
