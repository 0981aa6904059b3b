//! `testigo phone catalogue`: what can be reported.

use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::{Value, json};
use testigo_wire::{Catalogue, Code, DetailField, DetailKind, Entry, Language};

/// What can be reported; with a number, all of its entry.
pub fn shown(
    catalogue: &Catalogue,
    code: Option<u16>,
    language: Language,
) -> Result<Outcome, Failure> {
    let Some(code) = code else {
        let mut lines = Vec::new();
        for entry in catalogue.entries() {
            let mut line = format!("{}  {}", entry.code.0, entry.label(language));
            let names: Vec<&str> = entry.fields.iter().map(|f| f.name.as_str()).collect();
            if !names.is_empty() {
                line.push_str(&format!("  [{}]", names.join(", ")));
            }
            lines.push(line);
        }
        let entries = catalogue.entries().iter();
        let json = entries.map(|entry| entry_json(entry, language)).collect();
        return Ok(Outcome::clean(lines, Value::Array(json)));
    };
    let entry = catalogue.entry(Code(code)).ok_or_else(|| {
        Failure::said(
            format!("{code} no está en el catálogo; véalo con catalogue."),
            format!("{code} is not in the catalogue; the command catalogue shows it."),
        )
    })?;
    let (phase, severity) = (entry.phase.label(language), entry.severity.name());
    let mut lines = vec![
        format!("{code}  {}", entry.label(language)),
        format!("  {phase} · {severity}"),
    ];
    lines.extend(
        Some(entry.advice(language))
            .filter(|advice| !advice.is_empty())
            .map(|advice| format!("  {advice}")),
    );
    for field in &entry.fields {
        lines.push(format!(
            "  --field {}={}  {}{}",
            field.name,
            asked(field),
            field.label.pick(language),
            match field.required {
                true => language.pick3(" (se pide)", " (required)", " (exigido)"),
                false => "",
            }
        ));
    }
    Ok(Outcome::clean(lines, entry_json(entry, language)))
}

/// What a field asks for, as it is typed.
fn asked(field: &DetailField) -> String {
    match field.kind {
        DetailKind::Number => "N".to_owned(),
        DetailKind::Time => "HH:MM".to_owned(),
        DetailKind::Text => "TEXT".to_owned(),
        DetailKind::Choice => {
            let values: Vec<&str> = field.choices.iter().map(|c| c.value.as_str()).collect();
            values.join("|")
        }
    }
}

fn entry_json(entry: &Entry, language: Language) -> Value {
    let fields: Vec<Value> = (entry.fields.iter())
        .map(|field| {
            json!({
                "name": field.name,
                "kind": field.kind.name(),
                "required": field.required,
                "label": field.label.pick(language),
                "choices": field.choices.iter().map(|choice| json!({
                    "value": choice.value, "label": choice.label.pick(language),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "code": entry.code.0,
        "label": entry.label(language),
        "phase": entry.phase.name(),
        "severity": entry.severity.name(),
        "advice": entry.advice(language),
        "fields": fields,
        "photo": !entry.no_photo,
    })
}
