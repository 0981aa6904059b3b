//! `testigo tally`: the texts of a sheet's QR codes -> a checked result.

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::{render, stdin};
use std::path::Path;
use testigo_hq::PackSource;
use testigo_tally::{NotATally, Tally};
use testigo_wire::{ElectionId, ElectionPack, Language};

/// Venezuela 2024, with a few of its tables.
pub fn built_in_election() -> Result<ElectionPack, Failure> {
    let source = PackSource::venezuela_2024().map_err(testigo_hq::HqError::from)?;
    Ok(source.into_pack(ElectionId([0; 8])))
}

/// Reads sheets against an election pack. The pack is looked at for its tables, candidates, formats and keys only,
/// so that anyone can check a sheet without keys of their own: its signature is not checked.
pub struct Reader {
    /// The election; Venezuela 2024 where none was given.
    pub pack: ElectionPack,
    given: bool,
}

impl Reader {
    pub fn new(election: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self {
            pack: match election {
                Some(path) => read_pack(path)?,
                None => built_in_election()?,
            },
            given: election.is_some(),
        })
    }

    /// By the pack that somebody has verified.
    pub fn of(pack: ElectionPack) -> Self {
        Self { pack, given: true }
    }

    /// Reads one sheet; without an election also one in any format that is built in.
    pub fn read(&self, texts: &[&[u8]]) -> Result<Tally, NotATally> {
        let reading = testigo_tally::read(texts, Some(&self.pack));
        match self.given {
            true => reading,
            false => reading.or_else(|_| testigo_tally::read(texts, None)),
        }
    }
}

/// `testigo tally`.
pub fn run(
    texts: &[String],
    election: Option<&Path>,
    language: Language,
) -> Result<Outcome, Failure> {
    let reader = Reader::new(election)?;
    let texts: Vec<Vec<u8>> = match texts {
        [one] if one == "-" => {
            let input = stdin::text_or_stdin(one)?;
            input
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect()
        }
        texts => texts.iter().map(|text| text.clone().into_bytes()).collect(),
    };
    let reading = reader.read(&without_empty_lines(&texts));
    Ok(render::reading(&reading, language))
}

fn without_empty_lines(texts: &[Vec<u8>]) -> Vec<&[u8]> {
    let lines = texts.iter().map(|text| text.trim_ascii());
    lines.filter(|text| !text.is_empty()).collect()
}

pub fn read_pack(path: &Path) -> Result<ElectionPack, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::file(path))?;
    ElectionPack::read_unsigned(&bytes).map_err(|error| {
        Failure::said(
            format!("{}: no es un paquete de elección ({error})", path.display()),
            format!("{}: not an election pack ({error})", path.display()),
        )
    })
}
