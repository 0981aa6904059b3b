//! `testigo hq`: headquarters.

use crate::args::{HqArgs, HqCommand};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::sheet::{png, qr_picture};
use crate::{
    backup, codes, courier, export, interrupt, phone, recover, render, root, staff, table,
};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use testigo_hq::{Certificates, HqError, Listen, Listening, PackSource, Root};
use testigo_wire::{KeysetRequest, Language, TableId, root_words};

/// How long `table` waits for the desk; the desk looks about once a second by itself.
const DESK_WAIT: Duration = Duration::from_secs(3);

/// Runs one command.
pub fn run(args: HqArgs, language: Language, as_json: bool) -> Result<Outcome, Failure> {
    let data = args.data.clone();
    let mut outcome = done(args, language, as_json)?;
    // Nobody may take practice for the day itself, whatever was asked. Beside a file on standard output no line stands.
    if testigo_hq::is_practice(&data) {
        if !outcome.lines.is_empty() {
            outcome.lines.insert(0, render::practice(language));
        }
        if let Value::Object(json) = &mut outcome.json {
            json.insert("practice".to_owned(), Value::Bool(true));
        }
    }
    Ok(outcome)
}

fn done(args: HqArgs, language: Language, as_json: bool) -> Result<Outcome, Failure> {
    let data = &args.data;
    match args.command {
        HqCommand::Init {
            pack,
            practice,
            endpoint,
            root,
            pin,
            web_certificates,
        } => {
            let certificates = match web_certificates || !pin.is_empty() {
                true => Certificates::Web,
                false => Certificates::Own,
            };
            match root {
                None => init(
                    data,
                    &election(pack.as_deref(), practice)?,
                    &endpoint,
                    certificates,
                    language,
                ),
                Some(root) => {
                    let public = Root::read_public(&root)?;
                    let source = election(pack.as_deref(), practice)?;
                    let request = testigo_hq::init_for_root(
                        data,
                        &source,
                        &endpoint,
                        certificates,
                        &pin,
                        &public,
                    )?;
                    Ok(request_written(
                        data,
                        &request,
                        source.is_practice(),
                        language,
                    ))
                }
            }
        }
        HqCommand::Root { command } => root::run(data, command, language),
        HqCommand::Keys { command } => root::keys(data, command, language),
        HqCommand::Keyset { command } => root::keyset(data, command, language),
        HqCommand::Rotate(args) => root::rotate(data, args, language),
        HqCommand::Enrol {
            table,
            tables: None,
            out,
        } => enrol(data, table.as_deref(), &out, language),
        HqCommand::Enrol {
            tables: Some(tables),
            out,
            ..
        } => codes::enrol(data, &tables, &out, language),
        HqCommand::Devices { command } => staff::devices(data, command, language),
        HqCommand::Review { command } => staff::review(data, command, language),
        HqCommand::Serve {
            listen,
            proxy_speaks_tls,
            until_stdin_closes,
        } => {
            let listen = Listen {
                address: listen,
                proxy_speaks_tls,
            };
            serve(data, listen, until_stdin_closes, language, as_json)
        }
        HqCommand::Backup { out } => backup::backup(data, &out, language),
        HqCommand::Confirm { copy } => backup::confirm(data, &copy, language),
        HqCommand::Restore { from, keys } => backup::restore(data, &from, &keys, language),
        HqCommand::Import(command) => courier::headquarters(data, command, language),
        HqCommand::Table => table(data, language),
        HqCommand::Export { out } => export::run(data, out.as_deref(), language, as_json),
        HqCommand::Recover { key_is_right } => recover::hq(data, key_is_right, language),
        HqCommand::Blob { id, out } => blob(data, id, &out, language),
    }
}

fn init(
    data: &Path,
    source: &PackSource,
    endpoints: &[String],
    certificates: Certificates,
    language: Language,
) -> Result<Outcome, Failure> {
    let root = testigo_hq::init(data, source, endpoints, certificates)?;
    let dir = data.display();
    let words = root::words_line(root, language);
    Ok(Outcome::clean(
        language.pick(
            vec![
                format!("Central lista en {dir}; raíz {root}."),
                words.clone(),
                "La raíz quedó en este mismo equipo, en keys/root.key: es para practicar. Para una elección: testigo hq root new e init --root.".to_owned(),
                format!("Para los teléfonos: {dir}/public/keyset.cose y {dir}/public/pack.cose"),
                format!("Ahora: testigo hq --data {dir} serve"),
            ],
            vec![
                format!("Headquarters ready in {dir}; root {root}."),
                words,
                "The root lies on this same machine, in keys/root.key: for practice. For an election: testigo hq root new, and init --root.".to_owned(),
                format!("For phones: {dir}/public/keyset.cose and {dir}/public/pack.cose"),
                format!("Next: testigo hq --data {dir} serve"),
            ],
        ),
        json!({
            "data": data,
            "root": root.to_string(),
            "words": root_words(root, language),
            "endpoints": endpoints,
        }),
    ))
}

fn election(pack: Option<&Path>, practice: bool) -> Result<PackSource, HqError> {
    let source = match pack {
        Some(path) => PackSource::from_file(path),
        None => PackSource::venezuela_2024(),
    }?;
    Ok(match practice {
        true => source.for_practice(),
        false => source,
    })
}

/// Headquarters that wait for the signature of a root that is elsewhere.
fn request_written(
    data: &Path,
    request: &KeysetRequest,
    practice: bool,
    language: Language,
) -> Outcome {
    let (dir, words) = (data.display(), request.words(language));
    let mut lines: Vec<String> = (practice.then(|| render::practice(language)))
        .into_iter()
        .collect();
    lines.extend([
            root::words_line(request.root, language),
            language.pick(
                format!("Solicitud «{words}» en {dir}/keyset-request.cbor. Llévela al equipo de la raíz y diga allí estas seis palabras: testigo hq --data RAÍZ root sign"),
                format!("Request \"{words}\" in {dir}/keyset-request.cbor. Bring it to the root's machine and say these six words there: testigo hq --data ROOT root sign"),
            ),
            language.pick(
                format!("Al volver: testigo hq --data {dir} keyset install CARPETA. Antes no hay códigos ni servidor."),
                format!("When it is back: testigo hq --data {dir} keyset install FOLDER. Before that there are no codes and no server."),
            ),
        ]);
    Outcome::clean(
        lines,
        json!({
            "practice": practice,
            "data": data,
            "root": request.root.to_string(),
            "words": root_words(request.root, language),
            "request_words": words,
            "request": data.join("keyset-request.cbor"),
            "endpoints": request.endpoints,
        }),
    )
}

fn enrol(
    data: &Path,
    table: Option<&str>,
    out: &Path,
    language: Language,
) -> Result<Outcome, Failure> {
    let table = table.map(table_id).transpose()?;
    let caption = table.as_ref().map_or("TESTIGO", TableId::as_str);
    let mut written = false;
    let kept = testigo_hq::invite(data, table.clone(), |invitation| {
        let heading = match invitation.election.is_practice() {
            true => "PRÁCTICA · PRACTICE",
            false => "TESTIGO",
        };
        let drawing = qr_picture(invitation.to_text().as_bytes(), &[heading, caption])?;
        write_secret(out, &png(&drawing)?)?;
        written = true;
        Ok::<_, Failure>(())
    });
    if kept.is_err() && written {
        // A code that headquarters do not know would only send a witness away.
        let _ = std::fs::remove_file(out);
    }
    kept?;
    let shown = out.display();
    Ok(Outcome::clean(
        vec![language.pick(
            format!("Código de inscripción en {shown}. Entréguelo en mano y borre la imagen."),
            format!("Enrolment code in {shown}. Hand it over in person and delete the image."),
        )],
        json!({ "image": out, "table": table.as_ref().map(TableId::as_str) }),
    ))
}

/// A polling table as a person typed it.
pub fn table_id(text: &str) -> Result<TableId, Failure> {
    TableId::new(text).map_err(|_| no_table(text))
}

pub fn no_table(text: &str) -> Failure {
    Failure::said(
        format!("{text:?} no identifica una mesa; escríbala como 201301006.01."),
        format!("{text:?} is no polling table's identifier; write it such as 201301006.01."),
    )
}

/// A new file for its owner only.
fn new_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a new file that only its owner may read, whole or not at all; replaces nothing.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = new_file(path).map_err(Failure::file(path))?;
    (file.write_all(bytes).and_then(|()| file.sync_all())).map_err(|error| {
        let _ = std::fs::remove_file(path);
        Failure::file(path)(error)
    })
}

fn serve(
    data: &Path,
    listen: Listen,
    until_stdin_closes: bool,
    language: Language,
    as_json: bool,
) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::file(Path::new("tokio")))?;
    let ready = |listening: Listening| {
        Outcome::clean(
            vec![language.pick(
                format!("La central escucha. Página: {listening}/  (Ctrl-C termina)"),
                format!("Headquarters listens. Page: {listening}/  (Ctrl-C ends it)"),
            )],
            json!({ "listening": listening.to_string() }),
        )
        .print(as_json);
    };
    let (ask, asked) = tokio::sync::mpsc::channel::<()>(1);
    let signals = interrupt::Signals::listen()?;
    end_after(move || signals.wait(), ask.clone())?;
    if until_stdin_closes {
        end_after(drain_stdin, ask)?;
    }
    let interrupted = async move {
        let mut asked = asked;
        asked.recv().await;
    };
    runtime.block_on(testigo_hq::serve(data, listen, ready, interrupted))?;
    Ok(Outcome::clean(
        vec![
            language
                .pick("La central se detuvo.", "Headquarters stopped.")
                .to_owned(),
        ],
        json!({ "stopped": true }),
    ))
}

/// Asks for the end once `wait` has returned, on a thread of its own.
fn end_after(
    wait: impl FnOnce() + Send + 'static,
    ask: tokio::sync::mpsc::Sender<()>,
) -> Result<(), Failure> {
    std::thread::Builder::new()
        .spawn(move || {
            wait();
            let _ = ask.blocking_send(());
        })
        .map(drop)
        .map_err(Failure::file(Path::new("thread")))
}

/// Returns when standard input is closed.
fn drain_stdin() {
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
}

/// Headquarters answers a phone before its desk has opened what came; this waits for the desk a little.
pub fn settled<T>(
    mut look: impl FnMut() -> Result<T, HqError>,
    unopened: impl Fn(&T) -> u64,
) -> Result<T, HqError> {
    let since = Instant::now();
    loop {
        let found = look()?;
        if unopened(&found) == 0 || since.elapsed() > DESK_WAIT {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn table(data: &Path, language: Language) -> Result<Outcome, Failure> {
    let (results, incidents) =
        settled(|| testigo_hq::tables(data), |(results, _)| results.unopened)?;
    let json = json!({ "results": results, "incidents": incidents });
    Ok(Outcome::clean(table::lines(&json, language), json))
}

fn blob(data: &Path, id: i64, out: &Path, language: Language) -> Result<Outcome, Failure> {
    let runtime = phone::runtime()?;
    let media_type = runtime.block_on(testigo_hq::open_blob(data, id, out))?;
    let shown = out.display();
    Ok(Outcome::clean(
        vec![language.pick(
            format!("Archivo {id} ({media_type}) en {shown}."),
            format!("Attachment {id} ({media_type}) in {shown}."),
        )],
        json!({ "attachment": id, "media_type": media_type, "file": out }),
    ))
}
