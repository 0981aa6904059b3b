use super::http::head_end;
use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;
use testigo_wire::{Ask, Eid, cbor, padding};

/// The most connections at once; further ones are closed.
const MAX_CONNECTIONS: usize = 16;
/// The longest message that is passed on, in bytes.
const MAX_MESSAGE: usize = 2 << 20;
/// How long one read or write may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to a request and its reply. Positions are taken modulo the length at hand.
#[derive(Debug, Clone)]
pub enum Way {
    /// Both pass as they are.
    Clear,
    /// The request arrives whole, and the connection is cut before the reply.
    ReplyLost,
    /// The request arrives whole, and the connection is cut within the reply.
    ReplyCut {
        /// After this byte.
        at: u64,
    },
    /// The connection is cut within the request's body.
    RequestCut {
        /// After this byte of it.
        at: u64,
    },
    /// One bit of the request's body is changed.
    RequestBit {
        /// Which.
        at: u64,
    },
    /// One bit of the reply is changed, in its head or its body.
    ReplyBit {
        /// Which.
        at: u64,
    },
    /// Nothing is passed on: these bytes are the answer.
    Answer(Vec<u8>),
    /// The request's body stops after this byte, and nothing more happens until a side goes away.
    Stalls {
        /// After this byte of it.
        at: u64,
    },
    /// The request waits until another way is set.
    Held,
}

/// A request as the phone made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Such as `POST /v1/envelopes`.
    pub what: String,
    /// Its head.
    pub head: String,
    /// The length of its body.
    pub bytes: usize,
}

impl Asked {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        (self.head.lines())
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
}

/// What passed through.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The body as the phone sent it.
    pub request: Vec<u8>,
    /// The whole reply as headquarters gave it, before any damage; empty where there was none.
    pub reply: Vec<u8>,
}

impl Exchange {
    /// The identities of the things in a request's body.
    pub fn things(request: &[u8]) -> BTreeSet<Eid> {
        // An ask is answered by notices, or not at all.
        (Self::items(request).unwrap().iter())
            .filter(|item| Ask::parse(item).is_err())
            .map(|item| Eid::of(item))
            .collect()
    }

    /// What stands in a request's body, but for its padding; `None` where it is a file's chunk.
    pub fn items(request: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut items = Vec::new();
        let mut rest = request;
        while !rest.is_empty() {
            if let Some(behind) = padding::skip(rest).ok()? {
                rest = behind;
                continue;
            }
            let item;
            (item, rest) = cbor::first("item", rest, 1 << 20).ok()?;
            items.push(item.to_vec());
        }
        Some(items)
    }
}

struct State {
    target: SocketAddr,
    way: Way,
    /// How chunks of attachments are treated instead, after so many have passed.
    chunks: Option<(usize, Way)>,
    asked: Vec<Asked>,
    exchanges: Vec<Exchange>,
}

struct Shared {
    state: Mutex<State>,
    over: AtomicBool,
    connections: AtomicUsize,
    begun: AtomicUsize,
    stopped: AtomicUsize,
}

/// Stands between phones and headquarters on a port of its own. One request a connection.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Opens it; it leads nowhere until [`Proxy::lead_to`].
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                target: address,
                way: Way::Answer(Vec::new()),
                chunks: None,
                asked: Vec::new(),
                exchanges: Vec::new(),
            }),
            over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            stopped: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                if accepting.connections.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
                    accepting.connections.fetch_sub(1, Ordering::SeqCst);
                    continue;
                }
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || {
                    // Either side going away is what this proxy is for.
                    let _ = shared.serve(stream);
                    shared.connections.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    /// The address that phones use.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes on to this headquarters from now on.
    pub fn lead_to(&self, target: SocketAddr) {
        let mut state = self.shared.lock();
        state.target = target;
        state.way = Way::Clear;
    }

    /// Treats every request so from now on.
    pub fn set(&self, way: Way) {
        let mut state = self.shared.lock();
        state.way = way;
        state.chunks = None;
    }

    /// Treats chunks of attachments so, once this many more have passed; all other requests pass.
    pub fn set_for_chunks(&self, after: usize, way: Way) {
        let mut state = self.shared.lock();
        state.way = Way::Clear;
        state.chunks = Some((after, way));
    }

    /// Every request since this was last asked, in order.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.lock().asked)
    }

    /// Waits until a request is held or stalls that had not when `before` was asked.
    pub fn wait_until_stopped(&self, before: usize) {
        let since = std::time::Instant::now();
        while self.stopped() == before {
            assert!(since.elapsed() < super::LIMIT, "no request stops");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How many requests were held or have stalled, ever.
    pub fn stopped(&self) -> usize {
        self.shared.stopped.load(Ordering::SeqCst)
    }

    /// What has passed since this was last asked.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.shared.lock().exchanges)
    }

    /// How many requests have begun to be passed on, ever.
    pub fn begun(&self) -> usize {
        self.shared.begun.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn serve(&self, mut phone: TcpStream) -> Result<(), Error> {
        phone.set_read_timeout(Some(PATIENCE))?;
        phone.set_write_timeout(Some(PATIENCE))?;
        let (head, mut body) = read_request(&mut phone)?;
        let mut way = {
            let mut state = self.lock();
            let asked = asked(&head, body.len());
            let chunk = asked.what.starts_with("PATCH ");
            state.asked.push(asked);
            match &mut state.chunks {
                Some((0, way)) if chunk => way.clone(),
                Some((after, _)) if chunk => {
                    *after -= 1;
                    Way::Clear
                }
                _ => state.way.clone(),
            }
        };
        if matches!(way, Way::Held) {
            self.stopped.fetch_add(1, Ordering::SeqCst);
            while matches!(self.lock().chunks, Some((_, Way::Held))) {
                std::thread::sleep(Duration::from_millis(2));
            }
            way = Way::Clear;
        }
        let target = self.lock().target;
        let original = body.clone();
        if let Way::Answer(answer) = &way {
            self.lock().exchanges.push(Exchange {
                request: original,
                reply: Vec::new(),
            });
            return phone.write_all(answer);
        }
        let mut sent = body.len();
        match way {
            Way::RequestBit { at } => flip(&mut body, at),
            Way::RequestCut { at } | Way::Stalls { at } => sent = (at % body.len() as u64) as usize,
            _ => {}
        }
        let mut hq = TcpStream::connect(target)?;
        hq.set_read_timeout(Some(PATIENCE))?;
        hq.set_write_timeout(Some(PATIENCE))?;
        self.begun.fetch_add(1, Ordering::SeqCst);
        hq.write_all(&[head.as_slice(), &body[..sent]].concat())?;
        if let Way::Stalls { .. } = way {
            self.stopped.fetch_add(1, Ordering::SeqCst);
            return until_one_goes(&mut phone, &mut hq);
        }
        let mut reply = Vec::new();
        if !matches!(way, Way::RequestCut { .. }) {
            hq.read_to_end(&mut reply)?;
        }
        self.lock().exchanges.push(Exchange {
            request: original,
            reply: reply.clone(),
        });
        match way {
            Way::ReplyLost | Way::RequestCut { .. } => return Ok(()),
            Way::ReplyCut { at } => reply.truncate((at % reply.len().max(1) as u64) as usize),
            Way::ReplyBit { at } => flip(&mut reply, at),
            _ => {}
        }
        phone.write_all(&reply)
    }
}

fn asked(head: &[u8], bytes: usize) -> Asked {
    let head = String::from_utf8_lossy(head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    let what = line.trim_end_matches(" HTTP/1.1").to_owned();
    Asked { what, head, bytes }
}

/// Returns once either side has closed its connection.
fn until_one_goes(phone: &mut TcpStream, hq: &mut TcpStream) -> Result<(), Error> {
    let since = std::time::Instant::now();
    while since.elapsed() < PATIENCE {
        for stream in [&mut *phone, &mut *hq] {
            stream.set_read_timeout(Some(Duration::from_millis(5)))?;
            match stream.read(&mut [0; 1024]) {
                Ok(0) => return Ok(()),
                Err(error)
                    if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(());
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn flip(bytes: &mut [u8], at: u64) {
    let bits = bytes.len() as u64 * 8;
    if bits > 0 {
        bytes[(at % bits / 8) as usize] ^= 1 << (at % 8);
    }
}

/// One request; its head is changed to ask for one reply only.
fn read_request(stream: &mut TcpStream) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    let mut whole = usize::MAX;
    let mut body_at = 0;
    while bytes.len() < whole {
        let n = stream.read(&mut chunk)?;
        bytes.extend_from_slice(&chunk[..n]);
        if n == 0 || bytes.len() > MAX_MESSAGE {
            return Err(ErrorKind::InvalidData.into());
        }
        if whole == usize::MAX
            && let Some(end) = head_end(&bytes)
        {
            body_at = end;
            whole = end + content_length(&bytes[..end]);
        }
    }
    let lines = String::from_utf8_lossy(&bytes[..body_at]).into_owned();
    let mut head: String = (lines.lines())
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("connection:"))
        .flat_map(|line| [line, "\r\n"])
        .collect();
    head.push_str("Connection: close\r\n\r\n");
    Ok((head.into_bytes(), bytes.split_off(body_at)))
}

fn content_length(head: &[u8]) -> usize {
    String::from_utf8_lossy(head)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}
