//! Where delivery stands, as one snapshot for a program and in sentences for a person.

use super::pace::{DANGER_MS, LONGEST_MS};
use super::upload::MIN_CHUNK;
use super::{Budget, Link, SyncFailure};
use crate::moment::Moment;
use crate::{Phone, PhoneError};
use testigo_wire::{Deferral, Lane, Language, Time};

/// What is left in one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLeft {
    /// The lane.
    pub lane: Lane,
    /// Records in it.
    pub records: u64,
    /// Files in it.
    pub files: u64,
    /// Bytes of both.
    pub bytes: u64,
}

impl LaneLeft {
    pub(crate) fn of(lane: Lane) -> Self {
        Self {
            lane,
            records: 0,
            files: 0,
            bytes: 0,
        }
    }
}

/// What a pass is not to send, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Records that headquarters itself did not take: each is tried again after a wait of its own.
    pub records: u64,
    /// Files that headquarters did not take, or whose record it did not: they wait likewise.
    pub files: u64,
    /// Files that wait for a link without a meter.
    pub unmetered_only: u64,
    /// Files that the day's budget has no room for.
    pub over_budget: u64,
    /// Milliseconds until the first of the waits, or the budget's day, is over.
    pub due_in_ms: Option<u64>,
}

impl Held {
    /// What a person is told, a sentence a line.
    pub fn sentences(&self, language: Language) -> Vec<String> {
        let held = self;
        let files = |n| counted(n, language.pick3(FILE.0, FILE.1, FILE.2));
        let mut said = Vec::new();
        if held.records + held.files > 0 {
            let records = counted(held.records, language.pick3(RECORD.0, RECORD.1, RECORD.2));
            let what = match (held.records, held.files) {
                (_, 0) => records,
                (0, n) => files(n),
                (_, n) => format!("{records} {} {}", language.pick3("y", "and", "e"), files(n)),
            };
            said.push(language.pick3(
                format!("La central aún no recibió {what}; se intentará de nuevo a su tiempo."),
                format!("Headquarters has not taken {what} yet, to be tried again in time."),
                format!("A central ainda não recebeu {what}; haverá nova tentativa a seu tempo."),
            ));
        }
        if held.unmetered_only > 0 {
            let (n, one) = (files(held.unmetered_only), held.unmetered_only == 1);
            let (es, en, pt) = waits(one);
            said.push(language.pick3(
                format!("{n} {es} una red que no cobra datos (Wi-Fi)."),
                format!("{n} {en} for a network that does not charge for data (Wi-Fi)."),
                format!("{n} {pt} uma rede que não cobra dados (Wi-Fi)."),
            ));
        }
        if held.over_budget > 0 {
            let (n, one) = (files(held.over_budget), held.over_budget == 1);
            let (es, en, pt) = waits(one);
            said.push(language.pick3(
                format!("{n} {es}: se gastó el límite diario de datos móviles."),
                format!("{n} {en}: the day's limit of mobile data is spent."),
                format!("{n} {pt}: o limite diário de dados móveis foi gasto."),
            ));
        }
        said
    }
}

/// Of one and of several, in three languages.
type Noun = (
    (&'static str, &'static str),
    (&'static str, &'static str),
    (&'static str, &'static str),
);
const RECORD: Noun = (
    ("registro", "registros"),
    ("record", "records"),
    ("registro", "registros"),
);
const FILE: Noun = (
    ("archivo", "archivos"),
    ("file", "files"),
    ("arquivo", "arquivos"),
);
const SECOND: Noun = (
    ("segundo", "segundos"),
    ("second", "seconds"),
    ("segundo", "segundos"),
);

fn waits(one: bool) -> (&'static str, &'static str, &'static str) {
    match one {
        true => ("espera", "waits", "espera"),
        false => ("esperan", "wait", "esperam"),
    }
}

pub(super) fn seconds(n: u64, language: Language) -> String {
    counted(n, language.pick3(SECOND.0, SECOND.1, SECOND.2))
}

/// A number and what is counted.
fn counted(n: u64, (one, many): (&str, &str)) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Where delivery stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// A pass is running.
    pub under_way: bool,
    /// Whether headquarters has confirmed the enrolment.
    pub introduced: bool,
    /// What is left, the most urgent lane first; lanes with nothing left are not there. A file that is half
    /// there counts with the rest of its bytes while its pass runs, and whole otherwise.
    pub lanes: Vec<LaneLeft>,
    /// The link that this is said of.
    pub link: Link,
    /// What is held back, and why.
    pub held: Held,
    /// Why headquarters has not taken what it was sent, each reason once.
    pub deferrals: Vec<Deferral>,
    /// Records that headquarters refused: a person must decide.
    pub parked: u64,
    /// Bytes that this pass has sent.
    pub bytes_sent: u64,
    /// How fast, in bytes a second over the pass; `None` before anything was sent.
    pub bytes_per_second: Option<u64>,
    /// The latest time that headquarters signed, as this phone's clock would show it.
    pub last_contact: Option<Time>,
    /// Why the last pass ended early, whichever process it ran in.
    pub failure: Option<SyncFailure>,
    /// Milliseconds until the next pass is due, 0 for now; `None` where nothing is left that waiting could
    /// help, and while a pass runs.
    pub next_attempt_ms: Option<u64>,
}

impl Progress {
    /// Records left.
    pub fn records_left(&self) -> u64 {
        self.lanes.iter().map(|left| left.records).sum()
    }

    /// Files left.
    pub fn files_left(&self) -> u64 {
        self.lanes.iter().map(|left| left.files).sum()
    }

    /// Bytes left.
    pub fn bytes_left(&self) -> u64 {
        self.lanes.iter().map(|left| left.bytes).sum()
    }

    /// A stable name for programs: the failure's, or `sending`, `delivered`, `held-back`, `not-taken` (the
    /// deferrals say why) or `waiting`.
    pub fn code(&self) -> &'static str {
        let held =
            self.held.records + self.held.files + self.held.unmetered_only + self.held.over_budget;
        match &self.failure {
            Some(failure) => failure.code(),
            None if self.under_way => "sending",
            None if self.lanes.is_empty() && self.introduced => "delivered",
            None if held > 0 && held >= self.records_left() + self.files_left() => "held-back",
            None if !self.deferrals.is_empty() => "not-taken",
            None => "waiting",
        }
    }

    /// Takes what the other side has of the file under way off what is left.
    pub(super) fn already_there(&mut self, lane: Lane, bytes: u64) {
        if let Some(left) = self.lanes.iter_mut().find(|left| left.lane == lane) {
            left.bytes = left.bytes.saturating_sub(bytes);
        }
    }

    /// What a person is told, a sentence a line.
    pub fn sentences(&self, language: Language) -> Vec<String> {
        let mut said = vec![self.left(language)];
        if let (true, Some(rate)) = (self.under_way, self.bytes_per_second) {
            let rate = size(rate);
            said.push(language.pick3(
                format!("Enviando a {rate} por segundo."),
                format!("Sending {rate} a second."),
                format!("Enviando a {rate} por segundo."),
            ));
        }
        said.extend(
            self.failure
                .iter()
                .map(|failure| failure.sentence(language)),
        );
        said.extend(self.held.sentences(language));
        said.extend((self.deferrals.iter()).map(|deferral| deferral.sentence(language)));
        if self.parked > 0 {
            let n = self.parked;
            said.push(language.pick3(
                format!("Apartados por la central: {n}; usted decide si reintentar o exportar."),
                format!("Refused by headquarters: {n}; you decide whether to retry or export."),
                format!("Recusados pela central: {n}; você decide se tenta de novo ou exporta."),
            ));
        }
        said.push(match self.last_contact.map(Time::to_the_minute) {
            Some(time) => language.pick3(
                format!("Último contacto con la central: {time}."),
                format!("Last contact with headquarters: {time}."),
                format!("Último contato com a central: {time}."),
            ),
            None => language
                .pick3(
                    "Aún sin contacto con la central.",
                    "No contact with headquarters yet.",
                    "Ainda sem contato com a central.",
                )
                .to_owned(),
        });
        said.extend(self.next_attempt(language));
        said
    }

    fn left(&self, language: Language) -> String {
        if self.lanes.is_empty() {
            return language
                .pick3(
                    "No queda nada por enviar.",
                    "Nothing is left to send.",
                    "Não resta nada a enviar.",
                )
                .to_owned();
        }
        let lanes: Vec<String> = (self.lanes.iter())
            .map(|left| {
                let (name, n) = (lane(left.lane, language), left.records + left.files);
                format!("{name} {n} ({})", size(left.bytes))
            })
            .collect();
        let lanes = lanes.join(", ");
        language.pick3(
            format!("Por enviar: {lanes}."),
            format!("Left to send: {lanes}."),
            format!("A enviar: {lanes}."),
        )
    }

    fn next_attempt(&self, language: Language) -> Option<String> {
        Some(match self.next_attempt_ms?.div_ceil(1000) {
            0 => language
                .pick3(
                    "Se puede enviar ahora.",
                    "It can be sent now.",
                    "Pode ser enviado agora.",
                )
                .to_owned(),
            s @ 1..=90 => {
                let wait = seconds(s, language);
                language.pick3(
                    format!("Próximo intento en {wait}."),
                    format!("Next attempt in {wait}."),
                    format!("Próxima tentativa em {wait}."),
                )
            }
            s => {
                let minutes = s.div_ceil(60);
                language.pick3(
                    format!("Próximo intento en {minutes} minutos."),
                    format!("Next attempt in {minutes} minutes."),
                    format!("Próxima tentativa em {minutes} minutos."),
                )
            }
        })
    }
}

fn lane(lane: Lane, language: Language) -> &'static str {
    match lane {
        Lane::DANGER => language.pick3(
            "testigos en peligro",
            "witnesses in danger",
            "testemunhas em perigo",
        ),
        Lane::RESULT => language.pick3("actas", "results", "resultados"),
        Lane::INCIDENT => language.pick3("incidentes", "incidents", "incidentes"),
        Lane::CHECK_IN => language.pick3("avisos", "check-ins", "avisos"),
        Lane::THUMBNAIL => language.pick3("miniaturas", "small pictures", "miniaturas"),
        Lane::PHOTO => language.pick3(
            "fotos y otros archivos",
            "photographs and other files",
            "fotos e outros arquivos",
        ),
        _ => language.pick3("otros", "others", "outros"),
    }
}

/// Bytes for a person, in units of a thousand.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}

impl Phone {
    /// Where delivery stands while no pass runs, for a link of this kind. While one runs, ask
    /// [`SyncPass::progress`](super::SyncPass::progress).
    ///
    /// # Errors
    /// Where the store fails.
    pub fn progress(&self, link: Link) -> Result<Progress, PhoneError> {
        let now = Moment::of(self.clock.as_ref());
        let left = self.store.left()?;
        let outbox = self.store.outbox_with(&left)?;
        let lanes = left.lanes;
        let held = self.held_on(link, now)?;
        let last = self.store.last_pass()?;
        let danger = lanes.first().is_some_and(|left| left.lane == Lane::DANGER);
        let longest = if danger { DANGER_MS } else { LONGEST_MS };
        let left = last.wait.map(|(at, wait)| now.left(&at, wait).min(longest));
        let held_files = held.files + held.unmetered_only + held.over_budget;
        let sendable = outbox.queued + outbox.attachments_queued > held.records + held_files
            || (outbox.enrolled && !outbox.enrolment_delivered);
        let here = self.clock.now().offset_minutes();
        Ok(Progress {
            under_way: false,
            introduced: outbox.enrolment_delivered,
            lanes,
            link,
            held,
            deferrals: self.store.deferrals()?,
            parked: outbox.parked,
            bytes_sent: 0,
            bytes_per_second: None,
            last_contact: outbox.last_contact.map(|time| time.at_offset(here)),
            failure: last.failure,
            next_attempt_ms: left.or_else(|| sendable.then_some(0)),
        })
    }

    /// The link that the last pass went over, whichever process it ran in.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn last_link(&self) -> Result<Link, PhoneError> {
        Ok(self.store.last_pass()?.link)
    }

    /// What files may cost on metered links.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn budget(&self) -> Result<Budget, PhoneError> {
        self.store.budget()
    }

    /// Sets it. What was spent already counts.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn set_budget(&mut self, budget: &Budget) -> Result<(), PhoneError> {
        self.store.keep_budget(budget)
    }

    /// Bytes spent on metered links in the current 24 hours.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn spent_bytes(&self) -> Result<u64, PhoneError> {
        Ok(self.store.spent(Moment::of(self.clock.as_ref()))?.bytes)
    }

    pub(crate) fn allowance(&self, now: Moment) -> Result<Option<u64>, PhoneError> {
        Ok(self.store.spent(now)?.allowance(&self.store.budget()?))
    }

    /// The lane from which on files wait for an unmetered link.
    pub(crate) fn photos_held_from(&self, link: Link) -> Result<Option<Lane>, PhoneError> {
        let held = link == Link::Metered && !self.store.budget()?.photos_on_metered;
        Ok(held.then_some(Lane::PHOTO))
    }

    pub(crate) fn held_on(&self, link: Link, now: Moment) -> Result<Held, PhoneError> {
        let spent = self.store.spent(now)?;
        let used_up = link == Link::Metered
            && (spent.allowance(&self.store.budget()?)).is_some_and(|left| left < MIN_CHUNK);
        let mut held = self
            .store
            .held(now, self.photos_held_from(link)?, used_up)?;
        if held.over_budget > 0 {
            let over = spent.over_in_ms(now);
            held.due_in_ms = Some(held.due_in_ms.map_or(over, |due| due.min(over)));
        }
        Ok(held)
    }
}
