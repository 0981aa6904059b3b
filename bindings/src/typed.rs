use crate::attachment::sealed;
use crate::error::{TestigoError, caught};
use crate::{Phone, SavedTallyView, SealedFile};
use std::sync::Arc;
use testigo_phone::TypedField;
use testigo_tally::TypingForm;
use testigo_wire::Language;

/// What to ask for where a sheet has no code that can be read, in the order of the paper.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TypingFormView {
    /// The ballot's slots.
    pub slots: Vec<TypingSlotView>,
    /// Ask for blank votes.
    pub blank: bool,
    /// Ask for null votes.
    pub null_votes: bool,
    /// Ask for the total.
    pub total: bool,
}

/// A slot of the ballot.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TypingSlotView {
    /// The party or list on the paper.
    pub party: String,
    /// The name of the candidate that its votes count for.
    pub candidate: String,
}

/// A sheet's numbers as they were typed once.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct TypedSheet {
    /// The table on the paper.
    pub table: String,
    /// Votes by slot, in the form's order.
    pub votes: Vec<u32>,
    /// Blank votes, where the paper tells them.
    #[uniffi(default = None)]
    pub blank: Option<u32>,
    /// Null votes, where the paper tells them.
    #[uniffi(default = None)]
    pub null_votes: Option<u32>,
    /// The total, where the paper tells one.
    #[uniffi(default = None)]
    pub total: Option<u32>,
    /// The hash that is printed on the paper, letter by letter.
    #[uniffi(default = None)]
    pub printed_hash: Option<String>,
    /// The machine's code that is printed on the paper, letter by letter.
    #[uniffi(default = None)]
    pub machine_code: Option<String>,
}

/// A sheet typed twice, the second time without seeing the first.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct TypedInput {
    /// What was typed first.
    pub first: TypedSheet,
    /// What was typed then.
    pub second: TypedSheet,
    /// A photograph of the paper, and what else belongs to it, at most 16, from `Phone.seal_file`.
    #[uniffi(default = [])]
    pub attachments: Vec<Arc<SealedFile>>,
}

/// A field in which two typings of a sheet differ.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TypedDifference {
    /// Its stable name: `table`, `votes.7` (counted from 1), `blank`, `null`, `total`, `printed_hash`, `machine_code`.
    pub field: String,
    /// What a person calls it, in Spanish.
    pub es: String,
    /// What a person calls it, in English.
    pub en: String,
}

impl From<TypingForm> for TypingFormView {
    fn from(form: TypingForm) -> Self {
        Self {
            slots: (form.slots.into_iter())
                .map(|slot| TypingSlotView {
                    party: slot.party,
                    candidate: slot.candidate,
                })
                .collect(),
            blank: form.blank,
            null_votes: form.null,
            total: form.total,
        }
    }
}

impl From<TypedSheet> for testigo_phone::TypedSheet {
    fn from(sheet: TypedSheet) -> Self {
        Self {
            table: sheet.table,
            votes: sheet.votes,
            blank: sheet.blank,
            null: sheet.null_votes,
            total: sheet.total,
            printed_hash: sheet.printed_hash,
            machine_code: sheet.machine_code,
        }
    }
}

impl From<TypedInput> for testigo_phone::TypedInput {
    fn from(input: TypedInput) -> Self {
        Self {
            first: input.first.into(),
            second: input.second.into(),
            attachments: sealed(&input.attachments),
        }
    }
}

impl From<TypedField> for TypedDifference {
    fn from(field: TypedField) -> Self {
        Self {
            field: field.to_string(),
            es: field.label(Language::Es),
            en: field.label(Language::En),
        }
    }
}

/// The fields in which two typings of one sheet differ, in the paper's order: the ones to look at again. Empty where they
/// are the same.
#[uniffi::export]
pub fn typed_differences(first: TypedSheet, second: TypedSheet) -> Vec<TypedDifference> {
    let differences = testigo_phone::TypedSheet::from(first).differences(&second.into());
    differences.into_iter().map(TypedDifference::from).collect()
}

#[uniffi::export]
impl Phone {
    /// What to ask for where a sheet has no code that can be read; none before the phone has an election pack: then a
    /// photograph with a report is the way.
    ///
    /// # Errors
    /// `Internal` alone.
    pub fn typing_form(&self) -> Result<Option<TypingFormView>, TestigoError> {
        caught(|| Ok(self.shared.phone().typing_form().map(TypingFormView::from)))
    }

    /// Saves a sheet's numbers that were typed twice from the paper. Whatever is doubtful about them is saved with them;
    /// that there is no photograph, too.
    ///
    /// # Errors
    /// As `report`; also `Input` where the two times differ (`typed_differences`).
    pub fn typed(&self, input: TypedInput) -> Result<SavedTallyView, TestigoError> {
        self.changing("saved a typed tally", |phone| {
            Ok(phone.typed(&input.into())?.into())
        })
    }
}
