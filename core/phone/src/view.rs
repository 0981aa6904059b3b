use testigo_tally::{NotATally, Tally};
use testigo_wire::{Deferral, Notice, ReceiptCode, Record, RecordId, TableId, Time, Warning};

/// Said after the durable commit, never before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Names the record.
    pub record_id: RecordId,
    /// The store's count.
    pub sequence: u64,
    /// The table it was filed under; not told while the phone is locked.
    pub table: Option<TableId>,
    /// What travels with it as doubtful, but for whose table it is while the phone is locked.
    pub warnings: Vec<Warning>,
}

/// A sheet that was saved, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedTally {
    /// What was saved.
    pub saved: Saved,
    /// What the sheet says; where it is no known sheet it was saved all the same.
    pub reading: Result<Tally, NotATally>,
}

/// What became of something saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Waits, for a network or for headquarters to take it.
    Queued,
    /// Headquarters has signed that it holds the record, and waits for files that belong to it.
    Received {
        /// When the record arrived, by headquarters' clock.
        received_at: Time,
        /// Files that are still on their way.
        attachments_left: u64,
    },
    /// Headquarters has signed that it holds it, with all its files.
    Delivered {
        /// When it arrived, by headquarters' clock.
        received_at: Time,
    },
    /// Headquarters has signed that it will not take it: a person must decide.
    Parked {
        /// Why.
        code: ReceiptCode,
    },
}

/// What can be read of a record on this phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Names the record.
    pub record_id: RecordId,
    /// The table it was filed under.
    pub table: Option<TableId>,
    /// What the phone's clock showed.
    pub saved_at: Time,
    /// The record.
    pub record: Record,
    /// What travels with it as doubtful.
    pub warnings: Vec<Warning>,
}

/// One line of the witness's own history, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryView {
    /// The store's count.
    pub sequence: u64,
    /// What it says; `None` once it burned, where no copy is kept, and where a duress PIN does not show it.
    pub content: Option<Content>,
    /// What became of it.
    pub delivery: Delivery,
    /// Why headquarters has not taken it yet, where it was asked to: its latest word, which nobody signed.
    pub deferral: Option<Deferral>,
    /// The latest word of headquarters' desk on it.
    pub notice: Option<Notice>,
    /// Headquarters has signed that a copy lies elsewhere, too: the sealed bytes have left this phone.
    pub safe: bool,
}

/// The queue's true state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxView {
    /// Whether the phone has headquarters' keys.
    pub enrolled: bool,
    /// Whether headquarters has confirmed the enrolment.
    pub enrolment_delivered: bool,
    /// Records that wait.
    pub queued: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// Attachments that wait.
    pub attachments_queued: u64,
    /// Their bytes, sealed.
    pub attachment_bytes: u64,
    /// Records whose receipt was verified, and those of all their attachments.
    pub delivered: u64,
    /// Records that a person must decide about.
    pub parked: u64,
    /// The latest time that headquarters signed.
    pub last_contact: Option<Time>,
}
