//! `testigo hq export`: headquarters' results as a file of results, a row a table.

use crate::failure::Failure;
use crate::hq::settled;
use crate::outcome::{self, Outcome};
use crate::results_file::{FURTHER, writing};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use testigo_hq::{ResultsView, TableState, TableView};
use testigo_wire::{ElectionPack, Language, PollingTable};

/// Writes what the desk has counted so far to a new file, or to standard output.
pub fn run(
    data: &Path,
    out: Option<&Path>,
    language: Language,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let (pack, results) = settled(
        || testigo_hq::results(data),
        |(_, results)| results.unopened,
    )?;
    let bytes = csv_of(&pack, &results)?;
    match out {
        Some(path) => std::fs::File::create_new(path)
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
            .map_err(Failure::file(path))?,
        // A document for programs has no room for another one before it.
        None if as_json => {}
        None => {
            let mut out = std::io::stdout();
            match out.write_all(&bytes).and_then(|()| out.flush()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    return Err(Failure::file(Path::new("stdout"))(error));
                }
                _ => {}
            }
        }
    }
    let (reported, expected) = (results.tables.reported, results.tables.expected);
    let mut lines = vec![language.pick(
        format!("{reported} de {expected} mesas con resultado."),
        format!("{reported} of {expected} tables with a result."),
    )];
    let left_out = [
        (
            results.tables.conflict,
            "mesas con lecturas que difieren",
            "tables with readings that differ",
        ),
        (
            results.tables.review,
            "mesas con otra boleta",
            "tables with another ballot",
        ),
        (
            results.tables.outside_pack,
            "mesas que la elección no tiene",
            "tables that the election does not have",
        ),
        (
            results.unread_sheets.len() as u64,
            "actas sin leer",
            "sheets that could not be read",
        ),
        (
            results.unopened,
            "sobres sin abrir todavía",
            "envelopes not opened yet",
        ),
    ];
    for (count, es, en) in left_out {
        if count > 0 {
            lines.push(language.pick(
                format!("Sin votos en el archivo: {count} {es}."),
                format!("Without votes in the file: {count} {en}."),
            ));
        }
    }
    let document = json!({
        "file": out,
        "csv": out.is_none().then(|| String::from_utf8_lossy(&bytes).into_owned()),
        "tables": results.tables,
        "unopened": results.unopened,
    });
    if out.is_none() && !as_json {
        // Beside the file itself nothing may stand.
        lines.drain(..).for_each(|line| outcome::complain(&line));
    }
    Ok(Outcome::clean(lines, document))
}

fn csv_of(pack: &ElectionPack, results: &ResultsView) -> Result<Vec<u8>, Failure> {
    let rows = (pack.tables.iter().zip(&results.rows)).map(|(table, view)| row(pack, table, view));
    writing::csv(std::iter::once(writing::heading(pack, &FURTHER)).chain(rows))
}

/// A table; its numbers of votes are empty where no result counts.
fn row(pack: &ElectionPack, table: &PollingTable, view: &TableView) -> Vec<String> {
    let counts = view.state == TableState::Reported;
    let valid = counts.then(|| view.votes.iter().map(|votes| votes.votes).sum());
    let null = view.null_votes.filter(|_| counts);
    let mut fields = writing::row(pack, &table.id, Some(table), [valid, null], |code| {
        let of = view.votes.iter().find(|votes| votes.code == code);
        of.filter(|_| counts).map(|votes| votes.votes)
    });
    let state = match view.state {
        TableState::Expected => "expected",
        TableState::Reported => "reported",
        TableState::Conflict => "conflict",
        TableState::Review => "review",
    };
    let warnings: Vec<String> = view.warnings.iter().map(|w| w.code.to_string()).collect();
    fields.extend([
        state.to_owned(),
        u8::from(view.provisional).to_string(),
        view.readings.to_string(),
        view.waiting.to_string(),
        view.versions.len().to_string(),
        warnings.join(" "),
    ]);
    fields
}
