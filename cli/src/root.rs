//! `testigo hq root`, `keys`, `keyset` and `rotate`: who holds which key.

use crate::args::{KeysCommand, KeysetCommand, PaperArgs, RootCommand, RotateArgs};
use crate::failure::Failure;
use crate::hq::write_secret;
use crate::outcome::{Outcome, complain};
use crate::secret;
use serde_json::{Value, json};
use std::path::Path;
use testigo_hq::{
    Clock, HqError, Lock, PaperKey, Review, Root, RootError, Rotation, Sharing, SystemClock, Unlock,
};
use testigo_wire::{Language, RootId, root_words};

/// The largest request that is read, in bytes: more than any has.
const MAX_REQUEST: u64 = 8 * 1024 * 1024;

/// The line with a root's six words.
pub fn words_line(root: RootId, language: Language) -> String {
    let words = root_words(root, language);
    language.pick3(
        format!("Las seis palabras de la raíz: {words}"),
        format!("The root's six words: {words}"),
        format!("As seis palavras da raiz: {words}"),
    )
}

/// One command at the root.
pub fn run(folder: &Path, command: RootCommand, language: Language) -> Result<Outcome, Failure> {
    match command {
        RootCommand::New => {
            let root = Root::create(folder, &secret::new_passphrase(language)?)?;
            Ok(made(&root, language))
        }
        RootCommand::Restore => {
            let papers = secret::papers(language)?;
            let root = Root::restore(folder, papers, &secret::new_passphrase(language)?)?;
            Ok(made(&root, language))
        }
        RootCommand::Words => {
            let root = testigo_hq::root_id(folder)?;
            Ok(Outcome::clean(
                vec![words_line(root, language)],
                json!({ "root": root.to_string(), "words": root_words(root, language) }),
            ))
        }
        RootCommand::Paper(args) => {
            let root = Root::open(folder)?;
            let sharing = sharing(args.shares, args.need);
            let papers = root.paper(&secret::passphrase(language)?, sharing)?;
            let words = root_words(root.id(), language);
            let PaperArgs { out, .. } = args;
            let what = language.pick(format!("raíz «{words}»"), format!("root \"{words}\""));
            show(&papers, &what, out.as_deref(), language)
        }
        RootCommand::Sign { request, out } => sign(folder, &request, &out, language),
    }
}

fn made(root: &Root, language: Language) -> Outcome {
    let public = root.public_file();
    let shown = public.display();
    Outcome::clean(
        vec![
            words_line(root.id(), language),
            language.pick(
                format!("Lleve {shown} a la central (testigo hq --data DIR init --root root.pub) y compare allí las seis palabras."),
                format!("Bring {shown} to headquarters (testigo hq --data DIR init --root root.pub), and compare the six words there."),
            ),
            language
                .pick(
                    "Haga ahora el papel: testigo hq --data RAÍZ root paper. Sin él, quien olvide la frase pierde la raíz.",
                    "Make the paper now: testigo hq --data ROOT root paper. Without it, who forgets the passphrase loses the root.",
                )
                .to_owned(),
        ],
        json!({
            "root": root.id().to_string(),
            "words": root_words(root.id(), language),
            "public": public,
        }),
    )
}

fn sign(folder: &Path, request: &Path, out: &Path, language: Language) -> Result<Outcome, Failure> {
    let root = Root::open(folder)?;
    let mut bytes = Vec::new();
    std::fs::File::open(request)
        .and_then(|file| {
            std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_REQUEST), &mut bytes)
        })
        .map_err(Failure::file(request))?;
    let now = SystemClock.now();
    let review = match root.review(&bytes, now) {
        Ok(review) => review,
        Err(error @ (RootError::Outdated { .. } | RootError::OtherRoot | RootError::Clock)) => {
            return Ok(refused(&error.sentence(language)));
        }
        Err(error) => return Err(error.into()),
    };
    // Before the passphrase: typing it is the consent.
    for line in told(&review, language) {
        complain(&line);
    }
    root.sign(&review, &secret::passphrase(language)?, now, out)?;
    let (version, shown) = (review.version, out.display());
    let lines = vec![language.pick(
        format!("Firmado, versión {version}. Lleve {shown} a la central: testigo hq --data DIR keyset install {shown}"),
        format!("Signed, version {version}. Bring {shown} to headquarters: testigo hq --data DIR keyset install {shown}"),
    )];
    Ok(Outcome::clean(
        lines,
        json!({
            "version": version,
            "root": root.id().to_string(),
            "request_words": review.request.words(language),
            "changes": review.changes.iter().map(|c| c.sentence(language)).collect::<Vec<_>>(),
            "signed_before": review.signed_before,
            "folder": out,
        }),
    ))
}

fn told(review: &Review, language: Language) -> Vec<String> {
    let words = review.request.words(language);
    let mut lines = vec![language.pick(
        format!("Solicitud «{words}»: confirme estas seis palabras de viva voz con la central."),
        format!("Request \"{words}\": confirm these six words with headquarters by voice."),
    )];
    lines.extend(
        review
            .changes
            .iter()
            .map(|change| change.sentence(language)),
    );
    if review.changes.is_empty() {
        lines.push(
            language
                .pick("No cambia nada.", "It changes nothing.")
                .to_owned(),
        );
    }
    if review.signed_before {
        lines.push(
            language
                .pick(
                    "Ya se firmó antes: se entrega lo mismo.",
                    "It was signed before: the same is given out again.",
                )
                .to_owned(),
        );
    }
    lines
}

fn refused(sentence: &str) -> Outcome {
    Outcome {
        lines: vec![sentence.to_owned()],
        json: json!({ "refused": sentence }),
        clean: false,
    }
}

fn sharing(shares: Option<u8>, need: Option<u8>) -> Sharing {
    match (shares, need) {
        (Some(made), Some(needed)) => Sharing::Shares { made, needed },
        _ => Sharing::Whole,
    }
}

/// Shows papers, or writes one file for each.
fn show(
    papers: &[PaperKey],
    what: &str,
    out: Option<&Path>,
    language: Language,
) -> Result<Outcome, Failure> {
    if let Some(folder) = out {
        std::fs::create_dir(folder).map_err(Failure::file(folder))?;
    }
    let mut lines = Vec::new();
    let mut files: Vec<Value> = Vec::new();
    for (n, paper) in papers.iter().enumerate() {
        let text = page(paper, what, language);
        match out {
            None => lines.extend(text.lines().map(str::to_owned)),
            Some(folder) => {
                let path = folder.join(format!("paper-{}.txt", n + 1));
                write_secret(&path, text.as_bytes())?;
                files.push(json!(path));
            }
        }
    }
    if let Some(folder) = out {
        let shown = folder.display();
        let n = papers.len();
        lines.push(language.pick(
            format!("{n} papeles en {shown}: imprímalos o cópielos a mano, repártalos y borre la carpeta."),
            format!("{n} papers in {shown}: print them or copy them by hand, hand them out, and delete the folder."),
        ));
    }
    let texts = match out {
        None => papers.iter().map(|p| json!(p.lines())).collect(),
        Some(_) => Vec::new(),
    };
    Ok(Outcome::clean(
        lines,
        json!({ "papers": papers.len(), "files": files, "lines": texts }),
    ))
}

/// What is on one paper. Lines with `#` are for people.
fn page(paper: &PaperKey, what: &str, language: Language) -> String {
    let mark = &paper.mark;
    let head = match paper.share {
        None => language.pick(
            format!("# Testigo: llave en papel de {what}. Marca {mark}.\n# Quien la tenga puede todo lo que la llave puede. Guárdela bajo llave; no la fotografíe.\n"),
            format!("# Testigo: paper key of {what}. Mark {mark}.\n# Who has it can do all that the key can. Keep it locked away; do not photograph it.\n"),
        ),
        Some((number, needed)) => language.pick(
            format!("# Testigo: parte {number} de la llave de {what}. Marca {mark}.\n# Hacen falta {needed} partes distintas con la misma marca; con menos no se sabe nada.\n"),
            format!("# Testigo: share {number} of the key of {what}. Mark {mark}.\n# {needed} different shares of the same mark bring it back; fewer tell nothing.\n"),
        ),
    };
    format!("{head}{}", paper.lines())
}

/// One command about headquarters' secret keys.
pub fn keys(data: &Path, command: KeysCommand, language: Language) -> Result<Outcome, Failure> {
    match command {
        KeysCommand::Backup {
            out,
            paper,
            shares,
            need,
            papers,
        } => {
            let typed;
            let lock = match paper {
                true => Lock::Paper(sharing(shares, need)),
                false => {
                    typed = secret::new_passphrase(language)?;
                    Lock::Passphrase(&typed)
                }
            };
            let made = testigo_hq::backup_keys(data, &out, &lock)?;
            let shown = out.display();
            let what = language.pick(
                "las llaves de la central".to_owned(),
                "headquarters' keys".to_owned(),
            );
            let mut outcome = match made.is_empty() {
                true => Outcome::clean(Vec::new(), json!({})),
                false => show(&made, &what, papers.as_deref(), language)?,
            };
            outcome.lines.push(language.pick(
                format!("Llaves de la central en {shown}, cerradas. Guárdelo lejos de la central y de lo que lo abre."),
                format!("Headquarters' keys in {shown}, locked. Keep it away from headquarters and from what opens it."),
            ));
            if let Value::Object(document) = &mut outcome.json {
                document.insert("file".to_owned(), json!(out));
            }
            Ok(outcome)
        }
        KeysCommand::Restore { file, paper, to } => {
            let typed;
            let unlock = match paper {
                true => Unlock::Paper(secret::papers(language)?),
                false => {
                    typed = secret::passphrase(language)?;
                    Unlock::Passphrase(&typed)
                }
            };
            let names = testigo_hq::restore_keys(data, &file, to.as_deref(), unlock)?;
            let n = names.len();
            let list = names.join(", ");
            Ok(Outcome::clean(
                vec![match n {
                    0 => language
                        .pick("No faltaba ninguna llave.", "No key was missing.")
                        .to_owned(),
                    _ => language.pick(
                        format!(
                            "Volvieron {n} llaves: {list}. Arranque la central (testigo hq serve)."
                        ),
                        format!("{n} keys came back: {list}. Start the server (testigo hq serve)."),
                    ),
                }],
                json!({ "restored": names }),
            ))
        }
    }
}

/// One command about headquarters' signed keys.
pub fn keyset(data: &Path, command: KeysetCommand, language: Language) -> Result<Outcome, Failure> {
    let KeysetCommand::Install { from } = command;
    let installed = match testigo_hq::install(data, &from) {
        Ok(installed) => installed,
        Err(error @ (HqError::Keyset { .. } | HqError::Key(_))) => {
            return Ok(refused(&error.sentence(language)));
        }
        Err(error) => return Err(error.into()),
    };
    let (version, dir) = (installed.version, data.display());
    let next = match installed.known {
        true => language.pick(
            format!("La versión {version} ya estaba instalada."),
            format!("Version {version} was installed already."),
        ),
        false => language.pick(
            format!("Instalada la versión {version}. La central en marcha la toma sola; los teléfonos la recogen en su próximo envío, o del archivo {dir}/public/keyset.cose."),
            format!("Version {version} is installed. A server that runs takes it up by itself; phones take it at their next sync, or from the file {dir}/public/keyset.cose."),
        ),
    };
    Ok(Outcome::clean(
        vec![words_line(installed.root, language), next],
        json!({
            "version": version,
            "known": installed.known,
            "root": installed.root.to_string(),
        }),
    ))
}

/// Changes keys or addresses.
pub fn rotate(data: &Path, args: RotateArgs, language: Language) -> Result<Outcome, Failure> {
    if args.is_empty() {
        return Err(Failure::said(
            "Diga qué cambia: --seal, --receipt, --desk, --tls, --endpoint, --pin o --revoke.",
            "Say what changes: --seal, --receipt, --desk, --tls, --endpoint, --pin or --revoke.",
        ));
    }
    let rotated = match testigo_hq::rotate(
        data,
        &Rotation {
            seal: args.seal,
            receipt: args.receipt,
            desk: args.desk,
            tls: args.tls,
            seized: args.seized,
            endpoints: args.endpoint,
            pins: args.pin,
            revoke: args.revoke,
        },
    ) {
        Err(error @ HqError::NothingToRevoke(_)) => return Ok(refused(&error.sentence(language))),
        rotated => rotated?,
    };
    let dir = data.display();
    let words = rotated.request.words(language);
    let next = match rotated.installed {
        Some(version) => language.pick(
            format!("La raíz de prácticas está en este equipo: firmada e instalada la versión {version}. La central en marcha la toma sola."),
            format!("The practice root is on this machine: version {version} is signed and installed. A server that runs takes it up by itself."),
        ),
        None => language.pick(
            format!("Solicitud «{words}» en {dir}/keyset-request.cbor. Llévela a la raíz y diga allí las seis palabras; hasta entonces todo sigue como está."),
            format!("Request \"{words}\" in {dir}/keyset-request.cbor. Bring it to the root and say the six words there; until then everything stays as it is."),
        ),
    };
    let saved = language.pick(
        "Haga otra copia de las llaves: testigo hq --data DIR keys backup.",
        "Make another backup of the keys: testigo hq --data DIR keys backup.",
    );
    let mut lines = vec![next];
    if args.seal || args.receipt || args.desk || args.tls {
        lines.push(saved.to_owned());
    }
    if args.tls {
        lines.push(
            language
                .pick(
                    "La llave anterior deja de valer. Espere a que los teléfonos envíen antes de otro --tls: el que se salte dos necesita keyset.cose como archivo.",
                    "The key before is believed no more. Let phones sync before another --tls: one that misses two needs keyset.cose as a file.",
                )
                .to_owned(),
        );
    }
    if rotated.tls_elsewhere {
        lines.push(
            language
                .pick(
                    "ATENCIÓN: ninguna de las llaves TLS anunciadas está en keys/. Si no las tiene un proxy (serve --proxy-speaks-tls), los teléfonos no entregarán nada; la central en marcha sigue con el juego anterior.",
                    "ATTENTION: none of the pinned TLS keys is in keys/. Unless a proxy has them (serve --proxy-speaks-tls) phones will deliver nothing; a server that runs stays with the keyset before.",
                )
                .to_owned(),
        );
    }
    Ok(Outcome::clean(
        lines,
        json!({
            "installed": rotated.installed,
            "tls_elsewhere": rotated.tls_elsewhere,
            "request_words": words,
            "request": match rotated.installed {
                Some(_) => None,
                None => Some(data.join("keyset-request.cbor")),
            },
        }),
    ))
}
