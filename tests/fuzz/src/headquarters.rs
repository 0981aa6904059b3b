//! What headquarters are sent.

use axum::body::Body;
use axum::http::Request;
use std::cell::RefCell;
use std::sync::Arc;
use testigo_hq::{Certificates, PackSource, Server, SystemClock};
use tokio::runtime::Runtime;
use tower::ServiceExt;

struct Stage {
    server: Server,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.expect("a temporary folder");
        let data = folder.path().join("hq");
        let source = PackSource::venezuela_2024().expect("the pack that is built in");
        let endpoints = ["https://hq.example".to_owned()];
        testigo_hq::init(&data, &source, &endpoints, Certificates::Web).expect("headquarters");
        Self {
            server: Server::open(&data, Arc::new(SystemClock)).expect("headquarters"),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime"),
            _folder: folder,
        }
    }
}

thread_local! {
    static STAGE: RefCell<Stage> = RefCell::new(Stage::new());
}

/// A request: method, path and headers a line each, an empty line, the body.
pub fn http(bytes: &[u8]) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let method = lines.next().unwrap_or_default();
    let path = lines.next().unwrap_or_default();
    let mut building = Request::builder().method(method).uri(path);
    for line in lines {
        if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            building = building.header(&line[..colon], &line[colon + 1..]);
        }
    }
    let Ok(request) = building.body(Body::from(body.to_vec())) else {
        return;
    };
    STAGE.with_borrow_mut(|stage| {
        let router = stage.server.router();
        stage.runtime.block_on(async {
            let Ok(answer) = router.oneshot(request).await;
            assert_ne!(answer.status().as_u16(), 500, "{}", head.escape_ascii());
            let _ = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
        });
        stage.server.desk().pass().expect("the desk");
    });
}
