use super::{NetworkFault, SyncFailure};
use crate::store::{Row, Store, enrolment_eid};
use crate::{Phone, PhoneError};
use std::collections::HashSet;
use testigo_wire::{Answer, Deferral, Eid, Lane, Receipt, Reply};

/// Things in one request.
const MAX_ITEMS: usize = 64;
/// Bytes in one request: a slow link loses at most this much when it breaks.
const MAX_BYTES: usize = 256 * 1024;
/// The longest wait that headquarters may ask for, in seconds.
const MAX_RETRY_AFTER: u32 = 300;

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

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where to.
    pub url: String,
    /// A CBOR sequence (RFC 8742) of an enrolment and envelopes, to be posted as
    /// `application/cbor-seq`.
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
    /// The body.
    pub body: Vec<u8>,
}

/// What the shell has to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make this request and hand its outcome to [`SyncPass::reply`].
    Post(Request),
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
    over: bool,
    report: SyncReport,
}

#[derive(Debug)]
struct Sent {
    bytes: usize,
    eids: HashSet<Eid>,
    enrolment: Option<Eid>,
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
            over: false,
            report: SyncReport::default(),
        }
    }

    /// What to do next. Asked again without a [`SyncPass::reply`] between, it says the same.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`], or where the store fails.
    pub fn step(&mut self, phone: &mut Phone) -> Result<Step, PhoneError> {
        let hq = phone.store.headquarters()?.ok_or(PhoneError::NotEnrolled)?;
        if !self.over {
            let rows = self.batch(&phone.store)?;
            let introduce = hq.enrolment_receipt.is_none();
            let endpoint = phone.trusted()?.keyset.endpoints.get(self.endpoint);
            match endpoint {
                Some(endpoint) if introduce || !rows.is_empty() => {
                    let enrolment = introduce.then_some(hq.enrolment.as_slice());
                    let body: Vec<u8> = (enrolment.into_iter())
                        .chain(rows.iter().map(|row| row.bytes.as_slice()))
                        .flatten()
                        .copied()
                        .collect();
                    self.sent = Some(Sent {
                        bytes: body.len(),
                        eids: rows.iter().map(|row| Eid::of(&row.bytes)).collect(),
                        enrolment: introduce.then(|| enrolment_eid(&hq)),
                        reach: rows.last().map(|row| (row.lane, row.sequence)),
                    });
                    let url = format!("{}/v1/envelopes", endpoint.trim_end_matches('/'));
                    return Ok(Step::Post(Request { url, body }));
                }
                Some(_) => {}
                None => {
                    self.fail(SyncFailure::NoNetwork(NetworkFault::Unreachable));
                }
            }
        }
        let outbox = phone.store.outbox()?;
        self.report.remaining = outbox.queued;
        Ok(Step::Done(self.report.clone()))
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
        self.report.bytes_sent += sent.bytes as u64;
        let response = match outcome {
            Ok(response) => response,
            Err(fault) => {
                self.next_endpoint(phone, SyncFailure::NoNetwork(fault));
                return Ok(());
            }
        };
        match judge(&response) {
            Ok(reply) => self.take_in(phone, sent, &reply),
            Err(failure @ (SyncFailure::Portal { .. } | SyncFailure::Headquarters { .. })) => {
                self.next_endpoint(phone, failure);
                Ok(())
            }
            Err(failure) => {
                self.fail(failure);
                Ok(())
            }
        }
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

    fn take_in(&mut self, phone: &mut Phone, sent: Sent, reply: &Reply) -> Result<(), PhoneError> {
        let keyset = &phone.hq.as_ref().ok_or(PhoneError::NotEnrolled)?.keyset;
        let own = phone.store.device()?.store_id;
        let mut receipts = Vec::new();
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
                    }
                }
                Answer::Unknown => {}
            }
        }
        let introduce_again = unknown_device && sent.enrolment.is_none() && !self.introduced_again;
        let mut counts = (0, 0, 0);
        phone.store.write(|tx| {
            for (receipt, bytes) in &receipts {
                if sent.enrolment == Some(receipt.eid) {
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
            if introduce_again {
                Store::settle_enrolment(tx, None)?;
            }
            Ok(())
        })?;
        self.report.delivered += counts.0;
        self.report.parked += counts.1;
        self.report.confirmed += counts.2;
        if introduce_again {
            self.introduced_again = true;
        } else if sent.reach.is_some() {
            self.after = sent.reach;
        } else {
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

/// Whether a response is headquarters' reply. A status alone proves nothing: a captive portal
/// answers 200 as well.
fn judge(response: &Response) -> Result<Reply, SyncFailure> {
    let status = response.status;
    match status {
        200 if response.media_type == Reply::MEDIA_TYPE => {
            Reply::from_bytes(&response.body).map_err(|_| SyncFailure::NotHeadquarters)
        }
        429 | 503 => Err(SyncFailure::Busy {
            retry_after_s: response.retry_after_s.unwrap_or(30).min(MAX_RETRY_AFTER),
        }),
        400..=599 => Err(SyncFailure::Headquarters { status }),
        _ => Err(SyncFailure::Portal { status }),
    }
}
