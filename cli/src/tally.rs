//! `testigo tally`: the text of a sheet's QR code -> a checked result.

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::{render, stdin};
use std::path::Path;
use testigo_hq::PackSource;
use testigo_wire::{ElectionId, ElectionPack, Language};

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
        None => PackSource::venezuela_2024()
            .map_err(testigo_hq::HqError::from)?
            .into_pack(ElectionId([0; 8])),
    };
    Ok(render::reading(
        &testigo_tally::read(&[&text], Some(&pack)),
        language,
    ))
}
