use testigo_wire::catalogue::{self, CATALOGUE};

/// The language of a sentence for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Language {
    /// Español.
    Es,
    /// English.
    En,
}

/// The language of a tag such as `es-VE`, `es_VE.UTF-8` or `en`; none where it is neither, and then
/// Spanish is the one to show.
#[uniffi::export]
pub fn language_from_tag(tag: String) -> Option<Language> {
    match testigo_wire::Language::from_tag(&tag)? {
        testigo_wire::Language::Es => Some(Language::Es),
        testigo_wire::Language::En => Some(Language::En),
        testigo_wire::Language::Pt => None,
    }
}

/// The part of the day that an entry of the catalogue belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Phase {
    /// Before the first voter.
    Opening,
    /// While people vote.
    Voting,
    /// Threats to people, at any time.
    Safety,
    /// Closing and counting.
    Count,
    /// The printed tally sheet.
    Sheet,
    /// Check-ins, hand-overs and the rest.
    Other,
}

/// How heavily an entry weighs when headquarters decides what to look at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Severity {
    /// Nothing is wrong.
    Info,
    /// A disturbance.
    Low,
    /// May change a result.
    High,
    /// A person is in danger.
    Danger,
}

/// One thing that can be reported.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CatalogueEntryView {
    /// Its number, for `ReportInput`.
    pub code: u16,
    /// The part of the day that it belongs to.
    pub phase: Phase,
    /// That part's name in Spanish.
    pub phase_es: String,
    /// That part's name in English.
    pub phase_en: String,
    /// How much it weighs.
    pub severity: Severity,
    /// Its name in Spanish.
    pub es: String,
    /// Its name in English.
    pub en: String,
}

/// Everything that can be reported, by number.
#[uniffi::export]
pub fn catalogue() -> Vec<CatalogueEntryView> {
    CATALOGUE.iter().map(CatalogueEntryView::from).collect()
}

impl From<&catalogue::Entry> for CatalogueEntryView {
    fn from(entry: &catalogue::Entry) -> Self {
        let (es, en) = (testigo_wire::Language::Es, testigo_wire::Language::En);
        Self {
            code: entry.code.0,
            phase: entry.phase.into(),
            phase_es: entry.phase.label(es).to_owned(),
            phase_en: entry.phase.label(en).to_owned(),
            severity: entry.severity.into(),
            es: entry.label(es).to_owned(),
            en: entry.label(en).to_owned(),
        }
    }
}

impl From<catalogue::Phase> for Phase {
    fn from(phase: catalogue::Phase) -> Self {
        match phase {
            catalogue::Phase::Opening => Self::Opening,
            catalogue::Phase::Voting => Self::Voting,
            catalogue::Phase::Safety => Self::Safety,
            catalogue::Phase::Count => Self::Count,
            catalogue::Phase::Sheet => Self::Sheet,
            catalogue::Phase::Other => Self::Other,
        }
    }
}

impl From<catalogue::Severity> for Severity {
    fn from(severity: catalogue::Severity) -> Self {
        match severity {
            catalogue::Severity::Info => Self::Info,
            catalogue::Severity::Low => Self::Low,
            catalogue::Severity::High => Self::High,
            catalogue::Severity::Danger => Self::Danger,
        }
    }
}
