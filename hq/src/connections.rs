//! Takes connections, and ends them: nobody who sends half a request may hold up headquarters.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The longest that the head of a request may take, and that an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests under way may still take once the end is asked for.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it waits where the system gives no connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves HTTP/1.1 until `shutdown` ends, then finishes what is under way and returns; TLS and other
/// versions are a proxy's. Every copy of `app` is gone when it returns.
pub(crate) async fn serve(listener: TcpListener, app: Router, shutdown: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let service = TowerToHyperService::new(app.clone());
                let connection = http.serve_connection(TokioIo::new(stream), service);
                let watched = graceful.watch(connection);
                // A fault of one connection is its client's, who sends again.
                connections.spawn(async move { drop(watched.await) });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop((listener, app));
    if tokio::time::timeout(END_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            open = connections.len(),
            "connections were cut off at the end"
        );
    }
    connections.shutdown().await;
}
