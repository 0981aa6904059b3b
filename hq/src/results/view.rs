//! The documents of results, as the API gives them.

use crate::places::{AreaView, CentreView};
use crate::store::DeviceState;
use serde::{Deserialize, Serialize};
use testigo_tally::Standing;
use testigo_wire::Language;

/// `GET /v1/results`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultsView {
    /// The election.
    pub election: ElectionView,
    /// How many tables are in which state.
    pub tables: TablesView,
    /// Totals by candidate over all reported tables, in the pack's order.
    pub candidates: Vec<CandidateView>,
    /// Votes for all candidates.
    pub valid_votes: u64,
    /// Null votes.
    pub null_votes: u64,
    /// The same by area, the largest ones such as states only; empty where the pack has none, or one.
    pub areas: Vec<AreaView>,
    /// Reported tables whose sheets have doubts; they are in the totals.
    pub doubtful: u64,
    /// The election's tables, in their order.
    pub rows: Vec<TableView>,
    /// Tables on sheets that the election does not have; in no total.
    pub outside_pack: Vec<TableView>,
    /// Sheets whose code no known format reads: kept word for word, in no total.
    pub unread_sheets: Vec<UnreadSheetView>,
    /// Envelopes that the desk has not opened yet.
    pub unopened: u64,
    /// Envelopes that are kept and could not be read.
    pub unreadable: u64,
    /// Records that are kept for a newer program to read.
    pub unknown_kinds: u64,
}

/// The election.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElectionView {
    /// Its name.
    pub name: String,
    /// The day of the vote, `YYYY-MM-DD`.
    pub date: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// What clocks there show on that day, in minutes east of UTC, where its pack says it.
    pub utc_offset: Option<i16>,
    /// It is for practice: nothing in it counts.
    pub practice: bool,
}

/// How many tables are in which state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablesView {
    /// All tables of the election.
    pub expected: u64,
    /// With a result that counts.
    pub reported: u64,
    /// With readings that differ.
    pub conflict: u64,
    /// With a sheet whose ballot is not this election's.
    pub review: u64,
    /// On sheets, but not the election's.
    pub outside_pack: u64,
}

/// A candidate's total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateView {
    /// Code in the pack.
    pub code: String,
    /// Name in the pack.
    pub name: String,
    /// Votes over all reported tables.
    pub votes: u64,
}

/// A candidate's votes at one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateVotesView {
    /// Code in the pack.
    pub code: String,
    /// Votes.
    pub votes: u64,
}

/// What is known of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableState {
    /// No reading counts yet.
    Expected,
    /// All readings agree.
    Reported,
    /// Readings differ: in no total until a person decides.
    Conflict,
    /// The sheet's ballot is not this election's, so that votes cannot be given to candidates.
    Review,
}

/// A polling table with its readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableView {
    /// Its identifier.
    pub table: String,
    /// Its areas from the largest down, and its centre; empty for a table that the election does not have.
    pub place: String,
    /// Its centre, where the election's pack has centres.
    pub centre: Option<CentreView>,
    /// Registered voters, where the election has the table.
    pub registered: Option<u32>,
    /// What is known of it.
    pub state: TableState,
    /// No reading that counts comes from a device that a coordinator confirmed.
    pub provisional: bool,
    /// Votes by candidate where readings agree; else empty.
    pub votes: Vec<CandidateVotesView>,
    /// Null votes where readings agree.
    pub null_votes: Option<u64>,
    /// How far the result is to be believed, where readings agree.
    pub standing: Option<StandingView>,
    /// Records whose readings count, agreeing or not.
    pub readings: u64,
    /// Readings that wait for review: of quarantined or revoked devices, of ones beside a confirmed one, or set aside
    /// by a person.
    pub waiting: u64,
    /// The readings that differ, in a conflict, the one that is believed furthest first; else empty. Standing decides
    /// nothing: a person does.
    pub versions: Vec<VersionView>,
    /// What is printed on the paper beside the numbers, of readings that were typed.
    pub printed: Vec<PrintedView>,
    /// Doubts about any of its readings.
    pub warnings: Vec<WarningView>,
    /// The files of its readings.
    pub attachments: AttachmentsView,
}

/// What somebody typed from the paper beside the numbers, word for word, to be compared with the machine's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PrintedView {
    /// The printed hash.
    pub hash: Option<String>,
    /// The machine's code.
    pub machine_code: Option<String>,
}

/// One of several readings that differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Votes by candidate.
    pub votes: Vec<CandidateVotesView>,
    /// Null votes.
    pub null_votes: u64,
    /// Records that say so.
    pub readings: u64,
    /// Their numbers at headquarters, by which a person chooses between versions.
    pub numbers: Vec<i64>,
    /// How far it is to be believed.
    pub standing: StandingView,
}

/// How far a reading is to be believed: what vouches for it, and who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingView {
    /// `WHAT/WHO`, such as `plain-code/confirmed-device` ([`Standing`]).
    pub code: String,
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> Self {
        Self {
            code: standing.to_string(),
            es: standing.sentence(Language::Es),
            en: standing.sentence(Language::En),
        }
    }
}

/// A sheet whose code no known format reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadSheetView {
    /// Its number at headquarters.
    pub number: i64,
    /// The table that it was filed under.
    pub table: Option<String>,
    /// When it arrived.
    pub received_at: String,
    /// The texts; what is not UTF-8 is shown as U+FFFD.
    pub texts: Vec<String>,
    /// The same texts byte for byte, in hexadecimal.
    pub hex: Vec<String>,
    /// How far its device is believed.
    pub device: DeviceState,
    /// Doubts.
    pub warnings: Vec<WarningView>,
    /// Its files.
    pub attachments: AttachmentsView,
}

/// The files of a record, or of all records that a line sums up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AttachmentsView {
    /// How many there are.
    pub named: u64,
    /// How many of them have arrived whole.
    pub held: u64,
    /// Each of them.
    pub files: Vec<AttachmentView>,
}

/// A file that belongs to a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentView {
    /// Headquarters' own number of it, by which it is opened. Its hash stands beside a device in clear.
    pub id: i64,
    /// Its media type, as its phone told it.
    pub media_type: String,
    /// Its size before sealing, in bytes.
    pub size: u64,
    /// A small picture of another file.
    pub thumbnail: bool,
    /// It has arrived whole.
    pub held: bool,
}

/// A doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningView {
    /// Its number.
    pub code: u16,
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
}
