//! `testigo tally bulletins`, `tables` and `lead`: what arithmetic says of partial official totals, and of published
//! results beside those in hand.

use crate::args::TallyCommand;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::results_file::{self, Layout, ResultsFile, Wanted};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use testigo_tally::bulletins::{
    Bulletin, Bulletins, Finding, Share, is_all_others, needed_share, same_name,
};
use testigo_wire::{Language, TableId};

/// The largest series that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// Runs one command.
pub fn run(command: &TallyCommand, language: Language) -> Result<Outcome, Failure> {
    match command {
        TallyCommand::Bulletins { file, held, layout } => {
            bulletins(file, held.as_deref(), &layout.layout(), language)
        }
        TallyCommand::Tables {
            published,
            held,
            layout,
        } => tables(published, held, &layout.layout(), language),
        TallyCommand::Lead {
            by,
            at,
            next,
            others,
            ahead,
        } => lead([*by, *at, *others, *ahead], *next, language),
    }
}

fn bulletins(
    file: &Path,
    held: Option<&Path>,
    layout: &Layout,
    language: Language,
) -> Result<Outcome, Failure> {
    let (series, mut faults) = read(file, language)?;
    let (mut sums, mut said) = (Vec::new(), Vec::new());
    if let Some(path) = held {
        let shown = path.display().to_string();
        let found = results_file::sums(path, layout, |fault| {
            faults.push(fault.sentence(&shown, language));
        })?;
        if !(found.candidates.iter())
            .any(|(of, _)| series.candidates.iter().any(|one| same_name(of, one)))
        {
            return Err(nobody_in_common(file, path));
        }
        for name in &series.candidates {
            if !is_all_others(name) && !found.candidates.iter().any(|(of, _)| same_name(of, name)) {
                faults.push(language.pick(
                    format!("{shown}: {name} no está en él y no se compara."),
                    format!("{shown}: {name} is not in it and is not compared."),
                ));
            }
        }
        if found.passed_over > 0 {
            let n = found.passed_over;
            said.push(language.pick(
                format!("{shown}: {n} filas sin resultado, o con lecturas que difieren, no se cuentan."),
                format!("{shown}: {n} rows without a result, or with readings that differ, are not counted."),
            ));
        }
        sums = found.candidates;
    }
    let findings = series.findings(&sums);
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
    lines.extend(said);
    lines.extend(faults.iter().cloned());
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
        clean: !impossible && faults.is_empty(),
        json: json!({ "bulletins": series.list.len(), "findings": documents, "faults": faults }),
    })
}

fn nobody_in_common(a: &Path, b: &Path) -> Failure {
    let (a, b) = (a.display(), b.display());
    Failure::said(
        format!(
            "{a} y {b} no nombran a ningún candidato igual: no se comparó nada. Use los mismos nombres de columna."
        ),
        format!(
            "{a} and {b} name no candidate alike: nothing was compared. Use the same names of columns."
        ),
    )
}

/// A table's votes by candidate, null votes behind them.
type Votes = BTreeMap<String, u64>;

/// What a file of results says of each table.
#[derive(Default)]
struct ByTable {
    /// As the heading names them.
    candidates: Vec<String>,
    tables: BTreeMap<TableId, Votes>,
    faults: Vec<String>,
    passed_over: u64,
}

fn by_table(path: &Path, layout: &Layout, language: Language) -> Result<ByTable, Failure> {
    let shown = path.display().to_string();
    let mut file = ResultsFile::open(path, Wanted::Votes, layout)?;
    let mut found = ByTable {
        candidates: file.candidates().to_vec(),
        ..ByTable::default()
    };
    let names: Vec<String> = found
        .candidates
        .iter()
        .map(|name| name.to_uppercase())
        .collect();
    for row in &mut file {
        match row {
            Ok(row) => {
                let Some(table) = row.table else { continue };
                let null = row.null.map(|votes| (NULL.to_owned(), u64::from(votes)));
                let votes = (names.iter().cloned()).zip(row.votes.into_iter().map(u64::from));
                found.tables.insert(table, votes.chain(null).collect());
            }
            Err(fault) => found.faults.push(fault.sentence(&shown, language)),
        }
    }
    found.passed_over = file.passed_over();
    Ok(found)
}

/// Null votes among the candidates', by a name that no heading has.
const NULL: &str = "null";

/// Published results beside those in hand, table by table.
fn tables(
    published: &Path,
    held: &Path,
    layout: &Layout,
    language: Language,
) -> Result<Outcome, Failure> {
    let official = by_table(published, layout, language)?;
    let ours = by_table(held, layout, language)?;
    let partner =
        |name: &String, of: &ByTable| of.candidates.iter().any(|one| same_name(one, name));
    if !ours.candidates.iter().any(|name| partner(name, &official)) {
        return Err(nobody_in_common(published, held));
    }
    let mut faults = [official.faults.clone(), ours.faults.clone()].concat();
    for (path, of, other) in [(published, &official, &ours), (held, &ours, &official)] {
        for name in of.candidates.iter().filter(|name| !partner(name, other)) {
            let path = path.display();
            faults.push(language.pick(
                format!("{path}: {name} no está en el otro archivo y no se compara."),
                format!("{path}: {name} is not in the other file and is not compared."),
            ));
        }
    }
    let (mut lines, mut documents) = (Vec::new(), Vec::new());
    let (mut same, mut unpublished) = (0, 0);
    for (table, held) in &ours.tables {
        let Some(published) = official.tables.get(table) else {
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
        let differing: Vec<Value> = (differing.iter())
            .map(|(candidate, published, held)| {
                json!({ "candidate": candidate, "published": published, "held": held })
            })
            .collect();
        documents.push(json!({ "table": table.as_str(), "differs": differing }));
    }
    let not_in_hand = (official.tables.keys())
        .filter(|table| !ours.tables.contains_key(table))
        .count();
    let (differ, passed_over) = (documents.len(), ours.passed_over);
    lines.push(language.pick(
        format!("Mesas iguales: {same}; distintas: {differ}; en mano y sin publicar: {unpublished}; publicadas y no en mano: {not_in_hand}; en mano sin resultado o con lecturas que difieren: {passed_over}."),
        format!("Tables that agree: {same}; that differ: {differ}; in hand and not published: {unpublished}; published and not in hand: {not_in_hand}; in hand without a result or with readings that differ: {passed_over}."),
    ));
    lines.extend(faults.iter().cloned());
    Ok(Outcome {
        lines,
        clean: differ == 0 && faults.is_empty(),
        json: json!({
            "same": same,
            "differ": differ,
            "unpublished": unpublished,
            "not_in_hand": not_in_hand,
            "passed_over": passed_over,
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
    if by.0 + others.0 > Share::WHOLE.0 || ahead.0 + others.0 > Share::WHOLE.0 {
        return Err(Failure::said(
            "Una ventaja y lo de los demás no pueden pasar juntos del 100 %.",
            "A lead and what others have cannot be more than 100 % together.",
        ));
    }
    let needed = needed_share(
        by.part(),
        at.part(),
        next.part(),
        others.part(),
        ahead.part(),
    );
    let enough = needed + others.part() <= 1.0;
    let percent = Share::of(needed).percent(language);
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
            format!("El {next} que sigue no alcanza para {aim}, aunque el segundo tuviera todo lo que no es de los demás (si todas las actas pesan igual)."),
            format!("The next {next} is not enough to {aim}, even if the second had all that is not others' (if all records weigh the same)."),
        ),
    };
    Ok(Outcome::clean(
        vec![line],
        json!({ "needed_percent": enough.then_some(needed * 100.0), "enough": enough }),
    ))
}

/// Reads the series; lines with a fault are named and left out.
///
/// # Errors
/// Where the file cannot be read, or its heading is not one of a series.
fn read(path: &Path, language: Language) -> Result<(Bulletins, Vec<String>), Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX + 1).read_to_end(&mut bytes))
        .map_err(Failure::file(path))?;
    let file = path.display().to_string();
    if bytes.len() as u64 > MAX {
        return Err(Failure::said(
            format!("{file}: pasa de 1 MiB; una serie de boletines es más corta."),
            format!("{file}: is larger than 1 MiB; a series of bulletins is shorter."),
        ));
    }
    // UTF-8, or else Latin-1, in which each byte is a letter.
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        error
            .as_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect()
    });
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let separator = match first.matches(';').count() > first.matches(',').count() {
        true => b';',
        false => b',',
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let heading = reader.headers().cloned().unwrap_or_default();
    let candidates: Vec<String> = heading.iter().skip(2).map(str::to_owned).collect();
    let named_well = (candidates.iter().enumerate()).all(|(n, name)| {
        !name.is_empty()
            && !candidates
                .iter()
                .take(n)
                .any(|before| same_name(before, name))
    });
    if heading.get(0) != Some("bulletin")
        || heading.get(1) != Some("records")
        || candidates.is_empty()
        || !named_well
    {
        return Err(Failure::said(
            format!(
                "{file}, línea 1: el encabezado debe ser bulletin,records,CANDIDATO,... y cada candidato una vez."
            ),
            format!(
                "{file}, line 1: the heading must be bulletin,records,CANDIDATE,... with each candidate once."
            ),
        ));
    }
    let (mut list, mut faults) = (Vec::new(), Vec::new());
    for row in reader.records() {
        match row.map(|row| bulletin(&row, &candidates, &file, language)) {
            Ok(Ok(bulletin)) => list.push(bulletin),
            Ok(Err(fault)) => faults.push(fault),
            Err(error) => faults.push(format!("{file}: {error}")),
        }
    }
    Ok((Bulletins { candidates, list }, faults))
}

/// One line of the series, or what is wrong with it.
fn bulletin(
    row: &csv::StringRecord,
    candidates: &[String],
    file: &str,
    language: Language,
) -> Result<Bulletin, String> {
    let line = row.position().map_or(0, csv::Position::line);
    let (found, expected) = (row.len(), candidates.len() + 2);
    if found != expected {
        return Err(language.pick(
            format!("{file}, línea {line}: {found} campos donde el encabezado tiene {expected}; no cuenta."),
            format!("{file}, line {line}: {found} fields where the heading has {expected}; it does not count."),
        ));
    }
    let wrong = |column: &str, value: &str| {
        language.pick(
            format!("{file}, línea {line}, {column}: {value:?} no se entiende (votos como 5150092, porcentajes como 96.87); no cuenta."),
            format!("{file}, line {line}, {column}: {value:?} is not understood (votes such as 5150092, percentages such as 96.87); it does not count."),
        )
    };
    let counted = row.get(1).unwrap_or_default();
    let votes = (row.iter().skip(2).zip(candidates))
        .map(|(value, candidate)| match value {
            "" => Ok(None),
            // No country has more votes than that, and sums stay far from overflow.
            value if value.len() <= 12 && value.bytes().all(|b| b.is_ascii_digit()) => {
                value.parse().map(Some).map_err(|_| wrong(candidate, value))
            }
            value => Err(wrong(candidate, value)),
        })
        .collect::<Result<_, String>>()?;
    Ok(Bulletin {
        name: row.get(0).unwrap_or_default().to_owned(),
        counted: Share::from_percent(counted).ok_or_else(|| wrong("records", counted))?,
        votes,
    })
}
