//! `testigo phone shell`: stays open and takes a phone's commands line by line, as an app would.

use crate::args::{Cli, Command, PhoneCommand};
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::phone::one;
use crate::stdin;
use clap::Parser;
use serde_json::json;
use testigo_phone::Phone;
use testigo_wire::Language;

/// Takes commands line by line until the input ends; a refused one does not end it.
pub fn run(phone: &mut Phone, language: Language, as_json: bool) -> Result<Outcome, Failure> {
    let mut clean = true;
    loop {
        let line = stdin::line()?;
        if line.is_empty() {
            break;
        }
        let Some(words) = shlex::split(&line) else {
            said(&unclear(), language, as_json);
            clean = false;
            continue;
        };
        if words.is_empty() {
            continue;
        }
        if matches!(words.first().map(String::as_str), Some("quit" | "exit")) {
            break;
        }
        let done = shell_command(words).and_then(|command| one(phone, command, language, as_json));
        clean &= done.as_ref().is_ok_and(|outcome| outcome.clean);
        match done {
            Ok(outcome) => outcome.print(as_json),
            Err(failure) => said(&failure, language, as_json),
        }
    }
    Ok(Outcome {
        lines: Vec::new(),
        json: json!({ "closed": true }),
        clean,
    })
}

/// A line of the shell is what stands behind `testigo phone --home DIR`.
fn shell_command(words: Vec<String>) -> Result<PhoneCommand, Failure> {
    let settled = ["--home", "--json", "--lang", "--clock-wrong-by-minutes"];
    let option = words.iter().find(|word| {
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        settled.contains(&name)
    });
    if let Some(option) = option {
        return Err(Failure::said(
            format!("{option} se da al abrir el intérprete, no en una línea; quítelo."),
            format!("{option} is given when the shell is started, not in a line; leave it out."),
        ));
    }
    let prefix = ["testigo", "phone", "--home", "."].map(str::to_owned);
    match Cli::try_parse_from(prefix.into_iter().chain(words)) {
        Ok(Cli {
            command: Command::Phone(args),
            ..
        }) => match args.command {
            PhoneCommand::Init | PhoneCommand::Shell | PhoneCommand::Sync { watch: true, .. } => {
                Err(Failure::said(
                    "Eso no se hace dentro del intérprete, que ya tiene abierto su teléfono; escriba las demás órdenes, o quit.",
                    "That is not for the shell, which has its phone open already; type the other commands, or quit.",
                ))
            }
            command => Ok(command),
        },
        Ok(_) => Err(unclear()),
        Err(error) => Err(Failure::foreign(error)),
    }
}

fn unclear() -> Failure {
    Failure::said(
        "Falta cerrar una comilla.",
        "A quotation mark is not closed.",
    )
}

fn said(failure: &Failure, language: Language, as_json: bool) {
    Outcome {
        lines: (failure.sentence(language).lines())
            .map(str::to_owned)
            .collect(),
        json: failure.json(language),
        clean: false,
    }
    .print(as_json);
}
