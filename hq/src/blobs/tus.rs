use super::checksum::{ALGORITHMS, Checksum};
use super::partial::Partial;
use super::turns::Turn;
use super::{Blobs, UPLOAD_LIFE, UploadId};
use crate::problem::Problem;
use crate::store::{Begun, Upload};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use chrono::DateTime;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use http_body_util::{BodyExt, Limited};
use std::sync::Arc;
use std::time::Duration;
use testigo_wire::BlobRef;

const VERSION: &str = "1.0.0";
/// The body of a refused request is read for so long and so far: a client that is still sending would
/// otherwise lose the answer, and see a broken link.
const REFUSED: (Duration, usize) = (Duration::from_secs(5), 4 << 20);
/// The largest sealed attachment, in bytes: an hour of film.
const MAX_SIZE: u64 = 4 << 30;

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: &str = "upload-offset";
const UPLOAD_LENGTH: &str = "upload-length";
/// Headquarters' signed word that they hold the whole, in base 64.
const RECEIPT: HeaderName = HeaderName::from_static("testigo-blob-receipt");

/// The addresses of uploads.
pub(crate) fn router(blobs: Arc<Blobs>) -> Router {
    Router::new()
        .route("/v1/blobs", any(collection))
        .route("/v1/blobs/{id}", any(one))
        .with_state(blobs)
}

async fn collection(State(blobs): State<Arc<Blobs>>, request: Request) -> Response {
    let method = method(&request);
    dressed(match method {
        Method::OPTIONS => Ok(options()),
        Method::POST => match version(request.headers()) {
            Ok(()) => post(&blobs, request.headers()).await,
            Err(problem) => Err(problem),
        },
        _ => Err(Problem::METHOD),
    })
}

async fn one(
    State(blobs): State<Arc<Blobs>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let method = method(&request);
    let outcome = async {
        if method == Method::OPTIONS {
            return Ok(options());
        }
        version(request.headers())?;
        let id = UploadId::from_text(&id).ok_or(Problem::NOT_FOUND)?;
        match method {
            Method::HEAD => head(blobs, id).await,
            Method::PATCH => patch(blobs, id, request).await,
            _ => Err(Problem::METHOD),
        }
    };
    dressed(outcome.await)
}

/// What a client is told that cannot send PATCH or HEAD stands in a header.
fn method(request: &Request) -> Method {
    text(request.headers(), "x-http-method-override")
        .and_then(|name| name.to_ascii_uppercase().parse().ok())
        .unwrap_or_else(|| request.method().clone())
}

fn version(headers: &HeaderMap) -> Result<(), Problem> {
    match text(headers, RESUMABLE.as_str()) {
        Some(VERSION) => Ok(()),
        _ => Err(Problem::TUS_VERSION),
    }
}

/// What every answer has.
fn dressed(outcome: Result<Response, Problem>) -> Response {
    let mut response = outcome.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    headers.insert("tus-version", HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

fn options() -> Response {
    let headers = [
        ("tus-extension", "creation,checksum,expiration"),
        ("tus-checksum-algorithm", ALGORITHMS),
    ];
    let size = [("tus-max-size", MAX_SIZE.to_string())];
    (StatusCode::NO_CONTENT, headers, size).into_response()
}

async fn post(blobs: &Arc<Blobs>, headers: &HeaderMap) -> Result<Response, Problem> {
    let size = number(headers, UPLOAD_LENGTH).ok_or(Problem::UPLOAD_HEADERS)?;
    let (sha256, token) = metadata(text(headers, "upload-metadata").unwrap_or_default())
        .ok_or(Problem::UPLOAD_HEADERS)?;
    if size > MAX_SIZE {
        return Err(Problem::BLOB_TOO_LARGE);
    }
    let blob = BlobRef { sha256, size };
    let fresh = UploadId::random().map_err(|_| Problem::BLOBS)?;
    let now = blobs.clock.now().millis();
    let begun = blobs
        .work(move |blobs| {
            let room = blobs.room;
            let begun = blobs.sql(|store| store.begin_upload(fresh, &blob, &token, now, &room))?;
            match &begun {
                // Held already: it takes no room.
                Begun::Upload(_, upload) if upload.receipt.is_some() => {}
                Begun::Upload(id, _) => {
                    let there = std::fs::metadata(blobs.file(*id)).map_or(0, |found| found.len());
                    if !room.on_disk(&blobs.uploads, size.saturating_sub(there)) {
                        return Err(Problem::NO_ROOM);
                    }
                }
                _ => {}
            }
            Ok(begun)
        })
        .await?;
    let (id, upload) = match begun {
        Begun::Upload(id, upload) => (id, upload),
        Begun::NotNamed => return Err(Problem::NOT_NAMED),
        Begun::TooMany => return Err(Problem::TOO_MANY_UPLOADS),
        Begun::OverQuota => return Err(Problem::OVER_QUOTA),
    };
    let location = [(header::LOCATION, format!("/v1/blobs/{}", id.text()))];
    let mut response = (StatusCode::CREATED, location).into_response();
    state(&mut response, &upload, None, upload.receipt.as_deref());
    Ok(response)
}

async fn head(blobs: Arc<Blobs>, id: UploadId) -> Result<Response, Problem> {
    let upload = blobs.upload(id).await?;
    let (offset, receipt) = match &upload.receipt {
        Some(receipt) => (upload.blob.size, Some(receipt.clone())),
        None => {
            let turn = blobs.turns.wait(id).await.ok_or(Problem::LOCKED)?;
            // A client that hangs up must not stop the last step half-way.
            let task = tokio::spawn(async move { blobs.where_to_go_on(id, turn).await });
            task.await.unwrap_or(Err(Problem::BLOBS))?
        }
    };
    let mut response = StatusCode::OK.into_response();
    state(&mut response, &upload, Some(offset), receipt.as_deref());
    let length = HeaderValue::from(upload.blob.size);
    response.headers_mut().insert(UPLOAD_LENGTH, length);
    Ok(response)
}

async fn patch(blobs: Arc<Blobs>, id: UploadId, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let ready = async {
        let chunk = Chunk::announced(&head.headers)?;
        // Before the turn, so that nobody waits for what is not there.
        let upload = blobs.upload(id).await?;
        let turn = blobs.turns.wait(id).await.ok_or(Problem::LOCKED)?;
        Ok((chunk, upload, turn))
    };
    let (chunk, upload, turn) = match ready.await {
        Ok(ready) => ready,
        Err(problem) => return refused(problem, body).await,
    };
    // The connection's own task ends with the connection; what was received must still be put right.
    let task = tokio::spawn(async move { blobs.receive(id, turn, chunk, body).await });
    let (offset, receipt) = task.await.unwrap_or(Err(Problem::BLOBS))?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    state(&mut response, &upload, Some(offset), receipt.as_deref());
    Ok(response)
}

async fn refused<T>(problem: Problem, body: Body) -> Result<T, Problem> {
    let (time, bytes) = REFUSED;
    let mut body = Limited::new(body, bytes);
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // However it ends, the answer is the same.
    let _ = tokio::time::timeout(time, rest).await;
    Err(problem)
}

/// What the head of a PATCH says of its body.
pub(super) struct Chunk {
    pub(super) offset: u64,
    pub(super) declared: u64,
    pub(super) checksum: Option<Checksum>,
}

impl Chunk {
    fn announced(headers: &HeaderMap) -> Result<Self, Problem> {
        let media_type = text(headers, header::CONTENT_TYPE.as_str());
        if media_type != Some("application/offset+octet-stream") {
            return Err(Problem::OFFSET_STREAM);
        }
        Ok(Self {
            offset: number(headers, UPLOAD_OFFSET).ok_or(Problem::UPLOAD_HEADERS)?,
            declared: number(headers, header::CONTENT_LENGTH.as_str()).unwrap_or_default(),
            checksum: (text(headers, "upload-checksum").map(Checksum::parse)).transpose()?,
        })
    }
}

impl Blobs {
    /// How far an upload has come; and the receipt, where it has all its bytes.
    pub(super) async fn where_to_go_on(
        self: &Arc<Self>,
        id: UploadId,
        _turn: Turn,
    ) -> Result<(u64, Option<Vec<u8>>), Problem> {
        let upload = self.upload(id).await?;
        if let Some(receipt) = upload.receipt {
            return Ok((upload.blob.size, Some(receipt)));
        }
        let length = Partial::length(&self.file(id)).await;
        let length = length.map_err(|error| Problem::of_disk(&error))?;
        let receipt = match length < upload.blob.size {
            true => None,
            // Headquarters were stopped between the last byte and the receipt.
            false => Some(self.finish(id, upload.blob).await?),
        };
        Ok((length, receipt))
    }

    pub(super) async fn receive(
        self: &Arc<Self>,
        id: UploadId,
        turn: Turn,
        chunk: Chunk,
        body: Body,
    ) -> Result<(u64, Option<Vec<u8>>), Problem> {
        let ready = async {
            let upload = self.upload(id).await?;
            if upload.receipt.is_some() {
                return Ok((upload, None));
            }
            let partial = Partial::open(&self.file(id)).await;
            let partial = partial.map_err(|error| Problem::of_disk(&error))?;
            Ok((upload, Some(partial)))
        };
        let fits = ready.await.and_then(|(upload, partial)| {
            let size = upload.blob.size;
            let offset = partial.as_ref().map_or(size, Partial::offset);
            if chunk.offset != offset {
                Err(Problem::OFFSET)
            } else if chunk.declared > size.saturating_sub(offset) {
                Err(Problem::BEYOND)
            } else if !self.room.on_disk(&self.uploads, chunk.declared) {
                Err(Problem::NO_ROOM)
            } else {
                Ok((upload, partial))
            }
        });
        let (upload, partial) = match fits {
            Ok(fits) => fits,
            Err(problem) => {
                drop(turn);
                return refused(problem, body).await;
            }
        };
        let size = upload.blob.size;
        let Some(partial) = partial else {
            return Ok((size, upload.receipt));
        };
        let missing = size.saturating_sub(partial.offset());
        let length = partial
            .append(body, missing, chunk.checksum, &turn, self)
            .await?;
        let receipt = match length < size {
            true => None,
            false => Some(self.finish(id, upload.blob).await?),
        };
        Ok((length, receipt))
    }
}

/// What an answer says of an upload.
fn state(response: &mut Response, upload: &Upload, offset: Option<u64>, receipt: Option<&[u8]>) {
    let headers = response.headers_mut();
    if let Some(offset) = offset {
        headers.insert(UPLOAD_OFFSET, HeaderValue::from(offset));
    }
    match receipt.map(|receipt| HeaderValue::try_from(BASE64.encode(receipt))) {
        Some(Ok(receipt)) => {
            headers.insert(RECEIPT, receipt);
        }
        _ => {
            if let Some(Ok(expires)) = expires(upload).map(HeaderValue::try_from) {
                headers.insert("upload-expires", expires);
            }
        }
    }
}

/// As RFC 9110, section 5.6.7, writes a date.
fn expires(upload: &Upload) -> Option<String> {
    let end = DateTime::from_timestamp_millis(upload.created_at + UPLOAD_LIFE)?;
    Some(end.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

/// `sha256` and `token` of `Upload-Metadata`: pairs of a key and a value in base 64. Other keys, such as
/// a file's name, are not looked at and not kept.
fn metadata(header: &str) -> Option<([u8; 32], [u8; 16])> {
    let value = |wanted: &str| {
        let (_, value) = (header.split(','))
            .filter_map(|pair| pair.trim().split_once(' '))
            .find(|(key, _)| *key == wanted)?;
        let hex = BASE64.decode(value.trim().as_bytes()).ok()?;
        HEXLOWER_PERMISSIVE.decode(&hex).ok()
    };
    Some((
        value("sha256")?.try_into().ok()?,
        value("token")?.try_into().ok()?,
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn metadata_in_any_order_and_with_other_keys() {
        let pair = |key: &str, value: &str| format!("{key} {}", BASE64.encode(value.as_bytes()));
        let sha256 = pair("sha256", &"ab".repeat(32));
        let token = pair("token", &"CD".repeat(16));
        let both = Some(([0xab; 32], [0xcd; 16]));
        assert_eq!(metadata(&format!("{sha256},{token}")), both);
        let name = pair("filename", "a.jpg");
        assert_eq!(
            metadata(&format!("{token}, {name},is_confidential,{sha256}")),
            both
        );
        let short = pair("token", &"cd".repeat(15));
        for wrong in ["", "sha256", &sha256, &format!("{sha256},{short}")] {
            assert_eq!(metadata(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_upload_expires_on_a_day_that_http_can_read() {
        let upload = Upload {
            blob: BlobRef {
                sha256: [0; 32],
                size: 1,
            },
            created_at: 1_722_124_800_000,
            receipt: None,
        };
        assert_eq!(expires(&upload).unwrap(), "Sun, 11 Aug 2024 00:00:00 GMT");
    }
}
