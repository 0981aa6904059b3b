//! Takes connections, and ends them: nobody who sends half a request may hold up headquarters.

use axum::Router;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The most connections that are open at a time.
pub(crate) const MAX: usize = 512;
/// The longest that a TLS handshake or the head of a request may take, and that an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests under way may still take once the end is asked for.
pub(crate) const END_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it waits where the system gives no connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Marks a request that came from another machine.
#[derive(Clone, Copy)]
pub(crate) struct FromAfar;

/// A connection's place. Where all are taken, the one that has gone the longest without handing in a whole
/// request makes room for the next: slow clients cost each other, and nobody else.
pub(crate) struct Seat {
    /// Requests that are whole and wait for headquarters.
    working: AtomicUsize,
    /// Rises with every request that is whole.
    last: AtomicU64,
    count: Arc<AtomicU64>,
    leave: Notify,
}

/// A request that is whole, until it is answered.
pub(crate) struct Working(Arc<Seat>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Seat {
    /// Says that a request is whole.
    pub(crate) fn work(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::Relaxed);
        self.touch();
        Working(self.clone())
    }

    fn touch(&self) {
        let now = self.count.fetch_add(1, Ordering::Relaxed);
        self.last.store(now, Ordering::Relaxed);
    }
}

/// All places.
struct Seats {
    most: usize,
    taken: Mutex<BTreeMap<u64, Arc<Seat>>>,
    count: Arc<AtomicU64>,
}

impl Seats {
    fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::default(),
            count: Arc::default(),
        })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Seat>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place; `None` where each one waits for headquarters' own work.
    fn take(self: &Arc<Self>) -> Option<Sitting> {
        let mut taken = self.taken();
        if taken.len() >= self.most {
            let (id, slowest) = (taken.iter())
                .filter(|(_, seat)| seat.working.load(Ordering::Relaxed) == 0)
                .min_by_key(|(_, seat)| seat.last.load(Ordering::Relaxed))
                .map(|(id, seat)| (*id, seat.clone()))?;
            taken.remove(&id);
            slowest.leave.notify_one();
        }
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            working: AtomicUsize::new(0),
            last: AtomicU64::new(id),
            count: self.count.clone(),
            leave: Notify::new(),
        });
        taken.insert(id, seat.clone());
        Some(Sitting {
            seats: self.clone(),
            id,
            seat,
        })
    }
}

impl Seats {
    /// Sends away who has not handed in a whole request.
    fn dismiss(&self) {
        for seat in self.taken().values() {
            if seat.working.load(Ordering::Relaxed) == 0 {
                seat.leave.notify_one();
            }
        }
    }
}

/// A place that is taken, until the connection ends.
struct Sitting {
    seats: Arc<Seats>,
    id: u64,
    seat: Arc<Seat>,
}

impl Drop for Sitting {
    fn drop(&mut self) {
        self.seats.taken().remove(&self.id);
    }
}

/// Serves HTTP/1.1, within TLS where there is an acceptor, until `shutdown` ends, then finishes what is under way
/// and returns; other versions are a proxy's. `shutdown` says how long whoever has not handed in a whole request may still
/// take for it; what is whole is finished, within [`END_TIMEOUT`]. Every copy of `app` is gone when it returns. At most
/// `most` connections are open, those counted that have not come to an end with their TLS handshake.
///
/// Who connects is not asked but for one thing, whether it is this machine itself ([`FromAfar`]): nobody's address is
/// in a log or anywhere else.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = Duration>,
    most: usize,
    tls: Option<TlsAcceptor>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let seats = Seats::new(most);
    let graceful = GracefulShutdown::new();
    let (ending, _) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let patience = loop {
        let accepted = tokio::select! {
            patience = &mut shutdown => break patience,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                let afar = !peer.ip().to_canonical().is_loopback();
                let Some(sitting) = seats.take() else {
                    tracing::warn!("all connections wait for an answer; one more was closed");
                    continue;
                };
                let (app, seat) = (TowerToHyperService::new(app.clone()), sitting.seat.clone());
                let service = service_fn(move |mut request: Request<Incoming>| {
                    // A request without a body is whole; of others, who reads the body says so.
                    let whole = request.body().is_end_stream();
                    let working = whole.then(|| seat.work());
                    request.extensions_mut().insert(seat.clone());
                    if afar {
                        request.extensions_mut().insert(FromAfar);
                    }
                    let answer = app.call(request);
                    async move {
                        let answer = answer.await;
                        drop(working);
                        answer
                    }
                });
                let (http, watcher, tls) = (http.clone(), graceful.watcher(), tls.clone());
                let mut ended = ending.subscribe();
                connections.spawn(async move {
                    // A fault of one connection is its client's, who sends again.
                    let served = async {
                        let Some(tls) = tls else {
                            let connection = http.serve_connection(TokioIo::new(stream), service);
                            let _ = watcher.watch(connection).await;
                            return;
                        };
                        let shaking = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(stream));
                        let shaken = tokio::select! {
                            shaken = shaking => shaken,
                            _ = ended.wait_for(|ended| *ended) => return,
                        };
                        if let Ok(Ok(stream)) = shaken {
                            let connection = http.serve_connection(TokioIo::new(stream), service);
                            let _ = watcher.watch(connection).await;
                        }
                    };
                    tokio::select! {
                        () = served => {}
                        () = sitting.seat.leave.notified() => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    drop((listener, app));
    ending.send_replace(true);
    let finished = async {
        let mut finished = pin!(graceful.shutdown());
        if tokio::time::timeout(patience, &mut finished).await.is_err() {
            seats.dismiss();
            finished.await;
        }
    };
    if tokio::time::timeout(END_TIMEOUT, finished).await.is_err() {
        tracing::warn!(
            open = connections.len(),
            "connections were cut off at the end"
        );
    }
    connections.shutdown().await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
