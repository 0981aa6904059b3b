//! `testigo hq export`: headquarters' results as a file of results, a row a table.

use crate::failure::Failure;
use crate::hq::DESK_WAIT;
use crate::outcome::{self, Outcome};
use crate::results_file::{FURTHER, HEADING};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use testigo_hq::{ResultsView, TableState, TableView};
use testigo_wire::{ElectionPack, Language, PollingTable};

/// Writes what the desk has counted so far to a new file, or to standard output.
pub fn run(
    data: &Path,
    out: Option<&Path>,
    language: Language,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let since = Instant::now();
    let (pack, results) = loop {
        let found = testigo_hq::results(data)?;
        if found.1.unopened == 0 || since.elapsed() > DESK_WAIT {
            break found;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
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
    let mut writer = csv::Writer::from_writer(Vec::new());
    let candidates = pack.candidates.iter().map(|candidate| &*candidate.code);
    let heading = HEADING.into_iter().chain(candidates).chain(FURTHER);
    writer.write_record(heading).map_err(unwritten)?;
    for (table, view) in pack.tables.iter().zip(&results.rows) {
        writer
            .write_record(row(pack, table, view))
            .map_err(unwritten)?;
    }
    writer
        .into_inner()
        .map_err(|error| unwritten(error.into_error()))
}

fn unwritten(error: impl std::fmt::Display) -> Failure {
    Failure::said(error.to_string(), error.to_string())
}

/// A table; its numbers of votes are empty where no result counts.
fn row(pack: &ElectionPack, table: &PollingTable, view: &TableView) -> Vec<String> {
    let counts = view.state == TableState::Reported;
    let (centre, number) = (table.id.as_str().rsplit_once('.')).unwrap_or((table.id.as_str(), ""));
    let number_of = |votes: Option<u64>| votes.map_or_else(String::new, |votes| votes.to_string());
    let valid = counts.then(|| view.votes.iter().map(|votes| votes.votes).sum());
    let mut fields = vec![
        table.state.clone(),
        table.municipality.clone(),
        table.parish.clone(),
        centre.to_owned(),
        number.to_owned(),
        table.registered.to_string(),
        number_of(valid),
        number_of(view.null_votes.filter(|_| counts)),
    ];
    for candidate in &pack.candidates {
        let of = view.votes.iter().find(|votes| votes.code == candidate.code);
        fields.push(number_of(of.filter(|_| counts).map(|votes| votes.votes)));
    }
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
