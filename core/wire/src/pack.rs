use crate::format::MAX_FORMATS;
use crate::sign;
use crate::{ElectionId, Format, SigningKey, TableId, VerifyingKey, WireError, cbor};
use minicbor::{Decode, Encode};

pub(crate) const PACK: sign::Kind = sign::Kind {
    what: "election pack",
    typ: "testigo.election-pack",
    max_payload: 4 * 1024 * 1024,
};

/// What an election is: candidates, ballot slots and polling tables. Signed by the root; public.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ElectionPack {
    /// Rises with every change.
    #[n(0)]
    pub version: u64,
    /// The election.
    #[n(1)]
    pub election: ElectionId,
    /// Its name for people.
    #[n(2)]
    pub name: String,
    /// The day of the vote, `YYYY-MM-DD`.
    #[n(3)]
    pub date: String,
    /// Its time zone in the IANA database, such as `America/Caracas`.
    #[n(4)]
    pub time_zone: String,
    /// The candidates.
    #[n(5)]
    pub candidates: Vec<Candidate>,
    /// The ballot's slots in their order on the ballot, each counting for one candidate.
    #[n(6)]
    pub slots: Vec<Slot>,
    /// The polling tables, by identifier.
    #[n(7)]
    pub tables: Vec<PollingTable>,
    /// Phones keep no readable copy of what their witness saves, not even until it is delivered.
    #[cbor(n(8), skip_if = "keeps", default)]
    pub no_history: bool,
    /// The formats of its tally sheets, the likeliest first. A pack without any means [`Format::venezuela_2024`].
    #[cbor(n(9), skip_if = "Vec::is_empty", default)]
    pub formats: Vec<Format>,
}

/// What is so by default is left out, so that packs of earlier versions stay the same bytes.
fn keeps(no_history: &bool) -> bool {
    !no_history
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

/// A polling table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PollingTable {
    /// Its identifier.
    #[n(0)]
    pub id: TableId,
    /// Registered voters.
    #[n(1)]
    pub registered: u32,
    /// State.
    #[n(2)]
    pub state: String,
    /// Municipality.
    #[n(3)]
    pub municipality: String,
    /// Parish.
    #[n(4)]
    pub parish: String,
}

impl ElectionPack {
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
