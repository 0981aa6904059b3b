//! Real connections: slow ones and floods, and another phone's report that gets through meanwhile.

use super::*;
use crate::stage::{Stage, Witness};
use crate::store::Store;
use crate::{Server, SystemClock};
use std::net::SocketAddr;
use testigo_wire::{Answer, Capability, ElectionId, Enrolment, Reply, SigningKey, StoreId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A server on a free port, until it is dropped.
struct Serving {
    address: SocketAddr,
    _end: oneshot::Sender<()>,
    _server: Server,
}

async fn serving(stage: &Stage, most: usize) -> Serving {
    let server = Server::open(&stage.data, Arc::new(SystemClock)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let ended = async move {
        drop(ended.await);
        END_TIMEOUT
    };
    tokio::spawn(serve(listener, server.router(), ended, most, None));
    Serving {
        address,
        _end: end,
        _server: server,
    }
}

fn head(length: usize) -> String {
    format!(
        "POST /v1/envelopes HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nContent-Type: application/cbor-seq\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Posts; returns the status and the body.
async fn post(address: SocketAddr, items: Vec<Vec<u8>>) -> (u16, Vec<u8>) {
    let body = items.concat();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = [head(body.len()).into_bytes(), body].concat();
    stream.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    if status == 429 {
        assert!(
            text.to_ascii_lowercase().contains("retry-after: "),
            "{text}"
        );
    }
    (status, answer.split_off(end.unwrap() + 4))
}

fn receipts((status, body): (u16, Vec<u8>)) -> usize {
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let answers = Reply::from_bytes(&body).unwrap().answers;
    let receipts = answers.iter().filter(|a| matches!(a, Answer::Receipt(_)));
    receipts.count()
}

fn report(witness: &mut Witness) -> Vec<Vec<u8>> {
    vec![witness.enrolment(), witness.envelope()]
}

#[tokio::test]
async fn slow_clients_cost_each_other_and_nobody_else() {
    let stage = Stage::new();
    let mut witness = stage.witness();
    let serving = serving(&stage, 8).await;
    // Some stop within the head, some within the body; none of them ever goes on.
    let mut slow = Vec::new();
    for n in 0..40 {
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        let head = head(1000);
        let begun = match n % 2 {
            0 => &head.as_bytes()[..head.len() / 2],
            _ => head.as_bytes(),
        };
        stream.write_all(begun).await.unwrap();
        slow.push(stream);
        if n % 10 == 9 {
            let items = report(&mut witness);
            assert_eq!(receipts(post(serving.address, items).await), 2);
        }
    }
    // The oldest ones were closed to make room; the newest are let be.
    for stream in slow.iter_mut().take(30) {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
    let newest = slow.last_mut().unwrap();
    let mut byte = [0];
    assert!(newest.try_read(&mut byte).is_err(), "the newest was closed");
}

#[tokio::test]
async fn at_the_end_half_a_request_is_not_waited_for_and_a_whole_one_is_answered() {
    let (arrived, arrival) = oneshot::channel::<()>();
    let (release, released) = oneshot::channel::<()>();
    let waiting = Arc::new(Mutex::new(Some((arrived, released))));
    let answer = move || {
        let waiting = waiting.lock().unwrap().take();
        async move {
            let (arrived, released) = waiting.unwrap();
            arrived.send(()).unwrap();
            released.await.unwrap();
            "whole"
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async move {
        drop(ended.await);
        Duration::ZERO
    };
    let app = Router::new().route("/", axum::routing::get(answer));
    let serving = tokio::spawn(serve(listener, app, shutdown, 8, None));
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(&head(1000).as_bytes()[..20]).await.unwrap();
    let mut whole = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: hq\r\n\r\n";
    whole.write_all(request).await.unwrap();
    arrival.await.unwrap();
    drop(end);
    // It is closed while the other one is still under way.
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest).await;
    assert!(!serving.is_finished());
    release.send(()).unwrap();
    whole.read_to_end(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"whole"), "{}", rest.escape_ascii());
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_from_one_capability_is_told_to_wait_and_others_go_on() {
    let stage = Stage::new();
    let (mut flooder, mut witness) = (stage.witness(), stage.witness());
    let serving = serving(&stage, 200).await;
    let address = serving.address;
    assert_eq!(receipts(post(address, report(&mut flooder)).await), 2);

    // The disk is slow: another connection holds the database while the flood comes.
    let mut other = Store::open(&stage.hq.folder).unwrap();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (is_held, holds) = oneshot::channel();
    let holder = std::thread::spawn(move || {
        let writing = other.begin().unwrap();
        is_held.send(()).unwrap();
        let _ = held.recv();
        drop(writing);
    });
    holds.await.unwrap();
    let mut flood = JoinSet::new();
    for _ in 0..60 {
        flood.spawn(post(address, vec![flooder.envelope()]));
    }
    // A stranger's flood has a line of its own.
    for _ in 0..60 {
        let key = Capability::random().unwrap().signing_key().unwrap();
        let device = SigningKey::random().unwrap().verifying_key();
        let enrolment = Enrolment::new(ElectionId([1; 8]), device, StoreId([1; 16]));
        flood.spawn(post(address, vec![enrolment.sign(&key).unwrap()]));
    }
    // Of each at most eight are in the writer's hands and eight in line.
    let mut refused = 0;
    while refused < 2 * (60 - 16) {
        let (status, _) = flood.join_next().await.unwrap().unwrap();
        assert_eq!(status, 429);
        refused += 1;
    }
    let honest = tokio::spawn(post(address, report(&mut witness)));
    while !honest.is_finished() {
        // It gets through as soon as the disk does, whatever else waits.
        let _ = hold.send(());
        tokio::task::yield_now().await;
    }
    assert_eq!(receipts(honest.await.unwrap()), 2);
    while let Some(answer) = flood.join_next().await {
        let (status, _) = answer.unwrap();
        assert!([200, 429, 503].contains(&status), "{status}");
    }
    holder.join().unwrap();
}
