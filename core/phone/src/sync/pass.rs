use super::upload::{ChunkSize, Upload, Verdict};
use super::{NetworkFault, SyncFailure};
use crate::attachment::let_go;
use crate::store::{Row, Store, enrolment_eid};
use crate::{Phone, PhoneError};
use std::collections::{BTreeSet, HashSet};
use testigo_wire::{Answer, Ask, Deferral, Eid, Lane, Notice, Receipt, Reply};

/// Things in one request.
const MAX_ITEMS: usize = 64;
/// Bytes in one request: a slow link loses at most this much when it breaks.
const MAX_BYTES: usize = 256 * 1024;
/// The longest wait that headquarters may ask for, in seconds.
const MAX_RETRY_AFTER: u32 = 300;

/// The media type of headquarters' refusals.
const PROBLEM: &str = "application/problem+json";

/// What a pass sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selection {
    /// What waits.
    #[default]
    Queued,
    /// Everything, also what was delivered before: headquarters answers with the same receipts and
    /// changes nothing. For a headquarters that lost what it had.
    Everything,
}

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `POST`.
    Post,
    /// `HEAD`.
    Head,
    /// `PATCH`.
    Patch,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// Header lines.
    pub headers: Vec<(&'static str, String)>,
    /// The body: to `/v1/envelopes` a CBOR sequence (RFC 8742) of an enrolment and envelopes.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The media type, without parameters.
    pub media_type: String,
    /// `Retry-After` in seconds.
    pub retry_after_s: Option<u32>,
    /// `Location`.
    pub location: Option<String>,
    /// `Upload-Offset`, in bytes (tus).
    pub upload_offset: Option<u64>,
    /// `Testigo-Blob-Receipt`: headquarters' receipt for a whole attachment, in base 64.
    pub blob_receipt: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the shell has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make this request and hand its outcome to [`SyncPass::reply`].
    Send(Request),
    /// The pass is over.
    Done(SyncReport),
}

/// What a pass did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// Records whose receipt was verified in this pass for the first time.
    pub delivered: u64,
    /// Records that had been delivered before and were confirmed again.
    pub confirmed: u64,
    /// Records that headquarters signed it will not take.
    pub parked: u64,
    /// Records that still wait.
    pub remaining: u64,
    /// Attachments whose receipt was verified in this pass.
    pub attachments_delivered: u64,
    /// Attachments that still wait.
    pub attachments_remaining: u64,
    /// Attachments whose sealed file cannot be read on this phone any more.
    pub attachments_missing: u64,
    /// Notices of headquarters' desk that were news.
    pub notices: u64,
    /// Requests made.
    pub requests: u32,
    /// Bytes sent in their bodies.
    pub bytes_sent: u64,
    /// Why headquarters has not kept some of them yet.
    pub deferrals: Vec<Deferral>,
    /// Why the pass ended early.
    pub failure: Option<SyncFailure>,
}

/// One pass over the outbox.
#[derive(Debug)]
pub struct SyncPass {
    selection: Selection,
    endpoint: usize,
    /// How far the last answered request reached.
    after: Option<(Lane, i64)>,
    /// The latest record that this pass knew of when it last began at the most urgent lane.
    newest: i64,
    sent: Option<Sent>,
    introduced_again: bool,
    /// The desk has said all that it had to say.
    told: bool,
    upload: Option<Upload>,
    chunk: ChunkSize,
    /// Attachments that this pass does not try again.
    later: BTreeSet<[u8; 32]>,
    over: bool,
    report: SyncReport,
}

#[derive(Debug)]
enum Sent {
    Envelopes {
        bytes: usize,
        eids: HashSet<Eid>,
        enrolment: Option<Eid>,
        ask: Option<Eid>,
        reach: Option<(Lane, i64)>,
    },
    /// A part of the attachment that is under way.
    File { url: String, bytes: usize },
}

/// A request's envelopes, once it is answered.
struct Asked {
    eids: HashSet<Eid>,
    enrolment: Option<Eid>,
    ask: Option<Eid>,
    reach: Option<(Lane, i64)>,
}

impl SyncPass {
    /// A fresh pass.
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            endpoint: 0,
            after: None,
            newest: 0,
            sent: None,
            introduced_again: false,
            told: false,
            upload: None,
            chunk: ChunkSize::new(),
            later: BTreeSet::new(),
            over: false,
            report: SyncReport::default(),
        }
    }

    /// What to do next. Asked again without a [`SyncPass::reply`] between, it says the same.
    ///
    /// Records go before attachments, also in the middle of one.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`], or where the store fails.
    pub fn step(&mut self, phone: &mut Phone) -> Result<Step, PhoneError> {
        while !self.over {
            let Some(endpoint) = phone.trusted()?.keyset.endpoints.get(self.endpoint) else {
                self.fail(SyncFailure::NoNetwork(NetworkFault::Unreachable));
                break;
            };
            let endpoint = endpoint.trim_end_matches('/').to_owned();
            let request = match self.envelopes(phone, &endpoint)? {
                Some(request) => Some(request),
                None => self.file(phone, &endpoint)?,
            };
            match request {
                Some(request) => return Ok(Step::Send(request)),
                None => self.over = true,
            }
        }
        let outbox = phone.store.outbox()?;
        self.report.remaining = outbox.queued;
        self.report.attachments_remaining = outbox.attachments_queued;
        Ok(Step::Done(self.report.clone()))
    }

    /// The next request of envelopes, where any are left.
    fn envelopes(&mut self, phone: &Phone, endpoint: &str) -> Result<Option<Request>, PhoneError> {
        let hq = phone.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        let rows = self.batch(&phone.store)?;
        let introduce = hq.enrolment_receipt.is_none();
        let ask = self.ask(phone, !introduce && rows.is_empty())?;
        if !introduce && rows.is_empty() && ask.is_none() {
            return Ok(None);
        }
        let enrolment = introduce.then_some(hq.enrolment.as_slice());
        let body: Vec<u8> = (enrolment.into_iter())
            .chain(ask.as_deref())
            .chain(rows.iter().map(|row| row.bytes.as_slice()))
            .flatten()
            .copied()
            .collect();
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

    /// The question for notices, once a pass; `alone` where the request would be made for it only.
    fn ask(&mut self, phone: &Phone, alone: bool) -> Result<Option<Vec<u8>>, PhoneError> {
        let store = &phone.store;
        let nobody = phone.trusted()?.keyset.desk.is_empty();
        if self.told || nobody || (alone && !store.awaits_notices()?) {
            return Ok(None);
        }
        let Some(ask) = store.ask()? else {
            // Nothing was delivered yet, so there is nothing to tell.
            self.told = true;
            return Ok(None);
        };
        let signed = ask.sign(&store.device()?.key);
        signed.map(Some).map_err(PhoneError::Damaged)
    }

    /// The next request for an attachment, where any is left.
    fn file(&mut self, phone: &Phone, endpoint: &str) -> Result<Option<Request>, PhoneError> {
        loop {
            // Asked for each time: what was saved meanwhile may have a more urgent one.
            let Some(due) = phone.store.due_file(&self.later)? else {
                return Ok(None);
            };
            let upload = match self.upload.take() {
                Some(upload) if upload.file.blob == due.blob => upload,
                _ => Upload::new(due),
            };
            let upload = self.upload.insert(upload);
            let now = phone.clock.monotonic_ms();
            match upload.request(&phone.store, endpoint, &self.chunk, now) {
                Ok(request) => {
                    self.sent = Some(Sent::File {
                        url: request.url.clone(),
                        bytes: request.body.len(),
                    });
                    return Ok(Some(request));
                }
                // Its sealed file is gone or cannot be read: the others must not wait for it.
                Err(_) => {
                    self.later.insert(upload.file.blob.sha256);
                    self.report.attachments_missing += 1;
                }
            }
        }
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
        let (Sent::Envelopes { bytes, .. } | Sent::File { bytes, .. }) = &sent;
        self.report.bytes_sent += *bytes as u64;
        let response = match outcome {
            Ok(response) => response,
            Err(fault) => {
                self.chunk.broke();
                self.next_endpoint(phone, SyncFailure::NoNetwork(fault));
                return Ok(());
            }
        };
        if let Some(failure) = busy(&response) {
            self.fail(failure);
            return Ok(());
        }
        match sent {
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
                Err(failure @ SyncFailure::NotHeadquarters) => {
                    self.fail(failure);
                    Ok(())
                }
                Err(failure) => {
                    self.next_endpoint(phone, failure);
                    Ok(())
                }
            },
        }
    }

    fn take_in_file(
        &mut self,
        phone: &mut Phone,
        url: &str,
        response: &Response,
    ) -> Result<(), PhoneError> {
        let Some(upload) = self.upload.as_mut() else {
            return Ok(());
        };
        let sha256 = upload.file.blob.sha256;
        let keyset = &phone.trusted()?.keyset;
        let now = phone.clock.monotonic_ms();
        match upload.reply(response, url, keyset, &mut self.chunk, now) {
            Verdict::GoOn => {}
            Verdict::Created(path) => phone.store.keep_upload(&sha256, Some(&path))?,
            Verdict::Gone => phone.store.keep_upload(&sha256, None)?,
            Verdict::Delivered(receipt) => {
                self.report.attachments_delivered +=
                    u64::from(phone.store.settle_file(&sha256, &receipt)?);
                let_safe_go(phone)?;
                self.upload = None;
            }
            Verdict::Later => {
                self.later.insert(sha256);
                self.upload = None;
            }
            Verdict::NotUnderstood => {
                let status = response.status;
                let failure = match status {
                    500..=510 | 512.. => SyncFailure::Headquarters { status },
                    _ => SyncFailure::Portal { status },
                };
                self.next_endpoint(phone, failure);
            }
        }
        Ok(())
    }

    /// What it did so far, for a shell that stops it.
    pub fn report(&self) -> &SyncReport {
        &self.report
    }

    fn batch(&mut self, store: &Store) -> Result<Vec<Row>, PhoneError> {
        let everything = self.selection == Selection::Everything;
        let newest = store.last_sequence()?;
        if newest > self.newest && !everything {
            // What was saved while a request was under way may be more urgent than the rest.
            self.newest = newest;
            self.after = None;
        }
        let mut rows = store.due(everything, self.after, MAX_ITEMS)?;
        let mut bytes = 0;
        let fitting = (rows.iter())
            .take_while(|row| {
                bytes += row.bytes.len();
                bytes <= MAX_BYTES
            })
            .count();
        rows.truncate(fitting.max(1));
        Ok(rows)
    }

    fn take_in(&mut self, phone: &mut Phone, sent: Asked, reply: &Reply) -> Result<(), PhoneError> {
        let keyset = &phone.hq.as_ref().ok_or(PhoneError::NotEnrolled)?.keyset;
        let own = phone.store.device()?.store_id;
        let mut receipts = Vec::new();
        let mut notices = Vec::new();
        let mut unknown_device = false;
        for answer in &reply.answers {
            match answer {
                Answer::Receipt(bytes) => match Receipt::verify(bytes, keyset) {
                    Ok(receipt) if receipt.store_id == own => receipts.push((receipt, bytes)),
                    _ => {
                        self.fail(SyncFailure::NotHeadquarters);
                        return Ok(());
                    }
                },
                Answer::Deferred { eid, deferral } => {
                    if sent.eids.contains(eid) || sent.enrolment == Some(*eid) {
                        unknown_device |= *deferral == Deferral::UNKNOWN_DEVICE;
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
                        notices.push((*number, verified, notice));
                    }
                }
                Answer::Unknown => {}
            }
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
        let mut counts = (0, 0, 0);
        let mut news = 0;
        let mut requeued = false;
        phone.store.write(|tx| {
            for (receipt, bytes) in &receipts {
                if sent.enrolment == Some(receipt.eid) && !receipt.code.is_refusal() {
                    Store::settle_enrolment(tx, Some(bytes))?;
                } else if sent.eids.contains(&receipt.eid) {
                    match (
                        Store::settle(tx, receipt, bytes)?,
                        receipt.code.is_refusal(),
                    ) {
                        (true, false) => counts.0 += 1,
                        (true, true) => counts.1 += 1,
                        (false, _) => counts.2 += 1,
                    }
                }
            }
            for (_, notice, bytes) in &notices {
                news += u64::from(Store::settle_notice(tx, notice, bytes)?);
            }
            // The epoch itself is not signed: it is believed beside a receipt only.
            if !receipts.is_empty() && self.selection == Selection::Queued {
                requeued = Store::settle_epoch(tx, reply.epoch)?;
            }
            for (number, ..) in &notices {
                Store::settle_heard(tx, reply.epoch, *number)?;
            }
            if introduce_again {
                Store::settle_enrolment(tx, None)?;
            }
            Ok(())
        })?;
        self.report.delivered += counts.0;
        self.report.parked += counts.1;
        self.report.confirmed += counts.2;
        self.report.notices += news;
        let_safe_go(phone)?;
        if sent.ask.is_some() {
            // A full reply may have left some behind; one that leads no further is the last.
            let heard = phone.store.ask()?;
            self.told = notices.len() < Ask::MAX_NOTICES || heard == asked;
        }
        if requeued {
            self.told = false;
            // Headquarters came back from a backup: what it may have lost goes again, from the start.
            self.after = None;
            return Ok(());
        }
        if introduce_again {
            self.introduced_again = true;
        } else if sent.reach.is_some() {
            self.after = sent.reach;
        } else if sent.enrolment.is_some() {
            // An enrolment alone that was not taken would otherwise be asked about for ever.
            self.over = phone
                .store
                .headquarters()?
                .is_some_and(|hq| hq.enrolment_receipt.is_none());
        }
        Ok(())
    }

    /// Tries the next address of the same headquarters, where there is one.
    fn next_endpoint(&mut self, phone: &Phone, failure: SyncFailure) {
        self.endpoint += 1;
        let endpoints = phone.hq.as_ref().map_or(0, |hq| hq.keyset.endpoints.len());
        if self.endpoint >= endpoints {
            self.fail(failure);
        }
    }

    fn fail(&mut self, failure: SyncFailure) {
        self.report.failure = Some(failure);
        self.over = true;
    }
}

/// What is safe at headquarters leaves the phone.
fn let_safe_go(phone: &mut Phone) -> Result<(), PhoneError> {
    let files = phone.store.release_safe()?;
    let_go(&phone.store, &files);
    Ok(())
}

/// Whether headquarters asks to wait.
fn busy(response: &Response) -> Option<SyncFailure> {
    matches!(response.status, 429 | 503).then(|| SyncFailure::Busy {
        retry_after_s: response.retry_after_s.unwrap_or(30).min(MAX_RETRY_AFTER),
    })
}

/// Whether a response is headquarters' reply. A status alone proves nothing: a captive portal
/// answers 200 as well.
fn judge(response: &Response) -> Result<Reply, SyncFailure> {
    let status = response.status;
    match status {
        200 if response.media_type == Reply::MEDIA_TYPE => {
            Reply::from_bytes(&response.body).map_err(|_| SyncFailure::NotHeadquarters)
        }
        // 511 is a captive portal's own status (RFC 6585, section 6); headquarters explains whatever it
        // refuses in a problem document (RFC 9457).
        400..=499 if response.media_type != PROBLEM => Err(SyncFailure::Portal { status }),
        511 => Err(SyncFailure::Portal { status }),
        400..=599 => Err(SyncFailure::Headquarters { status }),
        _ => Err(SyncFailure::Portal { status }),
    }
}
