//! The election of a file of results: its pack, and the text of each sheet.

use super::book::Book;
use crate::failure::Failure;
use crate::outcome::complain;
use crate::results_file::ResultRow;
use crate::sheet::Chance;
use crate::tally::built_in_election;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use testigo_hq::{HqError, PackSource};
use testigo_tally::{Contest, SlotVotes, Tally, Vouch};
use testigo_wire::{ElectionId, ElectionPack, Format, Language};

/// An election of the file's tables and candidates: Venezuela's ballot of 2024 where these are its candidates,
/// otherwise a slot for each. It goes through the same files that any election is made of.
pub fn source(folder: &Path, book: &Book) -> Result<PackSource, Failure> {
    let venezuela = built_in_election()?;
    let of_2024: BTreeSet<&str> = venezuela.candidates.iter().map(|c| &*c.code).collect();
    let of_file: BTreeSet<&str> = book.candidates.iter().map(|c| &**c).collect();
    let known = of_2024 == of_file;
    let mut pack = String::from(
        "name = \"testigo replay\"\ndate = \"2024-07-28\"\ntime_zone = \"America/Caracas\"\n\
         slots = \"slots.csv\"\ntables = \"tables.csv\"\n",
    );
    let mut slots = vec![["slot", "party", "candidate"].map(str::to_owned)];
    let mut candidate = |code: &str, name: &str| {
        // What JSON escapes in a text, TOML escapes the same way.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let (code, name) = (quoted(code), quoted(name));
        let _ = write!(pack, "[[candidate]]\ncode = {code}\nname = {name}\n");
    };
    if known {
        venezuela
            .candidates
            .iter()
            .for_each(|c| candidate(&c.code, &c.name));
        for (n, slot) in (1..).zip(&venezuela.slots) {
            slots.push([n.to_string(), slot.party.clone(), slot.candidate.clone()]);
        }
    } else {
        for (n, code) in (1..).zip(&book.candidates) {
            candidate(code, code);
            slots.push([n.to_string(), code.clone(), code.clone()]);
        }
        let _ = write!(
            pack,
            "[[format]]\nname = \"replay\"\ntext = \"{{centre}}.{{table}}.{{suffix}}!{{votes}}!{{null}}!{{fourth}}\"\n\
             table = \"{{centre}}.{{table}}\"\nvotes = [\"votes\"]\nnull = \"null\"\n\
             field = [{{ name = \"suffix\", expect = \"1.0001\" }}, {{ name = \"votes\", list = \",\", count = {} }}]\n",
            book.candidates.len()
        );
    }
    let heading = ["table", "registered", "state", "municipality", "parish"].map(str::to_owned);
    let tables = book.rows.iter().filter_map(|row| {
        Some([
            row.table.as_ref()?.to_string(),
            row.registered?.to_string(),
            row.state.clone(),
            row.municipality.clone(),
            row.parish.clone(),
        ])
    });
    let dir = folder.join("election");
    std::fs::create_dir(&dir).map_err(Failure::file(&dir))?;
    let path = dir.join("pack.toml");
    std::fs::write(&path, pack).map_err(Failure::file(&path))?;
    write_rows(&dir.join("slots.csv"), slots.into_iter())?;
    write_rows(
        &dir.join("tables.csv"),
        std::iter::once(heading).chain(tables),
    )?;
    Ok(PackSource::from_file(&path).map_err(HqError::from)?)
}

fn write_rows<const N: usize>(
    path: &Path,
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), Failure> {
    let fault = |error: csv::Error| Failure::file(path)(error.into());
    let mut writer = csv::Writer::from_path(path).map_err(fault)?;
    for row in rows {
        writer.write_record(row).map_err(fault)?;
    }
    writer.flush().map_err(Failure::file(path))
}

/// The text of each row's sheet. A row whose table no such text can name is named, and leaves the book.
pub fn sheets(
    book: &mut Book,
    source: &PackSource,
    seed: u64,
    language: Language,
) -> Result<Vec<String>, Failure> {
    let pack = source.clone().into_pack(ElectionId([0; 8]));
    let format = match pack.formats.first() {
        Some(format) => format.clone(),
        None => Format::venezuela_2024().map_err(Failure::foreign)?,
    };
    let mut texts = Vec::with_capacity(book.rows.len());
    let candidates = book.candidates.clone();
    let mut chance = Chance::from_seed(seed);
    let (name, faulty) = (book.name.clone(), &mut book.faulty);
    book.rows.retain(|row| {
        match text(row, &candidates, &pack, &format, &mut chance) {
            Some(text) => texts.push(text),
            None => {
                *faulty += 1;
                let line = row.line;
                complain(&language.pick(
                    format!("{name}, línea {line}: ningún código QR puede decir esta mesa; se espera un centro de 9 cifras y una mesa de 2"),
                    format!("{name}, line {line}: no QR code can say this table; a centre of 9 digits and a table of 2 are expected"),
                ));
                return false;
            }
        }
        true
    });
    Ok(texts)
}

/// The sheet's text, which must read back to the row.
fn text(
    row: &ResultRow,
    candidates: &[String],
    pack: &ElectionPack,
    format: &Format,
    chance: &mut Chance,
) -> Option<String> {
    let table = row.table.clone()?;
    let (centre, number) = table.as_str().rsplit_once('.')?;
    let fields = [
        ("centre", centre),
        ("table", number),
        ("suffix", "1.0001"),
        ("fourth", "0"),
    ];
    let mut slots = vec![0; pack.slots.len()];
    for (candidate, votes) in candidates.iter().zip(&row.votes) {
        let own = pack.slots.iter().zip(&mut slots);
        let own: Vec<&mut u32> = own
            .filter(|(slot, _)| slot.candidate == *candidate)
            .map(|(_, votes)| votes)
            .collect();
        spread(*votes, own, chance);
    }
    let tally = Tally {
        format: format.name.clone(),
        table: table.clone(),
        contests: vec![Contest {
            slots: slots
                .into_iter()
                .map(|votes| SlotVotes { name: None, votes })
                .collect(),
            null: row.null,
            choices: 1,
            ..Contest::default()
        }],
        counted: Some(0),
        candidates: Vec::new(),
        fields: fields
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .to_vec(),
        vouch: Vouch::PLAIN_CODE,
        doubts: Vec::new(),
    };
    let text = testigo_tally::write(&tally, format)?;
    let read = testigo_tally::read(&[text.as_bytes()], Some(pack)).ok()?;
    let votes_of = |code: &String| {
        let found = read.candidates.iter().find(|votes| votes.code == *code);
        found.map(|votes| votes.votes)
    };
    let same = candidates
        .iter()
        .zip(&row.votes)
        .all(|(code, votes)| votes_of(code) == Some(u64::from(*votes)));
    (read.table == table && same && read.null_votes() == row.null).then_some(text)
}

/// Gives a candidate's votes to the slots that count for them; which party brought how many is not known.
fn spread(votes: u32, mut slots: Vec<&mut u32>, chance: &mut Chance) {
    let mut left = votes;
    let large = chance.below(slots.len());
    for (at, slot) in slots.iter_mut().enumerate() {
        if at != large {
            // The largest party has most of them, as on real sheets.
            let share = u32::try_from(chance.below(left as usize / 16 + 1)).unwrap_or(0);
            **slot = share;
            left -= share;
        }
    }
    if let Some(slot) = slots.get_mut(large) {
        **slot = left;
    }
}
