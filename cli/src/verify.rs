//! `testigo verify`: checks that anyone can make, without a network and without headquarters.

use crate::args::VerifyCommand;
use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::{Value, json};
use std::path::Path;
use testigo_wire::{
    BlobRef, Eid, Envelope, Keyset, Language, MAX_ENVELOPE, RootId, Statement, WireError,
};

/// What the statements must be about.
struct About {
    eid: Eid,
    /// The attachments that the envelope names, where the envelope itself is at hand.
    blobs: Option<Vec<BlobRef>>,
}

/// Runs one command.
pub fn run(command: &VerifyCommand, language: Language) -> Result<Outcome, Failure> {
    let VerifyCommand::Receipt {
        file,
        keyset,
        root,
        envelope,
        eid,
    } = command;
    let bytes = std::fs::read(file).map_err(Failure::file(file))?;
    let keyset_bytes = std::fs::read(keyset).map_err(Failure::file(keyset))?;
    let root = root.as_deref().map(parse_root).transpose()?;
    let about = match (envelope, eid) {
        (Some(path), _) => match about(path)? {
            Some(about) => Some(about),
            None => {
                return Ok(refused(language.pick(
                    format!("{} no es un sobre.", path.display()),
                    format!("{} is no envelope.", path.display()),
                )));
            }
        },
        (None, Some(text)) => Some(About {
            eid: Eid(hex(text).ok_or_else(|| {
                Failure::said(
                    "--eid lleva 64 cifras hexadecimales.",
                    "--eid takes 64 hexadecimal digits.",
                )
            })?),
            blobs: None,
        }),
        (None, None) => None,
    };
    let named = Keyset::named_root(&keyset_bytes);
    let trusted = root.map_or(named, Ok);
    let keyset = trusted.and_then(|root| Keyset::verify(&keyset_bytes, root));
    let keyset = match keyset {
        Ok(keyset) => keyset,
        Err(error) => {
            return Ok(refused(language.pick(
                format!("El archivo de llaves no es de esa raíz, o está dañado: {error}"),
                format!("The keyset is not of that root, or damaged: {error}"),
            )));
        }
    };
    let statements = match Statement::verify_all(&bytes, &keyset) {
        Ok(statements) => statements,
        Err(error) => {
            return Ok(refused(language.pick(
                format!("{} no contiene recibos: {error}", file.display()),
                format!("{} holds no receipts: {error}", file.display()),
            )));
        }
    };
    Ok(report(&statements, about.as_ref(), &keyset, root, language))
}

fn report(
    statements: &[Result<Statement, WireError>],
    about: Option<&About>,
    keyset: &Keyset,
    root: Option<RootId>,
    language: Language,
) -> Outcome {
    let mut lines = Vec::new();
    let mut items = Vec::new();
    let mut verified = true;
    for statement in statements {
        let (fits, line, item) = match statement {
            Ok(statement) => {
                let fits = fits(statement, about);
                let (line, item) = describe(statement, language);
                (fits, line, item)
            }
            Err(error) => (
                true,
                language.pick(format!("NO VÁLIDO: {error}"), format!("NOT VALID: {error}")),
                json!({ "kind": error.what(), "error": error.to_string() }),
            ),
        };
        let valid = fits && statement.is_ok();
        verified &= valid;
        lines.push(match fits {
            true => line,
            false => language.pick(
                format!("NO CORRESPONDE a este sobre: {line}"),
                format!("NOT OF this envelope: {line}"),
            ),
        });
        let mut item = item;
        if let Value::Object(map) = &mut item {
            map.insert("verified".to_owned(), json!(valid));
        }
        items.push(item);
    }
    if about.is_some_and(|about| !(statements.iter().flatten()).any(|s| eid(s) == Some(about.eid)))
    {
        verified = false;
        lines.push(
            language
                .pick(
                    "Nada en el archivo habla de este sobre.",
                    "Nothing in the file is about this envelope.",
                )
                .to_owned(),
        );
    }
    let own = RootId::of(&keyset.root);
    lines.push(match root {
        Some(_) => language.pick(
            format!("Firmado bajo la raíz {own}, la que usted indicó."),
            format!("Signed under the root {own}, the one that you named."),
        ),
        None => language.pick(
            format!("Firmado bajo la raíz {own}: compárela con la que publica la central, o indíquela con --root."),
            format!("Signed under the root {own}: compare it with the one that headquarters publishes, or name it with --root."),
        ),
    });
    Outcome {
        clean: verified,
        lines,
        json: json!({
            "verified": verified,
            "root": own.to_string(),
            "root_named": root.is_some(),
            "statements": items,
        }),
    }
}

fn eid(statement: &Statement) -> Option<Eid> {
    match statement {
        Statement::Receipt(receipt) => Some(receipt.eid),
        Statement::Notice(notice) => Some(notice.eid),
        Statement::BlobReceipt(_) => None,
    }
}

fn fits(statement: &Statement, about: Option<&About>) -> bool {
    let Some(about) = about else {
        return true;
    };
    match (statement, &about.blobs) {
        (Statement::BlobReceipt(receipt), Some(blobs)) => blobs.contains(&receipt.blob),
        // Which attachments belong to it stands in the envelope alone.
        (Statement::BlobReceipt(_), None) => true,
        _ => eid(statement) == Some(about.eid),
    }
}

fn describe(statement: &Statement, language: Language) -> (String, Value) {
    match statement {
        Statement::Receipt(receipt) => {
            let (eid, at, code) = (receipt.eid, receipt.received_at, receipt.code);
            let line = match code.is_refusal() {
                false => language.pick(
                    format!("Recibo válido: la central tiene el sobre {eid} desde {at}."),
                    format!("Valid receipt: headquarters holds the envelope {eid} since {at}."),
                ),
                true => language.pick(
                    format!(
                        "Recibo válido de un rechazo, {at}, sobre {eid}: {}",
                        code.sentence(language)
                    ),
                    format!(
                        "Valid receipt of a refusal, {at}, envelope {eid}: {}",
                        code.sentence(language)
                    ),
                ),
            };
            let item = json!({
                "kind": "receipt",
                "eid": eid.to_string(),
                "received_at": at.to_string(),
                "code": code.0,
                "accepted": !code.is_refusal(),
            });
            (line, item)
        }
        Statement::BlobReceipt(receipt) => {
            let sha256 = Eid(receipt.blob.sha256).to_string();
            let size = receipt.blob.size;
            let line = language.pick(
                format!("Recibo de archivo válido: la central tiene entero el archivo sellado {sha256} ({size} bytes)."),
                format!("Valid receipt of a file: headquarters holds the whole sealed file {sha256} ({size} bytes)."),
            );
            let item = json!({ "kind": "blob receipt", "sha256": sha256, "size": size });
            (line, item)
        }
        Statement::Notice(notice) => {
            let (eid, at, said) = (
                notice.eid,
                notice.issued_at,
                notice.status.sentence(language),
            );
            let safe = match notice.safe {
                true => language.pick(" Hay una copia en otro lugar.", " A copy lies elsewhere."),
                false => "",
            };
            let line = language.pick(
                format!("Noticia válida, {at}, sobre {eid}: {said}{safe}"),
                format!("Valid notice, {at}, envelope {eid}: {said}{safe}"),
            );
            let item = json!({
                "kind": "notice",
                "eid": eid.to_string(),
                "status": notice.status.0,
                "safe": notice.safe,
                "issued_at": at.to_string(),
            });
            (line, item)
        }
    }
}

fn refused(line: String) -> Outcome {
    Outcome {
        clean: false,
        json: json!({ "verified": false, "error": line }),
        lines: vec![line],
    }
}

fn about(path: &Path) -> Result<Option<About>, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::file(path))?;
    let envelope = match bytes.len() <= MAX_ENVELOPE {
        true => Envelope::parse(&bytes).ok(),
        false => None,
    };
    // Who sealed it is not asked: its bytes have one identity, and that is what was receipted.
    Ok(envelope.map(|envelope| About {
        eid: Eid::of(&bytes),
        blobs: Some(envelope.blobs().to_vec()),
    }))
}

fn parse_root(text: &str) -> Result<RootId, Failure> {
    hex(text).map(RootId).ok_or_else(|| {
        Failure::said(
            "--root lleva 32 cifras hexadecimales, como las muestra hq init.",
            "--root takes 32 hexadecimal digits, as hq init shows them.",
        )
    })
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.bytes().all(|letter| letter.is_ascii_hexdigit()) {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some(bytes)
}
