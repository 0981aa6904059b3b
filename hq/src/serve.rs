use crate::alarm::Alarm;
use crate::blobs::{self, Blobs};
use crate::connections::FromAfar;
use crate::courier::Courier;
use crate::desk::Desk;
use crate::init::Headquarters;
use crate::keys::Folder;
use crate::problem::Problem;
use crate::quota::Rates;
use crate::rotate::{Look, Watch};
use crate::store::{DeskStore, Identity, Pen, Reader, Store, is_sound};
use crate::writer::{Clerk, Writer};
use crate::{Clock, HqError, SystemClock, api, capabilities, connections, door, ingest, page, tls};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use testigo_sqlite::OpenError;
use testigo_wire::ElectionPack;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// The longest that a request may take, reading its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is looked whether a later keyset is installed.
const LOOK_FOR_KEYSET: Duration = Duration::from_secs(1);

/// How long a request that is not here whole may still take where headquarters take up another keyset.
const HALF_SENT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often headquarters are opened again under another keyset before they give up.
const OPEN_TRIES: u32 = 5;

/// What all requests share.
pub(crate) struct Shared {
    pub identity: Identity,
    pub keyset_version: u64,
    /// As the root signed it.
    pub keyset: Bytes,
    pub pack: ElectionPack,
    pub writer: Writer,
    /// Turns to verify signatures.
    pub verifying: Semaphore,
    reader: Mutex<Reader>,
    alarm: Alarm,
}

impl Shared {
    /// Reads from the database on a thread that may wait.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = self.clone();
        let result = tokio::task::spawn_blocking(move || {
            read(&shared.reader.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await;
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(%error, "the database could not be read");
                self.alarm.heed(&error);
                Err(Problem::of_store(&error))
            }
            Err(_) => Err(Problem::STORE),
        }
    }
}

/// Where headquarters listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// The address.
    pub address: SocketAddr,
    /// Whether they speak TLS there.
    pub tls: bool,
}

impl std::fmt::Display for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.address)
    }
}

/// Headquarters at work, without a network: whatever hands requests to [`Server::router`] is one, and
/// whoever calls [`Desk::pass`] is the one who opens what arrived.
pub struct Server {
    app: Router,
    blobs: Arc<Blobs>,
    desk: Desk,
    bell: Receiver<()>,
    writing: JoinHandle<()>,
    alarm: Alarm,
    keyset: Bytes,
    keyset_version: u64,
}

impl Server {
    /// Opens the headquarters in `data_dir`.
    ///
    /// # Errors
    /// [`HqError`] where the folder, its keys or its database cannot be used.
    pub fn open(data_dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, HqError> {
        Self::of(Headquarters::open(data_dir)?, clock)
    }

    fn of(mut headquarters: Headquarters, clock: Arc<dyn Clock>) -> Result<Self, HqError> {
        let receipt_key = headquarters.receipt_key()?;
        let seal_keys = headquarters.seal_keys()?;
        let desk_key = headquarters.desk_key()?;
        if desk_key.is_none() {
            tracing::warn!("made before desks had a key: phones get receipts, and no notices");
        }
        let mut desk_store = DeskStore::open(&headquarters.folder)?;
        // Opening may have begun a new run of the store.
        if let Some(identity) = headquarters.reader.identity()? {
            headquarters.identity = identity;
        }
        if headquarters.keyset.version > 1 {
            let pen = desk_key.as_ref().map(|key| Pen {
                key,
                pack: &headquarters.pack,
                now: clock.now(),
            });
            let renewed =
                (desk_store.ingest()).renew(&headquarters.keyset, &receipt_key, pen.as_ref())?;
            if renewed > 0 {
                tracing::warn!(renewed, "signed anew: the keys before are believed no more");
            }
        }
        if !headquarters.folder.capabilities().exists() {
            capabilities::append(&headquarters.folder, &desk_store.capabilities()?)?;
        }
        let writer_store = Store::open(&headquarters.folder)?;
        let blobs = Blobs::open(&headquarters, clock.clone(), blobs::Room::GENEROUS)?;
        let pack = headquarters.pack.clone();
        let courier = Courier::of(&headquarters, clock.clone())?;
        let keyset = &headquarters.keyset;
        let desk = Desk::new(
            desk_store,
            seal_keys,
            keyset,
            desk_key,
            pack,
            clock.clone(),
            courier,
        );
        let clerk = Clerk::new(headquarters.identity, receipt_key, clock, Rates::GENEROUS);
        let (wake, bell) = sync_channel(1);
        let alarm = Alarm::default();
        let (writer, writing) =
            Writer::start(writer_store, clerk, wake, alarm.clone()).map_err(HqError::Server)?;
        let keyset_version = headquarters.keyset.version;
        let keyset = Bytes::from(headquarters.signed_keyset);
        let app = router(Arc::new(Shared {
            identity: headquarters.identity,
            keyset_version,
            keyset: keyset.clone(),
            pack: headquarters.pack,
            writer,
            verifying: Semaphore::new(door::AT_ONCE),
            reader: Mutex::new(headquarters.reader),
            alarm: alarm.clone(),
        }))
        // Behind the time limit of other requests: an attachment takes as long as its link needs.
        .merge(blobs::router(blobs.clone()));
        Ok(Self {
            app,
            blobs,
            desk,
            bell,
            writing,
            alarm,
            keyset,
            keyset_version,
        })
    }

    /// Answers requests. Its copies must be gone before [`Server::close`].
    pub fn router(&self) -> Router {
        self.app.clone()
    }

    /// The desk.
    pub fn desk(&mut self) -> &mut Desk {
        &mut self.desk
    }

    /// Writes down what waits to be written and ends.
    pub fn close(self) {
        self.blobs.close();
        drop(self.app);
        // The router is gone, so the writer's queue closes. A panic there was reported as it happened.
        let _ = self.writing.join();
    }
}

/// How it ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Asked,
    Damaged,
    NewKeyset,
}

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address.
    pub address: SocketAddr,
    /// A proxy has the TLS keys that phones know, and speaks TLS; otherwise headquarters do where keys are pinned.
    pub proxy_speaks_tls: bool,
}

impl Listen {
    /// At this address, with no proxy before it.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            proxy_speaks_tls: false,
        }
    }
}

/// Serves the headquarters in `data_dir` until `shutdown` ends; then finishes what is under way, for ten seconds at
/// most, and writes down all that waits to be written. `on_ready` is called once with the address, whose port the
/// system chose where `listen` has 0. It speaks TLS 1.3 where the keyset pins keys, and plain HTTP otherwise, for this
/// machine and for a proxy. A later keyset that is installed meanwhile is taken up within a second or two.
///
/// # Errors
/// [`HqError`] where the folder, its keys, its database or the address cannot be used; also once the database turns
/// out to be damaged.
pub async fn serve(
    data_dir: &Path,
    listen: Listen,
    on_ready: impl FnOnce(Listening),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), HqError> {
    let fault = |source| HqError::Address {
        address: listen.address,
        source,
    };
    let open = || -> Result<_, HqError> {
        let headquarters = Headquarters::open(data_dir)?;
        let tls = match listen.proxy_speaks_tls {
            true => None,
            false => tls::acceptor(&headquarters)?,
        };
        Ok((Server::of(headquarters, Arc::new(SystemClock))?, tls))
    };
    let (mut server, mut tls) = open()?;
    let listener = TcpListener::bind(listen.address).await.map_err(fault)?;
    let listening = Listening {
        address: listener.local_addr().map_err(fault)?,
        tls: tls.is_some(),
    };
    let listener = listener.into_std().map_err(fault)?;
    let (asked, ask) = watch::channel(false);
    tokio::spawn(async move {
        shutdown.await;
        asked.send_replace(true);
    });
    tracing::info!(address = %listening.address, tls = listening.tls, "headquarters serve");
    on_ready(listening);
    loop {
        // The socket stays open all the while: whoever connects between two keysets waits a moment.
        let socket = listener.try_clone().and_then(TcpListener::from_std);
        let proxy = listen.proxy_speaks_tls;
        let ended = run(
            data_dir,
            server,
            socket.map_err(fault)?,
            tls,
            proxy,
            ask.clone(),
        )
        .await?;
        match ended {
            Ended::Asked => return Ok(()),
            Ended::Damaged => {
                let folder = Folder::new(data_dir);
                let look = folder
                    .load_database()
                    .map(|key| is_sound(&folder.database(), &key));
                return Err(HqError::Database {
                    path: match look {
                        Ok(Ok(true)) => folder.desk_database(),
                        _ => folder.database(),
                    },
                    source: OpenError::Corrupt,
                });
            }
            Ended::NewKeyset => tracing::info!("a later keyset is installed: it is taken up"),
        }
        let mut tries = 0;
        (server, tls) = loop {
            match open() {
                Ok(opened) => break opened,
                // What ended a moment ago may hold its files a moment longer.
                Err(error) if tries < OPEN_TRIES => {
                    tracing::warn!(%error, "headquarters could not be opened again yet");
                    tries += 1;
                    tokio::time::sleep(LOOK_FOR_KEYSET).await;
                }
                Err(error) => return Err(error),
            }
        };
    }
}

/// Serves under one keyset.
async fn run(
    data_dir: &Path,
    server: Server,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    proxy_speaks_tls: bool,
    mut ask: watch::Receiver<bool>,
) -> Result<Ended, HqError> {
    let Server {
        app,
        blobs,
        desk,
        bell,
        writing,
        alarm,
        keyset,
        keyset_version,
    } = server;
    let desk = desk.start(bell, alarm.clone())?;
    let collecting = tokio::spawn(blobs.clone().collect_hourly());
    let succeeded = succeeded(Watch::new(
        data_dir,
        keyset,
        keyset_version,
        proxy_speaks_tls,
    ));
    let mut ended = Ended::Asked;
    let shutdown = async {
        ended = tokio::select! {
            _ = ask.wait_for(|asked| *asked) => Ended::Asked,
            // Phones keep what they have: better told to come again than kept waiting by a store that fails.
            () = alarm.rung() => Ended::Damaged,
            () = succeeded => Ended::NewKeyset,
        };
        blobs.close();
        match ended {
            // Others wait to be served under the new keyset: whoever is slow sends again.
            Ended::NewKeyset => HALF_SENT_TIMEOUT,
            Ended::Asked | Ended::Damaged => connections::END_TIMEOUT,
        }
    };
    connections::serve(listener, app, shutdown, connections::MAX, tls).await;
    collecting.abort();
    // The router is gone, so the writer's queue closes, and behind it the desk's bell.
    let joined = tokio::task::spawn_blocking(move || writing.join().and_then(|()| desk.join()));
    match joined.await {
        Ok(Ok(())) => Ok(ended),
        _ => Err(HqError::Server(std::io::Error::other("a thread panicked"))),
    }
}

/// Ends once a later keyset is installed.
async fn succeeded(mut watch: Watch) {
    loop {
        tokio::time::sleep(LOOK_FOR_KEYSET).await;
        let looked = tokio::task::spawn_blocking(move || {
            let look = watch.look();
            (watch, look)
        });
        let Ok((back, look)) = looked.await else {
            return;
        };
        watch = back;
        match look {
            Look::Same => {}
            Look::Useless(why) => {
                tracing::warn!(%why, "the keyset that is installed is not taken up");
            }
            Look::Later => return,
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let console = Router::new()
        .route("/", get(page::get_page))
        .route("/v1/health", get(api::get_health))
        .route("/v1/results", get(api::get_results))
        .route("/v1/incidents", get(api::get_incidents))
        .route_layer(from_fn(staff_only));
    Router::new()
        .route("/v1/envelopes", post(ingest::post_envelopes))
        .route("/v1/keyset", get(api::get_keyset))
        .merge(console)
        .fallback(async || Problem::NOT_FOUND)
        .method_not_allowed_fallback(async || Problem::METHOD)
        .with_state(shared)
        .layer(from_fn(guard))
}

/// The address that phones reach must not publish the night: what staff see is for this machine alone.
async fn staff_only(request: Request, next: Next) -> Response {
    match is_from_here(&request) {
        true => next.run(request).await,
        false => Problem::NOT_FOUND.into_response(),
    }
}

/// Whether somebody at this machine asks: not another machine, not a proxy for one, and not a page from elsewhere that
/// gave this machine's address a name of its own.
fn is_from_here(request: &Request) -> bool {
    let of_a_proxy = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    let headers = request.headers();
    if request.extensions().get::<FromAfar>().is_some()
        || of_a_proxy.iter().any(|name| headers.contains_key(*name))
    {
        return false;
    }
    headers.get(header::HOST).is_none_or(|host| {
        let host = host.to_str().unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback())
    })
}

/// A time limit for every request, and headers for every answer.
async fn guard(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| Problem::TIMEOUT.into_response());
    let headers: [(HeaderName, &str); 4] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::stage::Stage;
    use axum::body::Body;
    use axum::http::StatusCode;
    use tower::ServiceExt;

    #[tokio::test]
    async fn what_staff_see_is_not_for_other_machines() {
        let stage = Stage::new();
        let server = Server::open(&stage.data, Arc::new(SystemClock)).unwrap();
        for (path, for_all) in [
            ("/v1/keyset", true),
            ("/", false),
            ("/v1/results", false),
            ("/v1/incidents", false),
            ("/v1/health", false),
        ] {
            for afar in [false, true] {
                let mut request = Request::get(path).body(Body::empty()).unwrap();
                if afar {
                    request.extensions_mut().insert(FromAfar);
                }
                let answer = server.router().oneshot(request).await.unwrap();
                let expected = match for_all || !afar {
                    true => StatusCode::OK,
                    false => StatusCode::NOT_FOUND,
                };
                assert_eq!(answer.status(), expected, "{path} {afar}");
            }
        }
        for (name, value, here) in [
            ("Host", "localhost:8470", true),
            ("Host", "127.0.0.1", true),
            ("Host", "[::1]:8470", true),
            ("Host", "hq.example.org", false),
            ("Host", "127.0.0.1.example.org:8470", false),
            ("X-Forwarded-For", "192.0.2.1", false),
            ("Forwarded", "for=192.0.2.1", false),
            ("Via", "1.1 proxy", false),
        ] {
            let request = Request::get("/v1/results").header(name, value);
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(is_from_here(&request), here, "{name}: {value}");
        }
    }
}
