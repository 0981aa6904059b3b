//! Testigo's phone for apps in Kotlin, Swift and Python: UniFFI, and no rule of its own.
//!
//! Everything here is called from any thread. Calls are short but write to a disk: an app makes them off
//! its main thread. No call waits for a network but [`Phone::sync`], and that one holds nothing
//! while it waits, so that a report can be saved meanwhile. Whatever a person may have to read comes
//! in Spanish and in English.

mod attachment;
mod budget;
mod catalogue;
mod courier;
mod election;
mod error;
mod host_keys;
mod input;
mod lock;
mod logger;
mod observe;
mod phone;
mod scanner;
mod sync;
mod typed;
mod view;

pub use attachment::{AttachmentKind, SealedFile};
pub use budget::Budget;
pub use catalogue::{
    CatalogueEntryView, ChoiceView, DetailFieldView, DetailKind, Language, Phase, Severity,
    TextsView, catalogue, language_from_tag,
};
pub use courier::{BundleCodesView, BundleView, HandoverInput, ReceiptsView, missing_codes};
pub use election::{ElectionView, TableView};
pub use error::{Explanation, HostError, NextStep, TestigoError};
pub use host_keys::{HostKey, HostKeys, HostKeysError, keep_key_under, recover_store_under};
pub use input::{DetailInput, ReportInput, TallyInput};
pub use lock::{Settings, WipedView, wipe_folder, wipe_folder_under};
pub use logger::{LogLevel, Logger, set_logger};
pub use observe::{Observation, PhoneObserver};
pub use phone::{Phone, RecoveredView, phone_exists, recover_store};
pub use scanner::{CodeView, Point, Rotation, Scanner};
pub use sync::{SyncOutcome, SyncReportView, SyncStop};
pub use typed::{
    TypedDifference, TypedInput, TypedSheet, TypingFormView, TypingSlotView, typed_differences,
};
pub use view::{
    CandidateVotes, ContentView, DeliveryView, DetailView, EnrolledView, HistoryView, RecordView,
    RootWords, SavedTallyView, SavedView, StatusView, TallyReading, TallyView, WarningView,
};

uniffi::setup_scaffolding!("testigo");

/// The library's version, such as `0.1.0`.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
