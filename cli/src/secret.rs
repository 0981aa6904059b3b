//! What nobody else may see: typed without an echo on a terminal, or read from standard input by a program.

use crate::failure::Failure;
use crate::outcome::complain;
use crate::stdin;
use std::io::IsTerminal;
use std::path::Path;
use testigo_hq::{PaperReader, Passphrase};
use testigo_wire::Language;
use zeroize::Zeroizing;

/// A passphrase for something that is there.
pub fn passphrase(language: Language) -> Result<Passphrase, Failure> {
    typed(language.pick("Frase de paso: ", "Passphrase: ")).map(|text| Passphrase::new(&text))
}

/// A passphrase for something new: on a terminal it is asked for twice.
pub fn new_passphrase(language: Language) -> Result<Passphrase, Failure> {
    let first = typed(language.pick("Frase de paso nueva: ", "New passphrase: "))?;
    if std::io::stdin().is_terminal() {
        let again = typed(language.pick("Otra vez: ", "Once more: "))?;
        if *first != *again {
            return Err(Failure::said(
                "Las dos frases no son iguales; no se ha cambiado nada. Repita.",
                "The two are not the same; nothing was changed. Try again.",
            ));
        }
    }
    Ok(Passphrase::new(&first))
}

/// One line without its end, which nobody sees on a terminal.
pub fn typed(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(Failure::file(Path::new("terminal")));
    }
    let mut line = stdin::line()?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    Ok(line)
}

/// Papers, until there are enough. On a terminal a mistyped line is asked for again.
pub fn papers(language: Language) -> Result<PaperReader, Failure> {
    let asks = std::io::stdin().is_terminal();
    let mut reader = PaperReader::default();
    while !reader.is_complete() {
        let (paper, line) = (reader.papers() + 1, reader.next_line());
        let prompt = language.pick(
            format!("Papel {paper}, línea {line}: "),
            format!("Paper {paper}, line {line}: "),
        );
        let text = typed(&prompt)?;
        // Standard input has come to its end: what is missing is told by who uses it.
        if text.is_empty() && !asks {
            break;
        }
        match reader.line(&text) {
            Ok(()) => {}
            Err(error) if asks => complain(&testigo_hq::RootError::from(error).sentence(language)),
            Err(error) => return Err(testigo_hq::RootError::from(error).into()),
        }
    }
    Ok(reader)
}
