//! Tells the server that its database is damaged, wherever that shows first.

use std::sync::Arc;
use testigo_sqlite::{Failure, classify};
use tokio::sync::Notify;

/// One bell for all threads of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alarm(Arc<Notify>);

impl Alarm {
    /// Rings where this error means damage, which no further attempt mends.
    pub(crate) fn heed(&self, error: &rusqlite::Error) {
        if classify(error) == Failure::Corrupt {
            self.0.notify_one();
        }
    }

    /// Waits until it rings, or has rung.
    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}
