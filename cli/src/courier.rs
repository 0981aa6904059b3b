//! What goes by hand: `testigo phone bundle` and `receipts`, `testigo hq import`.

use crate::args::{CarryCommand, ImportCommand};
use crate::failure::Failure;
use crate::hq::{table_id, write_secret};
use crate::outcome::Outcome;
use crate::sheet::{png, qr_picture};
use crate::{attach, bundles, render, rescue};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testigo_hq::{Carried, Imported, NotTaken, SystemClock};
use testigo_phone::sync::Selection;
use testigo_phone::{Bundled, HandoverInput, Load, Phone, PhoneError};
use testigo_wire::{Language, MAX_RETURN_POST, WireError, series};

/// One byte more than the largest file of receipts: that it is too large must show.
const MAX_RECEIPTS: u64 = MAX_RETURN_POST as u64 + 1;

/// A phone's commands.
pub fn phone(
    phone: &mut Phone,
    command: CarryCommand,
    language: Language,
) -> Result<Outcome, Failure> {
    match command {
        CarryCommand::Bundle {
            out: Some(out),
            no_files,
            all,
            ..
        } => {
            let load = match no_files {
                true => Load::Records,
                false => Load::RecordsAndFiles,
            };
            bundle(phone, &out, selection(all), load, language)
        }
        CarryCommand::Bundle { codes, all, .. } => {
            codes_of_a_bundle(phone, &codes.unwrap_or_default(), selection(all), language)
        }
        CarryCommand::Carry { files } => carry(phone, &files, language),
        CarryCommand::Handover {
            from,
            to,
            table,
            place,
            at,
            attach,
        } => {
            let saved = phone.hand_over(&HandoverInput {
                table,
                from,
                to,
                at,
                place,
                attachments: attach::seal(phone, &attach)?,
            })?;
            Ok(render::saved(&saved, phone.election(), language))
        }
        CarryCommand::Receipts { file } => receipts(phone, &file, language),
    }
}

/// Headquarters' commands.
pub fn headquarters(
    data: &Path,
    command: ImportCommand,
    language: Language,
) -> Result<Outcome, Failure> {
    match command {
        ImportCommand::Import { files, receipts } => {
            import(data, &files, receipts.as_deref(), language)
        }
        ImportCommand::Rescue { folder } => rescue::run(data, &folder, language),
        ImportCommand::Custody { table } => custody(data, table.as_deref(), language),
    }
}

fn selection(all: bool) -> Selection {
    match all {
        true => Selection::Everything,
        false => Selection::Queued,
    }
}

fn bundle(
    phone: &Phone,
    out: &Path,
    selection: Selection,
    load: Load,
    language: Language,
) -> Result<Outcome, Failure> {
    let written = (phone.bundle_to(selection, load, out)).map_err(|error| match error {
        PhoneError::File(error) => Failure::file(out)(error),
        error => error.into(),
    })?;
    Ok(match written {
        Some(bundled) => carried_away(&bundled, out, language),
        None => nothing_to_carry(language),
    })
}

fn nothing_to_carry(language: Language) -> Outcome {
    Outcome::clean(
        vec![
            language
                .pick(
                    "No hay nada que llevar: la central tiene todo, y no se escribió ningún archivo.",
                    "Nothing to carry: headquarters has everything, and no file was written.",
                )
                .to_owned(),
        ],
        json!({ "file": null, "records": 0 }),
    )
}

/// Draws a bundle of records as a series of codes, one picture each, in a new folder.
fn codes_of_a_bundle(
    phone: &Phone,
    folder: &Path,
    selection: Selection,
    language: Language,
) -> Result<Outcome, Failure> {
    let mut whole = Vec::new();
    let Some(bundled) = phone.bundle(selection, Load::Records, &mut whole)? else {
        return Ok(nothing_to_carry(language));
    };
    let codes = series(&whole).map_err(|_| {
        Failure::said(
            format!(
                "{} registros son demasiados para códigos QR; use --out para escribir un archivo.",
                bundled.records
            ),
            format!(
                "{} records are too many for QR codes; use --out to write a file.",
                bundled.records
            ),
        )
    })?;
    std::fs::create_dir(folder).map_err(Failure::file(folder))?;
    let of = codes.len();
    for (n, code) in (1..).zip(&codes) {
        let drawing = qr_picture(code.as_bytes(), &["TESTIGO", &format!("{n}/{of}")])?;
        write_secret(&folder.join(format!("code-{n:02}.png")), &png(&drawing)?)?;
    }
    let (n, shown) = (bundled.records, folder.display());
    Ok(Outcome::clean(
        vec![language.pick(
            format!("En {shown}: {n} registros en {of} códigos QR, sellados para la central. Otro teléfono los fotografía todos y los lleva; las fotos no van en ellos. Siguen en cola hasta que vuelvan los acuses."),
            format!("In {shown}: {n} records in {of} QR codes, sealed to headquarters. Another phone takes pictures of all and carries them; photographs do not go in them. They stay queued until their receipts are back."),
        )],
        json!({ "folder": folder, "records": n, "codes": of, "left_out": bundled.left_out }),
    ))
}

/// Takes other people's bundles along.
fn carry(phone: &mut Phone, files: &[PathBuf], language: Language) -> Result<Outcome, Failure> {
    let mut lines = Vec::new();
    let mut documents = Vec::new();
    let mut clean = true;
    for brought in bundles::find(files) {
        let name = brought.name.display().to_string();
        let reason = match brought.bytes(language) {
            Err(error) => not_taken(&NotTaken::File(error), language),
            Ok(bytes) => match phone.carry(Cursor::new(bytes)) {
                Ok(saved) => {
                    let n = saved.sequence;
                    lines.push(language.pick(
                        format!("{name}: guardado, n.º {n}. Irá a la central con la próxima sincronización; aquí nadie puede leerlo. El archivo recibido ya se puede borrar."),
                        format!("{name}: saved, no. {n}. It goes to headquarters with the next sync; nobody here can read it. The file that you were given may be deleted now."),
                    ));
                    documents.push(json!({ "file": brought.name, "sequence": n }));
                    continue;
                }
                Err(PhoneError::Damaged(error)) => not_taken(&NotTaken::Bundle(error), language),
                Err(error) => return Err(error.into()),
            },
        };
        clean = false;
        lines.push(format!("{name}: {reason}"));
        documents.push(json!({ "file": brought.name, "error": reason }));
    }
    Ok(Outcome {
        lines,
        clean,
        json: json!({ "carried": documents }),
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
    if bundled.files > 0 {
        let n = bundled.files;
        lines.push(language.pick(
            format!("Con {n} archivos sellados (fotos y miniaturas)."),
            format!("With {n} sealed files (photographs and small pictures)."),
        ));
    }
    if bundled.files_left_out > 0 {
        let n = bundled.files_left_out;
        lines.push(language.pick(
            format!("{n} archivos no van en él: esperan otro paquete o una conexión."),
            format!("{n} files are not in it: they wait for another bundle or a network."),
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
            "files": bundled.files,
            "files_left_out": bundled.files_left_out,
            "bytes": bundled.bytes,
        }),
    )
}

/// Takes in the receipts that came back.
fn receipts(phone: &mut Phone, file: &Path, language: Language) -> Result<Outcome, Failure> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(MAX_RECEIPTS).read_to_end(&mut bytes))
        .map_err(Failure::file(file))?;
    let taken = phone.import_receipts(&bytes)?;
    let (received, parked, known) = (taken.received, taken.parked, taken.known);
    let files = taken.files;
    let mut lines = vec![language.pick(
        format!(
            "La central tiene {received} registros y {files} archivos más; apartados: {parked}; ya se sabía: {known}."
        ),
        format!(
            "Headquarters has {received} more records and {files} more files; parked: {parked}; known already: {known}."
        ),
    )];
    if !taken.for_this_phone {
        lines = vec![
            language
                .pick(
                    "Nada en este archivo es para este teléfono, o está dañado. No cambió nada: entréguelo a los demás, o pida otro.",
                    "Nothing in this file is for this phone, or it is damaged. Nothing changed: hand it on to the others, or ask for another.",
                )
                .to_owned(),
        ];
    }
    if let Some(version) = taken.keyset {
        lines.push(language.pick(
            format!("Con ellos venían llaves nuevas de la central: versión {version}."),
            format!("Headquarters' new keys came with them: version {version}."),
        ));
    }
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
        clean: taken.for_this_phone && !taken.outdated && taken.unverified == 0,
        lines,
        json: json!({
            "received": received,
            "files": files,
            "parked": parked,
            "known": known,
            "for_this_phone": taken.for_this_phone,
            "unverified": taken.unverified,
            "outdated": taken.outdated,
            "keyset": taken.keyset,
        }),
    })
}

/// Takes in what couriers brought.
fn import(
    data: &Path,
    files: &[PathBuf],
    out: Option<&Path>,
    language: Language,
) -> Result<Outcome, Failure> {
    let brought = bundles::find(files);
    let bundles = (brought.iter()).map(|one| (one.name.clone(), one.bytes(language)));
    let imported = testigo_hq::import(data, bundles, out, Arc::new(SystemClock))?;
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
        (one.outcome.as_ref()).is_ok_and(|found| {
            found.refused == 0 && found.deferred.is_empty() && found.files_deferred == 0
        })
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
    let (files, files_known, files_late) = (found.files, found.files_known, found.files_deferred);
    let mut lines = vec![language.pick(
        format!("{file}: {new} registros nuevos; {known} ya estaban; {refused} rechazados; {late} sin recibir."),
        format!("{file}: {new} new records; {known} were here already; {refused} refused; {late} not taken."),
    )];
    if files + files_known + files_late > 0 {
        lines.push(language.pick(
            format!("{file}: {files} archivos nuevos; {files_known} ya estaban; {files_late} sin recibir."),
            format!("{file}: {files} new files; {files_known} were here already; {files_late} not taken."),
        ));
    }
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
            "attachments": found.files,
            "attachments_known": found.files_known,
            "attachments_deferred": found.files_deferred,
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

fn custody(data: &Path, table: Option<&str>, language: Language) -> Result<Outcome, Failure> {
    let table = table.map(table_id).transpose()?;
    let links = testigo_hq::custody(data, table.as_ref())?;
    let mut lines: Vec<String> = (links.iter())
        .map(|link| {
            let or_unknown = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".to_owned());
            let place = (link.place.iter())
                .map(|place| format!("  {place}"))
                .collect::<String>();
            format!(
                "{}  {}  {} → {}{place}",
                or_unknown(&link.table),
                link.at,
                or_unknown(&link.from),
                or_unknown(&link.to),
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push(
            language
                .pick(
                    "Nadie ha registrado todavía la entrega de un acta en papel.",
                    "Nobody has recorded yet that a sheet on paper was handed over.",
                )
                .to_owned(),
        );
    }
    Ok(Outcome::clean(lines, json!({ "handovers": links })))
}
