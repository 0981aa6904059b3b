//! The signals that ask the program to end: Ctrl-C (SIGINT) and, on Unix, SIGTERM.

use crate::failure::Failure;
use std::path::Path;
use tokio::runtime::Runtime;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from the moment that it is made: no signal is lost before anyone waits.
pub struct Signals {
    runtime: Runtime,
    #[cfg(unix)]
    asked: [Signal; 2],
}

impl Signals {
    /// Takes the signals from the system, which otherwise would end the program where it stands.
    pub fn listen() -> Result<Self, Failure> {
        let fault = || Failure::file(Path::new("signals"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(fault())?;
        #[cfg(unix)]
        let asked = {
            let _here = runtime.enter();
            [
                signal(SignalKind::interrupt()).map_err(fault())?,
                signal(SignalKind::terminate()).map_err(fault())?,
            ]
        };
        Ok(Self {
            runtime,
            #[cfg(unix)]
            asked,
        })
    }

    /// Returns when one has come.
    #[cfg(unix)]
    pub fn wait(self) {
        let [mut interrupt, mut terminate] = self.asked;
        self.runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
    }

    /// Returns when one has come.
    #[cfg(not(unix))]
    pub fn wait(self) {
        let _ = self.runtime.block_on(tokio::signal::ctrl_c());
    }
}
