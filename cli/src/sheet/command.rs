//! `testigo sheet`: the text of a sheet's QR code -> a photograph of a practice sheet.

use super::{Damage, Sheet, SheetError, photograph};
use crate::args::SheetArgs;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::{stdin, tally};
use serde_json::json;
use testigo_wire::Language;

/// Draws and photographs one sheet.
pub fn run(args: &SheetArgs, language: Language) -> Result<Outcome, Failure> {
    let text = stdin::text_or_stdin(&args.text)?;
    let sheet = (std::str::from_utf8(&text).ok())
        .and_then(|text| Sheet::printed(text.trim(), &tally::built_in_election().ok()?))
        .ok_or_else(|| {
            Failure::said(
                "Esto no es el texto de un acta de una mesa de esta elección.",
                "This is not the text of a tally sheet of one of this election's tables.",
            )
        })?;
    let damage = Damage::from_seed(args.seed);
    let photo = photograph(&sheet.draw()?, &damage)?;
    // The ending decides the format; what would be the camera's own file is written as it is.
    let jpeg = (args.out.extension()).is_some_and(|e| e.eq_ignore_ascii_case("jpg"));
    if jpeg {
        std::fs::write(&args.out, &photo).map_err(Failure::file(&args.out))?;
    } else {
        (image::load_from_memory(&photo).and_then(|picture| picture.save(&args.out)))
            .map_err(SheetError::from)?;
    }
    let shown = args.out.display();
    Ok(Outcome::clean(
        vec![language.pick(
            format!(
                "Acta de práctica en {shown}: {}",
                damage.sentence(Language::Es)
            ),
            format!(
                "Practice sheet in {shown}: {}",
                damage.sentence(Language::En)
            ),
        )],
        json!({ "image": args.out, "seed": args.seed }),
    ))
}
