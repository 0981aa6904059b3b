mod place;

pub use place::{Area, Centre, MAX_LEVELS, PollingTable};

use crate::catalogue::Entry;
use crate::format::MAX_FORMATS;
use crate::sign;
use crate::{
    Catalogue, ElectionId, Format, Language, SigningKey, TableId, Texts, VerifyingKey, WireError,
    cbor,
};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use place::FlatTable;

pub(crate) const PACK: sign::Kind = sign::Kind {
    what: "election pack",
    typ: "testigo.election-pack",
    max_payload: 4 * 1024 * 1024,
};

/// The most entries of a pack's catalogue.
const MAX_ENTRIES: usize = 512;
/// The most languages that a pack names.
const MAX_LANGUAGES: usize = 16;
/// The furthest that clocks are from UTC, in minutes.
const MAX_OFFSET: i16 = 14 * 60;

/// What an election is: when and where it is held, candidates, ballot slots, polling tables, formats of its sheets and
/// what can be reported. Signed by the root; public. Its form: `docs/election-pack.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElectionPack {
    /// Rises with every change.
    pub version: u64,
    /// The election.
    pub election: ElectionId,
    /// Its name for people.
    pub name: String,
    /// The day of the vote, `YYYY-MM-DD`.
    pub date: String,
    /// Its time zone in the IANA database, such as `America/Caracas`.
    pub time_zone: String,
    /// What clocks there show on that day, in minutes east of UTC; none where the pack does not say.
    pub utc_offset: Option<i16>,
    /// Its languages as tags (BCP 47), the one for who chose none first.
    pub languages: Vec<String>,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// The ballot's slots in their order on the ballot, each counting for one candidate.
    pub slots: Vec<Slot>,
    /// What the levels of areas are called, the largest first. Without any it is a pack of the first form, whose tables
    /// have a state, a municipality and a parish, and no centres.
    pub levels: Vec<Texts>,
    /// The polling tables, by identifier.
    pub tables: Vec<PollingTable>,
    /// Phones keep no readable copy of what their witness saves, not even until it is delivered.
    pub no_history: bool,
    /// The formats of its tally sheets, the likeliest first. A pack without any means [`Format::venezuela_2024`].
    pub formats: Vec<Format>,
    /// What can be reported beyond the built-in catalogue, or otherwise than there, by number.
    pub entries: Vec<Entry>,
}

/// A pack as it travels.
#[derive(Encode, Decode)]
#[cbor(map)]
struct PackForm {
    #[n(0)]
    version: u64,
    #[n(1)]
    election: ElectionId,
    #[n(2)]
    name: String,
    #[n(3)]
    date: String,
    #[n(4)]
    time_zone: String,
    #[n(5)]
    candidates: Vec<Candidate>,
    #[n(6)]
    slots: Vec<Slot>,
    /// Empty where there are `places`.
    #[n(7)]
    tables: Vec<FlatTable>,
    #[cbor(n(8), skip_if = "keeps", default)]
    no_history: bool,
    #[cbor(n(9), skip_if = "Vec::is_empty", default)]
    formats: Vec<Format>,
    #[n(10)]
    places: Option<ByteVec>,
    #[n(11)]
    utc_offset: Option<i16>,
    #[cbor(n(12), skip_if = "Vec::is_empty", default)]
    languages: Vec<String>,
    #[cbor(n(13), skip_if = "Vec::is_empty", default)]
    entries: Vec<Entry>,
}

/// What is so by default is left out, so that packs of earlier versions stay the same bytes.
fn keeps(no_history: &bool) -> bool {
    !no_history
}

impl<C> Encode<C> for ElectionPack {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let flat = self.levels.is_empty();
        PackForm {
            version: self.version,
            election: self.election,
            name: self.name.clone(),
            date: self.date.clone(),
            time_zone: self.time_zone.clone(),
            candidates: self.candidates.clone(),
            slots: self.slots.clone(),
            tables: match flat {
                true => self.tables.iter().map(FlatTable::of).collect(),
                false => Vec::new(),
            },
            no_history: self.no_history,
            formats: self.formats.clone(),
            places: (!flat).then(|| place::deflated(&self.levels, &self.tables)),
            utc_offset: self.utc_offset,
            languages: self.languages.clone(),
            entries: self.entries.clone(),
        }
        .encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for ElectionPack {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let form = PackForm::decode(d, ctx)?;
        let (levels, tables) = match form.places {
            Some(places) => place::inflated(&places).map_err(decode::Error::message)?,
            None => (Vec::new(), place::tables_of(form.tables)),
        };
        Ok(Self {
            version: form.version,
            election: form.election,
            name: form.name,
            date: form.date,
            time_zone: form.time_zone,
            utc_offset: form.utc_offset,
            languages: form.languages,
            candidates: form.candidates,
            slots: form.slots,
            levels,
            tables,
            no_history: form.no_history,
            formats: form.formats,
            entries: form.entries,
        })
    }
}

/// A candidate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Candidate {
    /// A short code, such as `EG`.
    #[n(0)]
    pub code: String,
    /// The name for people.
    #[n(1)]
    pub name: String,
}

/// A slot of the ballot.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Slot {
    /// The party in the slot.
    #[n(0)]
    pub party: String,
    /// The code of the candidate that the slot's votes count for.
    #[n(1)]
    pub candidate: String,
}

impl ElectionPack {
    /// A pack of the first version that says nothing yet but which election it is.
    pub fn new(election: ElectionId, name: &str) -> Self {
        Self {
            version: 1,
            election,
            name: name.to_owned(),
            date: String::new(),
            time_zone: String::new(),
            utc_offset: None,
            languages: Vec::new(),
            candidates: Vec::new(),
            slots: Vec::new(),
            levels: Vec::new(),
            tables: Vec::new(),
            no_history: false,
            formats: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// The language for who chose none: the first of its languages that there are texts in.
    pub fn language(&self) -> Option<Language> {
        (self.languages.iter()).find_map(|tag| Language::from_tag(tag))
    }

    /// Whether it is for practice: nothing in it ever counts.
    pub fn is_practice(&self) -> bool {
        self.election.is_practice()
    }

    /// What can be reported in this election.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::built_in().with(&self.entries)
    }

    /// Signs it with the root.
    ///
    /// # Errors
    /// [`WireError`] where it is too large or contradicts itself.
    pub fn sign(&self, root: &SigningKey) -> Result<Vec<u8>, WireError> {
        self.check()?;
        PACK.sign(root, cbor::to_vec(self))
    }

    /// Reads and verifies a pack that must be signed by `root`.
    ///
    /// # Errors
    /// [`WireError`] where another key signed it, or it is no pack, or contradicts itself.
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, WireError> {
        let signed = PACK.parse(bytes)?;
        signed.verify(root)?;
        Self::from_payload(&signed.payload)
    }

    /// Reads a pack without asking who signed it: for looking at it, never for believing it.
    ///
    /// # Errors
    /// [`WireError`] where it is no pack, or contradicts itself.
    pub fn read_unsigned(bytes: &[u8]) -> Result<Self, WireError> {
        Self::from_payload(&PACK.parse(bytes)?.payload)
    }

    /// Its bytes without a signature, for the root to sign elsewhere.
    ///
    /// # Errors
    /// [`WireError`] where it is too large or contradicts itself.
    pub(crate) fn to_unsigned(&self) -> Result<Vec<u8>, WireError> {
        self.check()?;
        let payload = cbor::to_vec(self);
        cbor::check(PACK.what, &payload, PACK.max_payload)?;
        Ok(payload)
    }

    /// Reads such bytes.
    ///
    /// # Errors
    /// [`WireError`] where they are no pack, or it contradicts itself.
    pub(crate) fn from_unsigned(payload: &[u8]) -> Result<Self, WireError> {
        Self::from_payload(payload)
    }

    fn from_payload(payload: &[u8]) -> Result<Self, WireError> {
        let pack: Self = cbor::from_slice(PACK.what, payload, PACK.max_payload)?;
        pack.check()?;
        Ok(pack)
    }

    /// The table of that identifier.
    pub fn table(&self, id: &TableId) -> Option<&PollingTable> {
        let at = self.tables.binary_search_by(|table| table.id.cmp(id));
        at.ok().and_then(|at| self.tables.get(at))
    }

    fn check(&self) -> Result<(), WireError> {
        let fault = |reason: String| Err(WireError::malformed(PACK.what, reason));
        if !self.tables.is_sorted_by(|a, b| a.id < b.id) {
            return fault("tables out of order, or one twice".into());
        }
        if self.levels.len() > MAX_LEVELS || self.languages.len() > MAX_LANGUAGES {
            return fault("too many levels of areas, or languages".into());
        }
        for table in &self.tables {
            let (centre, areas) = (&table.centre, table.areas().len());
            let bare = centre.code.is_empty() && centre.name.is_empty();
            let fits = match self.levels.len() {
                0 => areas <= 3 && bare && centre.address.is_empty(),
                levels => areas <= levels,
            };
            if !fits {
                return fault(format!("table {}: its place has no level here", table.id));
            }
        }
        if self.utc_offset.is_some_and(|o| o.abs() > MAX_OFFSET) {
            return fault("a time zone further from UTC than any".into());
        }
        if self.entries.len() > MAX_ENTRIES || !self.entries.is_sorted_by(|a, b| a.code < b.code) {
            return fault("catalogue out of order, one number twice, or too many".into());
        }
        for entry in &self.entries {
            if let Err(wrong) = entry.check() {
                let wrong = wrong.sentence(Language::En);
                return fault(format!("catalogue {}: {wrong}", entry.code.0));
            }
        }
        for (n, slot) in self.slots.iter().enumerate() {
            let mut of_slot = self.candidates.iter().filter(|c| c.code == slot.candidate);
            if of_slot.next().is_none() || of_slot.next().is_some() {
                return fault(format!(
                    "slot {} counts for {:?}, which is not exactly one candidate",
                    n + 1,
                    slot.candidate
                ));
            }
        }
        if self.formats.len() > MAX_FORMATS {
            return fault(format!("more than {MAX_FORMATS} formats"));
        }
        for format in &self.formats {
            if let Err(wrong) = format.check() {
                return fault(format!("format {:?}: {wrong}", format.name));
            }
        }
        Ok(())
    }
}
