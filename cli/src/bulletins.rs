//! `testigo tally bulletins` and `lead`: what arithmetic says of partial official totals.

use crate::args::TallyCommand;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::results_file::{Layout, ResultsFile, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use testigo_tally::bulletins::{Bulletin, Bulletins, Finding, Share, needed_share};
use testigo_wire::{Language, TableId};

/// The largest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// Runs one command.
pub fn run(command: &TallyCommand, language: Language) -> Result<Outcome, Failure> {
    match command {
        TallyCommand::Bulletins { file, held } => bulletins(file, held.as_deref(), language),
        TallyCommand::Tables { published, held } => tables(published, held, language),
        TallyCommand::Lead {
            by,
            at,
            next,
            others,
            ahead,
        } => lead([*by, *at, *others, *ahead], *next, language),
    }
}

fn bulletins(file: &Path, held: Option<&Path>, language: Language) -> Result<Outcome, Failure> {
    let series = read(file)?;
    let (sums, faults) = match held {
        Some(path) => sums(path, language)?,
        None => Default::default(),
    };
    let findings = series.findings(&sums);
    let impossible = findings.iter().any(Finding::is_impossible);
    let mut lines: Vec<String> = findings.iter().map(|one| one.sentence(language)).collect();
    lines.extend(faults.iter().cloned());
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
        json: json!({ "bulletins": series.list.len(), "findings": documents, "faults": faults }),
        clean: !impossible && faults.is_empty(),
    })
}

/// Votes by candidate, and rows that were not counted.
type Sums = (Vec<(String, u64)>, Vec<String>);

/// The sums of a file of results.
fn sums(path: &Path, language: Language) -> Result<Sums, Failure> {
    let shown = path.display().to_string();
    let mut file = ResultsFile::open(path, Wanted::Sums, &Layout::default())?;
    let mut sums: Vec<(String, u64)> = (file.candidates().iter())
        .map(|candidate| (candidate.clone(), 0))
        .collect();
    let mut faults = Vec::new();
    for row in &mut file {
        match row {
            Ok(row) => {
                for ((_, sum), votes) in sums.iter_mut().zip(row.votes) {
                    *sum += u64::from(votes);
                }
            }
            Err(fault) => faults.push(fault.sentence(&shown, language)),
        }
    }
    Ok((sums, faults))
}

/// A table's votes by candidate, null votes behind them.
type Votes = BTreeMap<String, u64>;

fn by_table(
    path: &Path,
    language: Language,
) -> Result<(BTreeMap<TableId, Votes>, Vec<String>), Failure> {
    let shown = path.display().to_string();
    let mut file = ResultsFile::open(path, Wanted::Tables, &Layout::default())?;
    let candidates = file.candidates().to_vec();
    let (mut tables, mut faults) = (BTreeMap::new(), Vec::new());
    for row in &mut file {
        match row {
            Ok(row) => {
                let Some(table) = row.table else { continue };
                let null = row.null.map(|votes| ("null".to_owned(), u64::from(votes)));
                let votes = (candidates.iter().cloned()).zip(row.votes.into_iter().map(u64::from));
                tables.insert(table, votes.chain(null).collect());
            }
            Err(fault) => faults.push(fault.sentence(&shown, language)),
        }
    }
    Ok((tables, faults))
}

/// Published results beside those in hand, table by table.
fn tables(published: &Path, held: &Path, language: Language) -> Result<Outcome, Failure> {
    let (official, mut faults) = by_table(published, language)?;
    let (ours, more) = by_table(held, language)?;
    faults.extend(more);
    let (mut lines, mut documents) = (Vec::new(), Vec::new());
    let (mut same, mut unpublished) = (0, 0);
    for (table, held) in &ours {
        let Some(published) = official.get(table) else {
            unpublished += 1;
            continue;
        };
        let differing: Vec<(&String, u64, u64)> = (held.iter())
            .filter_map(|(candidate, held)| {
                let published = *published.get(candidate)?;
                (published != *held).then_some((candidate, published, *held))
            })
            .collect();
        if differing.is_empty() {
            same += 1;
            continue;
        }
        let list: Vec<String> = (differing.iter())
            .map(|(candidate, published, held)| {
                language.pick(
                    format!("{candidate} {published} publicados, {held} en mano"),
                    format!("{candidate} {published} published, {held} in hand"),
                )
            })
            .collect();
        lines.push(format!("{table}: {}", list.join("; ")));
        documents.push(json!({
            "table": table.as_str(),
            "differs": (differing.iter())
                .map(|(candidate, published, held)| json!({
                    "candidate": candidate, "published": published, "held": held,
                }))
                .collect::<Vec<_>>(),
        }));
    }
    let missing = official
        .keys()
        .filter(|table| !ours.contains_key(table))
        .count();
    let differ = documents.len();
    lines.push(language.pick(
        format!("Mesas iguales: {same}; distintas: {differ}; en mano y sin publicar: {unpublished}; publicadas y no en mano: {missing}."),
        format!("Tables that agree: {same}; that differ: {differ}; in hand and not published: {unpublished}; published and not in hand: {missing}."),
    ));
    lines.extend(faults.iter().cloned());
    Ok(Outcome {
        lines,
        clean: differ == 0 && faults.is_empty(),
        json: json!({
            "same": same,
            "differ": differ,
            "unpublished": unpublished,
            "not_in_hand": missing,
            "tables": documents,
            "faults": faults,
        }),
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
