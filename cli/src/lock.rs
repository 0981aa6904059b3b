//! PINs, locking, settings and wiping, as a person meets them in a terminal.

use crate::args::{DuressCommand, PinCommand, WipeAfter};
use crate::failure::Failure;
use crate::key_file;
use crate::outcome::Outcome;
use crate::secret::typed;
use serde_json::json;
use std::io::IsTerminal;
use std::path::Path;
use testigo_phone::{Phone, Settings};
use testigo_wire::Language;
use zeroize::Zeroizing;

/// A PIN: typed unseen on a terminal, otherwise the next line of standard input.
pub fn ask(es: &str, en: &str, language: Language) -> Result<Zeroizing<String>, Failure> {
    typed(&format!("{}: ", language.pick(es, en)))
}

fn present(language: Language) -> Result<Zeroizing<String>, Failure> {
    ask("PIN", "PIN", language)
}

/// A PIN that is chosen: on a terminal twice, for it is not seen.
fn chosen(es: &str, en: &str, language: Language) -> Result<Zeroizing<String>, Failure> {
    let pin = ask(es, en, language)?;
    if std::io::stdin().is_terminal() && *ask("otra vez", "again", language)? != *pin {
        return Err(Failure::said(
            "Los dos no son iguales; nada cambió.",
            "The two differ; nothing changed.",
        ));
    }
    Ok(pin)
}

fn said(es: &str, en: &str, done: &str, language: Language) -> Outcome {
    Outcome::clean(
        vec![language.pick(es, en).to_owned()],
        json!({ "done": done }),
    )
}

/// `testigo phone pin`.
pub fn pin(
    phone: &mut Phone,
    command: &PinCommand,
    language: Language,
) -> Result<Outcome, Failure> {
    Ok(match command {
        PinCommand::Set => {
            phone.set_pin(&chosen("PIN nuevo", "New PIN", language)?)?;
            said(
                "PIN puesto. Sin él no se lee nada en este teléfono; guardar y enviar no lo piden. Si lo olvida, lo ya guardado no se puede volver a leer aquí.",
                "The PIN is set. Without it nothing can be read on this phone; saving and sending do not ask for it. If you forget it, what is saved cannot be read here again.",
                "pin-set",
                language,
            )
        }
        PinCommand::Change => {
            let pin = present(language)?;
            phone.change_pin(&pin, &chosen("PIN nuevo", "New PIN", language)?)?;
            said(
                "PIN cambiado.",
                "The PIN is changed.",
                "pin-changed",
                language,
            )
        }
        PinCommand::Remove => {
            phone.remove_pin(&present(language)?)?;
            said(
                "PIN quitado: quien tenga este teléfono puede leer lo que guarda.",
                "The PIN is gone: whoever has this phone can read what it keeps.",
                "pin-removed",
                language,
            )
        }
    })
}

/// `testigo phone duress`.
pub fn duress(
    phone: &mut Phone,
    command: &DuressCommand,
    language: Language,
) -> Result<Outcome, Failure> {
    let pin = present(language)?;
    Ok(match command {
        DuressCommand::Set { alarm } => {
            let duress = chosen("PIN de coacción", "Duress PIN", language)?;
            phone.set_duress_pin(&pin, &duress, *alarm)?;
            said(
                "Listo. Con ese PIN el teléfono muestra sus avisos de que todo va bien y ningún otro contenido.",
                "Done. With that PIN the phone shows its check-ins and no other content.",
                "duress-set",
                language,
            )
        }
        DuressCommand::Remove => {
            phone.remove_duress_pin(&pin)?;
            said(
                "Listo: ya no hay otro PIN.",
                "Done: there is no other PIN.",
                "duress-removed",
                language,
            )
        }
    })
}

/// `testigo phone lock`.
pub fn lock(phone: &mut Phone, language: Language) -> Result<Outcome, Failure> {
    phone.lock();
    Ok(match phone.has_pin()? {
        true => said("Bloqueado.", "Locked.", "locked", language),
        false => said(
            "No hay PIN: nada se puede bloquear (testigo phone pin set).",
            "There is no PIN: nothing can be locked (testigo phone pin set).",
            "no-pin",
            language,
        ),
    })
}

/// `testigo phone unlock`.
pub fn unlock(phone: &mut Phone, language: Language) -> Result<Outcome, Failure> {
    if phone.has_pin()? {
        phone.unlock(&present(language)?)?;
    }
    Ok(said("Desbloqueado.", "Unlocked.", "unlocked", language))
}

/// `testigo phone settings`.
pub fn settings(
    phone: &mut Phone,
    burn: Option<bool>,
    wipe_after: Option<WipeAfter>,
    language: Language,
) -> Result<Outcome, Failure> {
    let before = phone.settings()?;
    if burn.is_some() || wipe_after.is_some() {
        phone.set_settings(Settings {
            burn: burn.unwrap_or(before.burn),
            wipe_after: wipe_after.map_or(before.wipe_after, |WipeAfter(wrong)| wrong),
        })?;
    }
    let Settings { burn, wipe_after } = phone.settings()?;
    let no_history = phone.election().is_some_and(|pack| pack.no_history);
    let kept = match (no_history, burn) {
        (true, _) => language.pick(
            "Esta elección no deja en el teléfono nada que se pueda volver a leer.",
            "This election leaves nothing on the phone that could be read again.",
        ),
        (false, true) => language.pick(
            "Lo que la central ya recibió no se puede volver a leer aquí.",
            "What headquarters has received cannot be read here again.",
        ),
        (false, false) => language.pick(
            "Todo lo guardado se puede volver a leer aquí.",
            "Everything saved can be read here again.",
        ),
    };
    let wiped = match wipe_after {
        None => language
            .pick(
                "Los PIN equivocados no borran nada.",
                "Wrong PINs wipe nothing.",
            )
            .to_owned(),
        Some(n) => language.pick(
            format!("Tras {n} PIN equivocados seguidos, el teléfono se borra."),
            format!("After {n} wrong PINs in a row the phone is wiped."),
        ),
    };
    Ok(Outcome::clean(
        vec![kept.to_owned(), wiped],
        json!({ "burn": burn, "wipe_after": wipe_after, "no_history": no_history }),
    ))
}

/// `testigo phone wipe`.
pub fn wipe(phone: &mut Phone, yes: bool, language: Language) -> Result<Outcome, Failure> {
    if !yes {
        let outbox = phone.outbox()?;
        let (records, files) = (outbox.queued + outbox.parked, outbox.attachments_queued);
        return Ok(Outcome {
            lines: vec![language.pick(
                format!("Se perderían {records} registros y {files} archivos que la central no tiene. Para borrar: testigo phone wipe --yes"),
                format!("{records} records and {files} files that headquarters does not have would be lost. To wipe: testigo phone wipe --yes"),
            )],
            json: json!({ "wiped": false, "undelivered": records, "undelivered_files": files }),
            clean: false,
        });
    }
    let wiped = phone.wipe()?;
    let (records, files) = (wiped.undelivered_records, wiped.undelivered_files);
    Ok(Outcome::clean(
        vec![language.pick(
            format!("Borrado: primero las llaves, luego los archivos. Sin entregar quedaron {records} registros y {files} archivos."),
            format!("Wiped: the keys first, then the files. Undelivered were {records} records and {files} files."),
        )],
        json!({ "wiped": true, "undelivered": records, "undelivered_files": files }),
    ))
}

/// The same for a phone that does not open: what was not delivered cannot be counted.
pub fn wipe_remains(home: &Path, language: Language) -> Result<Outcome, Failure> {
    Phone::wipe_folder(home, Some(&key_file::remains(home)))?;
    Ok(Outcome::clean(
        vec![
            language
                .pick(
                    "Borrado: primero las llaves, luego los archivos. El teléfono no se podía abrir: no se sabe qué quedó sin entregar.",
                    "Wiped: the keys first, then the files. The phone did not open: what was undelivered is not known.",
                )
                .to_owned(),
        ],
        json!({ "wiped": true, "undelivered": null, "undelivered_files": null }),
    ))
}
