use crate::{PhoneError, SealedFile};
use testigo_wire::{
    Attachment, Catalogue, Code, Detail, DetailField, Entry, Handover, Pseudonym, Record, RecordId,
    Report, TableId, TallyRecord, Time, Warning,
};

/// A report as the witness gives it.
#[derive(Debug, Clone, Default)]
pub struct ReportInput {
    /// The catalogue's number.
    pub code: u16,
    /// The table; the witness's own where it is not given.
    pub table: Option<String>,
    /// Own words, at most 500 characters.
    pub note: Option<String>,
    /// How late, in minutes.
    pub delay_minutes: Option<u32>,
    /// When it started, RFC 3339.
    pub started: Option<String>,
    /// When it ended, RFC 3339.
    pub ended: Option<String>,
    /// How many people were involved.
    pub people: Option<u32>,
    /// What else the catalogue's entry asks for: names of its fields, each with what the witness wrote, at most 200
    /// characters. What is no value of its field is saved as it stands, with a warning.
    pub details: Vec<(String, String)>,
    /// Files that belong to it, from [`Phone::seal_file`](crate::Phone::seal_file).
    pub attachments: Vec<SealedFile>,
}

/// A tally sheet as the scanner read it.
#[derive(Debug, Clone, Default)]
pub struct TallyInput {
    /// The texts of the sheet's QR codes, byte for byte.
    pub texts: Vec<Vec<u8>>,
    /// The table, where the witness names it; else the sheet's own.
    pub table: Option<String>,
    /// Files that belong to it, from [`Phone::seal_file`](crate::Phone::seal_file).
    pub attachments: Vec<SealedFile>,
    /// Names the record, for a host that may save the same once more after it was killed: headquarters count equal records
    /// of one name once. A new random name where it is not given.
    pub record_id: Option<RecordId>,
}

/// More files than one record may have.
pub(crate) fn attachments(files: &[SealedFile]) -> Result<(), PhoneError> {
    if files.len() <= Attachment::MAX {
        return Ok(());
    }
    Err(PhoneError::input(
        "attachments",
        format!("{} archivos, donde caben {}", files.len(), Attachment::MAX),
        format!(
            "{} files, where at most {} fit",
            files.len(),
            Attachment::MAX
        ),
        format!(
            "{} arquivos, onde cabem no máximo {}",
            files.len(),
            Attachment::MAX
        ),
    ))
}

impl ReportInput {
    pub(crate) fn table(&self) -> Result<Option<TableId>, PhoneError> {
        table(self.table.as_deref())
    }

    /// The record, and what is doubtful about it by itself.
    pub(crate) fn record(
        &self,
        catalogue: &Catalogue,
    ) -> Result<(Record, Vec<Warning>), PhoneError> {
        attachments(&self.attachments)?;
        let code = Code(self.code);
        let Some(entry) = catalogue.entry(code) else {
            return Err(PhoneError::input(
                "code",
                format!("{} no está en el catálogo", self.code),
                format!("{} is not in the catalogue", self.code),
                format!("{} não está no catálogo", self.code),
            ));
        };
        let note = self
            .note
            .as_deref()
            .map(str::trim)
            .filter(|n| !n.is_empty());
        let chars = note.map_or(0, |note| note.chars().count());
        if chars > Report::MAX_NOTE_CHARS {
            return Err(PhoneError::input(
                "note",
                format!("{chars} caracteres, máximo {}", Report::MAX_NOTE_CHARS),
                format!("{chars} characters, at most {}", Report::MAX_NOTE_CHARS),
                format!("{chars} caracteres, no máximo {}", Report::MAX_NOTE_CHARS),
            ));
        }
        let report = Report {
            note: note.map(str::to_owned),
            delay_minutes: self.delay_minutes,
            started: time("started", self.started.as_deref())?,
            ended: time("ended", self.ended.as_deref())?,
            people: self.people,
            details: details(entry, &self.details)?,
            ..Report::new(code)
        };
        let backwards = matches!((report.started, report.ended), (Some(s), Some(e)) if e < s);
        let mut warnings = Vec::new();
        warnings.extend(backwards.then_some(Warning::ENDS_BEFORE_START));
        warnings.extend(doubtful_details(entry, &report.details));
        Ok((Record::Report(report), warnings))
    }
}

/// The details by the names of the entry's fields, trimmed; empty ones are left out.
fn details(entry: &Entry, given: &[(String, String)]) -> Result<Vec<Detail>, PhoneError> {
    let mut details: Vec<Detail> = Vec::new();
    for (name, value) in given {
        let (name, value) = (name.trim(), value.trim());
        if entry.field(name).is_none() {
            let names: Vec<&str> = entry.fields.iter().map(|f| f.name.as_str()).collect();
            let (names, code) = (names.join(", "), entry.code.0);
            return Err(match names.is_empty() {
                true => PhoneError::input(
                    "details",
                    format!(
                        "el código {code} no tiene ningún campo «{name}», ni otro; escríbalo en la nota"
                    ),
                    format!(
                        "code {code} has no field {name:?}, nor any other; write it in the note"
                    ),
                    format!(
                        "o código {code} não tem nenhum campo «{name}», nem outro; escreva na nota"
                    ),
                ),
                false => PhoneError::input(
                    "details",
                    format!("el código {code} no tiene ningún campo «{name}»; tiene: {names}"),
                    format!("code {code} has no field {name:?}; it has: {names}"),
                    format!("o código {code} não tem nenhum campo «{name}»; tem: {names}"),
                ),
            });
        }
        if details.iter().any(|detail| detail.name == name) {
            return Err(PhoneError::input(
                "details",
                format!("«{name}» se da dos veces"),
                format!("{name:?} is given twice"),
                format!("«{name}» é dado duas vezes"),
            ));
        }
        let (chars, most) = (value.chars().count(), Detail::MAX_CHARS);
        if chars > most {
            return Err(PhoneError::input(
                "details",
                format!("«{name}»: {chars} caracteres, máximo {most}"),
                format!("{name:?}: {chars} characters, at most {most}"),
                format!("«{name}»: {chars} caracteres, no máximo {most}"),
            ));
        }
        if !value.is_empty() {
            details.push(Detail {
                name: name.to_owned(),
                value: value.to_owned(),
            });
        }
    }
    Ok(details)
}

fn doubtful_details(entry: &Entry, details: &[Detail]) -> Vec<Warning> {
    let value = |field: &DetailField| details.iter().find(|detail| detail.name == field.name);
    let doubtful = |field: &DetailField| value(field).is_some_and(|d| !field.accepts(&d.value));
    let missing = |field: &DetailField| field.required && value(field).is_none();
    let mut warnings = Vec::new();
    warnings.extend((entry.fields.iter().any(doubtful)).then_some(Warning::DETAIL_DOUBTFUL));
    warnings.extend((entry.fields.iter().any(missing)).then_some(Warning::DETAIL_MISSING));
    warnings
}

impl TallyInput {
    /// More codes than any record is split over.
    const MAX_TEXTS: usize = 64;

    pub(crate) fn table(&self) -> Result<Option<TableId>, PhoneError> {
        table(self.table.as_deref())
    }

    pub(crate) fn record(&self) -> Result<Record, PhoneError> {
        attachments(&self.attachments)?;
        if self.texts.is_empty() || self.texts.len() > Self::MAX_TEXTS {
            return Err(PhoneError::input(
                "texts",
                format!(
                    "{} códigos, y se pueden guardar de 1 a {}",
                    self.texts.len(),
                    Self::MAX_TEXTS
                ),
                format!(
                    "{} codes, where 1 to {} can be kept",
                    self.texts.len(),
                    Self::MAX_TEXTS
                ),
                format!(
                    "{} códigos, e podem ser guardados de 1 a {}",
                    self.texts.len(),
                    Self::MAX_TEXTS
                ),
            ));
        }
        Ok(Record::Tally(TallyRecord::new(self.texts.iter().cloned())))
    }
}

/// A tally sheet on paper that passed from one person to another.
#[derive(Debug, Clone, Default)]
pub struct HandoverInput {
    /// The sheet's table; the witness's own where it is not given.
    pub table: Option<String>,
    /// The pseudonym of who gave it.
    pub from: String,
    /// The pseudonym of who has it now.
    pub to: String,
    /// When, RFC 3339; now where it is not given.
    pub at: Option<String>,
    /// Where, at most 100 characters.
    pub place: Option<String>,
    /// Files that belong to it, from [`Phone::seal_file`](crate::Phone::seal_file).
    pub attachments: Vec<SealedFile>,
}

impl HandoverInput {
    pub(crate) fn table(&self) -> Result<Option<TableId>, PhoneError> {
        table(self.table.as_deref())
    }

    pub(crate) fn handover(&self) -> Result<Handover, PhoneError> {
        attachments(&self.attachments)?;
        let place = self
            .place
            .as_deref()
            .map(str::trim)
            .filter(|p| !p.is_empty());
        let chars = place.map_or(0, |place| place.chars().count());
        if chars > Handover::MAX_PLACE_CHARS {
            let most = Handover::MAX_PLACE_CHARS;
            return Err(PhoneError::input(
                "place",
                format!("{chars} caracteres, máximo {most}"),
                format!("{chars} characters, at most {most}"),
                format!("{chars} caracteres, no máximo {most}"),
            ));
        }
        Ok(Handover {
            what: Handover::SHEET,
            from: Some(pseudonym("from", &self.from)?),
            to: Some(pseudonym("to", &self.to)?),
            at: time("at", self.at.as_deref())?,
            place: place.map(str::to_owned),
        })
    }
}

fn pseudonym(field: &'static str, text: &str) -> Result<Pseudonym, PhoneError> {
    Pseudonym::new(text).map_err(|_| {
        PhoneError::input(
            field,
            "un seudónimo como bote-2: de 1 a 24 letras, guiones y como mucho 4 cifras; nunca un teléfono ni una cédula",
            "a pseudonym such as boat-2: 1 to 24 letters, hyphens and at most 4 digits; never a telephone or identity number",
            "um pseudônimo como barco-2: de 1 a 24 letras, hífens e no máximo 4 algarismos; nunca um telefone nem um documento")
    })
}

fn table(text: Option<&str>) -> Result<Option<TableId>, PhoneError> {
    text.map(table_id).transpose()
}

pub(crate) fn table_id(text: &str) -> Result<TableId, PhoneError> {
    TableId::new(text).map_err(|_| {
        PhoneError::input(
            "table",
            "de 1 a 64 caracteres sin espacios, como 201301006.01",
            "1 to 64 characters without spaces, such as 201301006.01",
            "de 1 a 64 caracteres sem espaços, como 201301006.01",
        )
    })
}

fn time(field: &'static str, text: Option<&str>) -> Result<Option<Time>, PhoneError> {
    text.map(|text| {
        Time::from_rfc3339(text).ok_or_else(|| {
            PhoneError::input(
                field,
                "no es una hora como 2024-07-28T14:30:00-04:00",
                "not a time such as 2024-07-28T14:30:00-04:00",
                "não é uma hora como 2024-07-28T14:30:00-04:00",
            )
        })
    })
    .transpose()
}
