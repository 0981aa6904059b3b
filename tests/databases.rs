//! The databases of earlier releases, kept as they were: each opens, shows what it held, and goes on.
//!
//! `tests/databases/schema-N` was made by the program whose newest migration was N: headquarters with what a
//! phone had sent, and the phone with what waits in its queue. From the third on the phone has a failed pass behind
//! it; in the fourth a part of what it sent is safe and has left it. (The third schemas of phone and headquarters
//! were never in one program: two programs made these. The fifth is the phone's alone, with headquarters' fourth. From the
//! sixth on the phone's keys lie under a key store. The seventh is the last in which headquarters have one database; beside
//! it lies a backup that its program made, without the phone's queue, and people have decided about its device.)
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
const KEPT: [(&str, usize, u64, u64); 7] = [
    ("schema-1", 2, 1, 0),
    ("schema-2", 3, 2, 1),
    ("schema-3", 3, 2, 1),
    ("schema-4", 3, 2, 1),
    ("schema-5", 3, 2, 1),
    ("schema-6", 3, 2, 1),
    ("schema-7", 3, 2, 1),
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

/// What the desk's tables hold that ingest's must not.
const READABLE: [&[u8]; 3] = [b"soldados", b"liceo", b"201301006.01"];

fn readable(values: &[(String, Vec<u8>)]) -> Vec<&[u8]> {
    (READABLE.into_iter())
        .filter(|needle| {
            (values.iter())
                .any(|(_, value)| value.windows(needle.len()).any(|part| part == *needle))
        })
        .collect()
}

/// The seventh's device, and what became of it.
fn decisions(hq: &Path) -> (String, Option<String>, Vec<String>) {
    let devices = testigo_hq::devices(hq).unwrap();
    let decisions = testigo_hq::decisions(hq).unwrap();
    (
        devices[0].device.clone(),
        devices[0].table.clone(),
        decisions
            .into_iter()
            .map(|decision| decision.what)
            .collect(),
    )
}

#[test]
fn the_desks_part_of_one_database_moves_out_and_leaves_nothing_behind() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/databases/schema-7");
    let folder = tempfile::tempdir().unwrap();
    copy(&kept.join("hq"), folder.path());
    let hq = folder.path();
    let before = support::ingest_values(hq);
    assert_eq!(readable(&before), READABLE, "the looking works");
    let numbers = |values: &[(String, Vec<u8>)]| -> Vec<Vec<u8>> {
        let of_notices = values.iter().filter(|(table, _)| table == "notice");
        of_notices.map(|(_, value)| value.clone()).collect()
    };

    let (results, incidents) = testigo_hq::tables(hq).unwrap();
    let votes: u64 = results.candidates.iter().map(|one| one.votes).sum();
    assert_eq!((votes, incidents.incidents.len()), (368, 2));
    let (_, table, decided) = decisions(hq);
    assert_eq!(table.as_deref(), Some("110601011.04"));
    assert_eq!(decided, ["revoke", "trust", "reassign"]);

    let after = support::ingest_values(hq);
    assert_eq!(readable(&after), [] as [&[u8]; 0]);
    assert_eq!(readable(&support::desk_values(hq)), READABLE);
    assert_eq!(numbers(&after), numbers(&before), "no notice is said anew");
    // Pages that were let go of are zeros (core/sqlite/src/pages.rs), once the log is gone.
    let log = fs::metadata(hq.join("hq.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0);
    assert!(!hq.join("desk.split").exists());
    // Ingest's key opens neither the desk's database nor what is kept of enrolment codes.
    let ingest_key = fs::read(hq.join("keys/database.key")).unwrap();
    assert_ne!(
        ingest_key,
        fs::read(hq.join("keys/database-desk.key")).unwrap()
    );
    let codes = fs::read(hq.join("capabilities")).unwrap();
    assert_ne!(codes, fs::read(kept.join("hq/capabilities")).unwrap());
}

#[test]
fn a_backup_of_before_there_were_two_databases_comes_back() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/databases/schema-7");
    let folder = tempfile::tempdir().unwrap();
    let (hq, back) = (folder.path().join("hq"), folder.path().join("back"));
    copy(&kept.join("hq"), &hq);
    let clock = testigo_hq::SystemClock;
    // It may also be confirmed still, and what is in it is safe.
    let confirmed = testigo_hq::confirm(&hq, &kept.join("backup"), &clock, |_| {}).unwrap();
    assert_eq!((confirmed.records, confirmed.safe), (3, 3));
    // With the keys of its time; or with those of now, among which is the desk's.
    for keys in [kept.join("hq/keys"), hq.join("keys")] {
        let restored = testigo_hq::restore(&kept.join("backup"), &keys, &back, |_| {}).unwrap();
        assert_eq!((restored.records, restored.blobs), (3, 1));
        assert_eq!(decisions(&back), decisions(&hq));
        let (results, incidents) = testigo_hq::tables(&back).unwrap();
        let votes: u64 = results.candidates.iter().map(|one| one.votes).sum();
        assert_eq!((votes, incidents.incidents.len()), (368, 2));
        assert_eq!(readable(&support::ingest_values(&back)), [] as [&[u8]; 0]);
        let key = |folder: &Path| fs::read(folder.join("keys/database-desk.key")).unwrap();
        assert_eq!(
            keys.join("database-desk.key").exists(),
            key(&back) == key(&hq)
        );
        fs::remove_dir_all(&back).unwrap();
    }
}
