//! The entries that are part of the program. Sources: Vote Monitor's incident categories, Uchaguzi's codes, OEV's counts
//! of 2024, the tip sheet for witnesses of 28 July 2024.

use super::{Code, DetailField, DetailKind, Entry, Phase, Severity};
use crate::Texts;

/// Spanish, English, Portuguese.
type Said = [&'static str; 3];
/// Number, severity, name, what to do.
type Row = (u16, Severity, Said, Said);

use Severity::{Danger, High, Info, Low};

#[rustfmt::skip]
const OPENING: &[Row] = &[
    (10, Low, ["apertura tardía", "late opening", "abertura com atraso"],
        ["Anote la hora en que abrió y qué faltaba.", "Note when it opened and what was missing.", "Anote a hora em que abriu e o que faltava."]),
    (11, High, ["no abrió", "not opened", "não abriu"],
        ["Quédese cerca si es seguro y repórtelo otra vez cada hora.", "Stay near if it is safe, and report again every hour.", "Fique por perto se for seguro e comunique de novo a cada hora."]),
    (12, High, ["testigo sin acceso", "witness refused entry", "fiscal sem acesso"],
        ["Muestre su credencial, pida el nombre de quien lo impide y no discuta.", "Show your credential, ask who refuses it, and do not argue.", "Mostre sua credencial, peça o nome de quem impede e não discuta."]),
    (13, Low, ["miembros de mesa irregulares o sin quórum", "irregular table members or no quorum", "mesários irregulares ou sem quórum"],
        ["Anote cuántos miembros hay y cuáles no están en la lista.", "Note how many members there are, and who is not on the list.", "Anote quantos mesários há e quem não está na lista."]),
    (14, Low, ["falta material", "materials missing", "falta de material"],
        ["Anote qué falta y a quién se le pidió.", "Note what is missing and who was asked for it.", "Anote o que falta e a quem foi pedido."]),
    (15, High, ["no se mostró el acta en cero", "zero report not shown", "zerésima não foi mostrada"],
        ["Pida verla antes del primer voto; si no la muestran, anote quién se negó.", "Ask to see it before the first vote; if it is not shown, note who refused.", "Peça para vê-la antes do primeiro voto; se não mostrarem, anote quem se negou."]),
    (16, High, ["centro reubicado", "station relocated", "local de votação transferido"],
        ["Anote la dirección nueva y si hay un aviso en la anterior.", "Note the new address, and whether a sign at the old one says so.", "Anote o endereço novo e se há aviso no anterior."]),
];

#[rustfmt::skip]
const VOTING: &[Row] = &[
    (20, Low, ["falla de la máquina", "machine failure", "falha da máquina"],
        ["Anote cuándo paró y cuándo volvió, y si se pasó a voto manual.", "Note when it stopped and when it was back, and whether voting went on by hand.", "Anote quando parou e quando voltou, e se a votação passou a ser manual."]),
    (21, Low, ["corte de luz", "power cut", "queda de energia"],
        ["Anote cuándo empezó y cuándo volvió; no pierda de vista la urna.", "Note when it began and ended; keep the ballot box in sight.", "Anote quando começou e quando voltou; não perca a urna de vista."]),
    (22, Low, ["falla del captahuella o de identificación", "fingerprint or ID device failure", "falha da biometria ou da identificação"],
        ["Anote cuántos electores se fueron sin votar.", "Note how many voters left without voting.", "Anote quantos eleitores foram embora sem votar."]),
    (23, High, ["lentitud deliberada", "deliberate slowness", "lentidão deliberada"],
        ["Mida cuánto tardan diez electores y anótelo.", "Time how long ten voters take, and note it.", "Meça quanto demoram dez eleitores e anote."]),
    (24, High, ["electores rechazados", "voters turned away", "eleitores impedidos de votar"],
        ["Anote cuántos y qué razón les dieron; no anote nombres.", "Note how many and what reason they were given; no names.", "Anote quantos e que razão lhes deram; não anote nomes."]),
    (25, High, ["voto asistido bajo presión", "coerced assisted vote", "voto assistido sob pressão"],
        ["Anote cuántas veces y quién acompaña; no interrumpa.", "Note how often and who assists; do not interrupt.", "Anote quantas vezes e quem acompanha; não interrompa."]),
    (26, High, ["secreto del voto violado", "secrecy breach", "sigilo do voto violado"],
        ["Pida a la mesa que lo corrija y anote qué respondió.", "Ask the table to put it right, and note the answer.", "Peça à mesa que corrija e anote a resposta."]),
    (27, Low, ["propaganda o punto de control", "propaganda or control point", "propaganda ou boca de urna"],
        ["Anote dónde está y a qué distancia; fotografíe solo si es seguro.", "Note where it is and how far; photograph only if it is safe.", "Anote onde fica e a que distância; fotografe só se for seguro."]),
    (28, High, ["voto múltiple o suplantación", "multiple voting or impersonation", "voto múltiplo ou falsa identidade"],
        ["Pida que conste en el acta y anote la hora.", "Ask for it to be put on record, and note the time.", "Peça que conste em ata e anote a hora."]),
    (29, Low, ["personas no autorizadas", "unauthorised persons", "pessoas não autorizadas"],
        ["Anote cuántas son y qué hacen.", "Note how many there are and what they do.", "Anote quantas são e o que fazem."]),
];

/// Nobody should take a photograph for these.
#[rustfmt::skip]
const SAFETY: &[Row] = &[
    (30, Danger, ["intimidación", "intimidation", "intimidação"],
        ["Aléjese si puede; reporte cuando esté a salvo.", "Step away if you can; report once you are safe.", "Afaste-se se puder; comunique quando estiver a salvo."]),
    (31, Danger, ["violencia", "violence", "violência"],
        ["Póngase a salvo primero. No fotografíe.", "Get to safety first. Take no photographs.", "Primeiro fique a salvo. Não fotografe."]),
    (32, Danger, ["grupo armado", "armed group", "grupo armado no local"],
        ["Aléjese sin correr. No fotografíe.", "Walk away without running. Take no photographs.", "Afaste-se sem correr. Não fotografe."]),
    (33, Danger, ["abuso militar o de milicia", "military or militia overreach", "abuso de militares ou de milícia"],
        ["No discuta con personas armadas; anote lo que hicieron cuando esté a salvo.", "Do not argue with armed people; note what they did once you are safe.", "Não discuta com pessoas armadas; anote o que fizeram quando estiver a salvo."]),
    (34, Danger, ["testigo expulsado", "witness expelled", "fiscal expulso"],
        ["Salga con calma y avise desde un lugar seguro.", "Leave calmly and report from a safe place.", "Saia com calma e avise de um lugar seguro."]),
    (35, Danger, ["testigo detenido", "witness detained", "fiscal detido"],
        ["Se envía antes que todo lo demás. Guarde el teléfono.", "It is sent before everything else. Put the phone away.", "É enviado antes de todo o resto. Guarde o telefone."]),
    (36, Danger, ["teléfono incautado", "phone seized", "telefone apreendido"],
        ["Avise a su coordinación desde otro teléfono para que lo revoquen.", "Tell your coordinator from another phone, so that it is revoked.", "Avise sua coordenação de outro telefone para que seja revogado."]),
    (37, Danger, ["teléfono abierto bajo coacción", "phone opened under duress", "telefone aberto sob coação"],
        ["Se envía solo cuando alguien usa el PIN de coacción.", "It is sent only where somebody used the duress PIN.", "É enviado só quando alguém usa o PIN de coação."]),
];

#[rustfmt::skip]
const COUNT: &[Row] = &[
    (40, High, ["sigue abierto sin cola", "kept open without a queue", "continua aberto sem fila"],
        ["Anote la hora y quién lo ordenó.", "Note the time and who ordered it.", "Anote a hora e quem mandou."]),
    (41, High, ["cerró antes de hora con cola", "closed early with a queue", "fechou antes da hora com fila"],
        ["Anote la hora y cuántas personas quedaron en la cola.", "Note the time and how many people were left in the queue.", "Anote a hora e quantas pessoas ficaram na fila."]),
    (42, High, ["escrutinio no público", "count not public", "apuração não pública"],
        ["Pida entrar en voz alta y anote quién se negó.", "Ask aloud to be let in, and note who refused.", "Peça em voz alta para entrar e anote quem se negou."]),
    (43, High, ["transmisión detenida o antes del escrutinio", "transmission halted or before the count", "transmissão parada ou antes da apuração"],
        ["Anote la hora y quién lo ordenó; no deje su copia del acta.", "Note the time and who ordered it; do not part with your copy of the sheet.", "Anote a hora e quem mandou; não largue sua via do boletim."]),
    (44, High, ["votantes y votos no coinciden", "voters differ from votes", "votantes e votos não batem"],
        ["Anote las dos cifras tal como se leyeron.", "Note both numbers as they were read out.", "Anote os dois números como foram lidos."]),
    (45, High, ["verificación ciudadana negada", "citizen audit denied", "auditoria cidadã negada"],
        ["Anote quién la negó y con qué razón.", "Note who denied it and for what reason.", "Anote quem a negou e por que razão."]),
];

#[rustfmt::skip]
const SHEET: &[Row] = &[
    (50, High, ["copia del acta negada", "copy refused", "via do boletim negada"],
        ["Pídala otra vez nombrando la ley; si no la dan, copie las cifras a mano.", "Ask again, naming the law; if it is refused, copy the numbers by hand.", "Peça de novo citando a lei; se não derem, copie os números à mão."]),
    (51, High, ["acta sin firma o alterada", "unsigned or altered", "boletim sem assinatura ou alterado"],
        ["Fotografíe el acta entera y anote qué falta o qué cambió.", "Photograph the whole sheet and note what is missing or changed.", "Fotografe o boletim inteiro e anote o que falta ou mudou."]),
    (52, Low, ["sin código QR o ilegible", "no or unreadable QR", "sem código QR ou ilegível"],
        ["Fotografíe el acta por partes, sin reflejos.", "Photograph the sheet in parts, without glare.", "Fotografe o boletim por partes, sem reflexos."]),
    (53, High, ["acta incautada en el camino", "seized in transit", "boletim apreendido no caminho"],
        ["Póngase a salvo; envíe la foto si ya la tomó.", "Get to safety; send the photograph if you took one.", "Fique a salvo; envie a foto se já a tirou."]),
    (54, Low, ["falla de la impresora", "printer failure", "falha da impressora"],
        ["Anote cuántas copias salieron y cuándo.", "Note how many copies came out, and when.", "Anote quantas vias saíram e quando."]),
];

#[rustfmt::skip]
const OTHER: &[Row] = &[
    (90, Info, ["todo normal", "normal", "tudo normal"],
        ["Si puede, diga cuántos electores han votado hasta esta hora.", "If you can, say how many voters have voted up to this hour.", "Se puder, diga quantos eleitores votaram até esta hora."]),
    (91, Info, ["entrega de un acta en papel", "hand-over of a paper sheet", "entrega de um boletim em papel"],
        ["Anote a quién, dónde y a qué hora, con seudónimos.", "Note to whom, where and when, by pseudonyms.", "Anote a quem, onde e a que hora, com pseudônimos."]),
    (99, Low, ["otro", "other", "outro"],
        ["Descríbalo en la nota, sin nombres ni teléfonos.", "Describe it in the note, without names or telephone numbers.", "Descreva na nota, sem nomes nem telefones."]),
];

/// Number, field, kind, name.
const FIELDS: &[(u16, &str, DetailKind, Said)] = &[
    (
        24,
        "turned_away",
        DetailKind::Number,
        ["cuántos", "how many", "quantos"],
    ),
    (
        44,
        "voters",
        DetailKind::Number,
        [
            "votantes según el cuaderno",
            "voters by the register",
            "votantes no caderno",
        ],
    ),
    (
        44,
        "votes",
        DetailKind::Number,
        ["votos contados", "votes counted", "votos apurados"],
    ),
    (
        90,
        "hour",
        DetailKind::Time,
        ["hora del conteo", "hour of the count", "hora da contagem"],
    ),
    (
        90,
        "voters",
        DetailKind::Number,
        [
            "electores que han votado hasta esa hora",
            "voters up to that hour",
            "eleitores que votaram até essa hora",
        ],
    ),
];

fn texts([es, en, pt]: &Said) -> Texts {
    Texts::new(es, en, pt)
}

/// Every entry, by number.
pub(super) fn entries() -> Vec<Entry> {
    let phases = [
        (Phase::Opening, OPENING),
        (Phase::Voting, VOTING),
        (Phase::Safety, SAFETY),
        (Phase::Count, COUNT),
        (Phase::Sheet, SHEET),
        (Phase::Other, OTHER),
    ];
    let entry = |phase, (code, severity, label, advice): &Row| Entry {
        code: Code(*code),
        phase,
        severity: *severity,
        label: texts(label),
        advice: texts(advice),
        fields: (FIELDS.iter().filter(|(of, ..)| of == code))
            .map(|(_, name, kind, label)| DetailField {
                name: (*name).to_owned(),
                kind: *kind,
                required: false,
                label: texts(label),
                choices: Vec::new(),
            })
            .collect(),
        no_photo: phase == Phase::Safety,
    };
    (phases.into_iter())
        .flat_map(|(phase, rows)| rows.iter().map(move |row| entry(phase, row)))
        .collect()
}
