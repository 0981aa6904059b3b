//! Headquarters' own TLS, pinned by their keyset, and what stands in between; how much a watched network tells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use support::{Headquarters, HttpAnswer, LIMIT, Phone, SHEET, Stage, TABLE};
use tempfile::TempDir;
use testigo_phone::sync::{Client, Method, NetworkFault, Request};
use testigo_wire::padding::{REPLY_FLOOR, REQUEST_FLOOR};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    StreamOwned, crypto::ring,
};

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn phone_of(hq: &Headquarters, folder: &TempDir, name: &str) -> Phone {
    let image = folder.path().join(format!("{name}.png"));
    hq.invite(TABLE, &image);
    let phone = Phone::init(folder.path().join(name));
    phone.enrol(&image, &hq.public()).done();
    phone
}

/// The incidents that headquarters hold, without asking their server.
fn incidents(hq: &Headquarters) -> usize {
    let table = hq.run(&["table"]).json();
    table["incidents"]["incidents"].as_array().unwrap().len()
}

fn failure(report: &Value) -> (&str, &str) {
    let of = |field: &str| report["failure"][field].as_str().unwrap_or_default();
    (of("code"), of("sentence"))
}

#[test]
fn phones_deliver_under_the_current_and_the_next_pin_and_no_web_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let data = folder.path().join("hq");
    let mut hq = Headquarters::init(data.clone(), &format!("https://localhost:{port}"));
    assert_eq!(hq.keyset().pins.len(), 2);
    hq.serve(port);
    let phone = phone_of(&hq, &folder, "phone");
    phone.report("over TLS");
    phone.tally(SHEET);
    assert_eq!(phone.sync_all_well()["delivered"], 2);
    assert_eq!(incidents(&hq), 1);

    // Who speaks without TLS is not answered.
    let mut plain = TcpStream::connect(hq.address()).unwrap();
    plain.set_read_timeout(Some(LIMIT)).unwrap();
    plain
        .write_all(b"GET /v1/results HTTP/1.1\r\nHost: hq\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");

    // The key is lost or seized: the next one takes its place, and phones know it already.
    hq.kill();
    let keys = data.join("keys");
    std::fs::remove_file(keys.join("tls.key")).unwrap();
    hq.serve(port);
    phone.report("under the next key");
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    assert_eq!(incidents(&hq), 2);

    // A key that phones do not know is not served.
    hq.kill();
    let other = folder.path().join("other");
    Headquarters::init(other.clone(), "https://localhost:1");
    std::fs::remove_file(keys.join("tls-next.key")).unwrap();
    std::fs::copy(other.join("keys/tls.key"), keys.join("tls.key")).unwrap();
    let refused = hq.run(&["serve", "--listen", "127.0.0.1:0"]).exited(2);
    assert!(refused.err.contains("keys restore"), "{refused:?}");
    std::fs::write(keys.join("tls.key"), b"no key").unwrap();
    hq.run(&["serve", "--listen", "127.0.0.1:0"]).exited(2);
}

#[test]
fn headquarters_that_come_back_from_backups_have_the_keys_that_phones_know() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let mut hq = Headquarters::init(path("hq"), &format!("https://localhost:{port}"));
    hq.serve(port);
    let phone = phone_of(&hq, &folder, "phone");
    phone.report("before");
    phone.sync_all_well();
    let passphrase = "a passphrase of some length\n";
    hq.run_with_input(
        &["keys", "backup", "--out", &text("keys.backup")],
        passphrase,
    )
    .done();
    hq.run(&["backup", "--out", &text("copy")]).done();
    hq.kill();
    std::fs::remove_dir_all(path("hq")).unwrap();

    let restored = [
        "keys",
        "restore",
        &text("keys.backup"),
        "--to",
        &text("keys"),
    ];
    let named = hq.run_with_input(&restored, passphrase).done().json();
    let named: Vec<_> = (named["restored"].as_array().unwrap().iter())
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(named.contains(&"tls.key") && named.contains(&"tls-next.key"));
    hq.run(&["restore", "--from", &text("copy"), "--keys", &text("keys")])
        .done();
    hq.serve(port);
    phone.report("after");
    phone.sync_all_well();
    assert_eq!(incidents(&hq), 2);

    // Without them they do not come up in the open: phones would deliver nothing.
    hq.kill();
    for name in ["tls.key", "tls-next.key"] {
        std::fs::remove_file(path("hq").join("keys").join(name)).unwrap();
    }
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let refused = hq.run(&serve).exited(2);
    assert!(refused.err.contains("--proxy-speaks-tls"), "{refused:?}");
}

#[test]
fn a_keyset_that_the_server_could_not_serve_under_leaves_it_running() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let data = folder.path().join("hq");
    let mut hq = Headquarters::init(data.clone(), &format!("https://localhost:{port}"));
    hq.serve(port);
    let phone = phone_of(&hq, &folder, "phone");
    // A pin of no key that is here: whoever asks for it is told.
    let pin = "ab".repeat(32);
    let told = hq.run(&["rotate", "--pin", &pin]).done().json();
    assert_eq!(told["tls_elsewhere"], true, "{told}");
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(hq.lives());
    phone.report("all the same");
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    // Nor does a damaged one, put there by hand.
    std::fs::write(data.join("public/keyset.cose"), b"no keyset").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(hq.lives());
}

#[test]
fn the_next_tls_key_comes_into_use_while_phones_are_out() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut hq = Headquarters::init(
        folder.path().join("hq"),
        &format!("https://localhost:{port}"),
    );
    let before = hq.keyset().pins;
    hq.serve(port);
    let (near, far) = (
        phone_of(&hq, &folder, "near"),
        phone_of(&hq, &folder, "far"),
    );
    far.report("saved before");
    // The practice root lies beside the server: signed and installed at once, and taken up while it runs.
    let mut delivered = 0;
    let mut rotated_to = |version: u64| {
        hq.run(&["rotate", "--tls"]).done();
        let since = Instant::now();
        while near.run(&["status"]).done().json()["keyset"] != version {
            assert!(since.elapsed() < LIMIT, "the keyset is not taken up");
            near.report("under whatever key");
            // Whoever comes in the very moment of the change may be sent away, and sends again.
            near.sync();
            delivered += 1;
        }
        near.sync_all_well();
        hq.keyset().pins
    };
    let after = rotated_to(2);
    assert_eq!((after.len(), after[0]), (2, before[1]));
    assert!(!before.contains(&after[1]));
    assert_eq!(rotated_to(3)[0], after[1]);
    assert_eq!(incidents(&hq), delivered);
    // Who slept through two of them gets the keyset as a file.
    let slept = far.sync();
    assert_eq!(slept["failure"]["code"], "no-network", "{slept}");
    let file = hq.public().join("keyset.cose");
    far.run(&["keyset", file.to_str().unwrap()]).done();
    far.sync_all_well();
    assert_eq!(incidents(&hq), delivered + 1);
}

#[test]
fn behind_a_proxy_with_web_certificates_nothing_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hq");
    let endpoint = ["--endpoint", "https://hq.example.org", "--web-certificates"];
    let mut hq = Headquarters::init_with(data.clone(), &endpoint);
    assert!(hq.keyset().pins.is_empty());
    assert!(!data.join("keys/tls.key").exists());
    hq.serve(0);
    assert_eq!(hq.api("/v1/health")["status"], "ok");
}

/// Shows a certificate with a key that is not its own.
#[derive(Debug)]
struct Stolen(Arc<CertifiedKey>);

impl ResolvesServerCert for Stolen {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Somebody who has headquarters' certificate and not its key; answers every request that gets through.
fn thief(key_of_hq: &Path) -> u16 {
    let bytes = std::fs::read(key_of_hq).unwrap();
    let der = PrivatePkcs8KeyDer::from(bytes);
    let theirs = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate: CertificateDer<'static> = (CertificateParams::new(Vec::new()).unwrap())
        .self_signed(&theirs)
        .unwrap()
        .der()
        .clone();
    let own = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let own = PrivatePkcs8KeyDer::from(own.serialize_der());
    let own = ring::sign::any_supported_type(&own.into()).unwrap();
    let shown = CertifiedKey::new(vec![certificate], own);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Stolen(Arc::new(shown))));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut request = [0; 1024];
            // The phone hangs up within the handshake.
            assert!(!matches!(stream.read(&mut request), Ok(n) if n > 0));
        }
    });
    port
}

/// Answers a log-in page to whatever comes.
fn portal() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
            );
        }
    });
    port
}

#[test]
fn who_stands_in_between_gets_nothing_and_the_next_address_takes_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let (wrong, right) = (free_port(), free_port());
    let endpoints = [
        "--endpoint".to_owned(),
        format!("https://localhost:{wrong}"),
        "--endpoint".to_owned(),
        format!("https://localhost:{right}"),
    ];
    let mut hq = Headquarters::init_with(
        folder.path().join("hq"),
        &endpoints.each_ref().map(String::as_str),
    );
    let phone = phone_of(&hq, &folder, "phone");

    // Other headquarters with a key of their own, at the first address.
    let mut other = Headquarters::init(folder.path().join("other"), "https://localhost:1");
    other.serve(wrong);
    hq.serve(right);
    phone.report("a");
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    assert_eq!((incidents(&hq), incidents(&other)), (1, 0));

    // Somebody else at the right one, too: nothing is sent, and it counts against no record.
    hq.kill();
    let phone = phone_of(&hq, &folder, "second");
    other.kill();
    other.serve(right);
    phone.report("b");
    for (lang, words) in [
        ("en", "not headquarters"),
        ("es", "no es la central"),
        ("pt", "não é a central"),
    ] {
        let ended = phone.run_in(lang, &["sync"]).exited(1).json();
        let (code, sentence) = failure(&ended);
        assert_eq!(code, "no-network", "{ended}");
        assert!(sentence.contains(words), "{ended}");
        assert_eq!(ended["bytes_sent"], 0, "{ended}");
    }
    assert_eq!(phone.queued(), 1);
    other.kill();
    hq.serve(right);
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    assert_eq!(incidents(&hq), 2);
}

#[test]
fn a_stolen_certificate_or_a_log_in_page_before_the_right_address_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let right = free_port();
    let endpoint = format!("https://localhost:{right}");
    let data = folder.path().join("hq");
    // The thief's address is known once there is a key to steal: two keysets of one root would be the same.
    let first = free_port();
    let options = [
        "--endpoint",
        &format!("https://localhost:{first}"),
        "--endpoint",
        &endpoint,
    ];
    let mut hq = Headquarters::init_with(data.clone(), &options);
    hq.serve(right);
    for way in [thief(&data.join("keys/tls.key")), portal()] {
        let phone = phone_of(&hq, &folder, &format!("phone {way}"));
        phone.report("a");
        let leading = lead(first, way);
        assert_eq!(phone.sync_all_well()["delivered"], 1);
        leading();
    }
    assert_eq!(incidents(&hq), 2);
}

/// Passes what comes at one port on to another, until it is told to end.
fn lead(from: u16, to: u16) -> impl FnOnce() {
    let listener = TcpListener::bind(("127.0.0.1", from)).unwrap();
    let (end, ended) = channel::<()>();
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if ended.try_recv().is_ok() {
                return;
            }
            let mut inner = stream.unwrap();
            let mut outer = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let (mut up, mut down) = (inner.try_clone().unwrap(), outer.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut up, &mut down);
                let _ = down.shutdown(std::net::Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut outer, &mut inner);
                let _ = inner.shutdown(std::net::Shutdown::Write);
            });
        }
    });
    move || {
        end.send(()).unwrap();
        drop(TcpStream::connect(("127.0.0.1", from)));
        thread.join().unwrap();
    }
}

#[test]
fn handshakes_that_never_end_cost_each_other_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut hq = Headquarters::init(
        folder.path().join("hq"),
        &format!("https://localhost:{port}"),
    );
    hq.serve(port);
    let phone = phone_of(&hq, &folder, "phone");
    // More than headquarters take; half of them have begun a handshake.
    let slow: Vec<TcpStream> = (0..600)
        .map(|n| {
            let mut stream = TcpStream::connect(hq.address()).unwrap();
            if n % 2 == 0 {
                let _ = stream.write_all(&[0x16, 3, 1, 2, 0, 1]);
            }
            stream
        })
        .collect();
    phone.report("past them");
    assert_eq!(phone.sync_all_well()["delivered"], 1);
    drop(slow);
    // And with such ones open, they end as soon as they are asked to.
    let held = TcpStream::connect(hq.address()).unwrap();
    #[cfg(unix)]
    assert!(hq.ends_by_itself("-TERM"));
    drop(held);
}

#[test]
fn a_lone_ask_looks_like_a_lone_record_and_no_header_names_the_app() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let mut sizes = Vec::new();
    let mut sync = |phone: &Phone| {
        phone.sync_all_well();
        for exchange in stage.proxy.take_exchanges() {
            let reply = HttpAnswer::parse(&exchange.reply).body.len();
            sizes.push((exchange.request.len(), reply));
        }
    };
    // With its enrolment; alone; an ask alone, with something to hear and with nothing.
    phone.report("x");
    sync(&phone);
    phone.report(&"a long note, ".repeat(38));
    sync(&phone);
    stage.hq.held();
    sync(&phone);
    sync(&phone);
    assert!(sizes.len() >= 4, "{sizes:?}");
    let floors = (REQUEST_FLOOR, REPLY_FLOOR);
    assert!(sizes.iter().all(|pair| *pair == floors), "{sizes:?}");

    let file = stage.path("file.bin");
    std::fs::write(&file, [7; 100_000]).unwrap();
    phone.report_with("with a file", &file);
    phone.sync_all_well();
    let asked = stage.proxy.take_asked();
    assert!(asked.iter().any(|asked| asked.what.starts_with("PATCH ")));
    for asked in asked {
        let head = asked.head.to_ascii_lowercase();
        assert!(!head.contains("user-agent"), "{head}");
        for word in ["testigo", "rust", "reqwest", "hyper"] {
            assert!(!head.contains(word), "{word}: {head}");
        }
    }
}

/// A server under this key that says of each connection whether it took up an earlier session, answers one request and
/// hangs up.
fn server_that_tells(
    key: &KeyPair,
    shown: CertificateDer<'static>,
) -> (u16, Receiver<HandshakeKind>) {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![shown], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let _ = stream.read(&mut [0; 4096]).unwrap();
            tell.send(stream.conn.handshake_kind().unwrap()).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
            stream.write_all(answer).unwrap();
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (port, told)
}

#[test]
fn no_connection_of_a_phone_takes_up_the_session_of_another() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().der().clone();
    let (port, told) = server_that_tells(&key, certificate.clone());
    let pin = Sha256::digest(key.subject_public_key_info()).into();
    let client = Client::new(LIMIT, vec![pin]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for _ in 0..3 {
        let request = Request {
            method: Method::Get,
            url: format!("https://localhost:{port}/"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        let answer = runtime.block_on(client.send(request)).unwrap();
        assert_eq!(answer.body, b"hi");
        assert_eq!(told.recv().unwrap(), HandshakeKind::Full);
    }
    // The looking itself works: who does take sessions up is seen to.
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = Arc::new(config);
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(config.clone(), name).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        kinds.push(told.recv().unwrap());
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

/// A place at which nobody should call.
fn listening_for_nobody() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

fn was_called(listener: &TcpListener) -> bool {
    listener.accept().is_ok()
}

#[test]
fn each_request_is_asked_whether_its_address_is_safe() {
    let nobody = listening_for_nobody();
    let port = nobody.local_addr().unwrap().port();
    let client = Client::new(LIMIT, Vec::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // It leads to this very machine, but is no address that says so.
    for url in [
        format!("http://0.0.0.0:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
    ] {
        let request = Request {
            method: Method::Post,
            url,
            headers: Vec::new(),
            body: b"a record".to_vec(),
        };
        let sent = runtime.block_on(client.send(request));
        assert_eq!(sent.unwrap_err(), NetworkFault::UnsafeAddress);
    }
    assert!(!was_called(&nobody));
    TcpStream::connect(("0.0.0.0", port)).unwrap();
    let since = Instant::now();
    while !was_called(&nobody) {
        assert!(since.elapsed() < LIMIT, "the looking does not work");
    }
}

#[test]
fn a_phone_asks_no_proxy_that_its_surroundings_name() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    phone.report("straight");
    let nobody = listening_for_nobody();
    let proxy = format!("http://{}", nobody.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_testigo"));
    command.args([
        "--json",
        "phone",
        "--home",
        phone.home.to_str().unwrap(),
        "sync",
    ]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env(name, &proxy);
    }
    for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    let synced = command.output().unwrap();
    assert!(!was_called(&nobody));
    let report: Value = serde_json::from_slice(&synced.stdout).unwrap();
    assert_eq!(report["delivered"], 1, "{report}");
}
