//! Headquarters on this same machine, for the demo and for a replay.

use crate::failure::Failure;
use crate::phone::runtime;
use serde::de::DeserializeOwned;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// A port of this machine on which nobody listens.
pub fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map_err(Failure::file(Path::new("127.0.0.1")))
}

/// Reads from headquarters' API. A process that calls it has installed a provider of cryptography.
pub fn get<T: DeserializeOwned>(address: SocketAddr, path: &str) -> Result<T, Failure> {
    let url = format!("http://{address}{path}");
    let body = runtime()?.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        client
            .get(&url)
            .send()
            .await?
            .error_for_status()?
            .bytes()
            .await
    });
    let body = body.map_err(|error: reqwest::Error| Failure::foreign(error))?;
    serde_json::from_slice(&body).map_err(Failure::foreign)
}
