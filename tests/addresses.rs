//! Nobody's network address stays at headquarters: not in what they log, however much that is, not in their
//! database, and in no file. In this process, whose log is all that any library says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{LIMIT, SHEET, Stage, TABLE, contents, desk_values, ingest_values};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

/// Peers' addresses, none of which headquarters' own files could hold by chance.
const PEERS: [[u8; 4]; 2] = [[127, 83, 97, 211], [127, 199, 61, 173]];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn connect(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// Sends these bytes from that address and reads what comes, for so long.
async fn send(from: [u8; 4], to: SocketAddr, bytes: &[u8], patience: Duration) -> Vec<u8> {
    let mut stream = connect(from, to).await;
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await;
    answer
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn written(address: [u8; 4]) -> String {
    let [a, b, c, d] = address;
    format!("{a}.{b}.{c}.{d}")
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Whether an address is written here.
fn holds_address(bytes: &[u8]) -> bool {
    PEERS
        .iter()
        .any(|peer| holds(bytes, written(*peer).as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_address_stays_at_headquarters() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .init();

    for tls in [false, true] {
        // A real request, recorded on its way to headquarters of the program.
        let mut stage = Stage::new();
        let phone = stage.phone("phone", TABLE);
        phone.report("a");
        phone.tally(SHEET);
        stage.proxy.set(support::Way::ReplyLost);
        phone.sync();
        let real = stage.proxy.take_exchanges().pop().unwrap().request;
        stage.hq.kill();
        let data = match tls {
            false => stage.path("hq"),
            true => {
                let endpoint = "https://localhost:1";
                support::Headquarters::init(stage.path("tls"), endpoint);
                stage.path("tls")
            }
        };

        let (ready, listening) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn({
            let data = data.clone();
            async move {
                let on_ready = |listening| ready.send(listening).unwrap();
                let anywhere = testigo_hq::Listen::at(([127, 0, 0, 1], 0).into());
                let shutdown = async { ended.await.unwrap() };
                testigo_hq::serve(&data, anywhere, on_ready, shutdown).await
            }
        });
        let address = listening.await.unwrap().address;
        let kind = "Content-Type: application/cbor-seq\r\n";
        let mut damaged = real.clone();
        damaged[300] ^= 1;
        let forwarded = post(
            "/v1/envelopes",
            &format!("{kind}Forwarded: for=x\r\n"),
            &real,
        );
        let whole = [
            post("/v1/envelopes", kind, &real),
            post("/v1/envelopes", kind, &damaged),
            post("/v1/envelopes", kind, b"\xff"),
            post("/v1/envelopes", "", &real),
            post(
                "/v1/blobs",
                "Tus-Resumable: 1.0.0\r\nUpload-Length: 9\r\n",
                b"",
            ),
            post("/nowhere", "", b""),
            b"GET /v1/results HTTP/1.1\r\nHost: hq\r\nConnection: close\r\n\r\n".to_vec(),
            b"no HTTP at all\r\n\r\n".to_vec(),
            [&b"\x16\x03\x01\x00\x30"[..], &[7; 48]].concat(),
        ];
        // Nobody waits for what never goes on: a request, and the beginning of a TLS handshake.
        let begun = [
            forwarded[..forwarded.len() / 2].to_vec(),
            b"\x16\x03\x01\x02\x00\x01".to_vec(),
        ];
        for from in PEERS {
            for request in &whole {
                let answer = send(from, address, request, LIMIT).await;
                let http = answer.starts_with(b"HTTP/1.1 ");
                assert!(!(tls && http), "{}", String::from_utf8_lossy(&answer));
            }
            for request in &begun {
                send(from, address, request, Duration::from_millis(100)).await;
            }
            // And one that is left alone.
            drop(connect(from, address).await);
        }
        if !tls {
            let answer = send(PEERS[0], address, &whole[0], LIMIT).await;
            assert!(answer.starts_with(b"HTTP/1.1 200"));
        }
        end.send(()).unwrap();
        serving.await.unwrap().unwrap();

        for (path, bytes) in contents(&data) {
            assert!(!holds_address(&bytes), "in {}", path.display());
        }
        let values = [ingest_values(&data), desk_values(&data)].concat();
        let least = if tls { 1 } else { 20 };
        assert!(values.len() >= least, "{}", values.len());
        for (_, value) in values {
            // Nor as a number.
            let number = PEERS
                .iter()
                .any(|peer| value.len() < 16 && holds(&value, peer));
            assert!(
                !number && !holds_address(&value),
                "in the database: {value:?}"
            );
        }
    }
    let log = log.0.lock().unwrap();
    let text = String::from_utf8_lossy(&log);
    // It does log, and everything.
    assert!(text.contains("headquarters serve"), "{text}");
    assert!(text.contains("envelopes"), "{text}");
    assert!(!holds_address(&log), "{text}");
}
