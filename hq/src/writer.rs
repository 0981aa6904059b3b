//! The one thread that writes what arrives. It takes all that waits into one transaction, so that many
//! phones share one flush of the disk, and answers only after the durable commit.

use crate::Clock;
use crate::problem::Problem;
use crate::store::{self, Identity, Incoming, Store};
use rusqlite::Savepoint;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use testigo_wire::{
    Answer, Deferral, Eid, Envelope, KeyId, Receipt, ReceiptCode, SigningKey, StoreId,
    UnverifiedAsk, UnverifiedEnrolment, UnverifiedEnvelope, WireError,
};
use tokio::sync::oneshot;

/// How many requests may wait; the next is told to come again.
const QUEUE: usize = 256;
/// How many requests share one transaction at most.
const GROUP: usize = 64;

/// One item of a request, its form checked.
pub(crate) enum Item {
    Enrolment(Box<UnverifiedEnrolment>),
    Envelope(Box<UnverifiedEnvelope>),
    Ask(Box<UnverifiedAsk>),
    Malformed,
}

/// The items of one request with their bytes, and where its answers go.
struct Job {
    items: Vec<(Vec<u8>, Item)>,
    reply: oneshot::Sender<Result<Vec<Answer>, Problem>>,
}

/// Hands requests to the writer's thread.
#[derive(Clone)]
pub(crate) struct Writer(SyncSender<Job>);

impl Writer {
    /// Starts the thread. It ends when the last handle is dropped; `wake` is told of every commit.
    pub(crate) fn start(
        store: Store,
        clerk: Clerk,
        wake: SyncSender<()>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("hq-writer".into())
            .spawn(move || run(store, &clerk, &jobs, &wake))?;
        Ok((Self(sender), thread))
    }

    /// One answer for each item, in any order, after the durable commit.
    pub(crate) async fn write(&self, items: Vec<(Vec<u8>, Item)>) -> Result<Vec<Answer>, Problem> {
        let (reply, answers) = oneshot::channel();
        match self.0.try_send(Job { items, reply }) {
            Ok(()) => answers.await.unwrap_or(Err(Problem::STORE)),
            Err(TrySendError::Full(_)) => Err(Problem::BUSY),
            Err(TrySendError::Disconnected(_)) => Err(Problem::STORE),
        }
    }
}

fn run(mut store: Store, clerk: &Clerk, jobs: &Receiver<Job>, wake: &SyncSender<()>) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        group.extend(jobs.try_iter().take(GROUP - 1));
        let (jobs, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|job| (job.items, job.reply)).unzip();
        let results = write_group(&mut store, clerk, jobs);
        let failed = results.as_ref().err().map(|error| {
            tracing::error!(requests = replies.len(), %error, "a commit failed and was rolled back");
            Problem::of_store(error)
        });
        let mut results = results.unwrap_or_default().into_iter();
        for reply in replies {
            let result = match (failed, results.next()) {
                (None, Some(result)) => result,
                (failed, _) => Err(failed.unwrap_or(Problem::STORE)),
            };
            // Whoever has hung up will ask again, and get the same answers.
            drop(reply.send(result));
        }
        // Full means that it is awake already.
        let _ = wake.try_send(());
    }
}

type Results = Vec<Result<Vec<Answer>, Problem>>;

/// Writes a group in one transaction, each request in a savepoint of its own, so that none fails for
/// another's fault. An error means that nothing of the group was kept.
fn write_group(
    store: &mut Store,
    clerk: &Clerk,
    jobs: Vec<Vec<(Vec<u8>, Item)>>,
) -> rusqlite::Result<Results> {
    let mut transaction = store.begin()?;
    let mut results = Vec::with_capacity(jobs.len());
    for items in jobs {
        let mut savepoint = transaction.savepoint()?;
        match clerk.answer(&savepoint, items) {
            Ok(answers) => {
                savepoint.commit()?;
                results.push(Ok(answers));
            }
            Err(error) => {
                tracing::error!(%error, "a request failed and was rolled back");
                savepoint.rollback()?;
                results.push(Err(Problem::of_store(&error)));
            }
        }
    }
    transaction.commit()?;
    Ok(results)
}

/// Verifies signatures and signs receipts.
pub(crate) struct Clerk {
    identity: Identity,
    receipt_key: SigningKey,
    clock: Arc<dyn Clock>,
}

impl Clerk {
    pub(crate) fn new(identity: Identity, receipt_key: SigningKey, clock: Arc<dyn Clock>) -> Self {
        Self {
            identity,
            receipt_key,
            clock,
        }
    }

    /// Enrolments first: they may stand behind the envelopes that need them.
    fn answer(
        &self,
        db: &Savepoint<'_>,
        items: Vec<(Vec<u8>, Item)>,
    ) -> rusqlite::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(items.len());
        let mut later = Vec::new();
        let mut asks = Vec::new();
        for (bytes, item) in items {
            match item {
                Item::Enrolment(enrolment) => {
                    answers.push(self.enrol(db, &bytes, *enrolment)?);
                }
                Item::Envelope(envelope) => later.push((bytes, *envelope)),
                Item::Ask(ask) => asks.push(*ask),
                Item::Malformed => answers.push(deferred(&bytes, Deferral::MALFORMED)),
            }
        }
        for (bytes, envelope) in later {
            answers.push(self.keep(db, &bytes, envelope)?);
        }
        for (n, ask) in asks.into_iter().enumerate() {
            // One a request, so that what is read for it stays bounded.
            let told = match n {
                0 => self.tell(db, &ask)?,
                _ => vec![not_yet(ask.eid(), Deferral::MALFORMED)],
            };
            answers.extend(told);
        }
        Ok(answers)
    }

    fn enrol(
        &self,
        db: &Savepoint<'_>,
        bytes: &[u8],
        enrolment: UnverifiedEnrolment,
    ) -> rusqlite::Result<Answer> {
        let capability: KeyId = enrolment.capability();
        let Some(key) = store::capability(db, capability)? else {
            return Ok(deferred(bytes, Deferral::UNKNOWN_CAPABILITY));
        };
        let Ok(enrolment) = enrolment.verify(&key) else {
            return Ok(deferred(bytes, Deferral::SIGNATURE));
        };
        let signed = self.receipt(bytes, enrolment.store_id, enrolment.election)?;
        let receipt = store::keep_enrolment(db, &signed.incoming(bytes), &enrolment, capability)?;
        Ok(Answer::Receipt(receipt))
    }

    fn keep(
        &self,
        db: &Savepoint<'_>,
        bytes: &[u8],
        envelope: UnverifiedEnvelope,
    ) -> rusqlite::Result<Answer> {
        let kid = envelope.device();
        let Some(device) = store::device(db, kid)? else {
            return Ok(deferred(bytes, Deferral::UNKNOWN_DEVICE));
        };
        let Ok(envelope) = envelope.verify(&device.key) else {
            return Ok(deferred(bytes, Deferral::SIGNATURE));
        };
        let signed = self.receipt(bytes, device.store_id, Envelope::election(&envelope))?;
        let receipt = store::keep_envelope(db, &signed.incoming(bytes), kid, envelope.blobs())?;
        Ok(Answer::Receipt(receipt))
    }

    /// What the desk has to say to a device behind what it has heard.
    fn tell(&self, db: &Savepoint<'_>, ask: &UnverifiedAsk) -> rusqlite::Result<Vec<Answer>> {
        let kid = ask.device();
        let Some(device) = store::device(db, kid)? else {
            return Ok(vec![not_yet(ask.eid(), Deferral::UNKNOWN_DEVICE)]);
        };
        let Ok(ask) = ask.verify(&device.key) else {
            return Ok(vec![not_yet(ask.eid(), Deferral::SIGNATURE)]);
        };
        // A number of another run of this store says nothing about what the phone has heard of this one.
        let after = if ask.epoch == self.identity.epoch {
            ask.after
        } else {
            0
        };
        let notices = store::notices(db, kid, after)?;
        let notices = notices.into_iter();
        Ok(notices
            .map(|(number, notice)| Answer::Notice { number, notice })
            .collect())
    }

    fn receipt(
        &self,
        bytes: &[u8],
        store_id: StoreId,
        election: testigo_wire::ElectionId,
    ) -> rusqlite::Result<Signed> {
        let eid = Eid::of(bytes);
        let code = if election == self.identity.election {
            ReceiptCode::ACCEPTED
        } else {
            ReceiptCode::WRONG_ELECTION
        };
        let received_at = self.clock.now();
        let receipt = Receipt::new(store_id, eid, received_at, code)
            .sign(&self.receipt_key)
            .map_err(|error: WireError| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(Signed {
            eid,
            received_at: received_at.millis(),
            code,
            receipt,
        })
    }
}

struct Signed {
    eid: Eid,
    received_at: i64,
    code: ReceiptCode,
    receipt: Vec<u8>,
}

impl Signed {
    fn incoming<'a>(&'a self, bytes: &'a [u8]) -> Incoming<'a> {
        Incoming {
            eid: self.eid,
            received_at: self.received_at,
            code: self.code,
            bytes,
            receipt: &self.receipt,
        }
    }
}

fn deferred(bytes: &[u8], deferral: Deferral) -> Answer {
    not_yet(Eid::of(bytes), deferral)
}

fn not_yet(eid: Eid, deferral: Deferral) -> Answer {
    Answer::Deferred { eid, deferral }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::PackSource;
    use crate::init::Headquarters;

    #[test]
    fn what_waits_behind_a_commit_shares_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hq");
        crate::init(&data, &PackSource::venezuela_2024().unwrap(), &[]).unwrap();
        let hq = Headquarters::open(&data).unwrap();
        let (wake, commits) = sync_channel(QUEUE);
        let store = Store::open(&hq.folder).unwrap();
        let key = hq.receipt_key().unwrap();
        let clerk = Clerk::new(hq.identity, key, Arc::new(crate::SystemClock));
        let (writer, thread) = Writer::start(store, clerk, wake).unwrap();

        // The first commit cannot come while another connection writes.
        let mut other = Store::open(&hq.folder).unwrap();
        let writing = other.begin().unwrap();
        let answers: Vec<_> = (0..GROUP)
            .map(|n| {
                let (reply, answer) = oneshot::channel();
                let items = vec![(vec![n as u8], Item::Malformed)];
                writer.0.try_send(Job { items, reply }).unwrap();
                answer
            })
            .collect();
        drop(writing);
        for (n, answer) in answers.into_iter().enumerate() {
            let answers = answer.blocking_recv().unwrap().unwrap();
            assert_eq!(answers, [deferred(&[n as u8], Deferral::MALFORMED)]);
        }
        drop(writer);
        thread.join().unwrap();
        let commits = commits.try_iter().count();
        assert!((1..=2).contains(&commits), "{commits} commits");
    }
}
