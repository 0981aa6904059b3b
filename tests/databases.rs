//! The databases of earlier releases, kept as they were: each opens, shows what it held, and goes on.
//!
//! `tests/databases/schema-N` was made by the program whose newest migration was N: headquarters with what a
//! phone had sent, and the phone with one record more in its queue.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use axum::body::{Body, to_bytes};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use testigo_hq::{Server, SystemClock};
use testigo_phone::sync::{Method, Request, Response, Selection, Step, SyncPass, SyncReport};
use testigo_phone::{DatabaseKey, Delivery, HostClock, Phone};
use tower::ServiceExt;

/// Schema, records delivered when it was kept, records and files in the queue.
const KEPT: [(&str, usize, u64, u64); 2] = [("schema-1", 2, 1, 0), ("schema-2", 3, 2, 1)];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn answer(hq: &Server, request: Request) -> Response {
    let path = request.url.split_once("://").unwrap().1;
    let path = &path[path.find('/').unwrap()..];
    let mut building = axum::http::Request::builder()
        .method(match request.method {
            Method::Post => "POST",
            Method::Head => "HEAD",
            Method::Patch => "PATCH",
        })
        .uri(path)
        .header("content-length", request.body.len());
    for (name, value) in &request.headers {
        building = building.header(*name, value);
    }
    let request = building.body(Body::from(request.body)).unwrap();
    let (head, body) = hq.router().oneshot(request).await.unwrap().into_parts();
    let text = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    Response {
        status: head.status.as_u16(),
        media_type: text("content-type").unwrap_or_default(),
        location: text("location"),
        upload_offset: text("upload-offset").and_then(|text| text.parse().ok()),
        blob_receipt: text("testigo-blob-receipt"),
        body: to_bytes(body, 1 << 20).await.unwrap().to_vec(),
        ..Response::default()
    }
}

async fn sync(phone: &mut Phone, hq: &Server) -> SyncReport {
    let mut pass = SyncPass::new(Selection::Queued);
    loop {
        match pass.step(phone).unwrap() {
            Step::Done(report) => return report,
            Step::Send(request) => {
                let response = answer(hq, request).await;
                pass.reply(phone, Ok(response)).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn each_kept_phone_and_headquarters_open_and_go_on() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/databases");
    for (schema, delivered, queued, files) in KEPT {
        let folder = tempfile::tempdir().unwrap();
        copy(&kept.join(schema), folder.path());
        let (phone_folder, hq_folder) = (folder.path().join("phone"), folder.path().join("hq"));
        let (results, incidents) = testigo_hq::tables(&hq_folder).unwrap_or_else(|error| {
            panic!("{schema}: headquarters do not open: {error}");
        });
        let votes: u64 = results
            .candidates
            .iter()
            .map(|candidate| candidate.votes)
            .sum();
        assert_eq!(votes, 368, "{schema}");
        assert_eq!(incidents.incidents.len(), delivered - 1, "{schema}");

        let key: [u8; 32] = fs::read(phone_folder.join("unsafe-key"))
            .unwrap()
            .try_into()
            .unwrap();
        let key = DatabaseKey::from_bytes(key);
        let clock = || Box::new(HostClock::new(0));
        let mut phone = Phone::open(&phone_folder, &key, clock()).unwrap();
        let before = phone.history().unwrap();
        let is_delivered = |delivery: &Delivery| matches!(delivery, Delivery::Delivered { .. });
        assert_eq!(before.len(), delivered + queued as usize, "{schema}");
        let had = before
            .iter()
            .filter(|record| is_delivered(&record.delivery))
            .count();
        assert_eq!(had, delivered, "{schema}");

        let mut hq = Server::open(&hq_folder, Arc::new(SystemClock)).unwrap();
        let report = sync(&mut phone, &hq).await;
        assert_eq!(report.delivered, queued, "{schema}: {report:?}");
        assert_eq!(report.attachments_delivered, files, "{schema}: {report:?}");
        while hq.desk().pass().unwrap() > 0 {}
        tokio::task::spawn_blocking(move || hq.close())
            .await
            .unwrap();
        let after = phone.history().unwrap();
        assert!(
            after.iter().all(|record| is_delivered(&record.delivery)),
            "{schema}"
        );
        let (_, incidents) = testigo_hq::tables(&hq_folder).unwrap();
        assert_eq!(
            incidents.incidents.len(),
            delivered - 1 + queued as usize,
            "{schema}"
        );
    }
}
