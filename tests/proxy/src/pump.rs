//! Bytes from one side to the other.

use crate::{Fault, Link};
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// The most bytes at a time.
const PART: usize = 4096;
/// How often it looks whether all is over.
const LOOK: Duration = Duration::from_millis(50);

/// Ends a connection with a reset (RST), as a box on the way does.
pub fn reset(stream: TcpStream) {
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

/// Reads whatever comes and answers nothing, until the other side or everything ends.
pub fn swallow(mut stream: TcpStream, over: &AtomicBool) {
    let _ = stream.set_read_timeout(Some(LOOK));
    let mut part = [0; PART];
    while !over.load(Ordering::SeqCst) {
        match stream.read(&mut part) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

/// What passed over a connection, once it has ended.
pub struct Passed {
    /// Bytes from the near side to the far side.
    pub up: u64,
    /// Bytes from the far side to the near side.
    pub down: u64,
    /// How often the near side began to speak.
    pub turns: u64,
    /// The fault that happened.
    pub fault: Option<Fault>,
}

/// Who spoke last: nobody, or one of the two directions.
const NOBODY: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

/// Passes bytes both ways until both ends have ended, or a fault ends it.
pub fn between(near: TcpStream, far: TcpStream, link: &Link, fault: Option<Fault>) -> Passed {
    // The system answered the near side at once; on a real link that takes a round trip.
    let opened = Instant::now() + 2 * link.latency;
    let left = AtomicU64::new(match fault {
        Some(Fault::Cut(bytes) | Fault::Reset(bytes)) => bytes,
        _ => u64::MAX,
    });
    let struck = AtomicBool::new(false);
    let (up, down) = (AtomicU64::new(0), AtomicU64::new(0));
    let (spoke, turns) = (AtomicU8::new(NOBODY), AtomicU64::new(0));
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let strike = || {
        if !struck.swap(true, Ordering::SeqCst) {
            for stream in [&near, &far] {
                if matches!(fault, Some(Fault::Reset(_))) {
                    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
                } else {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for (from, to, passed, side) in [(&near, &far, &up, UP), (&far, &near, &down, DOWN)] {
            let (sender, parts) = channel();
            let (struck, left, strike) = (&struck, &left, &strike);
            let (spoke, turns) = (&spoke, &turns);
            let speaks = move || {
                if spoke.swap(side, Ordering::SeqCst) != side && side == UP {
                    turns.fetch_add(1, Ordering::SeqCst);
                }
            };
            scope.spawn(move || read(from, link, opened, &sender, struck, &speaks));
            scope.spawn(move || write(to, link, &parts, passed, left, strike));
        }
    });
    let fault = fault.filter(|_| struck.load(Ordering::SeqCst));
    if matches!(fault, Some(Fault::Reset(_))) {
        reset(near);
        reset(far);
    }
    Passed {
        up: up.into_inner(),
        down: down.into_inner(),
        turns: turns.into_inner(),
        fault,
    }
}

fn read(
    mut from: &TcpStream,
    link: &Link,
    opened: Instant,
    parts: &Sender<(Instant, Vec<u8>)>,
    struck: &AtomicBool,
    speaks: &dyn Fn(),
) {
    let _ = from.set_read_timeout(Some(LOOK));
    let mut part = [0; PART];
    while !struck.load(Ordering::SeqCst) {
        match from.read(&mut part) {
            Ok(0) => break,
            Ok(n) => {
                speaks();
                let bytes = part.get(..n).unwrap_or_default().to_vec();
                let due = Instant::now().max(opened) + link.latency;
                if parts.send((due, bytes)).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
}

fn write(
    mut to: &TcpStream,
    link: &Link,
    parts: &Receiver<(Instant, Vec<u8>)>,
    passed: &AtomicU64,
    left: &AtomicU64,
    strike: &dyn Fn(),
) {
    // When the link is free again: a byte leaves behind the one before it, even where this thread is late.
    let mut free = Instant::now();
    for (due, bytes) in parts {
        let now = Instant::now();
        let start = due.max(free);
        let takes = (bytes.len() as u64 * 8_000_000_000).checked_div(link.rate);
        free = start + Duration::from_nanos(takes.unwrap_or(0));
        std::thread::sleep(free.saturating_duration_since(now));
        let room = left.load(Ordering::SeqCst);
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        left.fetch_sub(fits as u64, Ordering::SeqCst);
        let written = to.write_all(bytes.get(..fits).unwrap_or_default());
        if written.is_err() {
            break;
        }
        passed.fetch_add(fits as u64, Ordering::SeqCst);
        if fits < bytes.len() || left.load(Ordering::SeqCst) == 0 {
            strike();
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
