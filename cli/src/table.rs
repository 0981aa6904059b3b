//! What `testigo hq table` shows.

use serde_json::Value;
use testigo_wire::Language;

fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => "-".to_owned(),
        Some(value) => value.to_string(),
    }
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// Headquarters' results and incidents, from the API's own documents. Whatever is not in the totals, or
/// is in them with a doubt, is told.
pub fn lines(document: &Value, language: Language) -> Vec<String> {
    let (reported, expected) = (
        text(document, "/results/tables/reported"),
        text(document, "/results/tables/expected"),
    );
    let name = text(document, "/results/election/name");
    let mut lines = vec![language.pick(
        format!("{name}: {reported} de {expected} mesas"),
        format!("{name}: {reported} of {expected} tables"),
    )];
    lines.extend(
        list(document, "/results/candidates")
            .map(|c| format!("  {:<28} {:>8}", text(c, "/name"), text(c, "/votes"))),
    );
    for (pointer, es, en) in [
        (
            "/results/doubtful",
            "Mesas sumadas con dudas en sus actas",
            "Counted tables with doubts about their sheets",
        ),
        (
            "/results/tables/conflict",
            "Mesas en conflicto, en ningún total",
            "Tables in conflict, in no total",
        ),
        (
            "/results/tables/review",
            "Mesas por revisar, en ningún total",
            "Tables to be reviewed, in no total",
        ),
        (
            "/results/unopened",
            "Sobres por abrir (los abre testigo hq serve)",
            "Envelopes to be opened (testigo hq serve opens them)",
        ),
        (
            "/results/unreadable",
            "Sobres ilegibles, guardados",
            "Unreadable envelopes, kept",
        ),
        (
            "/results/unknown_kinds",
            "Registros de una versión más nueva, guardados",
            "Records of a newer version, kept",
        ),
    ] {
        let count = document.pointer(pointer).and_then(Value::as_u64);
        if let Some(count @ 1..) = count {
            lines.push(format!("{}: {count}", language.pick(es, en)));
        }
    }
    for area in list(document, "/results/areas") {
        let (name, reported, expected) = (
            text(area, "/name"),
            text(area, "/reported"),
            text(area, "/expected"),
        );
        if reported != "0" {
            lines.push(language.pick(
                format!("  {name}: {reported} de {expected} mesas"),
                format!("  {name}: {reported} of {expected} tables"),
            ));
        }
    }
    for row in list(document, "/results/rows") {
        table(row, language, &mut lines);
    }
    for row in list(document, "/results/outside_pack") {
        let table = text(row, "/table");
        lines.push(language.pick(
            format!(
                "Acta de la mesa {table}, que no es de esta elección: guardada, en ningún total"
            ),
            format!("Sheet of table {table}, which is not this election's: kept, in no total"),
        ));
        warnings(row, language, &mut lines);
    }
    for sheet in list(document, "/results/unread_sheets") {
        let (table, at) = (text(sheet, "/table"), text(sheet, "/received_at"));
        let number = text(sheet, "/number");
        lines.push(language.pick(
            format!("Código no reconocido, registro {number}, mesa {table}, {at}: guardado, en ningún total"),
            format!("Code not recognised, record {number}, table {table}, {at}: kept, in no total"),
        ));
        warnings(sheet, language, &mut lines);
    }
    let label = language.pick3("/label/es", "/label/en", "/label/pt");
    let shown = language.pick3("/shown/es", "/shown/en", "/shown/pt");
    for incident in list(document, "/incidents/incidents") {
        lines.push(format!(
            "  {} {}  {}{}",
            text(incident, "/code"),
            text(incident, label),
            text(incident, "/table"),
            placed(incident)
        ));
        for detail in list(incident, "/details") {
            lines.push(format!(
                "    {}: {}",
                text(detail, label),
                text(detail, shown)
            ));
        }
        warnings(incident, language, &mut lines);
    }
    lines
}

/// A line's place in brackets, where there is one.
fn placed(line: &Value) -> String {
    match line.pointer("/place").and_then(Value::as_str) {
        None | Some("") => String::new(),
        Some(place) => format!(" ({place})"),
    }
}

/// A table of the election, where there is more to say of it than its votes.
fn table(row: &Value, language: Language, lines: &mut Vec<String>) {
    let table = text(row, "/table") + &placed(row);
    let waiting = row.pointer("/waiting").and_then(Value::as_u64).unwrap_or(0);
    let state = match row.pointer("/state").and_then(Value::as_str) {
        Some("conflict") => language.pick("lecturas distintas", "readings differ"),
        Some("review") => language.pick("otra boleta", "another ballot"),
        _ if waiting > 0 => language.pick("lecturas por revisar", "readings wait for review"),
        _ if list(row, "/warnings").next().is_some() => language.pick("con dudas", "with doubts"),
        _ => return,
    };
    lines.push(language.pick(
        format!("Mesa {table}: {state}"),
        format!("Table {table}: {state}"),
    ));
    for version in list(row, "/versions") {
        let votes: Vec<String> = list(version, "/votes")
            .map(|votes| format!("{} {}", text(votes, "/code"), text(votes, "/votes")))
            .collect();
        lines.push(format!(
            "    {} × {}, {} {}",
            text(version, "/readings"),
            votes.join(", "),
            language.pick("nulos", "null"),
            text(version, "/null_votes")
        ));
        let standing = language.pick("/standing/es", "/standing/en");
        lines.push(format!("        {}", text(version, standing)));
        let numbers: Vec<String> = list(version, "/numbers").map(Value::to_string).collect();
        lines.push(format!(
            "        {} {}",
            language.pick("registros", "records"),
            numbers.join(", ")
        ));
    }
    warnings(row, language, lines);
}

fn warnings(of: &Value, language: Language, lines: &mut Vec<String>) {
    let sentence = language.pick("/es", "/en");
    lines.extend(list(of, "/warnings").map(|warning| format!("  ! {}", text(warning, sentence))));
}
