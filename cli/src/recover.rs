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
    let keys = key_file::keys(home)?;
    let (_, recovered) = Phone::recover_under(home, keys, clock, key_is_right)?;
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
                    "Este teléfono es ahora otro para la central: pida un código nuevo e inscríbalo. \
                     Después envía también lo recuperado.",
                    "To headquarters this is another phone now: ask for a new code and enrol it. \
                     Then it sends what was recovered, too.",
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
pub fn hq(data: &Path, key_is_right: bool, language: Language) -> Result<Outcome, Failure> {
    let recovered = testigo_hq::recover(data, key_is_right)?;
    let (records, gaps, lost) = (recovered.records, recovered.gaps, recovered.lost_files);
    let mut lines = vec![language.pick(
        format!("Registros en la base: {records}. Partes que no se pudieron leer: {gaps}."),
        format!("Records in the database: {records}. Places that could not be read: {gaps}."),
    )];
    for aside in [&recovered.aside, &recovered.desk_aside]
        .into_iter()
        .flatten()
    {
        let aside = aside.display();
        lines.push(language.pick(
            format!("La base dañada se conserva en {aside}; no se borró nada."),
            format!("The damaged database is kept in {aside}; nothing of it was deleted."),
        ));
    }
    if lost > 0 {
        lines.push(language.pick(
            format!("Archivos que se tenían y están dañados o faltan: {lost}. Se piden de nuevo."),
            format!("Attachments that were held and are damaged or missing: {lost}. They are asked for again."),
        ));
    }
    if recovered.desk_anew {
        lines.push(
            language
                .pick(
                    "La mesa abrirá de nuevo todo lo recibido. Revise lo que se decidió (testigo hq devices history): lo que no se pudo leer hay que decidirlo otra vez.",
                    "The desk will open again all that was received. Look through what was decided (testigo hq devices history): what could not be read has to be decided again.",
                )
                .to_owned(),
        );
    }
    if recovered.begun_again {
        let sent_again = language.pick(
            "Los teléfonos enviarán de nuevo lo que falte, salvo lo que ya estaba a salvo: eso \
             solo lo tiene la copia confirmada (testigo hq restore).",
            "Phones will send again what is missing, but for what was safe already: only the \
             confirmed copy has that (testigo hq restore).",
        );
        lines.push(sent_again.to_owned());
    }
    lines.push(
        language
            .pick("Ahora: testigo hq serve", "Next: testigo hq serve")
            .to_owned(),
    );
    Ok(Outcome {
        lines,
        json: json!({
            "aside": recovered.aside,
            "desk_aside": recovered.desk_aside,
            "desk_anew": recovered.desk_anew,
            "records": records,
            "gaps": gaps,
            "lost_files": lost,
            "epoch": recovered.epoch.to_string(),
        }),
        clean: gaps == 0 && lost == 0,
    })
}
