use crate::SealedFile;
use crate::attachment::sealed;
use std::sync::Arc;

/// A report as the witness gives it.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct ReportInput {
    /// The catalogue's number.
    pub code: u16,
    /// The table; the witness's own where it is not given.
    #[uniffi(default = None)]
    pub table: Option<String>,
    /// Own words, at most 500 characters.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// How late, in minutes.
    #[uniffi(default = None)]
    pub delay_minutes: Option<u32>,
    /// When it started, RFC 3339 (`2024-07-28T14:30:00-04:00`).
    #[uniffi(default = None)]
    pub started: Option<String>,
    /// When it ended, RFC 3339.
    #[uniffi(default = None)]
    pub ended: Option<String>,
    /// How many people were involved.
    #[uniffi(default = None)]
    pub people: Option<u32>,
    /// What else its entry of the catalogue asks for, at most once each.
    #[uniffi(default = [])]
    pub details: Vec<DetailInput>,
    /// Files that belong to it, at most 16, from `Phone.seal_file`.
    #[uniffi(default = [])]
    pub attachments: Vec<Arc<SealedFile>>,
}

/// What the witness wrote in a field of the catalogue's entry.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct DetailInput {
    /// The field's name.
    pub field: String,
    /// The value, at most 200 characters. What is no value of the field is saved as it stands, with a warning.
    pub value: String,
}

/// A tally sheet as the scanner read it.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct TallyInput {
    /// The bytes of the sheet's QR codes, as `CodeView.bytes` gives them.
    pub texts: Vec<Vec<u8>>,
    /// The table, where the witness names it; else the sheet's own.
    #[uniffi(default = None)]
    pub table: Option<String>,
    /// Files that belong to it, such as the sheet's photograph, at most 16, from `Phone.seal_file`.
    #[uniffi(default = [])]
    pub attachments: Vec<Arc<SealedFile>>,
}

impl From<ReportInput> for testigo_phone::ReportInput {
    fn from(input: ReportInput) -> Self {
        Self {
            code: input.code,
            table: input.table,
            note: input.note,
            delay_minutes: input.delay_minutes,
            started: input.started,
            ended: input.ended,
            people: input.people,
            details: (input.details.into_iter())
                .map(|detail| (detail.field, detail.value))
                .collect(),
            attachments: sealed(&input.attachments),
        }
    }
}

impl From<TallyInput> for testigo_phone::TallyInput {
    fn from(input: TallyInput) -> Self {
        Self {
            texts: input.texts,
            table: input.table,
            attachments: sealed(&input.attachments),
            record_id: None,
        }
    }
}
