use super::child::{self, Process};
use super::sheets;
use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::phone::runtime;
use crate::sheet::{self, Chance, Damage, Sheet};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use testigo_wire::{ElectionPack, Language};

/// Runs the night; exit status 1 where headquarters' totals are not the sheets'.
pub fn run(args: &DemoArgs, language: Language, as_json: bool) -> Result<Outcome, Failure> {
    // The client that reads headquarters' API finds its cryptography here; a second demo changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().map_err(Failure::file(Path::new("temp")))?;
    let mut night = Night {
        language,
        as_json,
        dir: folder.path().to_owned(),
        chance: Chance::from_seed(args.seed),
        seed: args.seed,
        address: free_address()?,
    };
    night.go(args)
}

struct Night {
    language: Language,
    as_json: bool,
    dir: PathBuf,
    chance: Chance,
    seed: u64,
    address: SocketAddr,
}

/// A port of this machine on which nobody listens.
fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(Failure::file(Path::new("127.0.0.1")))
}

fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn expect(what: bool, es: &str, en: &str) -> Result<(), Failure> {
    if what {
        Ok(())
    } else {
        Err(Failure::said(es, en))
    }
}

type Totals = BTreeMap<String, u64>;

impl Night {
    #[allow(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "the demo's narration"
    )]
    fn say(&self, es: impl AsRef<str>, en: impl AsRef<str>) {
        let line = self.language.pick(es.as_ref(), en.as_ref());
        if self.as_json {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn start_hq(&self) -> Result<Process, Failure> {
        let mut hq = Process::start(&[
            &"hq",
            &"--data",
            &self.path("hq"),
            &"serve",
            &"--listen",
            &self.address.to_string(),
        ])?;
        hq.read()?;
        Ok(hq)
    }

    fn go(&mut self, args: &DemoArgs) -> Result<Outcome, Failure> {
        let pack = self.open_headquarters()?;
        let hq = self.start_hq()?;
        self.say(
            format!("Central: proceso {} escucha en {}", hq.id(), self.url()),
            format!("HQ: process {} listens on {}", hq.id(), self.url()),
        );
        let real = sheets::real(&mut self.chance);
        let (invented_table, invented) =
            sheets::invented(&pack, &mut self.chance).ok_or_else(|| {
                Failure::said("La elección no tiene mesas.", "The election has no tables.")
            })?;
        let real_table = real
            .split_once(".1.0001")
            .map_or("", |(table, _)| table)
            .to_owned();
        self.invite("witness", &real_table)?;
        self.invite("second", invented_table.as_str())?;
        hq.kill();
        expect(
            TcpStream::connect(self.address).is_err(),
            "El puerto de la central sigue abierto.",
            "Headquarters' port is still open.",
        )?;
        self.say(
            format!(
                "La central se apaga: en {} ya no contesta nadie",
                self.address
            ),
            format!("HQ goes off: nobody answers on {} any more", self.address),
        );

        self.enrol("witness")?;
        let mut phone = self.open_phone("witness")?;
        self.say(
            format!("Teléfono: proceso {}", phone.id()),
            format!("Phone: process {}", phone.id()),
        );
        let reports = self.reports(&mut phone)?;
        let photo = match &args.photo {
            Some(photo) => photo.clone(),
            None => self.photograph(real, &pack, "sheet")?,
        };
        let tally = phone.ask(&format!("tally --photo {}", quoted(&photo)))?;
        let mut expected = Totals::new();
        self.show_tally(&tally, &mut expected);
        let failed = phone.ask("sync")?;
        self.say(
            format!("Envío: {}", text(&failed, "/failure/sentence")),
            format!("Sync: {}", text(&failed, "/failure/sentence")),
        );
        expect(
            failed.pointer("/failure/code") == Some(&json!("no-network")),
            "El envío sin red no falló como debía.",
            "The sync without a network did not fail as it should.",
        )?;
        let killed = phone.id();
        phone.kill();
        let mut phone = self.open_phone("witness")?;
        let status = phone.ask("status")?;
        self.say(
            format!(
                "Teléfono: proceso {killed} matado (SIGKILL); el proceso {} abre el mismo almacén: {} en cola",
                phone.id(),
                text(&status, "/queued")
            ),
            format!(
                "Phone: process {killed} killed (SIGKILL); process {} opens the same store: {} queued",
                phone.id(),
                text(&status, "/queued")
            ),
        );
        let saved = reports + 1;
        expect(
            status.pointer("/queued") == Some(&json!(saved)),
            "Algo guardado se perdió.",
            "Something saved was lost.",
        )?;

        self.enrol("second")?;
        let mut second = self.open_phone("second")?;
        let photo = self.photograph(&invented, &pack, "practice")?;
        let tally = second.ask(&format!("tally --photo {}", quoted(&photo)))?;
        self.show_tally(&tally, &mut expected);

        let hq = self.start_hq()?;
        self.say(
            format!("La central vuelve: proceso {}", hq.id()),
            format!("HQ returns: process {}", hq.id()),
        );
        self.deliver(&mut phone, saved)?;
        self.deliver(&mut second, 1)?;
        self.wait_for_desk()?;
        self.send_again(&mut phone, saved)?;

        let results = self.get("/v1/results")?;
        let incidents = self.get("/v1/incidents")?;
        self.show_incidents(&incidents);
        let totals = self.show_results(&results);
        let equal = totals == expected;
        let sum: u64 = totals.values().sum();
        if equal {
            self.say(
                format!("Total en la central: {sum} votos, igual a la suma de las actas"),
                format!("Total at headquarters: {sum} votes, equal to the sheets' sum"),
            );
        } else {
            self.say(
                format!("Total en la central: {sum} votos, DISTINTO de la suma de las actas"),
                format!("Total at headquarters: {sum} votes, NOT equal to the sheets' sum"),
            );
        }
        if args.serve {
            self.say(
                format!("Abra {}/ en un navegador; Ctrl-C termina", self.url()),
                format!("Open {}/ in a browser; Ctrl-C ends it", self.url()),
            );
            hq.wait();
        }
        Ok(Outcome {
            lines: Vec::new(),
            json: json!({ "seed": self.seed, "votes": sum, "equal": equal }),
            clean: equal,
        })
    }

    fn open_headquarters(&self) -> Result<ElectionPack, Failure> {
        let made = child::run(&[
            &"hq",
            &"--data",
            &self.path("hq"),
            &"init",
            &"--endpoint",
            &self.url(),
        ])?;
        let bytes = |name: &str| {
            let path = self.path("hq/public").join(name);
            std::fs::read(&path).map_err(Failure::file(&path))
        };
        let root = hex_root(&text(&made, "/root"))?;
        let keyset = testigo_wire::Keyset::verify(&bytes("keyset.cose")?, root)
            .map_err(|error| Failure::said(error.to_string(), error.to_string()))?;
        let pack = ElectionPack::verify(&bytes("pack.cose")?, &keyset.root)
            .map_err(|error| Failure::said(error.to_string(), error.to_string()))?;
        self.say(
            format!(
                "Central nueva: «{}», {} candidatos, {} casillas, {} mesas; claves y elección firmadas por la raíz",
                pack.name,
                pack.candidates.len(),
                pack.slots.len(),
                pack.tables.len()
            ),
            format!(
                "A new HQ: \"{}\", {} candidates, {} ballot slots, {} tables; keys and election signed by the root",
                pack.name,
                pack.candidates.len(),
                pack.slots.len(),
                pack.tables.len()
            ),
        );
        Ok(pack)
    }

    fn invite(&self, who: &str, table: &str) -> Result<(), Failure> {
        let image = self.path(&format!("{who}.png"));
        child::run(&[
            &"hq",
            &"--data",
            &self.path("hq"),
            &"enrol",
            &"--table",
            &table,
            &"--out",
            &image,
        ])?;
        self.say(
            format!("La central imprime un código de inscripción para la mesa {table}"),
            format!("HQ prints an enrolment code for table {table}"),
        );
        Ok(())
    }

    fn enrol(&self, who: &str) -> Result<(), Failure> {
        let home = self.path(&format!("phone-{who}"));
        child::run(&[&"phone", &"--home", &home, &"init"])?;
        let enrolled = child::run(&[
            &"phone",
            &"--home",
            &home,
            &"enrol",
            &"--qr",
            &self.path(&format!("{who}.png")),
            &"--keyset",
            &self.path("hq/public/keyset.cose"),
            &"--pack",
            &self.path("hq/public/pack.cose"),
        ])?;
        self.say(
            format!(
                "Un teléfono lee ese código y se inscribe sin red: mesa {}",
                text(&enrolled, "/table")
            ),
            format!(
                "A phone reads that code and enrols without a network: table {}",
                text(&enrolled, "/table")
            ),
        );
        Ok(())
    }

    fn open_phone(&self, who: &str) -> Result<Process, Failure> {
        Process::start(&[
            &"--lang",
            &self.language.pick("es", "en"),
            &"phone",
            &"--home",
            &self.path(&format!("phone-{who}")),
            &"shell",
        ])
    }

    /// The witness's day; returns how many reports were saved.
    fn reports(&mut self, phone: &mut Process) -> Result<usize, Failure> {
        let late = 15 + self.chance.below(120);
        let from = 13 + self.chance.below(3);
        let length = 10 + self.chance.below(45);
        let mut lines = vec![
            "report 11".to_owned(),
            format!("report 10 --delay-minutes {late}"),
            format!(
                "report 21 --started 2024-07-28T{from}:05:00-04:00 --ended 2024-07-28T{from}:{:02}:00-04:00",
                5 + length
            ),
        ];
        // Which further thing is reported depends on the night.
        let more = [
            "report 20 --note 'La máquina no enciende'",
            "report 27 --note 'Un toldo frente a la puerta'",
            "report 43 --people 3",
            "report 90",
        ];
        lines.extend(
            more.get(self.chance.below(more.len() + 1))
                .map(|line| (*line).to_owned()),
        );
        for line in &lines {
            let saved = phone.ask(line)?;
            let code = line.trim_start_matches("report ");
            self.say(
                format!(
                    "El testigo anota {code}: guardado, n.º {}",
                    text(&saved, "/saved")
                ),
                format!(
                    "The witness reports {code}: saved, no. {}",
                    text(&saved, "/saved")
                ),
            );
        }
        Ok(lines.len())
    }

    fn photograph(
        &mut self,
        qr: &str,
        pack: &ElectionPack,
        name: &str,
    ) -> Result<PathBuf, Failure> {
        let sheet = Sheet::printed(qr, pack).ok_or_else(|| {
            Failure::said("No hay acta que dibujar.", "There is no sheet to draw.")
        })?;
        let damage = Damage::from_seed(self.seed.wrapping_mul(2) + u64::from(name == "sheet"));
        let bytes = sheet::photograph(&sheet.draw()?, &damage)?;
        let path = self.path(&format!("{name}.jpg"));
        std::fs::write(&path, &bytes).map_err(Failure::file(&path))?;
        self.say(
            format!("Un acta de un metro, fotografiada de noche: {damage}"),
            format!("A sheet as long as an arm, photographed at night: {damage}"),
        );
        Ok(path)
    }

    fn show_tally(&self, tally: &Value, expected: &mut Totals) {
        if tally.pointer("/tally/not_a_tally").is_some() {
            self.say(
                format!(
                    "La foto: {} Guardada como evidencia.",
                    text(tally, "/tally/not_a_tally")
                ),
                format!(
                    "The photograph: {} Saved as evidence.",
                    text(tally, "/tally/not_a_tally")
                ),
            );
            return;
        }
        let candidates = tally.pointer("/tally/candidates").and_then(Value::as_array);
        let mut votes = Vec::new();
        for candidate in candidates.into_iter().flatten() {
            let (code, count) = (text(candidate, "/code"), candidate.pointer("/votes"));
            let count = count.and_then(Value::as_u64).unwrap_or(0);
            votes.push(format!("{code} {count}"));
            *expected.entry(code).or_default() += count;
        }
        let table = text(tally, "/tally/table");
        self.say(
            format!(
                "El acta de la mesa {table} se lee al momento: {}",
                votes.join(", ")
            ),
            format!(
                "The sheet of table {table} is read at once: {}",
                votes.join(", ")
            ),
        );
    }

    fn deliver(&self, phone: &mut Process, count: usize) -> Result<(), Failure> {
        let sent = phone.ask("sync")?;
        let list = phone.ask("list")?;
        let first = list.as_array().and_then(|list| list.first());
        let receipt = first
            .map(|item| text(item, "/delivery"))
            .unwrap_or_default();
        self.say(
            format!(
                "Envío: {} entregados en {} petición(es), {} bytes; el último: {receipt}",
                text(&sent, "/delivered"),
                text(&sent, "/requests"),
                text(&sent, "/bytes_sent")
            ),
            format!(
                "Sync: {} delivered in {} request(s), {} bytes; the last one: {receipt}",
                text(&sent, "/delivered"),
                text(&sent, "/requests"),
                text(&sent, "/bytes_sent")
            ),
        );
        expect(
            sent.pointer("/delivered") == Some(&json!(count)),
            "No se entregó todo.",
            "Not everything was delivered.",
        )
    }

    fn send_again(&self, phone: &mut Process, count: usize) -> Result<(), Failure> {
        let before = (self.get("/v1/results")?, self.get("/v1/incidents")?);
        let second = phone.ask("sync")?;
        expect(
            second.pointer("/requests") == Some(&json!(0)),
            "El segundo envío mandó algo.",
            "The second sync sent something.",
        )?;
        let again = phone.ask("sync --all")?;
        let after = (self.get("/v1/results")?, self.get("/v1/incidents")?);
        expect(
            before == after && again.pointer("/confirmed") == Some(&json!(count)),
            "Los mismos sobres cambiaron algo.",
            "The same envelopes changed something.",
        )?;
        self.say(
            format!("Segundo envío: nada que mandar. Los mismos {count} sobres otra vez: los mismos recibos, nada cambia"),
            format!("A second sync: nothing to send. The same {count} envelopes again: the same receipts, nothing changes"),
        );
        Ok(())
    }

    /// Headquarters answers before its desk has opened what came; this waits for the desk.
    fn wait_for_desk(&self) -> Result<(), Failure> {
        for _ in 0..500 {
            if self.get("/v1/health")?.pointer("/unopened") == Some(&json!(0)) {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        expect(
            false,
            "La mesa de la central no abre lo recibido.",
            "Headquarters' desk does not open what came.",
        )
    }

    /// Reads from headquarters' API.
    fn get(&self, path: &str) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.url());
        let unread =
            |error: &dyn std::fmt::Display| Failure::said(error.to_string(), error.to_string());
        let body = runtime()?.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build()?;
            client
                .get(&url)
                .send()
                .await?
                .error_for_status()?
                .bytes()
                .await
        });
        let body = body.map_err(|error: reqwest::Error| unread(&error))?;
        serde_json::from_slice(&body).map_err(|error| unread(&error))
    }

    fn show_incidents(&self, incidents: &Value) {
        let list = incidents.pointer("/incidents").and_then(Value::as_array);
        let list: Vec<&Value> = list.into_iter().flatten().collect();
        self.say(
            format!("Incidencias en la central ({}):", list.len()),
            format!("Incidents at headquarters ({}):", list.len()),
        );
        for incident in list {
            let mut line = format!(
                "  {} {}  {}",
                text(incident, "/code"),
                text(incident, self.language.pick("/label/es", "/label/en")),
                text(incident, "/table")
            );
            if let Some(minutes) = incident.pointer("/delay_minutes").and_then(Value::as_u64) {
                line.push_str(&format!("  {minutes} min"));
            }
            for end in ["/started", "/ended"] {
                if let Some(time) = incident.pointer(end).and_then(Value::as_str) {
                    line.push_str(&format!("  {time}"));
                }
            }
            self.say(&line, &line);
        }
    }

    fn show_results(&self, results: &Value) -> Totals {
        self.say(
            format!(
                "Resultados en la central: {} de {} mesas",
                text(results, "/tables/reported"),
                text(results, "/tables/expected")
            ),
            format!(
                "Results at headquarters: {} of {} tables",
                text(results, "/tables/reported"),
                text(results, "/tables/expected")
            ),
        );
        let mut totals = Totals::new();
        let candidates = results.pointer("/candidates").and_then(Value::as_array);
        for candidate in candidates.into_iter().flatten() {
            let votes = candidate
                .pointer("/votes")
                .and_then(Value::as_u64)
                .unwrap_or(0);
            let line = format!("  {:<24} {votes:>6}", text(candidate, "/name"));
            self.say(&line, &line);
            totals.insert(text(candidate, "/code"), votes);
        }
        totals
    }
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

fn hex_root(hex: &str) -> Result<testigo_wire::RootId, Failure> {
    let fault = || {
        Failure::said(
            "La central no dio su raíz.",
            "Headquarters did not tell its root.",
        )
    };
    let bytes = u128::from_str_radix(hex, 16).map_err(|_| fault())?;
    Ok(testigo_wire::RootId(bytes.to_be_bytes()))
}
