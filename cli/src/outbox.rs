//! The outbox for a person and for a program: what a sync did, where it stands, what is parked.

use crate::outcome::Outcome;
use crate::render::read_out;
use crate::render::time;
use crate::root::words_line;
use serde_json::{Value, json};
use testigo_phone::sync::{Budget, Held, Link, Progress, SyncReport};
use testigo_phone::{Exported, OutboxView, ParkedView, TrustView};
use testigo_wire::{Confirmation, Deferral, Language, TableId};

/// The queue's true state.
pub fn status(
    outbox: &OutboxView,
    progress: &Progress,
    table: Option<&TableId>,
    trust: Option<TrustView>,
    confirmation: Option<Confirmation>,
    language: Language,
) -> Outcome {
    let table = table.map(TableId::as_str);
    let last = outbox.last_contact.map(|time| time.to_string());
    let mut lines = Vec::new();
    if !outbox.enrolled {
        lines.push(
            language
                .pick3(
                    "Este teléfono aún no está inscrito.",
                    "This phone has not enrolled yet.",
                    "Este telefone ainda não está inscrito.",
                )
                .to_owned(),
        );
    }
    let (queued, bytes) = (outbox.queued, outbox.queued_bytes);
    let (delivered, parked) = (outbox.delivered, outbox.parked);
    lines.push(language.pick3(
        format!("En cola: {queued} ({bytes} bytes). Entregados: {delivered}. Apartados: {parked}."),
        format!("Queued: {queued} ({bytes} bytes). Delivered: {delivered}. Parked: {parked}."),
        format!("Na fila: {queued} ({bytes} bytes). Entregues: {delivered}. Recusados: {parked}."),
    ));
    lines.extend(progress.sentences(language));
    if let Some(trust) = trust {
        let version = trust.keyset;
        lines.push(words_line(trust.root, language));
        lines.push(language.pick3(
            format!("Llaves de la central: versión {version}."),
            format!("Headquarters' keys: version {version}."),
            format!("Chaves da central: versão {version}."),
        ));
    }
    lines.extend(confirmation.map(|characters| read_out(characters, language)));
    Outcome::clean(
        lines,
        json!({
            "enrolled": outbox.enrolled,
            "enrolment_delivered": outbox.enrolment_delivered,
            "table": table,
            "root_words": trust.map(|trust| trust.words(language)),
            "keyset": trust.map(|trust| trust.keyset),
            "confirmation": confirmation.map(|characters| characters.to_string()),
            "queued": outbox.queued,
            "queued_bytes": outbox.queued_bytes,
            "attachments_queued": outbox.attachments_queued,
            "attachment_bytes": outbox.attachment_bytes,
            "delivered": outbox.delivered,
            "parked": outbox.parked,
            "last_contact": last,
            "progress": snapshot(progress, language),
        }),
    )
}

/// What a sync did.
pub fn sync_report(report: &SyncReport, language: Language) -> Outcome {
    let mut lines = Vec::new();
    let records = report.delivered + report.confirmed + report.parked + report.remaining;
    let files = (report.attachments_delivered, report.attachments_remaining);
    if records == 0 && files == (0, 0) && report.deferrals.is_empty() && report.failure.is_none() {
        lines.push(
            language
                .pick3(
                    "No hay nada que enviar.",
                    "Nothing to send.",
                    "Não há nada a enviar.",
                )
                .to_owned(),
        );
    } else if report.failure.is_none() {
        let (done, again) = (report.delivered, report.confirmed);
        let (parked, left) = (report.parked, report.remaining);
        lines.push(language.pick3(
            format!("Entregados: {done}; confirmados de nuevo: {again}; apartados: {parked}; quedan: {left}."),
            format!("Delivered: {done}; confirmed again: {again}; parked: {parked}; still waiting: {left}."),
            format!("Entregues: {done}; confirmados de novo: {again}; recusados: {parked}; restam: {left}."),
        ));
    }
    if files != (0, 0) {
        lines.push(language.pick3(
            format!("Archivos entregados: {}; quedan: {}.", files.0, files.1),
            format!("Files delivered: {}; still waiting: {}.", files.0, files.1),
            format!("Arquivos entregues: {}; restam: {}.", files.0, files.1),
        ));
    }
    if report.notices > 0 {
        let n = report.notices;
        lines.push(language.pick3(
            format!("Noticias de la central: {n}."),
            format!("News from headquarters: {n}."),
            format!("Notícias da central: {n}."),
        ));
    }
    if report.attachments_missing > 0 {
        let n = report.attachments_missing;
        lines.push(language.pick3(
            format!("Archivos que ya no se pueden leer en este teléfono: {n}."),
            format!("Files that cannot be read on this phone any more: {n}."),
            format!("Arquivos que já não podem ser lidos neste telefone: {n}."),
        ));
    }
    lines.extend(report.held.sentences(language));
    let deferrals: Vec<String> = (report.deferrals.iter())
        .map(|deferral: &Deferral| deferral.sentence(language))
        .collect();
    lines.extend(deferrals.iter().cloned());
    let failure = report.failure.as_ref().map(|f| f.sentence(language));
    if let Some(sentence) = &failure {
        lines.push(sentence.clone());
        lines.push(language.pick3(
            format!("En cola: {}.", report.remaining),
            format!("Queued: {}.", report.remaining),
            format!("Na fila: {}.", report.remaining),
        ));
    }
    Outcome {
        clean: report.failure.is_none()
            && report.remaining == 0
            && report.attachments_remaining == 0
            && report.parked == 0,
        lines,
        json: json!({
            "delivered": report.delivered,
            "confirmed": report.confirmed,
            "parked": report.parked,
            "remaining": report.remaining,
            "attachments_delivered": report.attachments_delivered,
            "attachments_remaining": report.attachments_remaining,
            "attachments_missing": report.attachments_missing,
            "notices": report.notices,
            "requests": report.requests,
            "bytes_sent": report.bytes_sent,
            "deferrals": deferrals,
            "held": held(&report.held),
            "next_attempt_ms": report.next_attempt_ms,
            "failure": report.failure.as_ref().map(|f| json!({ "code": f.code(), "sentence": failure })),
        }),
    }
}

fn held(held: &Held) -> Value {
    json!({
        "records": held.records,
        "files": held.files,
        "unmetered_only": held.unmetered_only,
        "over_budget": held.over_budget,
        "due_in_ms": held.due_in_ms,
    })
}

fn snapshot(progress: &Progress, language: Language) -> Value {
    let lanes: Vec<Value> = (progress.lanes.iter())
        .map(|left| {
            json!({
                "lane": left.lane.0,
                "records": left.records,
                "files": left.files,
                "bytes": left.bytes,
            })
        })
        .collect();
    json!({
        "code": progress.code(),
        "lanes": lanes,
        "link": match progress.link {
            Link::Metered => "metered",
            Link::Unmetered => "unmetered",
        },
        "held": held(&progress.held),
        "deferrals": (progress.deferrals.iter())
            .map(|why| json!({ "code": why.0, "sentence": why.sentence(language) }))
            .collect::<Vec<_>>(),
        "failure": progress.failure.as_ref().map(|failure| {
            json!({ "code": failure.code(), "sentence": failure.sentence(language) })
        }),
        "next_attempt_ms": progress.next_attempt_ms,
        "sentences": progress.sentences(language),
    })
}

/// What headquarters refused.
pub fn parked(parked: &[ParkedView], language: Language) -> Outcome {
    let mut lines = Vec::new();
    let mut items = Vec::new();
    for item in parked {
        let content = item.content.as_ref();
        let table = content.and_then(|content| content.table.as_ref().map(TableId::as_str));
        let at = content.map_or_else(|| "-".to_owned(), |content| time(content.saved_at));
        let (n, shown) = (item.sequence, table.unwrap_or("-"));
        let why = item.code.sentence(language);
        lines.push(language.pick(
            format!("n.º {n}, {at}, mesa {shown}: {why}"),
            format!("no. {n}, {at}, table {shown}: {why}"),
        ));
        items.push(json!({
            "sequence": n,
            "record": content.map(|content| content.record_id.to_string()),
            "table": table,
            "saved_at": content.map(|content| content.saved_at.to_string()),
            "code": item.code.0,
            "sentence": why,
        }));
    }
    if items.is_empty() {
        let none = language.pick("No hay nada apartado.", "Nothing is parked.");
        lines.push(none.to_owned());
    }
    Outcome::clean(lines, Value::Array(items))
}

/// A record goes again.
pub fn retried(sequence: u64, language: Language) -> Outcome {
    let line = language.pick(
        format!("El n.º {sequence} irá de nuevo con el próximo envío."),
        format!("No. {sequence} goes again with the next sync."),
    );
    Outcome::clean(vec![line], json!({ "retried": sequence }))
}

/// A record lies in a folder.
pub fn exported(exported: &Exported, folder: &str, language: Language) -> Outcome {
    let Exported {
        files,
        missing,
        bytes,
    } = exported;
    let named = language.pick(
        match files {
            1 => "archivo",
            _ => "archivos",
        },
        match files {
            1 => "file",
            _ => "files",
        },
    );
    let mut lines = vec![language.pick(
        format!("{folder}: el registro sellado y {files} {named}, {bytes} bytes. Solo la central puede leerlos."),
        format!("{folder}: the sealed record and {files} {named}, {bytes} bytes. Only headquarters can read them."),
    )];
    if *missing > 0 {
        lines.push(language.pick(
            format!("Archivos que ya no se pueden leer en este teléfono: {missing}."),
            format!("Files that cannot be read on this phone any more: {missing}."),
        ));
    }
    Outcome {
        lines,
        json: json!({ "folder": folder, "files": files, "missing": missing, "bytes": bytes }),
        clean: *missing == 0,
    }
}

/// What files may cost on mobile data.
pub fn budget(budget: &Budget, spent: u64, language: Language) -> Outcome {
    let photos = budget.photos_on_metered;
    let limit = match budget.bytes_a_day {
        Some(bytes) => language.pick(
            format!("Datos móviles: {bytes} bytes en 24 horas, gastados {spent}."),
            format!("Mobile data: {bytes} bytes in 24 hours, {spent} spent."),
        ),
        None => language.pick(
            format!("Datos móviles: sin límite, gastados {spent} bytes en 24 horas."),
            format!("Mobile data: no limit, {spent} bytes spent in 24 hours."),
        ),
    };
    let photos_line = match photos {
        true => language.pick(
            "Las fotos también van por datos móviles.",
            "Photographs go over mobile data, too.",
        ),
        false => language.pick(
            "Las fotos esperan una red que no cobra datos.",
            "Photographs wait for a network that does not charge for data.",
        ),
    };
    let never = language.pick("Los registros van siempre.", "Records always go.");
    Outcome::clean(
        vec![limit, photos_line.to_owned(), never.to_owned()],
        json!({
            "bytes_a_day": budget.bytes_a_day,
            "photos_on_metered": photos,
            "spent_bytes": spent,
        }),
    )
}
