//! `testigo hq rescue`: what a phone still has that lost the key of its store.

use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use testigo_hq::SystemClock;
use testigo_phone::sync::Selection;
use testigo_phone::{DatabaseKey, HostClock, Load, Phone};
use testigo_wire::Language;

/// Opens the phone in `home` with the key that lies there for headquarters, and takes in what waits on it, as from a
/// courier's bundle. What its witness alone may read stays closed.
pub fn run(data: &Path, home: &Path, language: Language) -> Result<Outcome, Failure> {
    let sealed = Phone::key_for_headquarters(home)?.ok_or_else(|| no_key(home))?;
    let key = testigo_hq::open_store_key(data, &sealed)?;
    let mut phone = Phone::open(
        home,
        &DatabaseKey::from_bytes(*key),
        Box::new(HostClock::new(0)),
    )?;
    let waiting = |phone: &Phone| -> Result<u64, Failure> {
        let outbox = phone.outbox()?;
        Ok(outbox.queued + outbox.attachments_queued)
    };
    let before = waiting(&phone)?;
    let (mut new, mut files, mut left) = (0, 0, before);
    let receipts = home.join("rescue-receipts");
    loop {
        let mut bundle = Vec::new();
        let load = Load::RecordsAndFiles;
        if (phone.bundle(Selection::Queued, load, &mut bundle)?).is_none() {
            break;
        }
        remove(&receipts)?;
        let imported = testigo_hq::import(
            data,
            [(home.to_owned(), Ok(bundle))],
            Some(&receipts),
            Arc::new(SystemClock),
        )?;
        for carried in imported.iter().filter_map(|one| one.outcome.as_ref().ok()) {
            new += carried.new;
            files += carried.files;
        }
        phone.import_receipts(&fs::read(&receipts).map_err(Failure::file(&receipts))?)?;
        remove(&receipts)?;
        let now = waiting(&phone)?;
        if now == left {
            break;
        }
        left = now;
    }
    let shown = home.display();
    let mut lines = vec![language.pick(
        format!("{shown}: {new} registros y {files} archivos nuevos para la central."),
        format!("{shown}: {new} records and {files} files that headquarters did not have."),
    )];
    if left > 0 {
        lines.push(language.pick(
            format!("{left} siguen en el teléfono, sin recibir: la misma orden continúa."),
            format!("{left} are still on the phone, not taken: the same command goes on."),
        ));
    }
    Ok(Outcome {
        lines,
        clean: left == 0,
        json: json!({ "phone": home, "new": new, "files": files, "left": left }),
    })
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::file(path)(error))
        }
        _ => Ok(()),
    }
}

fn no_key(home: &Path) -> Failure {
    let home = home.display();
    Failure::said(
        format!(
            "En {home} no hay store-key.sealed: o no es la carpeta de un teléfono inscrito, o se borró. Sin él nadie puede abrirlo."
        ),
        format!(
            "There is no store-key.sealed in {home}: either it is not the folder of an enrolled phone, or it was wiped. Without it nobody can open it."
        ),
    )
}
