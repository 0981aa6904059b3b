//! Headquarters: takes in sealed envelopes, answers each with a signed receipt, opens them at its desk,
//! and shows results by candidate and a list of incidents.
//!
//! Three roles in one process: *ingest* checks form and signature, never content, and answers only after
//! the durable commit; the *desk* opens what was kept and works tally sheets out anew; the *console*
//! shows both as JSON and as one plain page.
//!
//! There are no accounts yet: results and incidents are for this same machine.

mod alarm;
mod api;
mod backup;
mod blobs;
mod capabilities;
mod clock;
mod connections;
mod courier;
mod custody;
mod desk;
mod devices;
mod door;
mod error;
mod format_source;
mod hex;
mod import;
mod incidents;
mod ingest;
mod init;
mod key_backup;
mod keys;
mod pack_source;
mod page;
mod places;
mod problem;
mod queue;
mod quota;
mod recover;
mod rescue;
mod results;
mod ring;
mod root;
mod rotate;
mod serve;
#[cfg(test)]
mod stage;
mod store;
mod tls;
mod writer;

pub use api::HealthView;
pub use backup::{Backup, Confirmed, Progress, Restored, backup, confirm, restore};
pub use blobs::open_blob;
pub use clock::{Clock, SystemClock};
pub use courier::Carried;
pub use custody::{HandoverView, custody};
pub use desk::Desk;
pub use devices::{
    DecisionNote, DecisionView, DeviceView, WaitingView, choose_version, confirm_device, decisions,
    devices, let_unconfirmed_wait, reassign_device, replace_device, review, revoke_device,
    trust_device, waiting,
};
pub use error::HqError;
pub use format_source::FormatSourceMistake;
pub use import::{Imported, NotTaken, import};
pub use incidents::{DetailView, IncidentView, IncidentsView, LabelView};
pub use init::{init, init_for_root, invite, invite_all, is_practice, results, table_ids, tables};
pub use key_backup::{Lock, Unlock, backup_keys, restore_keys};
pub use pack_source::{
    Expected, Fault, Mistake, PackSource, PackSourceError, Place, RESULT_COLUMNS,
};
pub use places::{AreaView, CentreView};
pub use recover::{RecoveredHq, recover};
pub use rescue::open_store_key;
pub use results::{
    AttachmentView, AttachmentsView, CandidateView, CandidateVotesView, ElectionView, ResultsView,
    StandingView, TableState, TableView, TablesView, UnreadSheetView, VersionView, WarningView,
};
pub use root::{
    Change, PaperError, PaperKey, PaperReader, Passphrase, Review, Root, RootError, Sharing,
    SignedRequest, root_id,
};
pub use rotate::{Installed, KeysetRefusal, Rotated, Rotation, install, rotate};
pub use serve::{Listen, Listening, Server, serve};
pub use store::DeviceState;
pub use tls::Certificates;
