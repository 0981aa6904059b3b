//! A bad link: passes TCP on, late, slowly, cut off, reset, or not at all. It knows nothing of what passes.
//!
//! Threads and the standard library alone, so that nothing of what it stands before is in it.

mod link;
mod pump;

pub use link::{Counts, Fault, Link};

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a connection to the other side may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Stands between, from when it is opened until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    over: AtomicBool,
}

struct State {
    target: SocketAddr,
    link: Link,
    counts: Counts,
    open: usize,
    chance: fastrand::Rng,
}

impl Proxy {
    /// Listens on an address, whose port the system chooses where it has 0, and leads to another one. Random
    /// faults follow the seed.
    ///
    /// # Errors
    /// Where the address cannot be listened on.
    pub fn open(listen: SocketAddr, target: SocketAddr, link: Link, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                target,
                link,
                counts: Counts::default(),
                open: 0,
                chance: fastrand::Rng::with_seed(seed),
            }),
            over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        let acceptor = std::thread::spawn(move || accepting.accept(&listener));
        Ok(Self {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections elsewhere.
    pub fn lead_to(&self, target: SocketAddr) {
        self.shared.state().target = target;
    }

    /// Treats new connections so.
    pub fn set(&self, link: Link) {
        self.shared.state().link = link;
    }

    /// How many connections have not ended yet.
    pub fn open_connections(&self) -> usize {
        self.shared.state().open
    }

    /// What has really happened so far; the bytes of a connection count when it has ended.
    pub fn counts(&self) -> Counts {
        self.shared.state().counts
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect_timeout(&self.address, CONNECT);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let shared = self.clone();
            std::thread::spawn(move || shared.pass(stream));
        }
    }

    fn pass(self: Arc<Self>, near: TcpStream) {
        let (target, link, fault) = {
            let mut state = self.state();
            let link = state.link.clone();
            let fault = link.fault(&mut state.chance);
            state.counts.connections += 1;
            state.open += 1;
            (state.target, link, fault)
        };
        match fault {
            Some(Fault::Refused) => {
                self.state().counts.add(Fault::Refused);
                pump::reset(near);
            }
            Some(Fault::BlackHole) => {
                self.state().counts.add(Fault::BlackHole);
                pump::swallow(near, &self.over);
            }
            fault => match TcpStream::connect_timeout(&target, CONNECT) {
                Ok(far) => {
                    let passed = pump::between(near, far, &link, fault);
                    let mut state = self.state();
                    state.counts.up += passed.up;
                    state.counts.down += passed.down;
                    state.counts.turns += passed.turns;
                    if let Some(fault) = passed.fault {
                        state.counts.add(fault);
                    }
                }
                Err(_) => {
                    self.state().counts.unreachable += 1;
                    pump::reset(near);
                }
            },
        }
        self.state().open -= 1;
    }
}
