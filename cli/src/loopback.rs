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

/// Headquarters' API at one address: one client for all looks at it.
pub struct Api {
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Api {
    /// A process that makes one has installed a provider of cryptography.
    pub fn at(address: SocketAddr) -> Result<Self, Failure> {
        // No connection is kept: by the next look another process may be there.
        let building = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0);
        Ok(Self {
            address,
            runtime: runtime()?,
            client: building.build().map_err(Failure::foreign)?,
        })
    }

    /// Reads what stands at this path.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let url = format!("http://{}{path}", self.address);
        let body = self.runtime.block_on(async {
            let answer = self.client.get(&url).send().await?.error_for_status()?;
            answer.bytes().await
        });
        let body = body.map_err(|error: reqwest::Error| Failure::foreign(error))?;
        serde_json::from_slice(&body).map_err(Failure::foreign)
    }
}
