//! `testigo hq devices` and `testigo hq review`: what people at headquarters see and decide.

use crate::args::staff::{DevicesCommand, ReviewCommand, Why};
use crate::failure::Failure;
use crate::outcome::Outcome;
use serde_json::json;
use std::path::Path;
use testigo_hq::{DecisionNote, DecisionView, DeviceState, DeviceView, HqError, WaitingView};
use testigo_wire::{Confirmation, KeyId, Language, Time};

/// Runs one command about devices; without one, lists them.
pub fn devices(
    data: &Path,
    command: Option<DevicesCommand>,
    language: Language,
) -> Result<Outcome, Failure> {
    let device = match command {
        None => {
            let devices = testigo_hq::devices(data)?;
            let lines = devices
                .iter()
                .map(|device| line(device, language))
                .collect();
            return Ok(Outcome::clean(lines, json!({ "devices": devices })));
        }
        Some(DevicesCommand::History) => {
            let decisions = testigo_hq::decisions(data)?;
            let lines = decisions.iter().map(history).collect();
            return Ok(Outcome::clean(lines, json!({ "decisions": decisions })));
        }
        Some(DevicesCommand::Unconfirmed { what, why }) => {
            let wait = what == "wait";
            testigo_hq::let_unconfirmed_wait(data, wait, note(&why))?;
            let said = match wait {
                true => language.pick(
                    "Lo de teléfonos sin confirmar espera revisión.",
                    "What comes from unconfirmed phones waits for review.",
                ),
                false => language.pick(
                    "Lo de teléfonos sin confirmar cuenta, provisional.",
                    "What comes from unconfirmed phones counts, provisionally.",
                ),
            };
            let json = json!({ "unconfirmed": what });
            return Ok(Outcome::clean(vec![said.to_owned()], json));
        }
        Some(DevicesCommand::Confirm { heard: spoken, why }) => {
            testigo_hq::confirm_device(data, heard(&spoken)?, note(&why))?
        }
        Some(DevicesCommand::Revoke {
            device,
            from,
            whole_code,
            why,
        }) => {
            let from = from.as_deref().map(time).transpose()?;
            testigo_hq::revoke_device(data, name(&device)?, from, whole_code, note(&why))?
        }
        Some(DevicesCommand::Trust { device, why }) => {
            let device = testigo_hq::trust_device(data, name(&device)?, note(&why));
            return trusted(device, language);
        }
        Some(DevicesCommand::Replace {
            device,
            heard: spoken,
            from,
            why,
        }) => {
            let from = from.as_deref().map(time).transpose()?;
            let (old, new) = (name(&device)?, heard(&spoken)?);
            testigo_hq::replace_device(data, old, new, from, note(&why))?
        }
        Some(DevicesCommand::Reassign { device, table, why }) => {
            let table = crate::hq::table_id(&table)?;
            testigo_hq::reassign_device(data, name(&device)?, &table, note(&why))?
        }
    };
    Ok(Outcome::clean(
        vec![line(&device, language)],
        json!({ "device": device }),
    ))
}

/// What became of a revocation that was taken back.
fn trusted(device: Result<DeviceView, HqError>, language: Language) -> Result<Outcome, Failure> {
    let device = match device {
        Ok(device) => device,
        Err(error @ HqError::RevokedByRoot(_)) => {
            let sentence = error.sentence(language);
            let json = json!({ "refused": sentence });
            return Ok(Outcome {
                lines: vec![sentence],
                json,
                clean: false,
            });
        }
        Err(error) => return Err(error.into()),
    };
    let clean = device.state != DeviceState::RevokedByRoot;
    let mut lines = vec![line(&device, language)];
    if !clean {
        lines.push(
            language
                .pick(
                    "Lo revocó también la raíz, y eso queda: lo que envía espera revisión.",
                    "The root has revoked it, too, and that stays: what it sends waits for review.",
                )
                .to_owned(),
        );
    }
    Ok(Outcome {
        lines,
        json: json!({ "device": device }),
        clean,
    })
}

/// Runs one command about records that wait; without one, lists them.
pub fn review(
    data: &Path,
    command: Option<ReviewCommand>,
    language: Language,
) -> Result<Outcome, Failure> {
    let (number, counts, why) = match command {
        None => {
            let waiting = testigo_hq::waiting(data)?;
            let mut lines: Vec<String> = (waiting.iter())
                .map(|record| waits(record, language))
                .collect();
            if waiting.is_empty() {
                let nothing = language.pick("Nada espera revisión.", "Nothing waits for review.");
                lines.push(nothing.to_owned());
            }
            return Ok(Outcome::clean(lines, json!({ "waiting": waiting })));
        }
        Some(ReviewCommand::Choose { number, why }) => {
            let aside = testigo_hq::choose_version(data, number, note(&why))?;
            let others: Vec<String> = aside.iter().map(i64::to_string).collect();
            let others = others.join(", ");
            let said = match aside.is_empty() {
                true => language.pick(
                    format!("La versión del registro {number} cuenta; ninguna otra de su mesa era distinta."),
                    format!("The version of record {number} counts; no other of its table differed."),
                ),
                false => language.pick(
                    format!("La versión del registro {number} cuenta. Apartados, guardados y sin contar: {others}. Para deshacerlo: testigo hq review count NÚMERO"),
                    format!("The version of record {number} counts. Set aside, kept and uncounted: {others}. To undo it: testigo hq review count NUMBER"),
                ),
            };
            let json = json!({ "record": number, "set_aside": aside });
            return Ok(Outcome::clean(vec![said], json));
        }
        Some(ReviewCommand::Count { number, why }) => (number, true, why),
        Some(ReviewCommand::SetAside { number, why }) => (number, false, why),
    };
    testigo_hq::review(data, number, counts, note(&why))?;
    let said = match counts {
        true => language.pick(
            format!("El registro {number} cuenta."),
            format!("Record {number} counts."),
        ),
        false => language.pick(
            format!("El registro {number} queda apartado, guardado y sin contar."),
            format!("Record {number} is set aside, kept and uncounted."),
        ),
    };
    let json = json!({ "record": number, "counts": counts });
    Ok(Outcome::clean(vec![said], json))
}

fn note(why: &Why) -> DecisionNote<'_> {
    DecisionNote {
        by: why.by.as_deref(),
        why: why.why.as_deref(),
    }
}

fn heard(spoken: &[String]) -> Result<Confirmation, Failure> {
    spoken.concat().parse().map_err(|_| {
        Failure::said(
            "No son los 12 caracteres de un teléfono; no se confirmó nada. Pida que los lean otra vez, en tres grupos de cuatro.",
            "Those are not a phone's 12 characters; nothing was confirmed. Have them read out again, in three groups of four.",
        )
    })
}

fn name(text: &str) -> Result<KeyId, Failure> {
    let number = (text.len() == 16)
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten();
    let number = number.ok_or_else(|| {
        Failure::said(
            format!("{text:?} no es el nombre de un teléfono; están en: testigo hq devices"),
            format!("{text:?} is no device's short name; they are in: testigo hq devices"),
        )
    })?;
    Ok(KeyId(number.to_be_bytes()))
}

fn time(text: &str) -> Result<Time, Failure> {
    Time::from_rfc3339(text).ok_or_else(|| {
        Failure::said(
            format!("{text:?} no es una hora; escríbala como 2024-07-28T16:00:00-04:00."),
            format!("{text:?} is no time; write it such as 2024-07-28T16:00:00-04:00."),
        )
    })
}

fn state(state: DeviceState, language: Language) -> &'static str {
    match state {
        DeviceState::Unconfirmed => language.pick("sin confirmar", "unconfirmed"),
        DeviceState::Confirmed => language.pick("confirmado", "confirmed"),
        DeviceState::Quarantined => language.pick("en cuarentena", "quarantined"),
        DeviceState::Revoked => language.pick("revocado", "revoked"),
        DeviceState::RevokedByRoot => language.pick("revocado por la raíz", "revoked by the root"),
    }
}

fn line(device: &DeviceView, language: Language) -> String {
    let (name, code) = (&device.device, &device.code);
    let table = device.table.as_deref().unwrap_or("-");
    let state = state(device.state, language);
    let since = (device.revoked_since.as_deref()).map_or_else(String::new, |at| format!(" ({at})"));
    let (records, waiting) = (device.records, device.waiting);
    language.pick(
        format!("{name}  código {code}  mesa {table}  {state}{since}  registros {records}, por revisar {waiting}"),
        format!("{name}  code {code}  table {table}  {state}{since}  records {records}, waiting {waiting}"),
    )
}

fn waits(record: &WaitingView, language: Language) -> String {
    let WaitingView {
        arrival,
        received_at,
        device,
        ..
    } = record;
    let table = record.table.as_deref().unwrap_or("-");
    let kind = match record.kind.as_str() {
        "sheet" => language.pick("acta", "sheet"),
        _ => language.pick("reporte", "report"),
    };
    let state = state(record.state, language);
    language.pick(
        format!("{arrival}  {kind}  mesa {table}  {received_at}  teléfono {device}, {state}"),
        format!("{arrival}  {kind}  table {table}  {received_at}  device {device}, {state}"),
    )
}

/// In the words that the history keeps.
fn history(decision: &DecisionView) -> String {
    let number = decision.arrival.map(|arrival| arrival.to_string());
    let parts = [
        Some(decision.decided_at.as_str()),
        Some(decision.what.as_str()),
        decision.device.as_deref(),
        decision.code.as_deref(),
        number.as_deref(),
        decision.since.as_deref(),
        decision.table.as_deref(),
        decision.by.as_deref(),
        decision.why.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}
