use crate::TextsView;
use testigo_phone::{Delivery, Phone, Saved, SavedTally, TrustView};
use testigo_tally::{Doubt, NotATally, Tally, read_typed};
use testigo_wire::{Handover, Language, Pseudonym, Record, Report, TableId, Time, Warning};

/// What the phone belongs to now.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct EnrolledView {
    /// The election's name, where its pack was handed in.
    pub election: Option<String>,
    /// The table that the witness is sent to.
    pub table: Option<String>,
    /// The words of the root that the phone trusts from now on.
    pub root_words: RootWords,
    /// As in `StatusView`.
    pub confirmation: Option<String>,
}

/// Six words that stand for the root which signs headquarters' keys, separated by spaces: the witness compares them with
/// what the coordinator says. Under a false headquarters they are others.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RootWords {
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
}

/// A doubt that travels with a record; it never stopped one.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WarningView {
    /// Its number.
    pub code: u16,
    /// The sentence in Spanish.
    pub es: String,
    /// The sentence in English.
    pub en: String,
    /// The sentence in Portuguese.
    pub pt: String,
}

/// Said after the durable commit, never before.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SavedView {
    /// The phone's own count, from 1.
    pub sequence: u64,
    /// Names the record: 32 hexadecimal digits.
    pub record_id: String,
    /// The table it was filed under.
    pub table: Option<String>,
    /// What travels with it as doubtful.
    pub warnings: Vec<WarningView>,
}

/// A sheet that was saved, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SavedTallyView {
    /// What was saved.
    pub saved: SavedView,
    /// What the sheet says; where it is no known sheet it was saved all the same.
    pub reading: TallyReading,
}

/// What the texts of a sheet's codes say.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TallyReading {
    /// A sheet of a known format.
    Read {
        /// What it says.
        tally: TallyView,
    },
    /// No sheet of a known format.
    NotATally {
        /// Why, in Spanish.
        es: String,
        /// Why, in English.
        en: String,
    },
}

/// A tally sheet.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TallyView {
    /// The polling table on the sheet.
    pub table: String,
    /// What vouches for the numbers: `typed-twice`, `plain-code`, `hash`, `signature`.
    pub vouch: String,
    /// Votes by candidate in the election's order; empty without an election pack, or where the
    /// ballot differs from it.
    pub candidates: Vec<CandidateVotes>,
    /// Votes for all candidates.
    pub valid_votes: u64,
    /// Null votes.
    pub null_votes: u32,
    /// What a careful auditor would ask about.
    pub doubts: Vec<WarningView>,
}

/// A candidate's votes at one table.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CandidateVotes {
    /// The candidate's code in the election pack.
    pub code: String,
    /// The candidate's name.
    pub name: String,
    /// The votes.
    pub votes: u64,
}

/// The queue's true state.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StatusView {
    /// Whether the phone has headquarters' keys: without them nothing can be saved.
    pub enrolled: bool,
    /// Whether headquarters has confirmed the enrolment.
    pub enrolment_delivered: bool,
    /// The election's name, where the phone knows it.
    pub election: Option<String>,
    /// It is an election for practice: nothing in it counts. Say so on every screen.
    #[uniffi(default = false)]
    pub practice: bool,
    /// The table that the witness is sent to; none on a locked phone.
    pub table: Option<String>,
    /// The words of the root that the phone trusts, on a locked phone too; none before enrolment.
    pub root_words: Option<RootWords>,
    /// What the witness reads out so that headquarters confirm this phone and no other: 12 characters in three groups.
    /// None before enrolment, and on a locked phone.
    pub confirmation: Option<String>,
    /// As `Phone.has_pin`.
    pub has_pin: bool,
    /// As `Phone.is_locked`.
    pub locked: bool,
    /// Records that wait for a network.
    pub queued: u64,
    /// Their bytes.
    pub queued_bytes: u64,
    /// Files that wait for a network.
    pub attachments_queued: u64,
    /// Their bytes, sealed.
    pub attachment_bytes: u64,
    /// Records that headquarters has signed for, with all their files.
    pub delivered: u64,
    /// Records that headquarters will not take: a person must decide.
    pub parked: u64,
    /// The latest time that headquarters signed, RFC 3339.
    pub last_contact: Option<String>,
    /// Whether a sync is under way.
    pub syncing: bool,
}

/// One record of the witness's own, newest first.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryView {
    /// The phone's own count, from 1.
    pub sequence: u64,
    /// What it says; none once it burned, where no copy is kept, and where a duress PIN does not show it.
    pub content: Option<ContentView>,
    /// What became of it.
    pub delivery: DeliveryView,
}

/// What can be read of a record on this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ContentView {
    /// Names the record: 32 hexadecimal digits.
    pub record_id: String,
    /// What the phone's clock showed, RFC 3339.
    pub saved_at: String,
    /// The table it was filed under.
    pub table: Option<String>,
    /// The record.
    pub record: RecordView,
    /// What travels with it as doubtful.
    pub warnings: Vec<WarningView>,
}

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum RecordView {
    /// Something that happened.
    Report {
        /// The catalogue's number.
        code: u16,
        /// Its name in Spanish.
        label_es: String,
        /// Its name in English.
        label_en: String,
        /// Its name in Portuguese.
        label_pt: String,
        /// The witness's own words.
        note: Option<String>,
        /// How late, in minutes.
        delay_minutes: Option<u32>,
        /// When it started, RFC 3339.
        started: Option<String>,
        /// When it ended, RFC 3339.
        ended: Option<String>,
        /// How many people were involved.
        people: Option<u32>,
        /// What else was written, by field of the catalogue's entry.
        details: Vec<DetailView>,
    },
    /// A tally sheet, read anew; also one whose numbers were typed.
    Tally {
        /// What it says.
        reading: TallyReading,
    },
    /// Something that passed from hand to hand.
    Handover {
        /// Somebody else's bundle, that this phone carries; otherwise a sheet on paper.
        bundle: bool,
        /// The pseudonym of who gave it.
        from: Option<String>,
        /// The pseudonym of who has it now.
        to: Option<String>,
        /// Where.
        place: Option<String>,
    },
    /// A kind that only a newer app knows.
    Other {
        /// Its number.
        kind: u16,
    },
}

/// A detail of a report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DetailView {
    /// The field's name in the catalogue.
    pub field: String,
    /// Its name for people; the field's name where the catalogue has none.
    pub label: TextsView,
    /// What was written.
    pub value: String,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DeliveryView {
    /// Waits for a network.
    Queued,
    /// Headquarters has signed that it holds the record, and waits for files that belong to it.
    Received {
        /// When the record arrived, by headquarters' clock, RFC 3339.
        received_at: String,
        /// Files that are still on their way.
        attachments_left: u64,
    },
    /// Headquarters has signed that it holds it, with all its files.
    Delivered {
        /// When it arrived, by headquarters' clock, RFC 3339.
        received_at: String,
    },
    /// Headquarters has signed that it will not take it: a person must decide.
    Parked {
        /// Why, in Spanish.
        es: String,
        /// Why, in English.
        en: String,
    },
}

fn table(table: Option<TableId>) -> Option<String> {
    table.as_ref().map(TableId::to_string)
}

fn warnings(warnings: &[Warning]) -> Vec<WarningView> {
    warnings.iter().copied().map(WarningView::from).collect()
}

impl From<TrustView> for RootWords {
    fn from(trust: TrustView) -> Self {
        Self {
            es: trust.words(Language::Es),
            en: trust.words(Language::En),
        }
    }
}

impl From<Warning> for WarningView {
    fn from(warning: Warning) -> Self {
        Self {
            code: warning.0,
            es: warning.sentence(Language::Es),
            en: warning.sentence(Language::En),
            pt: warning.sentence(Language::Pt),
        }
    }
}

impl From<&Doubt> for WarningView {
    fn from(doubt: &Doubt) -> Self {
        Self {
            code: doubt.warning().0,
            es: doubt.sentence(Language::Es),
            en: doubt.sentence(Language::En),
            pt: doubt.sentence(Language::Pt),
        }
    }
}

impl From<Saved> for SavedView {
    fn from(saved: Saved) -> Self {
        Self {
            sequence: saved.sequence,
            record_id: saved.record_id.to_string(),
            table: table(saved.table),
            warnings: warnings(&saved.warnings),
        }
    }
}

impl From<SavedTally> for SavedTallyView {
    fn from(saved: SavedTally) -> Self {
        Self {
            saved: saved.saved.into(),
            reading: saved.reading.into(),
        }
    }
}

impl From<Result<Tally, NotATally>> for TallyReading {
    fn from(reading: Result<Tally, NotATally>) -> Self {
        match reading {
            Ok(tally) => Self::Read {
                tally: tally.into(),
            },
            Err(error) => Self::NotATally {
                es: error.sentence(Language::Es),
                en: error.sentence(Language::En),
            },
        }
    }
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        Self {
            table: tally.table.to_string(),
            vouch: tally.vouch.to_string(),
            valid_votes: tally.valid_votes(),
            null_votes: tally.null_votes().unwrap_or(0),
            doubts: tally.doubts.iter().map(WarningView::from).collect(),
            candidates: (tally.candidates.into_iter())
                .map(|candidate| CandidateVotes {
                    code: candidate.code,
                    name: candidate.name,
                    votes: candidate.votes,
                })
                .collect(),
        }
    }
}

impl HistoryView {
    pub(crate) fn new(item: testigo_phone::HistoryView, phone: &Phone) -> Self {
        Self {
            sequence: item.sequence,
            content: item.content.map(|content| ContentView {
                record_id: content.record_id.to_string(),
                saved_at: content.saved_at.to_string(),
                table: table(content.table),
                record: RecordView::new(content.record, phone),
                warnings: warnings(&content.warnings),
            }),
            delivery: item.delivery.into(),
        }
    }
}

fn details(report: &Report, phone: &Phone) -> Vec<DetailView> {
    let entry = phone.catalogue().entry(report.code);
    (report.details.iter())
        .map(|detail| {
            let field = entry.and_then(|entry| entry.field(&detail.name));
            let name = || TextsView::same(&detail.name);
            DetailView {
                field: detail.name.clone(),
                label: field.map_or_else(name, |field| (&field.label).into()),
                value: detail.value.clone(),
            }
        })
        .collect()
}

impl RecordView {
    fn new(record: Record, phone: &Phone) -> Self {
        let rfc3339 = |time: Option<Time>| time.map(|time| time.to_string());
        match record {
            Record::Report(report) => Self::Report {
                code: report.code.0,
                label_es: phone.catalogue().label(report.code, Language::Es),
                label_en: phone.catalogue().label(report.code, Language::En),
                label_pt: phone.catalogue().label(report.code, Language::Pt),
                details: details(&report, phone),
                note: report.note,
                delay_minutes: report.delay_minutes,
                started: rfc3339(report.started),
                ended: rfc3339(report.ended),
                people: report.people,
            },
            Record::Tally(tally) => {
                let texts: Vec<Vec<u8>> = tally.texts().map(<[u8]>::to_vec).collect();
                Self::Tally {
                    reading: phone.read_tally(&texts).into(),
                }
            }
            Record::Handover(handover) => {
                let text = |name: Option<Pseudonym>| name.map(|name| name.as_str().to_owned());
                Self::Handover {
                    bundle: handover.what == Handover::BUNDLE,
                    from: text(handover.from),
                    to: text(handover.to),
                    place: handover.place,
                }
            }
            Record::Typed(typed) => Self::Tally {
                reading: Ok(read_typed(&typed, phone.election())).into(),
            },
            Record::Unknown { kind, .. } => Self::Other { kind: kind.0 },
        }
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Queued => Self::Queued,
            Delivery::Received {
                received_at,
                attachments_left,
            } => Self::Received {
                received_at: received_at.to_string(),
                attachments_left,
            },
            Delivery::Delivered { received_at } => Self::Delivered {
                received_at: received_at.to_string(),
            },
            Delivery::Parked { code } => Self::Parked {
                es: code.sentence(Language::Es),
                en: code.sentence(Language::En),
            },
        }
    }
}
