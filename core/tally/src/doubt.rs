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
    /// The sheet has votes in a slot that the pack does not have.
    SlotUnknown(String),
    /// The contest that the pack counts is not on the sheet, or it is not clear which of several it is.
    ContestMissing {
        /// The office's code in the pack.
        office: Option<String>,
    },
    /// More votes than registered voters.
    ExceedsRegistered {
        /// Votes on the sheet, blank and null ones included.
        votes: u64,
        /// Voters registered at the table.
        registered: u32,
    },
    /// Numbers of the sheet do not sum to another of its numbers.
    SumDiffers {
        /// What was summed.
        of: String,
        /// Its sum.
        sum: u64,
        /// What the sheet says it is.
        is: String,
        /// What stands there.
        says: u64,
    },
    /// A field does not say what it says on every known sheet.
    Unusual {
        /// The field.
        field: String,
        /// What it says.
        found: String,
        /// What it says on other sheets.
        expected: String,
    },
    /// A number is written with leading zeros.
    LeadingZeros,
    /// The sheet is signed, and the pack has no key of this name.
    NoKey(String),
    /// The sheet is signed in a way that Testigo cannot verify.
    SignatureNotVerifiable(String),
    /// Other codes lay beside the sheet's own.
    OtherCodes,
}

impl Doubt {
    /// The number that travels with the record.
    pub fn warning(&self) -> Warning {
        match self {
            Self::NoElectionPack => Warning::NO_ELECTION_PACK,
            Self::TableUnknown(_) => Warning::TABLE_UNKNOWN,
            Self::SlotsDiffer { .. } | Self::SlotUnknown(_) | Self::ContestMissing { .. } => {
                Warning::SLOTS_DIFFER
            }
            Self::ExceedsRegistered { .. } => Warning::SUM_EXCEEDS_REGISTERED,
            Self::SumDiffers { .. } => Warning::SUMS_DIFFER,
            // The number was given out before formats were declared, for Venezuela's fourth field.
            Self::Unusual { field, .. } if field == "fourth" => Warning::FOURTH_FIELD_UNUSUAL,
            Self::Unusual { .. } | Self::LeadingZeros => Warning::FORM_UNUSUAL,
            Self::NoKey(_) | Self::SignatureNotVerifiable(_) => Warning::SIGNATURE_NOT_CHECKED,
            Self::OtherCodes => Warning::OTHER_CODES,
        }
    }

    /// What a person is told, with the figures at hand.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::TableUnknown(table) => language.pick3(
                format!("La mesa {table} no está en el padrón de mesas de esta elección."),
                format!("Table {table} is not among the tables of this election."),
                format!("A seção {table} não está na lista de seções desta eleição."),
            ),
            Self::SlotsDiffer { sheet, pack } => language.pick3(
                format!("El acta tiene {sheet} casillas; esta elección tiene {pack}."),
                format!("The sheet has {sheet} ballot slots; this election has {pack}."),
                format!("O boletim tem {sheet} posições; esta eleição tem {pack}."),
            ),
            Self::SlotUnknown(slot) => language.pick3(
                format!(
                    "El acta tiene votos para {slot:?}, que no está en la boleta de esta elección."
                ),
                format!(
                    "The sheet has votes for {slot:?}, which is not on this election's ballot."
                ),
                format!("O boletim tem votos para {slot:?}, que não está na cédula desta eleição."),
            ),
            Self::ContestMissing {
                office: Some(office),
            } => language.pick3(
                format!("El acta no tiene el cargo {office}, que es el de esta elección."),
                format!("The sheet has no office {office}, which is this election's."),
                format!("O boletim não tem o cargo {office}, que é o desta eleição."),
            ),
            Self::ContestMissing { office: None } => language.pick3(
                "El acta tiene varios cargos y la elección no dice cuál cuenta.".to_owned(),
                "The sheet has several offices, and the election does not say which one counts."
                    .to_owned(),
                "O boletim tem vários cargos e a eleição não diz qual conta.".to_owned(),
            ),
            Self::ExceedsRegistered { votes, registered } => language.pick3(
                format!("El acta suma {votes} votos, pero la mesa tiene {registered} electores."),
                format!("The sheet sums to {votes} votes, but the table has {registered} voters."),
                format!("O boletim soma {votes} votos, mas a seção tem {registered} eleitores."),
            ),
            Self::SumDiffers { of, sum, is, says } => language.pick3(
                format!("{of} suman {sum}, pero el acta dice {is} = {says}."),
                format!("{of} sum to {sum}, but the sheet says {is} = {says}."),
                format!("{of} somam {sum}, mas o boletim diz {is} = {says}."),
            ),
            Self::Unusual {
                field,
                found,
                expected,
            } => language.pick3(
                format!(
                    "El campo «{field}» dice {found:?}, no {expected:?} como en las demás actas."
                ),
                format!("The field '{field}' says {found:?}, not {expected:?} as on other sheets."),
                format!(
                    "O campo «{field}» diz {found:?}, não {expected:?} como nos outros boletins."
                ),
            ),
            Self::NoKey(name) => language.pick3(
                format!(
                    "Firma sin comprobar: falta la clave {name:?} en el paquete de la elección."
                ),
                format!("Signature not checked: no key {name:?} in the election pack."),
                format!("Assinatura não conferida: falta a chave {name:?} no pacote da eleição."),
            ),
            Self::SignatureNotVerifiable(scheme) => language.pick3(
                format!("Firma sin comprobar: Testigo no verifica firmas {scheme}."),
                format!("Signature not checked: {scheme} is not verifiable here."),
                format!("Assinatura não conferida: o Testigo não verifica assinaturas {scheme}."),
            ),
            Self::NoElectionPack | Self::LeadingZeros | Self::OtherCodes => {
                self.warning().sentence(language)
            }
        }
    }
}
