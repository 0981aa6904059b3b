//! What goes by hand: `testigo phone bundle` and `receipts`, `testigo hq import`.

use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testigo_hq::{Carried, Imported, NotTaken, SystemClock};
use testigo_phone::sync::Selection;
use testigo_phone::{Bundled, Phone};
use testigo_wire::{Language, WireError};

/// The largest file of receipts that is read, in bytes: those of several full bundles.
const MAX_RECEIPTS: u64 = 64 * 1024 * 1024;

/// Writes a bundle into a new file.
pub fn bundle(
    phone: &Phone,
    out: &Path,
    all: bool,
    language: Language,
) -> Result<Outcome, Failure> {
    let selection = if all {
        Selection::Everything
    } else {
        Selection::Queued
    };
    let file = new_file(out).map_err(Failure::file(out))?;
    let mut writer = BufWriter::new(file);
    let written = phone.bundle(selection, &mut writer);
    let synced = writer.get_ref().sync_all();
    if !matches!(written, Ok(Some(_))) || synced.is_err() {
        // Half a bundle opens nowhere, and an empty file only looks like one.
        let _ = std::fs::remove_file(out);
    }
    let written = written?;
    synced.map_err(Failure::file(out))?;
    Ok(match written {
        Some(bundled) => carried_away(&bundled, out, language),
        None => Outcome::clean(
            vec![
                language
                    .pick(
                        "No hay nada que llevar: la central tiene todo, y no se escribió ningún archivo.",
                        "Nothing to carry: headquarters has everything, and no file was written.",
                    )
                    .to_owned(),
            ],
            json!({ "file": null, "records": 0 }),
        ),
    })
}

fn carried_away(bundled: &Bundled, out: &Path, language: Language) -> Outcome {
    let (n, shown) = (bundled.records, out.display());
    let bytes = bundled.bytes;
    let mut lines = vec![
        language.pick(
            format!("En {shown}: {n} registros, sellados para la central ({bytes} bytes). Quien lo lleve no puede leer nada."),
            format!("In {shown}: {n} records, sealed to headquarters ({bytes} bytes). Its carrier can read nothing of it."),
        ),
        language
            .pick(
                "Siguen en cola hasta que vuelvan los acuses: testigo phone receipts ARCHIVO, o una sincronización.",
                "They stay queued until their receipts are back: testigo phone receipts FILE, or a sync.",
            )
            .to_owned(),
    ];
    if bundled.attachments_left > 0 {
        let n = bundled.attachments_left;
        lines.push(language.pick(
            format!("No caben archivos ({n}): las fotos esperan una conexión."),
            format!("Files do not travel in it ({n}): photographs wait for a network."),
        ));
    }
    if bundled.left_out > 0 {
        let n = bundled.left_out;
        lines.push(language.pick(
            format!("No cupieron {n} registros: irán en otro, cuando vuelvan los acuses de este."),
            format!("{n} records had no room: they go in another one, once the receipts of this one are back."),
        ));
    }
    Outcome::clean(
        lines,
        json!({
            "file": out,
            "records": bundled.records,
            "left_out": bundled.left_out,
            "attachments_left": bundled.attachments_left,
            "bytes": bundled.bytes,
        }),
    )
}

/// A new file for its owner only.
pub fn new_file(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes in the receipts that came back.
pub fn receipts(phone: &mut Phone, file: &Path, language: Language) -> Result<Outcome, Failure> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(MAX_RECEIPTS).read_to_end(&mut bytes))
        .map_err(Failure::file(file))?;
    let taken = phone.import_receipts(&bytes)?;
    let (received, parked, known) = (taken.received, taken.parked, taken.known);
    let mut lines = vec![language.pick(
        format!(
            "La central tiene {received} registros más; apartados: {parked}; ya se sabía: {known}."
        ),
        format!(
            "Headquarters has {received} more records; parked: {parked}; known already: {known}."
        ),
    )];
    if taken.outdated {
        lines.push(
            language
                .pick(
                    "El archivo es de antes de que la central volviera de una copia: no cuenta. Lleve otro paquete.",
                    "The file is from before headquarters came back from a backup: it does not count. Carry another bundle.",
                )
                .to_owned(),
        );
    }
    if taken.unverified > 0 {
        let n = taken.unverified;
        lines.push(language.pick(
            format!("{n} acuses no los firmó la central o están dañados: no cuentan. Pida el archivo de nuevo."),
            format!("{n} receipts are damaged or were not signed by headquarters: they do not count. Ask for the file again."),
        ));
    }
    Ok(Outcome {
        clean: !taken.outdated && taken.unverified == 0,
        lines,
        json: json!({
            "received": received,
            "parked": parked,
            "known": known,
            "unverified": taken.unverified,
            "outdated": taken.outdated,
        }),
    })
}

/// Takes in what couriers brought.
pub fn import(
    data: &Path,
    files: &[PathBuf],
    out: Option<&Path>,
    language: Language,
) -> Result<Outcome, Failure> {
    let imported = testigo_hq::import(data, files, out, Arc::new(SystemClock))?;
    let receipts: u64 = (imported.iter())
        .filter_map(|one| one.outcome.as_ref().ok())
        .map(|carried| carried.receipts)
        .sum();
    let mut lines: Vec<String> = (imported.iter())
        .flat_map(|one| one_file(one, language))
        .collect();
    if let Some(out) = out {
        let shown = out.display();
        lines.push(language.pick(
            format!("En {shown}: {receipts} acuses para devolver a los teléfonos."),
            format!("In {shown}: {receipts} receipts for the way back to the phones."),
        ));
    }
    let clean = imported.iter().all(|one| {
        (one.outcome.as_ref()).is_ok_and(|found| found.refused == 0 && found.deferred.is_empty())
    });
    let documents: Vec<Value> = imported.iter().map(|one| document(one, language)).collect();
    Ok(Outcome {
        lines,
        clean,
        json: json!({ "files": documents, "receipts": receipts, "receipts_file": out }),
    })
}

fn one_file(one: &Imported, language: Language) -> Vec<String> {
    let file = one.file.display();
    let found = match &one.outcome {
        Ok(found) => found,
        Err(reason) => return vec![format!("{file}: {}", not_taken(reason, language))],
    };
    let Carried {
        new,
        known,
        refused,
        ..
    } = found;
    let late = found.deferred.len();
    let mut lines = vec![language.pick(
        format!("{file}: {new} registros nuevos; {known} ya estaban; {refused} rechazados; {late} sin recibir."),
        format!("{file}: {new} new records; {known} were here already; {refused} refused; {late} not taken."),
    )];
    let mut said = Vec::new();
    for deferral in &found.deferred {
        if !said.contains(deferral) {
            said.push(*deferral);
            lines.push(format!("{file}: {}", deferral.sentence(language)));
        }
    }
    lines
}

fn document(one: &Imported, language: Language) -> Value {
    match &one.outcome {
        Ok(found) => json!({
            "file": one.file,
            "enrolments": found.enrolments,
            "new": found.new,
            "known": found.known,
            "refused": found.refused,
            "deferred": found.deferred.iter().map(|deferral| deferral.0).collect::<Vec<_>>(),
            "receipts": found.receipts,
        }),
        Err(reason) => json!({
            "file": one.file,
            "error": { "code": code(reason), "sentence": not_taken(reason, language) },
        }),
    }
}

fn code(reason: &NotTaken) -> &'static str {
    match reason {
        NotTaken::File(_) => "file-unreadable",
        NotTaken::OtherHeadquarters => "other-headquarters",
        NotTaken::Bundle(WireError::Version { .. }) => "newer",
        NotTaken::Bundle(WireError::Sealed { .. }) => "damaged",
        NotTaken::Bundle(_) => "not-a-bundle",
    }
}

/// In each case nothing of the file was taken.
fn not_taken(reason: &NotTaken, language: Language) -> String {
    let (es, en) = match reason {
        NotTaken::File(error) => {
            return language.pick(
                format!("no se puede leer ({error})."),
                format!("cannot be read ({error})."),
            );
        }
        NotTaken::OtherHeadquarters => (
            "está sellado para otra central, o dañado. No se recibió nada de él; llévelo a la suya, o pida otro.",
            "is sealed to other headquarters, or damaged. Nothing of it was taken; bring it to its own, or ask for another.",
        ),
        NotTaken::Bundle(WireError::Version { .. }) => (
            "es de una versión más nueva. No se recibió nada de él; actualice el programa e impórtelo de nuevo.",
            "is of a newer version. Nothing of it was taken; update the program and import it again.",
        ),
        NotTaken::Bundle(WireError::Sealed { .. }) => (
            "está dañado o incompleto. No se recibió nada de él; el teléfono conserva todo: pida otro.",
            "is damaged or incomplete. Nothing of it was taken; the phone keeps everything: ask for another.",
        ),
        NotTaken::Bundle(_) => (
            "no es un paquete de Testigo, o está dañado. No se recibió nada de él.",
            "is no bundle of Testigo, or is damaged. Nothing of it was taken.",
        ),
    };
    language.pick(es, en).to_owned()
}
