//! What can be reported: entries and the details that they ask for.

use super::fault::{Expected, Faults, Mistake};
use super::rows::{Column, Row, Rows, may, must};
use std::collections::BTreeMap;
use testigo_wire::catalogue::{Choice, Phase, Severity};
use testigo_wire::{Catalogue, Code, DetailField, DetailKind, Entry, Texts};

pub(super) const ENTRIES: &[Column] = &[
    must("code", Expected::Number),
    may("phase", Expected::Text),
    may("severity", Expected::Text),
    may("es", Expected::Text),
    may("en", Expected::Text),
    may("pt", Expected::Text),
    may("advice_es", Expected::Text),
    may("advice_en", Expected::Text),
    may("advice_pt", Expected::Text),
    may("photo", Expected::Flag),
];
pub(super) const FIELDS: &[Column] = &[
    must("code", Expected::Number),
    must("field", Expected::Text),
    may("choice", Expected::Text),
    may("kind", Expected::Text),
    may("required", Expected::Flag),
    may("es", Expected::Text),
    may("en", Expected::Text),
    may("pt", Expected::Text),
];

fn texts(row: &Row, prefix: &str) -> Texts {
    let text = |tag: &str| row.text(&format!("{prefix}{tag}"));
    Texts::new(text("es"), text("en"), text("pt"))
}

/// What stands there, otherwise what stood there before.
fn over(new: Texts, old: Texts) -> Texts {
    match new.is_empty() {
        true => old,
        false => new,
    }
}

fn code(rows: &Rows, row: &Row, faults: &mut Faults) -> Option<Code> {
    let number = rows.number(row, "code", faults)?;
    let code = u16::try_from(number).ok().map(Code);
    if code.is_none() {
        let of = "0 to 65535".to_owned();
        let found = number.to_string();
        rows.fault(row, "code", Mistake::Word { found, of }, faults);
    }
    code
}

/// Entries by number. One of a number that is built in begins with what that one says; its columns that are not
/// empty say otherwise. Fields of `fields` for a number that is built in and not among the rows change that one, too.
pub(super) fn entries(rows: &Rows, fields: &Rows, faults: &mut Faults) -> Vec<Entry> {
    let built_in = Catalogue::built_in();
    let mut entries: BTreeMap<Code, Entry> = BTreeMap::new();
    for row in &rows.rows {
        let Some(code) = code(rows, row, faults) else {
            continue;
        };
        let known = built_in.entry(code);
        let phase = rows.word(row, "phase", Phase::ALL, Phase::name, faults);
        let severity = rows.word(row, "severity", Severity::ALL, Severity::name, faults);
        let (phase, severity) = (
            phase.or(known.map(|entry| entry.phase)),
            severity.or(known.map(|entry| entry.severity)),
        );
        for (column, found) in [("phase", phase.is_some()), ("severity", severity.is_some())] {
            if !found && row.text(column).is_empty() {
                rows.fault(row, column, Mistake::Empty, faults);
            }
        }
        let photo = known.is_none_or(|entry| !entry.no_photo);
        let entry = Entry {
            code,
            phase: phase.unwrap_or(Phase::Other),
            severity: severity.unwrap_or(Severity::Low),
            label: over(
                texts(row, ""),
                known.map(|e| e.label.clone()).unwrap_or_default(),
            ),
            advice: over(
                texts(row, "advice_"),
                known.map(|e| e.advice.clone()).unwrap_or_default(),
            ),
            fields: known.map(|e| e.fields.clone()).unwrap_or_default(),
            no_photo: !rows.flag(row, "photo", photo, faults),
        };
        if let Err(mistake) = entry.check() {
            rows.fault(row, "code", Mistake::Entry(mistake), faults);
        }
        if entries.insert(code, entry).is_some() {
            rows.fault(row, "code", Mistake::Twice(code.0.to_string()), faults);
        }
    }
    add_fields(fields, &mut entries, faults);
    entries.into_values().collect()
}

/// Details and their choices. The first field that is given for an entry takes the place of all that were built in.
fn add_fields(rows: &Rows, entries: &mut BTreeMap<Code, Entry>, faults: &mut Faults) {
    let mut of_file: BTreeMap<Code, Vec<DetailField>> = BTreeMap::new();
    let mut last: BTreeMap<Code, &Row> = BTreeMap::new();
    for row in &rows.rows {
        let Some(code) = code(rows, row, faults) else {
            continue;
        };
        let known = entries.contains_key(&code) || Catalogue::built_in().entry(code).is_some();
        if !known {
            rows.fault(row, "code", Mistake::Parent(code.0.to_string()), faults);
            continue;
        }
        last.insert(code, row);
        let fields = of_file.entry(code).or_default();
        let (name, value) = (row.text("field").to_owned(), row.text("choice").to_owned());
        let label = texts(row, "");
        if value.is_empty() {
            let kind = rows.word(row, "kind", DetailKind::ALL, DetailKind::name, faults);
            if kind.is_none() && row.text("kind").is_empty() {
                rows.fault(row, "kind", Mistake::Empty, faults);
            }
            fields.push(DetailField {
                name,
                kind: kind.unwrap_or(DetailKind::Text),
                required: rows.flag(row, "required", false, faults),
                label,
                choices: Vec::new(),
            });
        } else {
            match fields.iter_mut().find(|field| field.name == name) {
                Some(field) => field.choices.push(Choice { value, label }),
                None => rows.fault(row, "field", Mistake::Parent(name), faults),
            }
        }
    }
    for (code, fields) in of_file {
        let entry = entries.remove(&code);
        let Some(mut entry) = entry.or_else(|| Catalogue::built_in().entry(code).cloned()) else {
            continue;
        };
        entry.fields = fields;
        if let (Err(mistake), Some(row)) = (entry.check(), last.get(&code)) {
            rows.fault(row, "field", Mistake::Entry(mistake), faults);
        }
        entries.insert(code, entry);
    }
}
