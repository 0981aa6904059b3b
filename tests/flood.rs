//! More slow connections than headquarters take, and another phone's report that gets through meanwhile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::io::Write;
use std::net::TcpStream;
use support::{Stage, TABLE};

#[test]
fn reports_get_through_while_more_slow_clients_come_than_there_are_connections() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let file = stage.path("file.bin");
    std::fs::write(&file, vec![7; 50_000]).unwrap();
    let address = stage.hq.address();
    let mut slow = Vec::new();
    for round in 0..3 {
        for n in 0..250 {
            let mut stream = TcpStream::connect(address).unwrap();
            let begun = match n % 3 {
                0 => "",
                1 => "GET / HTT",
                _ => {
                    "POST /v1/envelopes HTTP/1.1\r\nHost: hq\r\nContent-Type: application/cbor-seq\r\nContent-Length: 1000\r\n\r\n\u{1}"
                }
            };
            // One that has been closed meanwhile is as good.
            let _ = stream.write_all(begun.as_bytes());
            slow.push(stream);
        }
        let note = format!("round {round}");
        let file = file.to_str().unwrap();
        phone
            .run(&["report", "99", "--note", &note, "--attach", file])
            .done();
        let sent = phone.sync_all_well();
        assert_eq!(
            (&sent["delivered"], &sent["attachments_delivered"]),
            (&1.into(), &1.into()),
            "{sent}"
        );
    }
    assert_eq!(slow.len(), 750);
    assert_eq!(stage.hq.held().notes(), ["round 0", "round 1", "round 2"]);
}
