//! `testigo phone`: the core of a witness's phone, in a terminal.

use crate::args::{Limit, PhoneArgs, PhoneCommand};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::{
    attach, catalogue, courier, deliver, key_file, lock, outbox, picture, recover, render, shell,
    stdin, typed,
};
use serde_json::{Value, json};
use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use testigo_phone::sync::{Link, Selection, SyncPass};
use testigo_phone::{HostClock, KeysetTaken, Phone, PhoneError, ReportInput, TallyInput};
use testigo_wire::{Catalogue, ElectionPack, Invitation, Language, MAX_KEYSET};

/// Runs one command, or the shell. Who chose no language is answered in the first of the phone's election.
pub fn run(args: PhoneArgs, chosen: Option<Language>, as_json: bool) -> Result<Outcome, Failure> {
    let language = chosen.unwrap_or_default();
    let clock = Box::new(HostClock::new(args.clock_wrong_by_minutes));
    match &args.command {
        PhoneCommand::Catalogue { code } if !Phone::exists(&args.home) => {
            return catalogue::shown(Catalogue::built_in(), *code, language);
        }
        PhoneCommand::Init => {
            Phone::create_under(&args.home, key_file::keys(&args.home)?, clock)?;
            return Ok(Outcome::clean(
                vec![language.pick(
                    format!(
                        "Teléfono preparado en {}. Ahora inscríbalo.",
                        args.home.display()
                    ),
                    format!(
                        "A phone is ready in {}. Enrol it next.",
                        args.home.display()
                    ),
                )],
                json!({ "home": args.home }),
            ));
        }
        PhoneCommand::Recover { key_is_right } => {
            return recover::phone(&args.home, clock, *key_is_right, language);
        }
        _ => {}
    }
    let opened =
        key_file::keys(&args.home).and_then(|keys| Ok(Phone::open_under(&args.home, keys, clock)?));
    let mut phone = match (opened, &args.command) {
        (Err(_), PhoneCommand::Wipe { yes: true }) if key_file::has_remains(&args.home) => {
            return lock::wipe_remains(&args.home, language);
        }
        (opened, _) => opened?,
    };
    let of_election = phone.election().and_then(ElectionPack::language);
    let language = chosen.or(of_election).unwrap_or_default();
    let reads = matches!(
        args.command,
        PhoneCommand::List
            | PhoneCommand::Parked
            | PhoneCommand::Settings { burn: Some(_), .. }
            | PhoneCommand::Settings {
                wipe_after: Some(_),
                ..
            }
    );
    // On a terminal a person is there to be asked.
    if (args.pin_stdin || (reads && std::io::stdin().is_terminal())) && phone.is_locked()? {
        phone.unlock(&lock::ask("PIN", "PIN", language)?)?;
    }
    match args.command {
        PhoneCommand::Shell => shell::run(&mut phone, language, as_json),
        command => one(&mut phone, command, language, as_json),
    }
}

/// One command on an open phone.
pub fn one(
    phone: &mut Phone,
    command: PhoneCommand,
    language: Language,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let mut outcome = done(phone, command, language, as_json)?;
    if phone.is_practice() {
        // Nobody may take practice for the day itself, whatever was asked.
        outcome.lines.insert(0, render::practice(language));
        if let Value::Object(json) = &mut outcome.json {
            json.insert("practice".to_owned(), Value::Bool(true));
        }
    }
    Ok(outcome)
}

fn done(
    phone: &mut Phone,
    command: PhoneCommand,
    language: Language,
    as_json: bool,
) -> Result<Outcome, Failure> {
    match command {
        PhoneCommand::Enrol {
            qr,
            typed: _,
            keyset,
            pack,
        } => enrol(phone, qr.as_deref(), &keyset, pack.as_deref(), language),
        PhoneCommand::Report {
            code,
            table,
            note,
            delay_minutes,
            started,
            ended,
            people,
            fields,
            attach,
        } => {
            let saved = phone.report(&ReportInput {
                attachments: attach::seal(phone, &attach)?,
                code,
                table,
                note,
                delay_minutes,
                started,
                ended,
                people,
                details: fields,
            })?;
            Ok(render::saved(&saved, phone.election(), language))
        }
        PhoneCommand::Tally {
            typed: true,
            attach,
            ..
        } => typed::run(phone, &attach, language),
        PhoneCommand::Tally {
            typed: false,
            photo,
            text,
            table,
            attach,
        } => {
            if let Some(file) = text.iter().find(|text| Path::new(text).is_file()) {
                return Err(Failure::said(
                    format!("«{file}» es un archivo. Si es la foto de un acta, use --photo."),
                    format!("{file:?} is a file. If it is a sheet's photograph, use --photo."),
                ));
            }
            let texts = match photo.as_slice() {
                [] => (text.iter())
                    .map(|text| stdin::text_or_stdin(text))
                    .collect::<Result<_, _>>()?,
                photos => (photos.iter().map(|photo| texts_in(photo)))
                    .collect::<Result<Vec<_>, _>>()?
                    .concat(),
            };
            let files: Vec<_> = photo.into_iter().chain(attach).collect();
            let attachments = attach::seal(phone, &files)?;
            let saved = phone.tally(&TallyInput {
                texts,
                table,
                attachments,
                record_id: None,
            })?;
            Ok(render::saved_tally(&saved, phone.election(), language))
        }
        PhoneCommand::List => Ok(render::history(
            &phone.history()?,
            phone.catalogue(),
            language,
        )),
        PhoneCommand::Receipt {
            sequence,
            out,
            envelope,
        } => receipt(phone, sequence, &out, envelope.as_deref(), language),
        PhoneCommand::Status { metered } => {
            let locked = phone.is_locked()?;
            Ok(outbox::status(
                &phone.outbox()?,
                // Where nobody says which link is meant, it is the one that the last pass found things held back on.
                &phone.progress(match metered {
                    true => Link::Metered,
                    false => phone.last_link()?,
                })?,
                phone.assigned_table()?,
                phone.trust(),
                phone.confirmation()?.filter(|_| !locked),
                language,
            ))
        }
        PhoneCommand::Sync {
            metered,
            watch: true,
            ..
        } => deliver::watch(phone, deliver::link(metered), language, as_json),
        PhoneCommand::Sync { all, metered, .. } => {
            let selection = if all {
                Selection::Everything
            } else {
                Selection::Queued
            };
            let pass = SyncPass::new(selection).over(deliver::link(metered));
            let report = deliver::once(phone, pass, language)?;
            Ok(outbox::sync_report(&report, language))
        }
        PhoneCommand::Budget {
            bytes_a_day,
            photos_on_metered,
        } => {
            let mut budget = phone.budget()?;
            if let Some(Limit(bytes)) = bytes_a_day {
                budget.bytes_a_day = bytes;
            }
            budget.photos_on_metered = photos_on_metered.unwrap_or(budget.photos_on_metered);
            if bytes_a_day.is_some() || photos_on_metered.is_some() {
                phone.set_budget(&budget)?;
            }
            Ok(outbox::budget(
                &phone.budget()?,
                phone.spent_bytes()?,
                language,
            ))
        }
        PhoneCommand::Parked => Ok(outbox::parked(&phone.parked()?, language)),
        PhoneCommand::Retry { number } => {
            phone.retry(number)?;
            Ok(outbox::retried(number, language))
        }
        PhoneCommand::Export { number, out } => {
            let exported = phone.export(number, &out)?;
            Ok(outbox::exported(
                &exported,
                &out.display().to_string(),
                language,
            ))
        }
        PhoneCommand::Carry(command) => courier::phone(phone, command, language),
        PhoneCommand::Keyset { file } => keyset(phone, &file, language),
        PhoneCommand::Pin { command } => lock::pin(phone, &command, language),
        PhoneCommand::Duress { command } => lock::duress(phone, &command, language),
        PhoneCommand::Lock => lock::lock(phone, language),
        PhoneCommand::Unlock => lock::unlock(phone, language),
        PhoneCommand::Settings { burn, wipe_after } => {
            lock::settings(phone, burn, wipe_after, language)
        }
        PhoneCommand::Wipe { yes } => lock::wipe(phone, yes, language),
        PhoneCommand::Catalogue { code } => catalogue::shown(phone.catalogue(), code, language),
        // It is open, so there is nothing to recover.
        PhoneCommand::Recover { .. } => Err(PhoneError::NotDamaged.into()),
        PhoneCommand::Init | PhoneCommand::Shell => Err(PhoneError::PhoneExists.into()),
    }
}

/// Enrols by a code in an image, or on standard input.
pub fn enrol(
    phone: &mut Phone,
    qr: Option<&Path>,
    keyset: &Path,
    pack: Option<&Path>,
    language: Language,
) -> Result<Outcome, Failure> {
    let invitation = match qr {
        Some(image) => invitation_in(image)?,
        None => Invitation::from_text(&stdin::line()?)
            .map_err(|error| not_a_code(&error.to_string()))?,
    };
    let keyset = std::fs::read(keyset).map_err(Failure::file(keyset))?;
    let pack = pack
        .map(|path| std::fs::read(path).map_err(Failure::file(path)))
        .transpose()?;
    let enrolled = phone.enrol(&invitation, &keyset, pack.as_deref())?;
    let confirmation = phone.confirmation()?;
    Ok(render::enrolled(
        &enrolled,
        phone.election(),
        phone.trust(),
        confirmation,
        language,
    ))
}

fn receipt(
    phone: &Phone,
    sequence: u64,
    out: &Path,
    envelope: Option<&Path>,
    language: Language,
) -> Result<Outcome, Failure> {
    let proof = phone.proof(sequence)?.ok_or_else(|| {
        Failure::said(
            format!("No hay ningún registro n.º {sequence}; véalos con list."),
            format!("There is no record no. {sequence}; list shows them."),
        )
    })?;
    if proof.statements == 0 {
        return Err(Failure::said(
            "La central aún no ha firmado nada de este registro; envíelo primero con sync.",
            "Headquarters has signed nothing of this record yet; send it first, with sync.",
        ));
    }
    write_new(out, &proof.signed)?;
    let sealed = match (envelope, &proof.envelope) {
        (Some(path), Some(bytes)) => {
            write_new(path, bytes)?;
            Some(path)
        }
        _ => None,
    };
    let (n, shown) = (proof.statements, out.display());
    let mut lines = vec![language.pick(
        format!("En {shown}: {n} firmas de la central sobre el registro n.º {sequence}, sobre {}.", proof.eid),
        format!("In {shown}: {n} statements signed by headquarters, of record no. {sequence}, envelope {}.", proof.eid),
    )];
    if envelope.is_some() && sealed.is_none() {
        lines.push(
            language
                .pick(
                    "El sobre sellado ya no está en este teléfono: hay una copia a salvo.",
                    "The sealed envelope is not on this phone any more: a copy is safe.",
                )
                .to_owned(),
        );
    }
    Ok(Outcome {
        clean: envelope.is_none() || sealed.is_some(),
        lines,
        json: json!({
            "eid": proof.eid.to_string(),
            "statements": n,
            "file": out,
            "envelope": sealed,
        }),
    })
}

/// Takes newer keys from a file.
fn keyset(phone: &mut Phone, file: &Path, language: Language) -> Result<Outcome, Failure> {
    let mut bytes = Vec::new();
    // One byte more than the largest: that it is too large must show.
    let most = MAX_KEYSET as u64 + 1;
    std::fs::File::open(file)
        .and_then(|opened| opened.take(most).read_to_end(&mut bytes))
        .map_err(Failure::file(file))?;
    let taken = phone.take_keyset(&bytes)?;
    let line = match taken {
        KeysetTaken::Newer(version) => language.pick(
            format!("Llaves nuevas de la central, versión {version}. Lo que ya espera se enviará igual."),
            format!("Headquarters' new keys, version {version}. What waits already will be sent all the same."),
        ),
        KeysetTaken::Known(version) => language.pick(
            format!("Este teléfono ya tenía la versión {version}."),
            format!("This phone had version {version} already."),
        ),
        KeysetTaken::Older { found, held } => language.pick(
            format!("El archivo es la versión {found}, y este teléfono ya tiene la {held}: no se vuelve atrás."),
            format!("The file is version {found}, and this phone has {held} already: there is no way back."),
        ),
    };
    Ok(Outcome {
        lines: vec![line],
        clean: !matches!(taken, KeysetTaken::Older { .. }),
        json: json!({
            "taken": matches!(taken, KeysetTaken::Newer(_)),
            "keyset": phone.trust().map(|trust| trust.keyset),
        }),
    })
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(Failure::file(path))
}

/// A runtime for the one thing on a phone that waits for a network.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::file(Path::new("tokio")))
}

fn not_a_code(reason: &str) -> Failure {
    Failure::said(
        format!("Esto no es un código de inscripción ({reason}). Pida uno a su coordinación."),
        format!("This is not an enrolment code ({reason}). Ask your coordinator for one."),
    )
}

fn invitation_in(image: &Path) -> Result<Invitation, Failure> {
    let codes = picture::scan_file(image)?;
    let mut failure = Failure::said(
        format!(
            "No se pudo leer ningún código QR en {}. Pida la imagen de nuevo a su coordinación.",
            image.display()
        ),
        format!(
            "No QR code could be read in {}. Ask your coordinator for the image again.",
            image.display()
        ),
    );
    for code in &codes {
        match Invitation::from_text(&code.text_lossy()) {
            Ok(invitation) => return Ok(invitation),
            Err(error) => failure = not_a_code(&error.to_string()),
        }
    }
    Err(failure)
}

/// The texts of all codes in a photograph, from top to bottom.
pub fn texts_in(photo: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let mut codes = picture::scan_file(photo)?;
    codes.sort_by_key(|code| code.corners.iter().map(|corner| corner.y).min());
    if codes.is_empty() {
        return Err(Failure::said(
            format!(
                "No se pudo leer ningún código QR en {}. Acérquese, evite reflejos y pruebe otra foto; también puede anotar \"52\" (QR ilegible).",
                photo.display()
            ),
            format!(
                "No QR code could be read in {}. Come closer, avoid glare and try another photograph; you can also report \"52\" (unreadable QR).",
                photo.display()
            ),
        ));
    }
    Ok(codes.into_iter().map(|code| code.bytes).collect())
}
