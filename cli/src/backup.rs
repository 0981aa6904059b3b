//! `testigo hq backup`, `confirm` and `restore`: copies of headquarters that lie elsewhere.

use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::Path;
use testigo_hq::{Progress, SystemClock};
use testigo_wire::Language;

/// Makes a backup, or brings one up to date.
pub fn backup(data: &Path, out: &Path, language: Language) -> Result<Outcome, Failure> {
    let bar = Bar::new(language);
    let made = testigo_hq::backup(data, out, &SystemClock, |progress| bar.show(progress));
    bar.end();
    let made = made?;
    let (data, to) = (data.display(), out.display());
    let (records, blobs, copied) = (made.records, made.blobs, made.copied);
    let mut lines = language.pick(
        vec![
            format!("Copia en {to}: registros {records}, archivos {blobs} ({copied} nuevos). No contiene ninguna clave."),
            format!("Llévela a otro lugar, guarde las claves ({data}/keys) en un tercero, y entonces: testigo hq --data {data} confirm {to}"),
        ],
        vec![
            format!("Backup in {to}: records {records}, attachments {blobs} ({copied} new). It holds no key."),
            format!("Bring it elsewhere, keep the keys ({data}/keys) in a third place, and then: testigo hq --data {data} confirm {to}"),
        ],
    );
    lines.extend(missing(&made.damaged, language));
    if !made.damaged.is_empty() {
        lines.push(language.pick(
            format!("Para pedirlos de nuevo a los teléfonos, detenga la central y ejecute: testigo hq --data {data} recover"),
            format!("To ask phones for them again, stop the server and run: testigo hq --data {data} recover"),
        ));
    }
    Ok(Outcome {
        clean: made.damaged.is_empty(),
        lines,
        json: json!({
            "backup": out,
            "records": records,
            "attachments": blobs,
            "copied": copied,
            "damaged": made.damaged,
        }),
    })
}

/// Takes the operator's word that a backup lies elsewhere.
pub fn confirm(data: &Path, copy: &Path, language: Language) -> Result<Outcome, Failure> {
    let bar = Bar::new(language);
    let found = testigo_hq::confirm(data, copy, &SystemClock, |progress| bar.show(progress));
    bar.end();
    let found = found?;
    let (records, safe, new, incomplete) = (
        found.records,
        found.safe,
        found.newly_safe,
        found.incomplete,
    );
    let mut lines = vec![language.pick(
        format!(
            "Copia del {}: registros {records}, a salvo {safe} ({new} nuevos).",
            found.made_at
        ),
        format!(
            "Backup of {}: records {records}, safe {safe} ({new} new).",
            found.made_at
        ),
    )];
    if incomplete > 0 {
        lines.push(language.pick(
            format!("Sin todos sus archivos en la copia, aún no a salvo: {incomplete}. Haga otra copia cuando lleguen."),
            format!("Without all their attachments in the backup, not safe yet: {incomplete}. Make another one when they have arrived."),
        ));
    }
    lines.extend(missing(&found.damaged, language));
    lines.push(
        language
            .pick(
                "Los teléfonos lo sabrán en su próximo envío y soltarán los originales sellados: conserve esta copia.",
                "Phones hear of it at their next sync and let the sealed originals go: keep this backup.",
            )
            .to_owned(),
    );
    Ok(Outcome {
        clean: found.damaged.is_empty(),
        lines,
        json: json!({
            "made_at": found.made_at.to_string(),
            "records": records,
            "safe": safe,
            "newly_safe": new,
            "incomplete": incomplete,
            "damaged": found.damaged,
        }),
    })
}

/// Makes headquarters out of a backup.
pub fn restore(
    data: &Path,
    from: &Path,
    keys: &Path,
    language: Language,
) -> Result<Outcome, Failure> {
    let bar = Bar::new(language);
    let restored = testigo_hq::restore(from, keys, data, |progress| bar.show(progress));
    bar.end();
    let restored = restored?;
    let dir = data.display();
    let (records, blobs) = (restored.records, restored.blobs);
    let mut lines = language.pick(
        vec![
            format!("Central restaurada en {dir}: registros {records}, archivos {blobs}."),
            format!("Apague la anterior para siempre y sirva esta en la misma dirección: testigo hq --data {dir} serve"),
            "Los teléfonos volverán a enviar solos lo que no estaba a salvo; nada se duplica.".to_owned(),
            format!("Si esa copia queda en otro lugar, vuelva a confirmarla: testigo hq --data {dir} confirm {}", from.display()),
        ],
        vec![
            format!("Headquarters restored in {dir}: records {records}, attachments {blobs}."),
            format!("Turn the old one off for ever and serve this one at the same address: testigo hq --data {dir} serve"),
            "Phones send again by themselves what was not safe; nothing is doubled.".to_owned(),
            format!("If that copy stays elsewhere, confirm it again: testigo hq --data {dir} confirm {}", from.display()),
        ],
    );
    lines.extend(missing(&restored.damaged, language));
    if restored.desk_anew {
        lines.push(
            language
                .pick(
                    "Entre las llaves falta database-desk.key: se perdió lo decidido sobre teléfonos y registros, y a qué mesa se envió a cada testigo. La mesa abre de nuevo todo lo recibido; decida otra vez (testigo hq devices, review).",
                    "Among the keys database-desk.key is missing: what was decided about phones and records is lost, and which table each witness was sent to. The desk opens again all that was received; decide once more (testigo hq devices, review).",
                )
                .to_owned(),
        );
    }
    Ok(Outcome {
        clean: restored.damaged.is_empty() && !restored.desk_anew,
        lines,
        json: json!({
            "data": data,
            "epoch": restored.epoch.to_string(),
            "records": records,
            "attachments": blobs,
            "damaged": restored.damaged,
            "desk_anew": restored.desk_anew,
        }),
    })
}

fn missing(damaged: &[String], language: Language) -> impl Iterator<Item = String> {
    damaged.iter().map(move |name| {
        language.pick(
            format!("DAÑADO o ausente: {name}"),
            format!("DAMAGED or missing: {name}"),
        )
    })
}

/// Progress on standard error: one line that changes, where somebody watches.
struct Bar {
    language: Language,
    watched: bool,
}

impl Bar {
    fn new(language: Language) -> Self {
        Self {
            language,
            watched: std::io::stderr().is_terminal(),
        }
    }

    fn show(&self, progress: Progress) {
        if !self.watched {
            return;
        }
        let (es, en, done, of) = match progress {
            Progress::Pages { done, of } => ("base de datos, páginas", "database, pages", done, of),
            Progress::Blobs { done, of } => ("archivos", "attachments", done, of),
        };
        let what = self.language.pick(es, en);
        let _ = write!(std::io::stderr(), "\r\x1b[K{what}: {done}/{of}");
    }

    fn end(&self) {
        if self.watched {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
