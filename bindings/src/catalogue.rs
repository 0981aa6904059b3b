use testigo_wire::Catalogue;
use testigo_wire::catalogue;

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
    /// That part's name in Portuguese.
    pub phase_pt: String,
    /// Its name in Spanish.
    pub es: String,
    /// Its name in English.
    pub en: String,
    /// Its name in Portuguese.
    pub pt: String,
    /// What to do.
    pub advice: TextsView,
    /// Details that it asks for, for `ReportInput.details`.
    pub fields: Vec<DetailFieldView>,
    /// Whether a photograph may be asked for: for some, taking one would put the witness in danger.
    pub photo: bool,
}

/// A text in the three languages; what nobody wrote in one is in another.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TextsView {
    /// In Spanish.
    pub es: String,
    /// In English.
    pub en: String,
    /// In Portuguese.
    pub pt: String,
}

/// A detail that an entry asks for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DetailFieldView {
    /// Its name in `ReportInput.details`.
    pub name: String,
    /// What is to be written in it.
    pub kind: DetailKind,
    /// A report without it is doubtful, and saved all the same.
    pub required: bool,
    /// Its name for people.
    pub label: TextsView,
    /// For a choice, what can be chosen.
    pub choices: Vec<ChoiceView>,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ChoiceView {
    /// What stands in the record.
    pub value: String,
    /// Its name for people.
    pub label: TextsView,
}

/// What is to be written in a detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum DetailKind {
    /// A whole number from 0.
    Number,
    /// A time of day as `HH:MM`, or RFC 3339.
    Time,
    /// Any text of at most 200 characters.
    Text,
    /// One of the field's choices.
    Choice,
}

/// What can be reported without an election, by number; `Phone.catalogue` is that of its election.
#[uniffi::export]
pub fn catalogue() -> Vec<CatalogueEntryView> {
    views(Catalogue::built_in())
}

pub(crate) fn views(catalogue: &Catalogue) -> Vec<CatalogueEntryView> {
    catalogue
        .entries()
        .iter()
        .map(CatalogueEntryView::from)
        .collect()
}

impl TextsView {
    /// What is the same in every language.
    pub(crate) fn same(text: &str) -> Self {
        Self {
            es: text.to_owned(),
            en: text.to_owned(),
            pt: text.to_owned(),
        }
    }
}

impl From<&testigo_wire::Texts> for TextsView {
    fn from(texts: &testigo_wire::Texts) -> Self {
        let in_language = |language| texts.pick(language).to_owned();
        Self {
            es: in_language(testigo_wire::Language::Es),
            en: in_language(testigo_wire::Language::En),
            pt: in_language(testigo_wire::Language::Pt),
        }
    }
}

impl From<&testigo_wire::DetailField> for DetailFieldView {
    fn from(field: &testigo_wire::DetailField) -> Self {
        Self {
            name: field.name.clone(),
            kind: match field.kind {
                testigo_wire::DetailKind::Number => DetailKind::Number,
                testigo_wire::DetailKind::Time => DetailKind::Time,
                testigo_wire::DetailKind::Text => DetailKind::Text,
                testigo_wire::DetailKind::Choice => DetailKind::Choice,
            },
            required: field.required,
            label: (&field.label).into(),
            choices: (field.choices.iter())
                .map(|choice| ChoiceView {
                    value: choice.value.clone(),
                    label: (&choice.label).into(),
                })
                .collect(),
        }
    }
}

impl From<&catalogue::Entry> for CatalogueEntryView {
    fn from(entry: &catalogue::Entry) -> Self {
        let (es, en) = (testigo_wire::Language::Es, testigo_wire::Language::En);
        let pt = testigo_wire::Language::Pt;
        Self {
            code: entry.code.0,
            phase: entry.phase.into(),
            phase_es: entry.phase.label(es).to_owned(),
            phase_en: entry.phase.label(en).to_owned(),
            severity: entry.severity.into(),
            phase_pt: entry.phase.label(pt).to_owned(),
            es: entry.label(es).to_owned(),
            en: entry.label(en).to_owned(),
            pt: entry.label(pt).to_owned(),
            advice: (&entry.advice).into(),
            fields: entry.fields.iter().map(DetailFieldView::from).collect(),
            photo: !entry.no_photo,
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
