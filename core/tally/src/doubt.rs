use testigo_wire::{Language, TableId, Warning};

/// Something about a sheet that a careful auditor would ask about. It never stops the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// There is no election pack to compare with.
    NoElectionPack,
    /// The pack has no such table.
    TableUnknown(TableId),
    /// The sheet has another number of ballot slots than the pack.
    SlotsDiffer {
        /// Slots on the sheet.
        sheet: usize,
        /// Slots in the pack.
        pack: usize,
    },
    /// More votes than registered voters.
    ExceedsRegistered {
        /// Votes on the sheet, null ones included.
        votes: u64,
        /// Voters registered at the table.
        registered: u32,
    },
    /// The undocumented fourth field is not the 0 of every known sheet.
    FourthField(String),
    /// The part behind the table is not the `1.0001` of every known sheet.
    Suffix(String),
    /// A number is written with leading zeros.
    LeadingZeros,
    /// Other codes lay beside the sheet's own.
    OtherCodes,
}

impl Doubt {
    /// The number that travels with the record.
    pub fn warning(&self) -> Warning {
        match self {
            Self::NoElectionPack => Warning::NO_ELECTION_PACK,
            Self::TableUnknown(_) => Warning::TABLE_UNKNOWN,
            Self::SlotsDiffer { .. } => Warning::SLOTS_DIFFER,
            Self::ExceedsRegistered { .. } => Warning::SUM_EXCEEDS_REGISTERED,
            Self::FourthField(_) => Warning::FOURTH_FIELD_UNUSUAL,
            Self::Suffix(_) | Self::LeadingZeros => Warning::FORM_UNUSUAL,
            Self::OtherCodes => Warning::OTHER_CODES,
        }
    }

    /// What a person is told, with the figures at hand.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::TableUnknown(table) => language.pick(
                format!("La mesa {table} no está en el padrón de mesas de esta elección."),
                format!("Table {table} is not among the tables of this election."),
            ),
            Self::SlotsDiffer { sheet, pack } => language.pick(
                format!("El acta tiene {sheet} casillas; esta elección tiene {pack}."),
                format!("The sheet has {sheet} ballot slots; this election has {pack}."),
            ),
            Self::ExceedsRegistered { votes, registered } => language.pick(
                format!("El acta suma {votes} votos, pero la mesa tiene {registered} electores."),
                format!("The sheet sums to {votes} votes, but the table has {registered} voters."),
            ),
            Self::FourthField(field) => language.pick(
                format!("El cuarto campo del código dice {field:?}, no 0 como en las demás actas."),
                format!("The code's fourth field says {field:?}, not 0 as on other sheets."),
            ),
            Self::Suffix(suffix) => language.pick(
                format!("Tras la mesa dice {suffix:?}, no \"1.0001\" como en las demás actas."),
                format!("Behind the table it says {suffix:?}, not \"1.0001\" as on other sheets."),
            ),
            Self::NoElectionPack | Self::LeadingZeros | Self::OtherCodes => {
                self.warning().sentence(language)
            }
        }
    }
}
