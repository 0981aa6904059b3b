//! Headquarters: the real program, in a process of its own.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testigo_bindings::{Phone, Rotation, Scanner};

/// Longer than anything takes, on any machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The table of the witness.
pub const TABLE: &str = "201301006.01";

/// The text of that table's sheet of 28 July 2024: 368 valid votes.
pub const SHEET: &str = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0";

/// A folder with a headquarters and phones in it, and the port that the phones send to.
pub struct Stage {
    folder: tempfile::TempDir,
    /// Holds the port while headquarters do not serve: whoever connects is never answered.
    silent: Option<TcpListener>,
    port: u16,
    /// The English words of its root, as its operator was told them.
    pub words: String,
    server: Option<Child>,
}

/// `cargo test --workspace` builds it beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = (tests.parent().unwrap().parent().unwrap())
        .join(format!("testigo{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it first: cargo build -p testigo");
    program
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Value {
    let ended = Command::new(program())
        .arg("--json")
        .args(arguments)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

impl Stage {
    /// A headquarters that does not serve yet.
    pub fn new() -> Self {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stage = Self {
            folder: tempfile::tempdir().unwrap(),
            port: silent.local_addr().unwrap().port(),
            silent: Some(silent),
            words: String::new(),
            server: None,
        };
        let endpoint = format!("http://127.0.0.1:{}", stage.port);
        let made = run(&[
            "--lang",
            "en",
            "hq",
            "--data",
            &stage.path("hq"),
            "init",
            "--endpoint",
            &endpoint,
        ]);
        stage.words = made["words"].as_str().unwrap().to_owned();
        stage
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The keyset and the election pack that headquarters hand out.
    pub fn public(&self) -> (Vec<u8>, Vec<u8>) {
        let read = |name| std::fs::read(self.path("hq/public") + "/" + name).unwrap();
        (read("keyset.cose"), read("pack.cose"))
    }

    /// The enrolment code of a new witness, read from its picture.
    pub fn code(&self) -> String {
        let picture = self.path("witness.png");
        // A code is never written over another.
        let _ = std::fs::remove_file(&picture);
        let data = self.path("hq");
        run(&[
            "hq", "--data", &data, "enrol", "--table", TABLE, "--out", &picture,
        ]);
        let (pixels, width, height) = grey(Path::new(&picture));
        let codes = Scanner::new()
            .scan(&pixels, width, height, width, Rotation::None)
            .unwrap();
        codes[0].text.clone().unwrap()
    }

    /// A new phone that has enrolled here.
    pub fn phone(&self, name: &str) -> Arc<Phone> {
        let phone = Phone::create(self.path(name), KEY.to_vec()).unwrap();
        self.enrol(&phone);
        Arc::new(phone)
    }

    /// Enrols a phone here.
    pub fn enrol(&self, phone: &Phone) {
        let (keyset, pack) = self.public();
        let enrolled = phone.enrol(self.code(), keyset, Some(pack)).unwrap();
        let election = "Venezuela, elección presidencial 2024";
        assert_eq!(enrolled.election.as_deref(), Some(election));
        assert_eq!(enrolled.table.as_deref(), Some(TABLE));
    }

    /// A phone's link to who never answers, once its request has begun.
    pub fn asked(&self) -> TcpStream {
        let (mut link, _) = self.silent.as_ref().unwrap().accept().unwrap();
        assert!(link.read(&mut [0; 1024]).unwrap() > 0);
        link
    }

    /// Takes the port from whoever holds it: from now on nobody answers there.
    pub fn shut(&mut self) {
        self.silent = None;
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Serves.
    pub fn serve(&mut self) {
        self.shut();
        let listen = format!("127.0.0.1:{}", self.port);
        let data = self.path("hq");
        let mut server = Command::new(program())
            .args([
                "--json", "hq", "--data", &data, "serve", "--listen", &listen,
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("listening"), "{line}");
        self.server = Some(server);
    }

    /// What headquarters hold, once everything that arrived has been opened.
    pub fn held(&self) -> Value {
        let since = Instant::now();
        loop {
            let held = run(&["hq", "--data", &self.path("hq"), "table"]);
            if held["results"]["unopened"] == 0 {
                return held;
            }
            assert!(since.elapsed() < LIMIT, "not opened: {held}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What headquarters' staff open of a file that arrived, by its number.
    pub fn opened(&self, id: &Value) -> Vec<u8> {
        let out = self.path(&format!("opened-{id}"));
        let data = self.path("hq");
        run(&[
            "hq",
            "--data",
            &data,
            "blob",
            &id.to_string(),
            "--out",
            &out,
        ]);
        std::fs::read(out).unwrap()
    }

    /// How many incidents headquarters hold.
    pub fn incidents(&self) -> usize {
        self.held()["incidents"]["incidents"]
            .as_array()
            .unwrap()
            .len()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shut();
    }
}

/// Waits until the phone breaks its link off: sooner than it would give up by itself, after 30 seconds.
pub fn await_end(mut link: TcpStream) {
    let limit = Duration::from_secs(25);
    link.set_read_timeout(Some(limit)).unwrap();
    link.read_to_end(&mut Vec::new()).unwrap();
}

/// The key of every phone here.
pub const KEY: [u8; 32] = [7; 32];

/// A picture's grey pixels, width and height.
pub fn grey(path: &Path) -> (Vec<u8>, u32, u32) {
    let picture = image::open(path).unwrap().into_luma8();
    let (width, height) = picture.dimensions();
    (picture.into_raw(), width, height)
}
