use super::UploadId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::time::timeout;

/// How long a request waits for another one that uses the same upload.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request at a time for each upload.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<UploadId, Arc<Seat>>>);

struct Seat {
    lock: Arc<tokio::sync::Mutex<()>>,
    waiting: watch::Sender<usize>,
}

/// The right to use an upload, until it is let go.
pub(super) struct Turn {
    turns: Arc<Turns>,
    id: UploadId,
    seat: Arc<Seat>,
    /// `None` once it is let go.
    held: Option<OwnedMutexGuard<()>>,
}

/// Counts a request that waits, in whatever way it ends.
struct Waiting<'a>(&'a Seat);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|n| *n = n.saturating_sub(1));
    }
}

impl Turns {
    /// Waits for the turn; `None` where the other request does not end.
    pub(super) async fn wait(self: &Arc<Self>, id: UploadId) -> Option<Turn> {
        let mut turn = self.seat(id);
        let lock = turn.seat.lock.clone();
        turn.held = lock.clone().try_lock_owned().ok();
        if turn.held.is_none() {
            turn.seat.waiting.send_modify(|n| *n += 1);
            let seat = turn.seat.clone();
            let _waiting = Waiting(&seat);
            turn.held = Some(timeout(PATIENCE, lock.lock_owned()).await.ok()?);
        }
        Some(turn)
    }

    /// The turn where nobody else has it.
    pub(super) fn at_once(self: &Arc<Self>, id: UploadId) -> Option<Turn> {
        let mut turn = self.seat(id);
        turn.held = Some(turn.seat.lock.clone().try_lock_owned().ok()?);
        Some(turn)
    }

    fn seat(self: &Arc<Self>, id: UploadId) -> Turn {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seat = seats.entry(id).or_insert_with(|| {
            Arc::new(Seat {
                lock: Arc::default(),
                waiting: watch::Sender::new(0),
            })
        });
        Turn {
            turns: self.clone(),
            id,
            seat: seat.clone(),
            held: None,
        }
    }
}

impl Turn {
    /// Ends once another request waits for this upload.
    pub(super) async fn wanted(&self) {
        // It can only end early where the sender is gone, and `self` holds it.
        let _ = self.seat.waiting.subscribe().wait_for(|n| *n > 0).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.held = None;
        let mut seats = (self.turns.0.lock()).unwrap_or_else(PoisonError::into_inner);
        // The table's and this one's: nobody else sits or waits here.
        if Arc::strong_count(&self.seat) == 2 {
            seats.remove(&self.id);
        }
    }
}
