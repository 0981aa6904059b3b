//! What the night shows of the phones' and headquarters' answers.

use super::night::{Night, Totals, expect, text};
use crate::child::Process;
use crate::failure::Failure;
use serde_json::{Value, json};
use testigo_wire::{ElectionPack, TableId};

impl Night {
    /// Prints a sheet as the phone read it, and adds its votes to what headquarters must come to.
    pub(super) fn show_tally(&self, tally: &Value, pack: &ElectionPack, expected: &mut Totals) {
        if tally.pointer("/tally/not_a_tally").is_some() {
            self.say(
                format!(
                    "La foto: {} Guardada como evidencia.",
                    text(tally, "/tally/not_a_tally")
                ),
                format!(
                    "The photograph: {} Saved as evidence.",
                    text(tally, "/tally/not_a_tally")
                ),
            );
            return;
        }
        let candidates = tally.pointer("/tally/candidates").and_then(Value::as_array);
        let table = text(tally, "/tally/table");
        let counts = TableId::new(&table).is_ok_and(|table| pack.table(&table).is_some());
        let mut votes = Vec::new();
        for candidate in candidates.into_iter().flatten() {
            let (code, count) = (text(candidate, "/code"), candidate.pointer("/votes"));
            let count = count.and_then(Value::as_u64).unwrap_or(0);
            votes.push(format!("{code} {count}"));
            if counts {
                *expected.entry(code).or_default() += count;
            }
        }
        self.say(
            format!(
                "El acta de la mesa {table} se lee al momento: {}",
                votes.join(", ")
            ),
            format!(
                "The sheet of table {table} is read at once: {}",
                votes.join(", ")
            ),
        );
        let doubts = tally.pointer("/tally/sentences").and_then(Value::as_array);
        for doubt in doubts.into_iter().flatten().filter_map(Value::as_str) {
            let line = format!("  ! {doubt}");
            self.say(&line, &line);
        }
        if !counts {
            self.say(
                "  guardada como evidencia; en ningún total: la mesa no está en el paquete de esta elección",
                "  kept as evidence; in no total: the table is not in this election's pack",
            );
        }
    }

    /// Syncs; all that was saved must be delivered, each with its signed receipt.
    pub(super) fn deliver(&self, phone: &mut Process, count: usize) -> Result<(), Failure> {
        let sent = phone.ask("sync")?;
        self.say(
            format!(
                "Envío: registros entregados: {}, fotos: {}, peticiones: {}, bytes: {}",
                text(&sent, "/delivered"),
                text(&sent, "/attachments_delivered"),
                text(&sent, "/requests"),
                text(&sent, "/bytes_sent")
            ),
            format!(
                "Sync: records delivered: {}, pictures: {}, requests: {}, bytes: {}",
                text(&sent, "/delivered"),
                text(&sent, "/attachments_delivered"),
                text(&sent, "/requests"),
                text(&sent, "/bytes_sent")
            ),
        );
        let list = phone.ask("list")?;
        for item in list.as_array().into_iter().flatten().rev() {
            // What it said has burned with the receipt.
            let line = format!("  {}  {}", text(item, "/sequence"), text(item, "/delivery"));
            self.say(&line, &line);
        }
        expect(
            sent.pointer("/delivered") == Some(&json!(count)),
            "No se entregó todo.",
            "Not everything was delivered.",
        )
    }

    /// Prints the list of incidents of headquarters' API.
    pub(super) fn show_incidents(&self, incidents: &Value) {
        let list = incidents.pointer("/incidents").and_then(Value::as_array);
        let list: Vec<&Value> = list.into_iter().flatten().collect();
        self.say(
            format!("Incidencias en la central ({}):", list.len()),
            format!("Incidents at headquarters ({}):", list.len()),
        );
        for incident in list {
            let mut line = format!(
                "  {} {}  {}",
                text(incident, "/code"),
                text(incident, self.language.pick("/label/es", "/label/en")),
                text(incident, "/table")
            );
            if let Some(minutes) = incident.pointer("/delay_minutes").and_then(Value::as_u64) {
                line.push_str(&format!("  {minutes} min"));
            }
            for end in ["/started", "/ended"] {
                if let Some(time) = incident.pointer(end).and_then(Value::as_str) {
                    line.push_str(&format!("  {time}"));
                }
            }
            self.say(&line, &line);
        }
    }

    /// Prints the table of results of headquarters' API; returns each candidate's votes.
    pub(super) fn show_results(&self, results: &Value) -> Totals {
        self.say(
            format!(
                "Resultados en la central: {} de {} mesas",
                text(results, "/tables/reported"),
                text(results, "/tables/expected")
            ),
            format!(
                "Results at headquarters: {} of {} tables",
                text(results, "/tables/reported"),
                text(results, "/tables/expected")
            ),
        );
        let mut totals = Totals::new();
        let candidates = results.pointer("/candidates").and_then(Value::as_array);
        for candidate in candidates.into_iter().flatten() {
            let votes = candidate
                .pointer("/votes")
                .and_then(Value::as_u64)
                .unwrap_or(0);
            let line = format!("  {:<24} {votes:>6}", text(candidate, "/name"));
            self.say(&line, &line);
            totals.insert(text(candidate, "/code"), votes);
        }
        totals
    }
}
