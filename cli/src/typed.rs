//! `testigo phone tally --typed`: a sheet without a code that can be read, typed twice from the paper.

use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::{attach, render, stdin};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use testigo_phone::{Phone, TypedField, TypedInput, TypedSheet};
use testigo_tally::TypingForm;
use testigo_wire::{Language, MAX_VOTES, TableId};

/// Asks for the numbers twice and saves them with the files, among which a photograph of the paper should be.
pub fn run(phone: &mut Phone, files: &[PathBuf], language: Language) -> Result<Outcome, Failure> {
    let form = phone.typing_form().ok_or_else(|| {
        Failure::said(
            "Falta el paquete de la elección, que dice qué casillas tiene el acta. Guarde una foto: report 53 --attach FOTO.",
            "The election pack is missing, which says what slots the sheet has. Save a photograph: report 53 --attach PHOTO.",
        )
    })?;
    // Before anybody types fifty numbers: a file that cannot be read is told now.
    let attachments = attach::seal(phone, files)?;
    let asking = Asking { form, language };
    asking.say(language.pick3(
        "Primera vez. Lea cada cifra del papel.",
        "First time. Read each number from the paper.",
        "Primeira vez. Leia cada número no papel.",
    ));
    let mut first = asking.sheet()?;
    if std::io::stderr().is_terminal() {
        // The first time must not be seen during the second: clear the screen and what was scrolled away (ECMA-48).
        show("\x1b[2J\x1b[3J\x1b[H");
    }
    asking.say(language.pick3(
        "Segunda vez, otra vez del papel y no de memoria.",
        "Second time, from the paper again and not from memory.",
        "Segunda vez, de novo do papel e não de memória.",
    ));
    let mut second = asking.sheet()?;
    for field in first.differences(&second) {
        asking.settle(field, &mut first, &mut second)?;
    }
    let saved = phone.typed(&TypedInput {
        first,
        second,
        attachments,
    })?;
    Ok(render::saved_tally(&saved, phone.election(), language))
}

struct Asking {
    form: TypingForm,
    language: Language,
}

impl Asking {
    fn say(&self, sentence: &str) {
        show(&format!("{sentence}\n"));
    }

    /// In the order of the paper.
    fn fields(&self) -> Vec<TypedField> {
        let form = &self.form;
        let asked = [
            (form.blank, TypedField::Blank),
            (form.null, TypedField::Null),
            (form.total, TypedField::Total),
            (true, TypedField::PrintedHash),
            (true, TypedField::MachineCode),
        ];
        let votes = (0..form.slots.len()).map(TypedField::Votes);
        (std::iter::once(TypedField::Table).chain(votes))
            .chain(
                asked
                    .into_iter()
                    .filter(|(asked, _)| *asked)
                    .map(|(_, field)| field),
            )
            .collect()
    }

    fn sheet(&self) -> Result<TypedSheet, Failure> {
        let mut sheet = TypedSheet {
            votes: vec![0; self.form.slots.len()],
            ..TypedSheet::default()
        };
        for field in self.fields() {
            self.field(field, &mut sheet)?;
        }
        Ok(sheet)
    }

    /// Asks for a field until both times say the same.
    fn settle(
        &self,
        field: TypedField,
        first: &mut TypedSheet,
        second: &mut TypedSheet,
    ) -> Result<(), Failure> {
        while first.differences(second).contains(&field) {
            let label = field.label(self.language);
            self.say(&self.language.pick3(
                format!("Las dos veces no son iguales: {label}. Mire el papel y teclee eso dos veces más."),
                format!("The two times differ: {label}. Look at the paper and type that twice more."),
                format!("As duas vezes não são iguais: {label}. Olhe o papel e digite isso mais duas vezes."),
            ));
            self.field(field, first)?;
            self.field(field, second)?;
        }
        Ok(())
    }

    /// Asks for one field until it is understood.
    fn field(&self, field: TypedField, sheet: &mut TypedSheet) -> Result<(), Failure> {
        loop {
            // From a script nobody ends the line by pressing Enter.
            let end = if std::io::stdin().is_terminal() {
                " "
            } else {
                "\n"
            };
            show(&format!("{}:{end}", self.prompt(field)));
            let line = stdin::line()?;
            if line.is_empty() {
                return Err(Failure::said(
                    "La entrada terminó antes que el acta; no se guardó nada.",
                    "The input ended before the sheet did; nothing was saved.",
                ));
            }
            match set(sheet, field, line.trim()) {
                true => return Ok(()),
                false if field == TypedField::Table => self.say(self.language.pick3(
                    "El número de la mesa como está en el acta, por ejemplo 201301006.01.",
                    "The table's number as the sheet has it, such as 201301006.01.",
                    "O número da mesa como está no boletim, por exemplo 201301006.01.",
                )),
                false => self.say(&self.language.pick3(
                    format!("Una cifra de 0 a {MAX_VOTES}, sin puntos; si el papel dice 0, escriba 0."),
                    format!("A number from 0 to {MAX_VOTES}, without separators; where the paper says 0, type 0."),
                    format!("Um número de 0 a {MAX_VOTES}, sem pontos; se o papel diz 0, digite 0."),
                )),
            }
        }
    }

    fn prompt(&self, field: TypedField) -> String {
        let label = match field {
            TypedField::Votes(n) => (self.form.slots.get(n)).map_or_else(String::new, |slot| {
                format!("{:>3} {} ({})", n + 1, slot.party, slot.candidate)
            }),
            other => other.label(self.language),
        };
        let may_be_empty = !matches!(field, TypedField::Table | TypedField::Votes(_));
        match may_be_empty {
            true => self.language.pick3(
                format!("{label} (vacío si el papel no lo dice)"),
                format!("{label} (empty where the paper has none)"),
                format!("{label} (vazio se o papel não diz)"),
            ),
            false => label,
        }
    }
}

/// Beside the result, which goes to standard output.
fn show(text: &str) {
    let mut out = std::io::stderr();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// `false` where the text is no such field.
fn set(sheet: &mut TypedSheet, field: TypedField, text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = || {
        text.parse()
            .ok()
            .filter(|votes| digits && *votes <= MAX_VOTES)
    };
    let printed = || (!text.is_empty()).then(|| text.to_owned());
    let numbers = match field {
        TypedField::Table => {
            sheet.table = text.to_owned();
            return TableId::new(text).is_ok();
        }
        TypedField::PrintedHash => {
            sheet.printed_hash = printed();
            return true;
        }
        TypedField::MachineCode => {
            sheet.machine_code = printed();
            return true;
        }
        TypedField::Votes(n) => {
            return match (sheet.votes.get_mut(n), number()) {
                (Some(votes), Some(number)) => {
                    *votes = number;
                    true
                }
                _ => false,
            };
        }
        TypedField::Blank => &mut sheet.blank,
        TypedField::Null => &mut sheet.null,
        TypedField::Total => &mut sheet.total,
    };
    *numbers = number();
    text.is_empty() || numbers.is_some()
}
