//! Headquarters on a simulated disk: the program's own code, without its threads for the network.

use crate::disk::Disk;
use crate::template::SimulatedClock;
use axum::body::Body;
use bytes::Bytes;
use http_body::Frame;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use testigo_hq::Server;
use testigo_phone::sync::{Method, Request, Response};
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The largest answer that a phone reads.
const MAX_REPLY: usize = 256 * 1024;

/// One headquarters.
pub struct Headquarters {
    /// Its disk.
    pub disk: Disk,
    /// Its clock.
    pub clock: SimulatedClock,
    /// Its folder.
    pub folder: PathBuf,
    server: Option<Server>,
    runtime: Runtime,
}

impl Headquarters {
    /// The headquarters in this folder, not started.
    pub fn new(folder: &Path, clock: SimulatedClock) -> Self {
        Self {
            disk: Disk::mount(folder),
            clock,
            folder: folder.to_owned(),
            server: None,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime"),
        }
    }

    /// Starts the program; it may fail where the disk does.
    pub fn start(&mut self) -> Result<(), String> {
        let server = Server::open(&self.folder, Arc::new(self.clock.clone()));
        self.server = Some(server.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.server.is_some()
    }

    /// Ends the program.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.close();
        }
    }

    /// The desk opens what it finds.
    pub fn desk(&mut self) -> Result<usize, String> {
        match &mut self.server {
            Some(server) => server.desk().pass().map_err(|error| error.to_string()),
            None => Ok(0),
        }
    }

    /// Answers a request of whose body only so much arrives before the connection breaks. Whoever breaks it
    /// gets no answer. `None` where nobody answers.
    pub fn answer(&mut self, request: &Request, broken_at: Option<usize>) -> Option<Response> {
        let router = self.server.as_ref()?.router();
        let length = request.body.len();
        let body = match broken_at {
            None => Body::from(request.body.clone()),
            Some(n) => Body::new(Broken(Some(Bytes::copy_from_slice(&request.body[..n])))),
        };
        let mut building = axum::http::Request::builder()
            .method(match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Head => "HEAD",
                Method::Patch => "PATCH",
            })
            .uri(path(&request.url))
            .header("content-length", length);
        for (name, value) in &request.headers {
            building = building.header(*name, value);
        }
        let request = building.body(body).expect("a request of the phone's");
        self.runtime.block_on(async {
            let Ok(answer) = router.oneshot(request).await;
            let (head, body) = answer.into_parts();
            let text = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.trim().to_owned());
            let media_type = text("content-type").unwrap_or_default();
            let media_type = media_type.split(';').next().unwrap_or_default().trim();
            let response = Response {
                status: head.status.as_u16(),
                media_type: media_type.to_ascii_lowercase(),
                retry_after_s: text("retry-after").and_then(|text| text.parse().ok()),
                location: text("location"),
                upload_offset: text("upload-offset").and_then(|text| text.parse().ok()),
                blob_receipt: text("testigo-blob-receipt"),
                body: axum::body::to_bytes(body, MAX_REPLY).await.ok()?.to_vec(),
            };
            broken_at.is_none().then_some(response)
        })
    }
}

fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// A body that breaks off.
struct Broken(Option<Bytes>);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(std::io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
