//! What travels between a witness's phone and headquarters, byte by byte.
//!
//! Nothing here touches a disk, a clock or a network: every function is total over its input, and
//! every decoder is bounded in size, depth and count before anything is allocated for it.
//!
//! Everything is deterministic CBOR (RFC 8949, section 4.2.1). Everything signed is a COSE_Sign1
//! (RFC 9052) with its own `typ` (RFC 9596), so that one kind of object can never pass for another.
//! What only headquarters may read is sealed with HPKE (RFC 9180) under the X-Wing hybrid KEM;
//! attachments are sealed with STREAM under a secret that lies inside the record. A courier's bundle is
//! sealed whole in both ways.

mod answer;
mod ask;
mod attachment;
mod blob;
mod body;
mod bundle;
mod bundle_item;
pub mod catalogue;
pub mod cbor;
mod confirmation;
mod endpoint;
mod enrolment;
mod envelope;
mod error;
mod format;
mod handover;
mod id;
mod invitation;
mod kept;
mod keyset;
mod language;
mod notice;
mod pack;
pub mod padding;
mod receipt;
mod record;
mod request;
mod return_post;
mod seal;
mod series;
mod sign;
mod statement;
mod table;
mod text;
mod texts;
mod time;
mod typed;
mod warning;
mod words;

pub use answer::{Answer, Deferral, Reply};
pub use ask::{Ask, UnverifiedAsk};
pub use attachment::Attachment;
pub use blob::{
    BLOB_HEADER, BLOB_SEGMENT, BlobOpener, BlobSealer, BlobSecret, SEALED_SEGMENT, open_whole,
    sealed_size,
};
pub use body::{Body, padded_len};
pub use bundle::{Bundle, BundleSealer, MAX_BUNDLE, MAX_BUNDLE_ITEMS};
pub use bundle_item::{BundleItem, MAX_PIECE};
pub use catalogue::{Catalogue, Code, Detail, DetailField, DetailKind, Entry};
pub use confirmation::Confirmation;
pub use endpoint::is_safe_endpoint;
pub use enrolment::{Enrolment, UnverifiedEnrolment};
pub use envelope::{BlobRef, Envelope, MAX_ENVELOPE, UnverifiedEnvelope};
pub use error::WireError;
pub use format::{
    Check, CheckKind, Codes, Cut, Declaration, Field, Format, FormatFault, FormatKind,
    FormatMistake, MAX_FORMATS, MAX_SLOTS, MAX_VOTES, NamedKey, Piece, Sum, Template,
};
pub use handover::{Handover, Pseudonym};
pub use id::{BootId, Eid, ElectionId, Epoch, KeyId, RecordId, RootId, StoreId};
pub use invitation::{Capability, Invitation};
pub use kept::SealedStoreKey;
pub use keyset::{Keyset, MAX_KEYSET, Succession};
pub use language::Language;
pub use notice::{Notice, NoticeStatus};
pub use pack::{Area, Candidate, Centre, ElectionPack, MAX_LEVELS, PollingTable, Slot};
pub use receipt::{BlobReceipt, Receipt, ReceiptCode};
pub use record::{Kind, Lane, Record, Report, TallyRecord};
pub use request::KeysetRequest;
pub use return_post::{MAX_RETURN_POST, ReturnPost};
pub use seal::{SealPublicKey, SealSecretKey};
pub use series::{MAX_SERIES, Series, series};
pub use sign::{SigningKey, VerifyingKey};
pub use statement::Statement;
pub use table::TableId;
pub use texts::Texts;
pub use time::Time;
pub use typed::TypedTally;
pub use warning::Warning;
pub use words::root_words;
