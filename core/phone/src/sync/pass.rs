use super::judge::{PROBLEM, busy, judge};
use super::keyset::KeysetQuestion;
use super::notices::{self, Told, let_safe_go};
use super::pace::Chance;
use super::upload::{ChunkSize, Upload};
use super::{
    Link, Method, NetworkFault, Request, Response, Selection, Step, SyncFailure, SyncReport,
};
use crate::moment::Moment;
use crate::store::{Row, Settled, Store, enrolment_eid};
use crate::{Phone, PhoneError};
use std::collections::{BTreeSet, HashSet};
use testigo_wire::{Answer, Deferral, Eid, Lane, Notice, Receipt, Reply, padding};

/// Things in one request.
const MAX_ITEMS: usize = 64;
/// Bytes in one request: a slow link loses at most this much when it breaks.
const MAX_BYTES: usize = 256 * 1024;
/// Bytes in the request after one that nobody answered in time: nothing tells a slow link from none, and this
/// much goes over the slowest within its time.
const FEW_BYTES: usize = 4 * 1024;

/// One pass over the outbox.
#[derive(Debug)]
pub struct SyncPass {
    pub(super) selection: Selection,
    pub(super) link: Link,
    pub(super) chance: Chance,
    /// Headquarters' addresses, the one that last answered first; empty before the first step.
    pub(super) endpoints: Vec<String>,
    pub(super) endpoint: usize,
    /// When the first request was asked for, by the monotonic clock.
    pub(super) started_ms: Option<u64>,
    /// How far the last answered request reached.
    pub(super) after: Option<(Lane, i64)>,
    /// The latest record that this pass knew of when it last began at the most urgent lane.
    pub(super) newest: i64,
    pub(super) sent: Option<Sent>,
    pub(super) introduced_again: bool,
    /// The desk has said all that it had to say.
    pub(super) told: bool,
    pub(super) keyset: KeysetQuestion,
    pub(super) upload: Option<Upload>,
    pub(super) chunk: ChunkSize,
    /// The most bytes of envelopes in one request.
    pub(super) batch: usize,
    /// The same once no endpoint is left, where a request of several envelopes broke off or took too long.
    pub(super) smaller: Option<usize>,
    /// Attachments that this pass does not try again.
    pub(super) later: BTreeSet<[u8; 32]>,
    /// Those of them whose sealed file is gone or cannot be read.
    pub(super) missing: BTreeSet<[u8; 32]>,
    pub(super) over: bool,
    /// What is left was settled.
    pub(super) ended: bool,
    pub(super) report: SyncReport,
}

#[derive(Debug)]
pub(super) enum Sent {
    Envelopes {
        bytes: usize,
        eids: HashSet<Eid>,
        enrolment: Option<Eid>,
        ask: Option<Eid>,
        reach: Option<(Lane, i64)>,
    },
    /// A part of the attachment that is under way.
    File { url: String, bytes: usize },
    /// The question for a newer keyset.
    Keyset,
}

impl Sent {
    /// Bytes of the request's body.
    fn bytes(&self) -> usize {
        match self {
            Self::Envelopes { bytes, .. } | Self::File { bytes, .. } => *bytes,
            Self::Keyset => 0,
        }
    }
}

/// A request's envelopes, once it is answered.
struct Asked {
    eids: HashSet<Eid>,
    enrolment: Option<Eid>,
    ask: Option<Eid>,
    reach: Option<(Lane, i64)>,
}

impl SyncPass {
    /// A fresh pass over a link that costs nothing.
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            link: Link::Unmetered,
            // Without randomness the jitter is that of every phone without it, and all else is the same.
            chance: Chance(getrandom::u64().unwrap_or(0)),
            endpoints: Vec::new(),
            endpoint: 0,
            started_ms: None,
            after: None,
            newest: 0,
            sent: None,
            introduced_again: false,
            told: false,
            keyset: KeysetQuestion::None,
            upload: None,
            chunk: ChunkSize::new(),
            batch: MAX_BYTES,
            smaller: None,
            later: BTreeSet::new(),
            missing: BTreeSet::new(),
            over: false,
            ended: false,
            report: SyncReport::default(),
        }
    }

    /// The same over this link.
    #[must_use]
    pub fn over(self, link: Link) -> Self {
        Self { link, ..self }
    }

    /// The same with the jitter of this seed, for a simulation that is to be repeated.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        let chance = Chance(seed);
        Self { chance, ..self }
    }

    /// What to do next. Asked again without a [`SyncPass::reply`] between, it says the same.
    ///
    /// Records go before attachments, also in the middle of one.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`], or where the store fails.
    pub fn step(&mut self, phone: &mut Phone) -> Result<Step, PhoneError> {
        while !self.over {
            if self.endpoints.is_empty() {
                self.endpoints = endpoints(phone)?;
            }
            let Some(endpoint) = self.endpoints.get(self.endpoint).cloned() else {
                self.fail(SyncFailure::NoNetwork(NetworkFault::Unreachable));
                break;
            };
            let endpoint = endpoint.trim_end_matches('/');
            let request = match self.keyset_question(endpoint) {
                Some(request) => Some(request),
                None => match self.envelopes(phone, endpoint)? {
                    Some(request) => Some(request),
                    None => self.file(phone, endpoint)?,
                },
            };
            match request {
                Some(request) => {
                    let now = phone.clock.monotonic_ms();
                    self.started_ms.get_or_insert(now);
                    return Ok(Step::Send(request));
                }
                None => self.over = true,
            }
        }
        self.end(phone)?;
        Ok(Step::Done(self.report.clone()))
    }

    /// The next request of envelopes, where any are left.
    fn envelopes(&mut self, phone: &Phone, endpoint: &str) -> Result<Option<Request>, PhoneError> {
        let hq = phone.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let rows = self.batch(phone)?;
        let introduce = hq.enrolment_receipt.is_none();
        let ask = self.ask(phone, !introduce && rows.is_empty())?;
        if !introduce && rows.is_empty() && ask.is_none() {
            return Ok(None);
        }
        let enrolment = introduce.then_some(hq.enrolment.as_slice());
        let mut body: Vec<u8> = (enrolment.into_iter())
            .chain(ask.as_deref())
            .chain(rows.iter().map(|row| row.bytes.as_slice()))
            .flatten()
            .copied()
            .collect();
        padding::pad(&mut body, padding::REQUEST_FLOOR);
        self.sent = Some(Sent::Envelopes {
            bytes: body.len(),
            eids: rows.iter().map(|row| Eid::of(&row.bytes)).collect(),
            enrolment: introduce.then(|| enrolment_eid(&hq)),
            ask: ask.as_deref().map(Eid::of),
            reach: rows.last().map(|row| (row.lane, row.sequence)),
        });
        Ok(Some(Request {
            method: Method::Post,
            url: format!("{endpoint}/v1/envelopes"),
            headers: vec![("Content-Type", Reply::MEDIA_TYPE.to_owned())],
            body,
        }))
    }

    /// Takes the outcome of the request that [`SyncPass::step`] asked for. What counts as delivered
    /// is committed to disk before this returns.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn reply(
        &mut self,
        phone: &mut Phone,
        outcome: Result<Response, NetworkFault>,
    ) -> Result<(), PhoneError> {
        let Some(sent) = self.sent.take() else {
            return Ok(());
        };
        self.report.requests += 1;
        if matches!(sent, Sent::Keyset) {
            self.keyset = KeysetQuestion::Asked;
            // Without an answer the next request finds out what is the matter.
            return outcome.map_or(Ok(()), |response| self.take_in_keyset(phone, &response));
        }
        let sent_nothing = matches!(&outcome, Err(fault) if fault.is_before_sending());
        let bytes_sent = if sent_nothing { 0 } else { sent.bytes() as u64 };
        self.report.bytes_sent += bytes_sent;
        if self.link == Link::Metered && bytes_sent > 0 {
            let now = Moment::of(phone.clock.as_ref());
            phone.store.note(|tx| Store::spend(tx, now, bytes_sent))?;
        }
        let response = match outcome {
            Ok(response) => response,
            Err(fault) => {
                self.chunk.broke();
                if let Sent::Envelopes { bytes, eids, .. } = &sent
                    && eids.len() > 1
                {
                    self.smaller = match fault {
                        NetworkFault::Interrupted => Some(bytes / 2),
                        NetworkFault::Timeout if self.batch > FEW_BYTES => Some(FEW_BYTES),
                        _ => self.smaller,
                    };
                }
                self.next_endpoint(SyncFailure::NoNetwork(fault));
                return Ok(());
            }
        };
        if let Some(failure) = busy(&response) {
            // Headquarters say so in their own form, and all their addresses lead to one store. Whatever
            // else answers there may be busy alone.
            if response.media_type == PROBLEM {
                self.fail(failure);
            } else {
                self.next_endpoint(failure);
            }
            return Ok(());
        }
        match sent {
            Sent::Keyset => Ok(()),
            Sent::File { url, .. } => self.take_in_file(phone, &url, &response),
            Sent::Envelopes {
                eids,
                enrolment,
                ask,
                reach,
                ..
            } => match judge(&response) {
                Ok(reply) => self.take_in(
                    phone,
                    Asked {
                        eids,
                        enrolment,
                        ask,
                        reach,
                    },
                    &reply,
                ),
                Err(failure) => {
                    self.next_endpoint(failure);
                    Ok(())
                }
            },
        }
    }

    /// What it did so far, for a shell that stops it.
    pub fn report(&self) -> &SyncReport {
        &self.report
    }

    fn batch(&mut self, phone: &Phone) -> Result<Vec<Row>, PhoneError> {
        let everything = self.selection == Selection::Everything;
        let newest = phone.store.last_sequence()?;
        if newest > self.newest && !everything {
            // What was saved while a request was under way may be more urgent than the rest.
            self.newest = newest;
            self.after = None;
        }
        let now = Moment::of(phone.clock.as_ref());
        (phone.store).due(everything, self.after, now, MAX_ITEMS, self.batch)
    }

    fn take_in(&mut self, phone: &mut Phone, sent: Asked, reply: &Reply) -> Result<(), PhoneError> {
        let keyset = &phone.hq.as_ref().ok_or(PhoneError::NotEnrolled)?.keyset;
        let newer = reply.keyset > keyset.version && self.hear_of_keyset();
        let own = phone.store.device()?.store_id;
        let mut receipts = Vec::new();
        let mut told = Vec::new();
        let mut unknown_device = false;
        let mut not_taken = HashSet::new();
        let mut deferred = Vec::new();
        let mut enrolment_deferred = None;
        for answer in &reply.answers {
            match answer {
                Answer::Receipt(bytes) => match Receipt::verify(bytes, keyset) {
                    Ok(receipt) if receipt.store_id == own => receipts.push((receipt, bytes)),
                    // Perhaps by a key of the newer keyset: all of it goes again behind that.
                    Err(_) if newer => return Ok(()),
                    _ => {
                        self.next_endpoint(SyncFailure::NotHeadquarters);
                        return Ok(());
                    }
                },
                Answer::Deferred { eid, deferral } => {
                    if sent.eids.contains(eid) || sent.enrolment == Some(*eid) {
                        unknown_device |= *deferral == Deferral::UNKNOWN_DEVICE;
                        if *deferral != Deferral::UNKNOWN_DEVICE {
                            not_taken.insert(*eid);
                        }
                        match sent.enrolment == Some(*eid) {
                            true => enrolment_deferred = Some(*deferral),
                            false => deferred.push((*eid, *deferral)),
                        }
                        if !self.report.deferrals.contains(deferral) {
                            self.report.deferrals.push(*deferral);
                        }
                    } else if sent.ask == Some(*eid) {
                        unknown_device |= *deferral == Deferral::UNKNOWN_DEVICE;
                    }
                }
                Answer::Notice { number, notice } => {
                    // One that does not verify says nothing, and takes nothing from the receipts.
                    if let Ok(verified) = Notice::verify(notice, keyset) {
                        told.push(Told {
                            number: *number,
                            notice: verified,
                            bytes: notice,
                        });
                    }
                }
                // Those are a courier's: over a network a keyset is asked for, and a file's receipt comes with it.
                Answer::BlobReceipt(_) | Answer::Keyset(_) | Answer::Unknown => {}
            }
        }
        let sent_any = !sent.eids.is_empty() || sent.enrolment.is_some();
        let deferred_any = unknown_device || enrolment_deferred.is_some() || !deferred.is_empty();
        if sent_any && receipts.is_empty() && !deferred_any {
            // Headquarters say something of each thing.
            self.next_endpoint(SyncFailure::NotHeadquarters);
            return Ok(());
        }
        if !receipts.is_empty() {
            // Nobody else could sign: what this link carries may grow.
            self.smaller = None;
            self.batch = (self.batch * 2).min(MAX_BYTES);
        }
        if !receipts.is_empty() && !unknown_device {
            // It was headquarters, and said nothing of these.
            let taken: HashSet<Eid> = receipts.iter().map(|(receipt, _)| receipt.eid).collect();
            not_taken.extend(sent.eids.difference(&taken));
        }
        let asked = phone.store.ask()?;
        // Headquarters may have come back from a backup. That takes a receipt to be believed, which a
        // repeated enrolment brings.
        let doubtful_epoch = receipts.is_empty()
            && self.selection == Selection::Queued
            && asked.is_some_and(|asked| asked.epoch != reply.epoch);
        let introduce_again = (unknown_device || doubtful_epoch)
            && sent.enrolment.is_none()
            && !self.introduced_again;
        let now = Moment::of(phone.clock.as_ref());
        let answered = self.endpoints.get(self.endpoint);
        let (settled, requeued, news) = phone.store.note(|tx| {
            let mut settled = Settled::default();
            let mut requeued = false;
            if let (false, Some(endpoint)) = (receipts.is_empty(), answered) {
                Store::keep_endpoint(tx, endpoint)?;
            }
            // The row's fault or headquarters' own: it must not go in every pass. That the phone is unknown
            // is no row's fault.
            for eid in &not_taken {
                if let Some(sequence) = Store::queued(tx, *eid)? {
                    Store::set_back(tx, sequence, None, now, self.chance.next())?;
                }
            }
            if enrolment_deferred.is_some() {
                Store::defer_enrolment(tx, enrolment_deferred)?;
            }
            for (eid, deferral) in &deferred {
                // The device is unknown because its enrolment was not taken: that reason is the better one.
                let why = enrolment_deferred.filter(|_| *deferral == Deferral::UNKNOWN_DEVICE);
                if let Some(sequence) = Store::queued(tx, *eid)? {
                    Store::defer(tx, sequence, why.unwrap_or(*deferral))?;
                }
            }
            for (receipt, bytes) in &receipts {
                if sent.enrolment == Some(receipt.eid) && !receipt.code.is_refusal() {
                    Store::settle_enrolment(tx, Some(bytes))?;
                } else if sent.eids.contains(&receipt.eid) {
                    settled.take(tx, receipt, bytes)?;
                }
            }
            // The epoch itself is not signed: it is believed beside a receipt only.
            if !receipts.is_empty() && self.selection == Selection::Queued {
                requeued = Store::settle_epoch(tx, reply.epoch)?;
            }
            if introduce_again {
                Store::settle_enrolment(tx, None)?;
            }
            Ok((settled, requeued, notices::keep(tx, &told, reply.epoch)?))
        })?;
        self.report.notices += news;
        let_safe_go(phone)?;
        if sent.ask.is_some() {
            self.heard(phone, asked, told.len())?;
        }
        self.report.delivered += settled.received;
        self.report.parked += settled.parked;
        self.report.confirmed += settled.known;
        if requeued {
            // Headquarters came back from a backup: what it may have lost goes again, from the start.
            self.after = None;
            self.told = false;
            // Files that they did not take for want of their record, too.
            self.later.clone_from(&self.missing);
            return Ok(());
        }
        if introduce_again {
            self.introduced_again = true;
        } else if unknown_device {
            // Introduced in vain: whatever else went now would go in vain, too.
            self.over = true;
        } else if sent.reach.is_some() {
            self.after = sent.reach;
        } else if sent.enrolment.is_some() {
            // An enrolment alone that was not taken would otherwise be asked about for ever.
            self.over = phone.store.introduced()? == Some(false);
        }
        Ok(())
    }

    /// Tries the next address of the same headquarters, where there is one.
    pub(super) fn next_endpoint(&mut self, failure: SyncFailure) {
        self.endpoint += 1;
        // There it is asked first how far an upload has got.
        self.upload = None;
        if self.endpoint >= self.endpoints.len() {
            match self.smaller.take() {
                // A part may get through where the whole does not.
                Some(smaller) => {
                    self.batch = smaller;
                    self.endpoint = 0;
                }
                None => self.fail(failure),
            }
        }
    }

    fn fail(&mut self, failure: SyncFailure) {
        self.report.failure = Some(failure);
        self.over = true;
    }
}

/// Headquarters' addresses, the one that last answered first.
fn endpoints(phone: &Phone) -> Result<Vec<String>, PhoneError> {
    let mut endpoints = phone.trusted()?.keyset.endpoints.clone();
    let known = phone.store.endpoint()?;
    if let Some(at) = known.and_then(|known| endpoints.iter().position(|e| *e == known)) {
        let known = endpoints.remove(at);
        endpoints.insert(0, known);
    }
    Ok(endpoints)
}
