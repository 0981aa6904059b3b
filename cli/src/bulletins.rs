//! `testigo tally bulletins` and `lead`: what arithmetic says of partial official totals.

use crate::args::TallyCommand;
use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use testigo_tally::bulletins::{Bulletin, Bulletins, Finding, Share, needed_share};
use testigo_wire::Language;

/// The largest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// Runs one command.
pub fn run(command: &TallyCommand, language: Language) -> Result<Outcome, Failure> {
    match command {
        TallyCommand::Bulletins { file } => bulletins(file, language),
        TallyCommand::Lead {
            by,
            at,
            next,
            others,
            ahead,
        } => lead([*by, *at, *others, *ahead], *next, language),
    }
}

fn bulletins(file: &Path, language: Language) -> Result<Outcome, Failure> {
    let series = read(file)?;
    let findings = series.findings(&[]);
    let impossible = findings.iter().any(Finding::is_impossible);
    let mut lines: Vec<String> = findings.iter().map(|one| one.sentence(language)).collect();
    if lines.is_empty() {
        lines.push(
            language
                .pick(
                    "Nada que decir de estas cifras.",
                    "Nothing is to be said of these figures.",
                )
                .to_owned(),
        );
    }
    let documents: Vec<Value> = (findings.iter())
        .map(|one| {
            json!({
                "code": one.code(),
                "impossible": one.is_impossible(),
                "sentence": one.sentence(language),
            })
        })
        .collect();
    Ok(Outcome {
        lines,
        json: json!({ "bulletins": series.list.len(), "findings": documents }),
        clean: !impossible,
    })
}

fn lead(
    [by, at, others, ahead]: [Share; 4],
    next: Option<Share>,
    language: Language,
) -> Result<Outcome, Failure> {
    let next = next.unwrap_or(Share(Share::WHOLE.0 - at.0));
    if at.0 == 0 || next.0 == 0 || at.0 + next.0 > Share::WHOLE.0 {
        return Err(Failure::said(
            "Lo contado y lo que sigue deben ser más que nada y juntos como mucho el 100 %.",
            "What is counted and what comes next must be more than nothing, and together at most 100 %.",
        ));
    }
    let part = |share: Share| f64::from(share.0) / 1e6;
    let needed = needed_share(part(by), part(at), part(next), part(others), part(ahead));
    let enough = needed + part(others) <= 1.0;
    let percent = Share((needed.clamp(0.0, 10.0) * 1e6).round() as u32).percent(language);
    let aim = match ahead.0 {
        0 => language.pick("igualar", "draw level").to_owned(),
        _ => {
            let ahead = ahead.percent(language);
            language.pick(format!("aventajar por {ahead}"), format!("lead by {ahead}"))
        }
    };
    let [next, others] = [next, others].map(|share| share.percent(language));
    let line = match enough {
        true => language.pick(
            format!("El segundo necesita {percent} del {next} que sigue para {aim} (si todas las actas pesan igual y los demás tienen {others})."),
            format!("The second needs {percent} of the next {next} to {aim} (if all records weigh the same and others have {others})."),
        ),
        false => language.pick(
            format!("El {next} que sigue no alcanza: el segundo necesitaría {percent} de él."),
            format!("The next {next} is not enough: the second would need {percent} of it."),
        ),
    };
    Ok(Outcome::clean(
        vec![line],
        json!({ "needed_percent": needed * 100.0, "enough": enough }),
    ))
}

/// Reads the series.
///
/// # Errors
/// The first thing that is wrong, by file, line and column.
fn read(path: &Path) -> Result<Bulletins, Failure> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX).read_to_string(&mut text))
        .map_err(Failure::file(path))?;
    let file = path.display().to_string();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let fault =
        |error: csv::Error| Failure::said(format!("{file}: {error}"), format!("{file}: {error}"));
    let heading = reader.headers().map_err(fault)?.clone();
    let candidates: Vec<String> = heading.iter().skip(2).map(str::to_owned).collect();
    if heading.get(0) != Some("bulletin")
        || heading.get(1) != Some("records")
        || candidates.is_empty()
    {
        return Err(Failure::said(
            format!("{file}, línea 1: el encabezado debe ser bulletin,records,CANDIDATO,..."),
            format!("{file}, line 1: the heading must be bulletin,records,CANDIDATE,..."),
        ));
    }
    let mut list = Vec::new();
    for row in reader.records() {
        let row = row.map_err(fault)?;
        let line = row.position().map_or(0, csv::Position::line);
        let wrong = |column: &str, value: &str| {
            Failure::said(
                format!(
                    "{file}, línea {line}, {column}: {value:?} no se entiende; votos como 5150092, porcentajes como 96.87."
                ),
                format!(
                    "{file}, line {line}, {column}: {value:?} is not understood; votes such as 5150092, percentages such as 96.87."
                ),
            )
        };
        let counted = row.get(1).unwrap_or_default();
        let votes = (row.iter().skip(2).zip(&candidates))
            .map(|(value, candidate)| match value {
                "" => Ok(None),
                // No country has more votes than that, and sums stay far from overflow.
                value if value.len() <= 12 && value.bytes().all(|b| b.is_ascii_digit()) => {
                    value.parse().map(Some).map_err(|_| wrong(candidate, value))
                }
                value => Err(wrong(candidate, value)),
            })
            .collect::<Result<_, Failure>>()?;
        list.push(Bulletin {
            name: row.get(0).unwrap_or_default().to_owned(),
            counted: Share::from_percent(counted).ok_or_else(|| wrong("records", counted))?,
            votes,
        });
    }
    Ok(Bulletins { candidates, list })
}
