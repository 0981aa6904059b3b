use super::tls::{self, WRONG_PIN};
use super::{Method, NetworkFault, Progress, Request, Response, Step, SyncPass, SyncReport};
use crate::{Phone, PhoneError};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use std::time::Duration;
use testigo_wire::is_safe_endpoint;

/// The largest reply that is read, in bytes.
const MAX_REPLY: usize = 256 * 1024;

/// The real network: HTTP over TLS 1.3.
///
/// It follows no redirect and sends no name of its own.
#[derive(Clone)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client with this long to wait for each answer, for one pass: the phone's [`pins`](Phone::pins) may change
    /// with its keyset. Without any it believes the web's roots.
    ///
    /// # Errors
    /// Where the platform's network or TLS cannot be set up.
    pub fn new(timeout: Duration, pins: Vec<[u8; 32]>) -> Result<Self, NetworkFault> {
        let tls = tls::config(pins).map_err(|_| NetworkFault::Tls)?;
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .timeout(timeout)
            .build()
            .map(Self)
            .map_err(|_| NetworkFault::Tls)
    }

    /// Makes a request and reads its bounded answer.
    ///
    /// # Errors
    /// [`NetworkFault`] where no answer came. Dropping the future breaks the link and nothing else.
    pub async fn send(&self, request: Request) -> Result<Response, NetworkFault> {
        if !is_safe_endpoint(&request.url) {
            return Err(NetworkFault::UnsafeAddress);
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Head => reqwest::Method::HEAD,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut building = self.0.request(method, request.url).body(request.body);
        for (name, value) in request.headers {
            building = building.header(name, value);
        }
        let mut answer = building.send().await.map_err(|error| fault(&error))?;
        let headers = answer.headers();
        let mut response = Response {
            status: answer.status().as_u16(),
            media_type: media_type(headers),
            retry_after_s: text(headers, RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()),
            location: text(headers, LOCATION.as_str()),
            upload_offset: text(headers, "upload-offset").and_then(|text| text.parse().ok()),
            blob_receipt: text(headers, "testigo-blob-receipt"),
            body: Vec::new(),
        };
        while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error))? {
            if response.body.len() + chunk.len() > MAX_REPLY {
                return Err(NetworkFault::Interrupted);
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

/// Delivers what the outbox holds, and tells `observe` after each step where it stands. Safe to stop at any
/// point and to run again. It holds the phone for the whole time; who wants to capture meanwhile drives a
/// [`SyncPass`] instead.
///
/// # Errors
/// Where the phone itself fails; what the network does is in the report.
pub async fn sync(
    phone: &mut Phone,
    client: &Client,
    mut pass: SyncPass,
    mut observe: impl FnMut(&Progress),
) -> Result<SyncReport, PhoneError> {
    loop {
        let step = pass.step(phone)?;
        observe(&pass.progress(phone)?);
        match step {
            Step::Done(report) => return Ok(report),
            Step::Send(request) => {
                let outcome = client.send(request).await;
                pass.reply(phone, outcome)?;
            }
        }
    }
}

fn fault(error: &reqwest::Error) -> NetworkFault {
    if error.is_timeout() {
        return NetworkFault::Timeout;
    }
    match tls_error(error) {
        Some(tls) if *tls == WRONG_PIN => NetworkFault::WrongPin,
        Some(_) => NetworkFault::Tls,
        None if error.is_connect() => NetworkFault::Unreachable,
        None => NetworkFault::Interrupted,
    }
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an input error holds is no source of it, and it may hold another one.
        let inside = error.downcast_ref().and_then(std::io::Error::get_ref);
        cause = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

fn media_type(headers: &HeaderMap) -> String {
    (headers.get(CONTENT_TYPE))
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned())
}
