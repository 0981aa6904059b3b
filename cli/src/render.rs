//! What a phone answers, as lines for a person and as JSON for a program.

use crate::outcome::Outcome;
use crate::root::words_line;
use serde_json::{Value, json};
use testigo_phone::{Delivery, Enrolled, HistoryView, Saved, SavedTally, TrustView};
use testigo_tally::{Contest, NotATally, Tally};
use testigo_wire::{
    Catalogue, Confirmation, ElectionPack, Handover, Language, Record, Report, TableId, Time,
    Warning,
};

fn sentences(warnings: &[Warning], language: Language) -> Vec<String> {
    warnings.iter().map(|w| w.sentence(language)).collect()
}

fn codes(warnings: &[Warning]) -> Vec<u16> {
    warnings.iter().map(|w| w.0).collect()
}

/// That nothing on a phone counts.
pub fn practice(language: Language) -> String {
    language
        .pick3(
            "PRÁCTICA · PRACTICE: nada de esto cuenta en ninguna elección.",
            "PRACTICE · PRÁCTICA: nothing of this counts in any election.",
            "PRÁTICA · PRACTICE: nada disto conta em nenhuma eleição.",
        )
        .to_owned()
}

/// A table with its place, as far as the election's pack knows it.
fn table_and_place(table: Option<&TableId>, election: Option<&ElectionPack>) -> String {
    let Some(table) = table else {
        return "-".to_owned();
    };
    let known = election.and_then(|pack| pack.table(table));
    let place = known.map(testigo_wire::PollingTable::place);
    match place.filter(|place| !place.is_empty()) {
        Some(place) => format!("{table} ({place})"),
        None => table.to_string(),
    }
}

/// What the phone belongs to now.
pub fn enrolled(
    enrolled: &Enrolled,
    pack: Option<&ElectionPack>,
    trust: Option<TrustView>,
    confirmation: Option<Confirmation>,
    language: Language,
) -> Outcome {
    let election = enrolled.election.as_deref().unwrap_or("-");
    let table = table_and_place(enrolled.table.as_ref(), pack);
    let mut lines = vec![language.pick3(
        format!("Inscrito sin red: {election}, mesa {table}."),
        format!("Enrolled without a network: {election}, table {table}."),
        format!("Inscrito sem rede: {election}, seção {table}."),
    )];
    if let Some(trust) = trust {
        lines.push(words_line(trust.root, language));
        lines.push(
            language
                .pick3(
                    "Su coordinación debe decirle esas mismas palabras; si son otras, no envíe nada y avise.",
                    "Your coordinator must say these same words; where they are others, send nothing and tell somebody.",
                    "Sua coordenação deve dizer essas mesmas palavras; se forem outras, não envie nada e avise.",
                )
                .to_owned(),
        );
    }
    lines.extend(confirmation.map(|characters| read_out(characters, language)));
    Outcome::clean(
        lines,
        json!({
            "election": enrolled.election,
            "table": enrolled.table.as_ref().map(TableId::as_str),
            "words": trust.map(|trust| trust.words(language)),
            "confirmation": confirmation.map(|characters| characters.to_string()),
        }),
    )
}

/// What a witness reads out.
pub fn read_out(characters: Confirmation, language: Language) -> String {
    language.pick3(
        format!("Para que su coordinación confirme este teléfono, léale: {characters}"),
        format!("For your coordinator to confirm this phone, read out: {characters}"),
        format!("Para que sua coordenação confirme este telefone, leia: {characters}"),
    )
}

fn saved_json(saved: &Saved, language: Language) -> Value {
    json!({
        "saved": saved.sequence,
        "record": saved.record_id.to_string(),
        "table": saved.table.as_ref().map(TableId::as_str),
        "warnings": codes(&saved.warnings),
        "sentences": sentences(&saved.warnings, language),
    })
}

fn saved_lines(saved: &Saved, pack: Option<&ElectionPack>, language: Language) -> Vec<String> {
    let table = table_and_place(saved.table.as_ref(), pack);
    let mut lines = vec![language.pick3(
        format!("Guardado: n.º {}, mesa {table}.", saved.sequence),
        format!("Saved: no. {}, table {table}.", saved.sequence),
        format!("Salvo: n.º {}, seção {table}.", saved.sequence),
    )];
    lines.extend(
        sentences(&saved.warnings, language)
            .into_iter()
            .map(|sentence| format!("  ! {sentence}")),
    );
    lines
}

/// What was saved.
pub fn saved(saved: &Saved, pack: Option<&ElectionPack>, language: Language) -> Outcome {
    Outcome::clean(
        saved_lines(saved, pack, language),
        saved_json(saved, language),
    )
}

/// A sheet that was saved, and its votes at once.
pub fn saved_tally(tally: &SavedTally, pack: Option<&ElectionPack>, language: Language) -> Outcome {
    let mut lines = saved_lines(&tally.saved, pack, language);
    let reading = reading(&tally.reading, language);
    lines.extend(reading.lines);
    let mut json = saved_json(&tally.saved, language);
    if let Value::Object(map) = &mut json {
        map.insert("tally".to_owned(), reading.json);
    }
    Outcome {
        lines,
        json,
        clean: reading.clean,
    }
}

/// What a sheet's texts say.
pub fn reading(reading: &Result<Tally, NotATally>, language: Language) -> Outcome {
    let tally = match reading {
        Ok(tally) => tally,
        Err(error) => {
            let sentence = error.sentence(language);
            return Outcome {
                lines: vec![sentence.clone()],
                json: json!({ "not_a_tally": sentence, "altered": error.is_altered() }),
                clean: false,
            };
        }
    };
    let mut lines = vec![language.pick3(
        format!("Mesa {}:", tally.table),
        format!("Table {}:", tally.table),
        format!("Seção {}:", tally.table),
    )];
    let mut candidates = tally.candidates.clone();
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.votes));
    let width = (candidates.iter())
        .map(|c| c.name.chars().count())
        .max()
        .unwrap_or(0);
    lines.extend(
        candidates
            .iter()
            .map(|c| format!("  {:<width$}  {:>6}", c.name, c.votes)),
    );
    for (n, contest) in tally.contests.iter().enumerate() {
        if candidates.is_empty() || tally.counted != Some(n) {
            lines.extend(contest_lines(contest, language));
        }
        lines.push(sums(contest, language));
    }
    let vouch = tally.vouch.phrase(language);
    lines.push(language.pick(
        format!("  Responde por las cifras: {vouch}."),
        format!("  What vouches for the numbers: {vouch}."),
    ));
    let doubts: Vec<String> = tally.doubts.iter().map(|d| d.sentence(language)).collect();
    lines.extend(doubts.iter().map(|doubt| format!("  ! {doubt}")));
    let contests: Vec<Value> = (tally.contests.iter())
        .map(|contest| {
            json!({
                "office": contest.office,
                "title": contest.title(language),
                "slots": contest.slots.iter().map(|s| json!({ "slot": s.name, "votes": s.votes })).collect::<Vec<_>>(),
                "valid_votes": contest.valid_votes(),
                "blank_votes": contest.blank,
                "null_votes": contest.null,
                "total": contest.total,
            })
        })
        .collect();
    Outcome::clean(
        lines,
        json!({
            "format": tally.format,
            "table": tally.table.as_str(),
            "candidates": candidates.iter().map(|c| json!({ "code": c.code, "name": c.name, "votes": c.votes })).collect::<Vec<_>>(),
            "contests": contests,
            "counted": tally.counted,
            "valid_votes": tally.valid_votes(),
            "null_votes": tally.null_votes(),
            "fields": tally.fields.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect::<Vec<_>>(),
            "vouch": tally.vouch.to_string(),
            "warnings": tally.doubts.iter().map(|d| d.warning().0).collect::<Vec<_>>(),
            "sentences": doubts,
        }),
    )
}

/// A contest by slot, most votes first; those without votes are many and left out.
fn contest_lines(contest: &Contest, language: Language) -> Vec<String> {
    let mut slots: Vec<(String, u32)> = (contest.slots.iter().enumerate())
        .filter(|(_, slot)| slot.votes > 0)
        .map(|(n, slot)| (slot.name.clone().unwrap_or((n + 1).to_string()), slot.votes))
        .collect();
    slots.sort_by_key(|(_, votes)| std::cmp::Reverse(*votes));
    let office = contest.title(language);
    let slots: Vec<String> = (slots.into_iter())
        .map(|(slot, votes)| format!("{slot}: {votes}"))
        .collect();
    let slots = slots
        .chunks(8)
        .map(|line| format!("    {}", line.join("  ")));
    office
        .into_iter()
        .map(|office| format!("  {office}"))
        .chain(slots)
        .collect()
}

fn sums(contest: &Contest, language: Language) -> String {
    let mut sums = language.pick3(
        format!("  Votos válidos: {}", contest.valid_votes()),
        format!("  Valid votes: {}", contest.valid_votes()),
        format!("  Votos válidos: {}", contest.valid_votes()),
    );
    for (name, votes) in [
        (
            language.pick3("en blanco", "blank", "em branco"),
            contest.blank,
        ),
        (language.pick3("nulos", "null", "nulos"), contest.null),
    ] {
        sums.extend(votes.map(|votes| format!("; {name}: {votes}")));
    }
    sums + "."
}

fn reported(report: &Report, catalogue: &Catalogue, language: Language) -> String {
    let code = report.code;
    let mut text = format!("{} {}", code.0, catalogue.label(code, language));
    if let Some(minutes) = report.delay_minutes {
        text.push_str(&format!(", {minutes} min"));
    }
    for detail in &report.details {
        let field = (catalogue.entry(code)).and_then(|entry| entry.field(&detail.name));
        let (name, value) = match field {
            Some(field) => (
                field.label.pick(language),
                field.shown(&detail.value, language),
            ),
            None => (detail.name.as_str(), detail.value.as_str()),
        };
        text.push_str(&format!(", {name}: {value}"));
    }
    if let Some(note) = &report.note {
        text.push_str(&format!(": {note}"));
    }
    text
}

fn what(record: &Record, catalogue: &Catalogue, language: Language) -> String {
    match record {
        Record::Report(report) => reported(report, catalogue, language),
        Record::Tally(_) => language.pick3("acta", "tally sheet", "boletim").to_owned(),
        Record::Typed(_) => language
            .pick3("acta tecleada", "typed tally sheet", "boletim digitado")
            .to_owned(),
        Record::Handover(handover) => handed_over(handover, language),
        Record::Unknown { kind, .. } => language.pick3(
            format!("registro de tipo {} (de una versión más nueva)", kind.0),
            format!("record of kind {} (of a newer version)", kind.0),
            format!("registro do tipo {} (de uma versão mais nova)", kind.0),
        ),
    }
}

fn handed_over(handover: &Handover, language: Language) -> String {
    match (handover.what, &handover.from, &handover.to) {
        (Handover::SHEET, Some(from), Some(to)) => {
            let (from, to) = (from.as_str(), to.as_str());
            let place = (handover.place.iter())
                .map(|place| format!(", {place}"))
                .collect::<String>();
            language.pick3(
                format!("acta en papel: de {from} a {to}{place}"),
                format!("sheet on paper: from {from} to {to}{place}"),
                format!("boletim em papel: de {from} para {to}{place}"),
            )
        }
        (Handover::BUNDLE, ..) => language
            .pick3(
                "paquete de otra persona",
                "somebody else's bundle",
                "pacote de outra pessoa",
            )
            .to_owned(),
        _ => language
            .pick3("entrega en mano", "handed over", "entregue em mãos")
            .to_owned(),
    }
}

/// A moment of this phone's own clock, to the minute; its offset is shown where this machine has another now.
pub fn time(at: Time) -> String {
    let (minute, offset) = (at.to_the_minute(), at.offset_minutes());
    match offset == offset_here(at) {
        true => minute,
        false => format!("{minute} (UTC{})", at.datetime().format("%:z")),
    }
}

/// A moment of headquarters' clock, on that of this machine.
fn time_here(at: Time) -> String {
    at.at_offset(offset_here(at)).to_the_minute()
}

fn offset_here(at: Time) -> i32 {
    Time::from(at.datetime().with_timezone(&chrono::Local).fixed_offset()).offset_minutes()
}

fn delivery(item: &HistoryView, language: Language) -> String {
    match item.delivery {
        Delivery::Queued => match item.deferral.map(|why| why.sentence(language)) {
            Some(why) => language.pick3(
                format!("en cola; la central aún no lo recibió: {why}"),
                format!("queued; headquarters has not taken it yet: {why}"),
                format!("na fila; a central ainda não o recebeu: {why}"),
            ),
            None => language
                .pick3(
                    "en cola, espera red",
                    "queued, waits for a network",
                    "na fila, espera rede",
                )
                .to_owned(),
        },
        Delivery::Received {
            received_at,
            attachments_left: left,
        } => {
            let at = time_here(received_at);
            language.pick3(
                format!("recibido sin sus archivos: {at}; faltan {left}"),
                format!("received without its files: {at}; {left} still to go"),
                format!("recebido sem seus arquivos: {at}; faltam {left}"),
            )
        }
        Delivery::Delivered { received_at } => {
            let at = time_here(received_at);
            language.pick3(
                format!("entregado: recibo firmado por la central, {at}"),
                format!("delivered: receipt signed by headquarters, {at}"),
                format!("entregue: recibo assinado pela central, {at}"),
            )
        }
        Delivery::Parked { code } => language.pick3(
            format!("apartado: la central no lo recibe (código {})", code.0),
            format!("parked: headquarters will not take it (code {})", code.0),
            format!("recusado: a central não o recebe (código {})", code.0),
        ),
    }
}

/// The desk's word on it.
fn notice(item: &HistoryView, language: Language) -> Option<String> {
    let said = item.notice.as_ref()?.status.sentence(language);
    Some(match item.safe {
        true => language.pick3(
            format!("{said} Hay una copia en otro lugar."),
            format!("{said} A copy lies elsewhere."),
            format!("{said} Há uma cópia em outro lugar."),
        ),
        false => said,
    })
}

/// What stands where nothing can be read of a record, whyever.
fn not_kept(language: Language) -> &'static str {
    language.pick3(
        "(su contenido ya no está en este teléfono)",
        "(its content is not kept on this phone)",
        "(seu conteúdo não está mais neste telefone)",
    )
}

/// Everything saved, newest first.
pub fn history(history: &[HistoryView], catalogue: &Catalogue, language: Language) -> Outcome {
    let mut lines = Vec::new();
    if history.is_empty() {
        lines.push(
            language
                .pick3(
                    "Aún no hay nada guardado.",
                    "Nothing is saved yet.",
                    "Ainda não há nada salvo.",
                )
                .to_owned(),
        );
    }
    let mut items = Vec::new();
    for item in history {
        let content = item.content.as_ref();
        let table = content.and_then(|content| content.table.as_ref().map(TableId::as_str));
        lines.push(match content {
            Some(content) => format!(
                "{:>4}  {}  {}  {}",
                item.sequence,
                time(content.saved_at),
                table.unwrap_or("-"),
                what(&content.record, catalogue, language)
            ),
            None => format!("{:>4}  {}", item.sequence, not_kept(language)),
        });
        lines.push(format!("      {}", delivery(item, language)));
        lines.extend(notice(item, language).map(|line| format!("      {line}")));
        lines.extend(
            sentences(content.map_or(&[], |content| &content.warnings), language)
                .into_iter()
                .map(|sentence| format!("      ! {sentence}")),
        );
        items.push(json!({
            "sequence": item.sequence,
            "record": content.map(|content| content.record_id.to_string()),
            "table": table,
            "saved_at": content.map(|content| content.saved_at.to_string()),
            "what": content.map(|content| what(&content.record, catalogue, language)),
            "warnings": content.map(|content| codes(&content.warnings)),
            "state": match item.delivery {
                Delivery::Queued => "queued",
                Delivery::Received { .. } => "received",
                Delivery::Delivered { .. } => "delivered",
                Delivery::Parked { .. } => "parked",
            },
            "attachments_left": match item.delivery {
                Delivery::Received { attachments_left, .. } => attachments_left,
                _ => 0,
            },
            "deferral": item.deferral.map(|why| json!({ "code": why.0, "sentence": why.sentence(language) })),
            "delivery": delivery(item, language),
            "notice": item.notice.as_ref().map(|notice| json!({
                "status": notice.status.0,
                "issued_at": notice.issued_at.to_string(),
                "sentence": notice.status.sentence(language),
            })),
            "safe": item.safe,
        }));
    }
    Outcome::clean(lines, Value::Array(items))
}
