//! Who is told when the phone's state changes.

use crate::{HostError, StatusView};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// An app's ear for the phone's state.
#[uniffi::export(with_foreign)]
pub trait PhoneObserver: Send + Sync {
    /// The state after a change: called on whichever thread made the change, never on two threads at
    /// once, and always ending with the latest state (states in between may be left out). It may call
    /// the phone.
    ///
    /// # Errors
    /// One that fails is noted in the log, and called again at the next change.
    fn on_status(&self, status: StatusView) -> Result<(), HostError>;
}

/// An observer's place. It ends when it is stopped or let go.
#[derive(uniffi::Object)]
pub struct Observation {
    observers: Weak<Observers>,
    number: u64,
}

#[uniffi::export]
impl Observation {
    /// Ends it; one call that is under way may still come to its end. May be called twice.
    pub fn stop(&self) {
        let Some(observers) = self.observers.upgrade() else {
            return;
        };
        let gone = {
            let mut list = observers.list();
            let at = (list.entries.iter()).position(|(number, _)| *number == self.number);
            at.map(|at| list.entries.swap_remove(at))
        };
        // Letting go of a foreign object calls the foreign language: not under the lock.
        drop(gone);
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Default)]
pub(crate) struct Observers(Mutex<List>);

#[derive(Default)]
struct List {
    entries: Vec<(u64, Arc<dyn PhoneObserver>)>,
    last_number: u64,
    /// Something changed since the state was last read for the observers.
    changed: bool,
    /// A thread is telling them.
    telling: bool,
}

impl Observers {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(self: &Arc<Self>, observer: Arc<dyn PhoneObserver>) -> Arc<Observation> {
        let mut list = self.list();
        list.last_number += 1;
        let number = list.last_number;
        list.entries.push((number, observer));
        Arc::new(Observation {
            observers: Arc::downgrade(self),
            number,
        })
    }

    /// Tells them the state that `status` reads. Where another thread is telling them already, or
    /// this one from within a callback, that thread reads the state once more: so nobody is left with
    /// an old one.
    pub(crate) fn tell(&self, status: impl Fn() -> Option<StatusView>) {
        {
            let mut list = self.list();
            list.changed = true;
            if list.telling || list.entries.is_empty() {
                return;
            }
            list.telling = true;
        }
        while let Some(observers) = self.next_round() {
            let Some(status) = status() else { continue };
            for observer in observers {
                let told = catch_unwind(AssertUnwindSafe(|| observer.on_status(status.clone())));
                match told {
                    Ok(Ok(())) => {}
                    Ok(Err(HostError::Failed { .. })) => tracing::warn!("an observer failed"),
                    Err(_) => tracing::error!("an observer panicked"),
                }
            }
        }
    }

    fn next_round(&self) -> Option<Vec<Arc<dyn PhoneObserver>>> {
        let mut list = self.list();
        if !list.changed {
            list.telling = false;
            return None;
        }
        list.changed = false;
        Some((list.entries.iter().map(|(_, observer)| observer.clone())).collect())
    }
}
