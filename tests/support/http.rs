use super::LIMIT;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its head, in small letters.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// From the bytes of a connection that was closed behind it.
    pub fn parse(bytes: &[u8]) -> Self {
        let end = head_end(bytes).unwrap_or_else(|| {
            panic!("no HTTP answer: {:?}", String::from_utf8_lossy(bytes));
        });
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(!head.contains("transfer-encoding: chunked"), "{head}");
        Self {
            status,
            head,
            body: bytes[end..].to_vec(),
        }
    }

    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// It must be a problem document (RFC 9457) of this status.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert!(
            self.head.contains("content-type: application/problem+json"),
            "{}",
            self.head
        );
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty())
        );
        problem
    }
}

/// Where a message's head ends and its body begins.
pub fn head_end(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}

/// Sends these bytes and reads until the other side closes.
pub fn request(address: SocketAddr, bytes: &[u8]) -> HttpAnswer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    HttpAnswer::parse(&answer)
}

/// A GET.
pub fn get(address: SocketAddr, path: &str) -> HttpAnswer {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    request(address, head.as_bytes())
}

/// A POST of a CBOR sequence to `/v1/envelopes`.
pub fn post(address: SocketAddr, body: &[u8]) -> HttpAnswer {
    let head = format!(
        "POST /v1/envelopes HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/cbor-seq\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    request(address, &[head.as_bytes(), body].concat())
}
