//! The databases of earlier releases, kept as they were: each opens, shows what it held, and goes on.
//!
//! `tests/databases/schema-N` was made by the program whose newest migration was N: headquarters with what a
//! phone had sent, and the phone with what waits in its queue. From the third on the phone has a failed pass behind
//! it; in the fourth a part of what it sent is safe and has left it. (The third schemas of phone and headquarters
//! were never in one program: two programs made these. The fifth is the phone's alone, with headquarters' fourth. From the
//! sixth on the phone's keys lie under a key store.)
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use support::{contents, key_file, unwrapped};
use testigo_phone::sync::{Client, Selection, Step, SyncPass, SyncReport};
use testigo_phone::{DatabaseKey, Delivery, HostClock, HostKey, HostKeys, HostKeysFault, Phone};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

/// Schema, records delivered when it was kept, records and files in the queue.
const KEPT: [(&str, usize, u64, u64); 6] = [
    ("schema-1", 2, 1, 0),
    ("schema-2", 3, 2, 1),
    ("schema-3", 3, 2, 1),
    ("schema-4", 3, 2, 1),
    ("schema-5", 3, 2, 1),
    ("schema-6", 3, 2, 1),
];

/// The terminal phone's key store, read only: nonce (12 bytes), then ChaCha20-Poly1305 under the file of each key.
struct KeyFiles(PathBuf);

impl HostKeys for KeyFiles {
    fn wrap(&self, _: HostKey, _: &[u8]) -> Result<Vec<u8>, HostKeysFault> {
        Err(HostKeysFault::Unavailable)
    }

    fn unwrap(&self, key: HostKey, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, HostKeysFault> {
        let name = match key {
            HostKey::Store => "unsafe-key",
            HostKey::History => "unsafe-history-key",
        };
        let key = key_file(&self.0, name);
        Ok(Zeroizing::new(unwrapped(&key, wrapped, b"")))
    }

    fn destroy(&self, _: HostKey) -> Result<(), HostKeysFault> {
        Err(HostKeysFault::Unavailable)
    }
}

/// The kept phone, as a host of its time opens it.
fn phone(folder: &Path) -> Phone {
    let clock = Box::new(HostClock::new(0));
    if Phone::has_wrapped_key(folder) {
        return Phone::open_under(folder, Arc::new(KeyFiles(folder.to_owned())), clock).unwrap();
    }
    let key = DatabaseKey::from_bytes(key_file(folder, "unsafe-key"));
    Phone::open(folder, &key, clock).unwrap()
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in contents(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, bytes).unwrap();
    }
}

/// A sync whose requests go to this address: the kept keyset names another one.
async fn sync(phone: &mut Phone, hq: SocketAddr) -> SyncReport {
    let client = Client::new(Duration::from_secs(30), phone.pins()).unwrap();
    let mut pass = SyncPass::new(Selection::Queued);
    loop {
        match pass.step(phone).unwrap() {
            Step::Done(report) => return report,
            Step::Send(mut request) => {
                let (_, path) = request.url.split_once("://").unwrap();
                request.url = format!("http://{hq}{}", &path[path.find('/').unwrap()..]);
                pass.reply(phone, client.send(request).await).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn each_kept_phone_and_headquarters_open_and_go_on() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/databases");
    for (schema, delivered, queued, files) in KEPT {
        let folder = tempfile::tempdir().unwrap();
        copy(&kept.join(schema), folder.path());
        let (phone_folder, hq_folder) = (folder.path().join("phone"), folder.path().join("hq"));
        let (results, incidents) = testigo_hq::tables(&hq_folder).unwrap_or_else(|error| {
            panic!("{schema}: headquarters do not open: {error}");
        });
        let votes: u64 = results
            .candidates
            .iter()
            .map(|candidate| candidate.votes)
            .sum();
        assert_eq!(votes, 368, "{schema}");
        assert_eq!(incidents.incidents.len(), delivered - 1, "{schema}");

        let mut phone = phone(&phone_folder);
        let before = phone.history().unwrap();
        let is_delivered = |delivery: &Delivery| matches!(delivery, Delivery::Delivered { .. });
        assert_eq!(before.len(), delivered + queued as usize, "{schema}");
        let had = before
            .iter()
            .filter(|record| is_delivered(&record.delivery))
            .count();
        assert_eq!(had, delivered, "{schema}");

        let (ready, listening) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let data = hq_folder.clone();
        let serving = tokio::spawn(async move {
            let on_ready = |listening| ready.send(listening).unwrap();
            let anywhere = testigo_hq::Listen::at(([127, 0, 0, 1], 0).into());
            let shutdown = async { ended.await.unwrap() };
            testigo_hq::serve(&data, anywhere, on_ready, shutdown).await
        });
        let report = sync(&mut phone, listening.await.unwrap().address).await;
        assert_eq!(report.delivered, queued, "{schema}: {report:?}");
        assert_eq!(report.attachments_delivered, files, "{schema}: {report:?}");
        // They open all that has arrived before they end.
        end.send(()).unwrap();
        serving.await.unwrap().unwrap();
        let after = phone.history().unwrap();
        assert!(
            after.iter().all(|record| is_delivered(&record.delivery)),
            "{schema}"
        );
        let (_, incidents) = testigo_hq::tables(&hq_folder).unwrap();
        assert_eq!(
            incidents.incidents.len(),
            delivered - 1 + queued as usize,
            "{schema}"
        );
    }
}
