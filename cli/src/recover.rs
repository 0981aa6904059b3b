//! Damaged stores: what could be saved, and where the rest is kept.

use crate::failure::Failure;
use crate::key_file;
use crate::outcome::Outcome;
use serde_json::json;
use std::path::Path;
use testigo_phone::{HostClock, Phone};
use testigo_wire::Language;

/// `testigo phone recover`.
pub fn phone(
    home: &Path,
    clock: Box<HostClock>,
    key_is_right: bool,
    language: Language,
) -> Result<Outcome, Failure> {
    let key = key_file::read(home)?;
    let (_, recovered) = Phone::recover(home, &key, clock, key_is_right)?;
    let (records, gaps) = (recovered.records, recovered.gaps);
    let aside = recovered.aside.display();
    let mut lines = vec![language.pick(
        format!("Registros recuperados: {records}. Partes que no se pudieron leer: {gaps}."),
        format!("Records recovered: {records}. Places that could not be read: {gaps}."),
    )];
    lines.push(language.pick(
        format!("El almacén dañado se conserva en {aside}; no se borró nada."),
        format!("The damaged store is kept in {aside}; nothing of it was deleted."),
    ));
    if !recovered.same_device {
        lines.push(
            language
                .pick(
                    "Este teléfono es ahora otro para la central: pida un código nuevo e inscríbalo.",
                    "To headquarters this is another phone now: ask for a new code and enrol it.",
                )
                .to_owned(),
        );
    }
    Ok(Outcome {
        lines,
        json: json!({
            "aside": recovered.aside,
            "records": records,
            "gaps": gaps,
            "same_device": recovered.same_device,
        }),
        clean: gaps == 0 && recovered.same_device,
    })
}

/// `testigo hq recover`.
pub fn hq(data: &Path, language: Language) -> Result<Outcome, Failure> {
    let recovered = testigo_hq::recover(data)?;
    let (records, gaps) = (recovered.records, recovered.gaps);
    let aside = recovered.aside.display();
    Ok(Outcome {
        lines: language.pick(
            vec![
                format!(
                    "Registros recuperados: {records}. Partes que no se pudieron leer: {gaps}."
                ),
                format!("La base dañada se conserva en {aside}; no se borró nada."),
                "Los teléfonos enviarán de nuevo lo que falte, salvo lo que ya estaba a salvo: eso \
                 solo lo tiene la copia confirmada (testigo hq restore). Ahora: testigo hq serve"
                    .to_owned(),
            ],
            vec![
                format!("Records recovered: {records}. Places that could not be read: {gaps}."),
                format!("The damaged database is kept in {aside}; nothing of it was deleted."),
                "Phones will send again what is missing, but for what was safe already: only the \
                 confirmed copy has that (testigo hq restore). Next: testigo hq serve"
                    .to_owned(),
            ],
        ),
        json: json!({
            "aside": recovered.aside,
            "records": records,
            "gaps": gaps,
            "epoch": recovered.epoch.to_string(),
        }),
        clean: gaps == 0,
    })
}
