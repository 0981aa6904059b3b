//! `testigo tally`: the text of a sheet's QR code -> a checked result.

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::{render, stdin};
use std::path::Path;
use testigo_hq::PackSource;
use testigo_wire::{ElectionId, ElectionPack, Language};

/// Venezuela 2024, with a few of its tables.
pub fn built_in_election() -> Result<ElectionPack, Failure> {
    let source = PackSource::venezuela_2024().map_err(testigo_hq::HqError::from)?;
    Ok(source.into_pack(ElectionId([0; 8])))
}

/// Reads the text against an election pack. The pack is looked at for its tables and candidates only,
/// so that anyone can check a sheet without keys: its signature is not checked.
pub fn run(text: &str, election: Option<&Path>, language: Language) -> Result<Outcome, Failure> {
    let text = stdin::text_or_stdin(text)?;
    let pack = match election {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(Failure::file(path))?;
            ElectionPack::read_unsigned(&bytes).map_err(|error| {
                Failure::said(
                    format!("{}: no es un paquete de elección ({error})", path.display()),
                    format!("{}: not an election pack ({error})", path.display()),
                )
            })?
        }
        None => built_in_election()?,
    };
    Ok(render::reading(
        &testigo_tally::read(&[&text], Some(&pack)),
        language,
    ))
}
