use super::{Exchange, Headquarters, HttpAnswer, Phone, Proxy, run_with_input};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use testigo_wire::{Answer, Eid, Receipt, Reply};

/// What opens the root of [`Stage::with_offline_root`].
pub const PASSPHRASE: &str = "seis palabras al azar\n";

/// Headquarters that serve, and a proxy before them that phones use without knowing.
pub struct Stage {
    pub hq: Headquarters,
    pub proxy: Proxy,
    /// Last, so that it goes when nobody uses it any more.
    folder: TempDir,
}

impl Stage {
    /// All of it, on free ports.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::open();
        let mut hq = Headquarters::init(folder.path().join("hq"), &proxy.url());
        proxy.lead_to(hq.serve(0));
        Self { hq, proxy, folder }
    }

    /// The same under a root in a folder of its own, `root`, which signed the first keyset.
    pub fn with_offline_root() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let proxy = Proxy::open();
        let root = folder.path().join("root");
        let arguments = ["hq", "--data", root.to_str().unwrap(), "root", "new"];
        run_with_input(&arguments, PASSPHRASE.as_bytes()).done();
        let public = root.join("root.pub");
        let hq = Headquarters::init_for_root(folder.path().join("hq"), &proxy.url(), &public);
        let mut stage = Self { hq, proxy, folder };
        stage.sign_and_install("signed-1");
        stage
    }

    /// The root signs what headquarters ask for, into a new folder of this name.
    pub fn sign(&self, name: &str) -> PathBuf {
        let (root, out) = (self.path("root"), self.path(name));
        let request = self.hq.data().join("keyset-request.cbor");
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let arguments = [
            "hq".to_owned(),
            "--data".to_owned(),
            text(&root),
            "root".to_owned(),
            "sign".to_owned(),
            text(&request),
            "--out".to_owned(),
            text(&out),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run_with_input(&arguments, PASSPHRASE.as_bytes()).done();
        out
    }

    /// The same; headquarters take it in, and their server takes it up by itself.
    pub fn sign_and_install(&mut self, name: &str) -> PathBuf {
        let out = self.sign(name);
        let from = out.to_str().unwrap();
        self.hq.run(&["keyset", "install", from]).done();
        match self.hq.lives() {
            true => self.hq.takes_up_its_keyset(),
            false => self.serve_again(),
        }
        out
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An enrolled phone of a witness who is sent to this table.
    pub fn phone(&self, name: &str, table: &str) -> Phone {
        let image = self.path(&format!("{name}.png"));
        self.hq.invite(table, &image);
        let phone = Phone::init(self.path(name));
        phone.enrol(&image, &self.hq.public()).done();
        phone
    }

    /// Kills headquarters and starts them again.
    pub fn restart_hq(&mut self) {
        self.hq.kill();
        self.serve_again();
    }

    /// Starts headquarters again behind the proxy.
    pub fn serve_again(&mut self) {
        let address = self.hq.serve(0);
        self.proxy.lead_to(address);
    }

    /// Every thing that was sent in these exchanges must have been answered in them by a receipt that
    /// headquarters signed, and no thing by two different ones. Returns the number of things.
    pub fn verify_receipts(&self, exchanges: &[Exchange]) -> usize {
        let keyset = self.hq.keyset();
        let mut sent = BTreeSet::new();
        let mut receipts: BTreeMap<Eid, Vec<u8>> = BTreeMap::new();
        for exchange in exchanges {
            sent.extend(Exchange::things(&exchange.request));
            if exchange.reply.is_empty() {
                continue;
            }
            let reply = Reply::from_bytes(&HttpAnswer::parse(&exchange.reply).body).unwrap();
            for answer in reply.answers {
                let bytes = match answer {
                    Answer::Receipt(bytes) => bytes,
                    Answer::Notice { .. } => continue,
                    answer => panic!("{answer:?}"),
                };
                let receipt = Receipt::verify(&bytes, &keyset).unwrap();
                assert!(!receipt.code.is_refusal(), "{receipt:?}");
                let first = receipts.entry(receipt.eid).or_insert_with(|| bytes.clone());
                assert_eq!(*first, bytes, "two receipts for one envelope");
            }
        }
        let answered: BTreeSet<Eid> = receipts.into_keys().collect();
        assert_eq!(answered, sent);
        sent.len()
    }
}

/// Every file under a folder, with its bytes.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}
