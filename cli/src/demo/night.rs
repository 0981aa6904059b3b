use super::sheets::{self, table_of};
use crate::args::DemoArgs;
use crate::child::{Crew, Process};
use crate::failure::Failure;
use crate::loopback::{self, Api};
use crate::outcome::{self, Outcome};
use crate::plain::plain;
use crate::sheet::{self, Chance, Damage, Sheet};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use testigo_wire::{Catalogue, Code, ElectionPack, Language};

/// Runs the night; exit status 1 where headquarters' totals are not the sheets'.
pub fn run(args: &DemoArgs, language: Language, as_json: bool) -> Result<Outcome, Failure> {
    // The client that reads headquarters' API finds its cryptography here; a second demo changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let photo = args.photo.as_deref().map(sheets::photo).transpose()?;
    let crew = Crew::new()?;
    let folder = tempfile::tempdir().map_err(Failure::file(Path::new("temp")))?;
    let address = loopback::free_address()?;
    let mut night = Night {
        language,
        as_json,
        dir: folder.path().to_owned(),
        chance: Chance::from_seed(args.seed),
        seed: args.seed,
        address,
        api: Api::at(address)?,
        crew,
    };
    night.go(photo.as_ref(), args.serve)
}

pub(super) struct Night {
    pub(super) language: Language,
    as_json: bool,
    dir: PathBuf,
    chance: Chance,
    seed: u64,
    address: SocketAddr,
    api: Api,
    crew: Crew,
}

pub(super) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

pub(super) fn expect(what: bool, es: &str, en: &str) -> Result<(), Failure> {
    if what {
        Ok(())
    } else {
        Err(Failure::said(es, en))
    }
}

pub(super) type Totals = BTreeMap<String, u64>;

impl Night {
    pub(super) fn say(&self, es: impl AsRef<str>, en: impl AsRef<str>) {
        let line = self.language.pick(es.as_ref(), en.as_ref());
        if self.as_json {
            outcome::complain(line);
        } else {
            outcome::say(&plain(line));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn start_hq(&self) -> Result<Process, Failure> {
        let mut hq = self.crew.start(&[
            &"hq",
            &"--data",
            &self.path("hq"),
            &"serve",
            &"--listen",
            &self.address.to_string(),
            &"--until-stdin-closes",
        ])?;
        hq.read()?;
        Ok(hq)
    }

    fn go(&mut self, own: Option<&sheets::Photo>, serve: bool) -> Result<Outcome, Failure> {
        let pack = self.open_headquarters()?;
        let hq = self.start_hq()?;
        self.say(
            format!("Central: proceso {} escucha en {}", hq.id(), self.url()),
            format!("HQ: process {} listens on {}", hq.id(), self.url()),
        );
        let own_table = own.and_then(|photo| photo.table.as_ref());
        let [first, second_sheet] = sheets::real(&mut self.chance, own_table);
        let first_table = own_table
            .filter(|table| pack.table(table).is_some())
            .map_or(table_of(first), |table| table.as_str());
        self.invite("witness", first_table)?;
        self.invite("second", table_of(second_sheet))?;
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
        let photo = match own {
            Some(photo) => {
                let file = photo.path.display();
                self.say(
                    format!("Su propia fotografía: {file}"),
                    format!("Your own photograph: {file}"),
                );
                photo.path.clone()
            }
            None => self.photograph(first, &pack, "sheet")?,
        };
        let tally = phone.ask(&format!("tally --photo {}", quoted(&photo)))?;
        let mut expected = Totals::new();
        self.show_tally(&tally, &pack, &mut expected);
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
        let photo = self.photograph(second_sheet, &pack, "second")?;
        let tally = second.ask(&format!("tally --photo {}", quoted(&photo)))?;
        self.show_tally(&tally, &pack, &mut expected);

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
        if serve {
            self.say(
                format!("Abra {}/ en un navegador; Ctrl-C termina", self.url()),
                format!("Open {}/ in a browser; Ctrl-C ends it", self.url()),
            );
            self.crew.wait_for_signal();
            hq.kill();
        }
        Ok(Outcome {
            lines: Vec::new(),
            json: json!({ "seed": self.seed, "votes": sum, "equal": equal }),
            clean: equal,
        })
    }

    fn open_headquarters(&self) -> Result<ElectionPack, Failure> {
        let made = self.crew.run(&[
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
        let keyset =
            testigo_wire::Keyset::verify(&bytes("keyset.cose")?, root).map_err(Failure::foreign)?;
        let pack =
            ElectionPack::verify(&bytes("pack.cose")?, &keyset.root).map_err(Failure::foreign)?;
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
        self.crew.run(&[
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
        self.crew.run(&[&"phone", &"--home", &home, &"init"])?;
        let enrolled = self.crew.run(&[
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
        self.crew.start(&[
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
        let hour = 13 + self.chance.below(3);
        let back = 15 + self.chance.below(45);
        let mut day = vec![
            (11, String::new(), String::new()),
            (
                10,
                format!("--delay-minutes {late}"),
                format!(", {late} min"),
            ),
            (
                21,
                format!(
                    "--started 2024-07-28T{hour}:05:00-04:00 --ended 2024-07-28T{hour}:{back}:00-04:00"
                ),
                format!(", {hour}:05 – {hour}:{back}"),
            ),
        ];
        // Which further thing is reported depends on the night.
        let more = [
            (20, "La máquina no enciende"),
            (27, "Un toldo frente a la puerta"),
            (43, "Se fue el técnico"),
        ];
        if let Some((code, note)) = more.get(self.chance.below(more.len() + 1)) {
            day.push((*code, format!("--note '{note}'"), format!(": «{note}»")));
        }
        for (code, arguments, detail) in &day {
            let saved = phone.ask(&format!("report {code} {arguments}"))?;
            let (label, number) = (
                Catalogue::built_in().label(Code(*code), self.language),
                text(&saved, "/saved"),
            );
            self.say(
                format!("El testigo anota «{code} {label}»{detail}: guardado, n.º {number}"),
                format!("The witness reports \"{code} {label}\"{detail}: saved, no. {number}"),
            );
        }
        Ok(day.len())
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
            format!(
                "Acta de práctica con las cifras reales de la mesa {}, fotografiada de noche: {}",
                table_of(qr),
                damage.sentence(Language::Es)
            ),
            format!(
                "A practice sheet with the real figures of table {}, photographed at night: {}",
                table_of(qr),
                damage.sentence(Language::En)
            ),
        );
        Ok(path)
    }

    fn send_again(&self, phone: &mut Process, count: usize) -> Result<(), Failure> {
        let before = (self.get("/v1/results")?, self.get("/v1/incidents")?);
        let second = phone.ask("sync")?;
        expect(
            // At most it asks what the desk has to say.
            second.pointer("/delivered") == Some(&json!(0))
                && second.pointer("/confirmed") == Some(&json!(0)),
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
        self.api.get(path)
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
