//! The one thread that writes what arrives. It takes all that waits into one transaction, so that many
//! phones share one flush of the disk, and answers only after the durable commit.

use crate::Clock;
use crate::alarm::Alarm;
use crate::door::Entered;
use crate::problem::Problem;
use crate::queue::{Full, Queue, Room};
use crate::quota::{Quotas, Rates};
use crate::store::{self, Identity, Incoming, Store};
use rusqlite::Savepoint;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use testigo_wire::{
    Answer, Ask, Deferral, Eid, ElectionId, Enrolment, Envelope, KeyId, Receipt, ReceiptCode,
    SigningKey, StoreId, VerifyingKey, WireError,
};
use tokio::sync::oneshot;

/// How many requests may wait; the next is told to come again. A request has 1 MiB at most.
const ROOM: Room = Room {
    all: 256,
    sender: 8,
};
/// How many requests share one transaction at most.
const GROUP: usize = 64;

/// One item of a request, its signature checked.
pub(crate) enum Item {
    /// With the capability that signed it.
    Enrolment(Box<Enrolment>, KeyId),
    /// With the device's key.
    Envelope(Box<Envelope>, VerifyingKey),
    /// With the device's key.
    Ask(Ask, VerifyingKey),
    NotYet(Deferral),
}

/// The items of one request with their bytes, and where its answers go.
struct Job {
    items: Vec<(Vec<u8>, Item)>,
    reply: oneshot::Sender<Result<Vec<Answer>, Problem>>,
}

/// Hands requests to the writer's thread.
pub(crate) struct Writer(Arc<Queue<Option<KeyId>, Job>>);

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// Starts the thread. It ends when this handle is dropped and all that waits is written; `wake` is told
    /// of every commit.
    pub(crate) fn start(
        store: Store,
        clerk: Clerk,
        wake: SyncSender<()>,
        alarm: Alarm,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let queue = Arc::new(Queue::new(ROOM));
        let jobs = queue.clone();
        let thread = std::thread::Builder::new()
            .name("hq-writer".into())
            .spawn(move || run(store, clerk, &jobs, &wake, &alarm))?;
        Ok((Self(queue), thread))
    }

    /// One answer for each enrolment and envelope, and the notices asked for, after the durable commit.
    pub(crate) async fn write(&self, entered: Entered) -> Result<Vec<Answer>, Problem> {
        let (reply, answers) = oneshot::channel();
        let job = Job {
            items: entered.items,
            reply,
        };
        match self.0.push(entered.sender, job) {
            Ok(()) => answers.await.unwrap_or(Err(Problem::STORE)),
            Err(Full::Sender) => Err(Problem::TOO_MANY),
            Err(Full::All) => Err(Problem::BUSY),
            Err(Full::Closed) => Err(Problem::STORE),
        }
    }
}

fn run(
    mut store: Store,
    mut clerk: Clerk,
    jobs: &Queue<Option<KeyId>, Job>,
    wake: &SyncSender<()>,
    alarm: &Alarm,
) {
    while let Some(group) = jobs.take(GROUP) {
        let (jobs, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|job| (job.items, job.reply)).unzip();
        let results = write_group(&mut store, &mut clerk, jobs, alarm);
        let failed = results.as_ref().err().map(|error| {
            alarm.heed(error);
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
    clerk: &mut Clerk,
    jobs: Vec<Vec<(Vec<u8>, Item)>>,
    alarm: &Alarm,
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
                alarm.heed(&error);
                savepoint.rollback()?;
                results.push(Err(Problem::of_store(&error)));
            }
        }
    }
    transaction.commit()?;
    Ok(results)
}

/// Counts what comes and signs receipts.
pub(crate) struct Clerk {
    identity: Identity,
    receipt_key: SigningKey,
    clock: Arc<dyn Clock>,
    quotas: Quotas,
}

impl Clerk {
    pub(crate) fn new(
        identity: Identity,
        receipt_key: SigningKey,
        clock: Arc<dyn Clock>,
        rates: Rates,
    ) -> Self {
        Self {
            identity,
            receipt_key,
            clock,
            quotas: Quotas::new(rates),
        }
    }

    /// The election that it answers for.
    pub(crate) fn election(&self) -> ElectionId {
        self.identity.election
    }

    /// In their order, in which enrolments stand first.
    pub(crate) fn answer(
        &mut self,
        db: &Savepoint<'_>,
        items: Vec<(Vec<u8>, Item)>,
    ) -> rusqlite::Result<Vec<Answer>> {
        let mut answers = Vec::with_capacity(items.len());
        let mut asked = false;
        for (bytes, item) in items {
            match item {
                Item::Enrolment(enrolment, capability) => {
                    answers.push(self.enrol(db, &bytes, &enrolment, capability)?);
                }
                Item::Envelope(envelope, key) => {
                    answers.push(self.keep(db, &bytes, &envelope, &key)?);
                }
                // One a request, so that what is read for it stays bounded.
                Item::Ask(..) if asked => answers.push(deferred(&bytes, Deferral::MALFORMED)),
                Item::Ask(ask, key) => {
                    asked = true;
                    answers.extend(self.tell(db, &bytes, &ask, &key)?);
                }
                Item::NotYet(deferral) => answers.push(deferred(&bytes, deferral)),
            }
        }
        Ok(answers)
    }

    fn enrol(
        &mut self,
        db: &Savepoint<'_>,
        bytes: &[u8],
        enrolment: &Enrolment,
        capability: KeyId,
    ) -> rusqlite::Result<Answer> {
        // What is kept already costs nothing.
        if let Some(receipt) = store::receipt(db, Eid::of(bytes))? {
            return Ok(Answer::Receipt(receipt));
        }
        let now = self.clock.now().millis();
        if !self.quotas.take_enrolment(capability, now) {
            return Ok(deferred(bytes, Deferral::OVER_QUOTA));
        }
        let signed = self.receipt(bytes, enrolment.store_id, enrolment.election)?;
        let receipt = store::keep_enrolment(db, &signed.incoming(bytes), enrolment, capability)?;
        Ok(Answer::Receipt(receipt))
    }

    fn keep(
        &mut self,
        db: &Savepoint<'_>,
        bytes: &[u8],
        envelope: &Envelope,
        key: &VerifyingKey,
    ) -> rusqlite::Result<Answer> {
        let kid = envelope.device();
        let Some(device) = store::device(db, kid)? else {
            return Ok(deferred(bytes, Deferral::UNKNOWN_DEVICE));
        };
        if device.key != *key {
            return Ok(deferred(bytes, Deferral::SIGNATURE));
        }
        // What is kept already costs nothing.
        if let Some(receipt) = store::receipt(db, Eid::of(bytes))? {
            return Ok(Answer::Receipt(receipt));
        }
        let now = self.clock.now().millis();
        if !(self.quotas).take(device.capability, kid, device.believed, now) {
            return Ok(deferred(bytes, Deferral::OVER_QUOTA));
        }
        let signed = self.receipt(bytes, device.store_id, envelope.election())?;
        let receipt = store::keep_envelope(db, &signed.incoming(bytes), kid, envelope.blobs())?;
        Ok(Answer::Receipt(receipt))
    }

    /// What the desk has to say to a device behind what it has heard.
    fn tell(
        &self,
        db: &Savepoint<'_>,
        bytes: &[u8],
        ask: &Ask,
        key: &VerifyingKey,
    ) -> rusqlite::Result<Vec<Answer>> {
        let kid = key.key_id();
        match store::device(db, kid)? {
            Some(device) if device.key == *key => {}
            _ => return Ok(vec![deferred(bytes, Deferral::UNKNOWN_DEVICE)]),
        }
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
        election: ElectionId,
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
    Answer::Deferred {
        eid: Eid::of(bytes),
        deferral,
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;
    use crate::PackSource;
    use crate::door::{self, Brought};
    use crate::init::Headquarters;
    use crate::quota::Rate;
    use crate::stage::Stage;

    #[test]
    fn what_waits_behind_a_commit_shares_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("hq");
        crate::init(
            &data,
            &PackSource::venezuela_2024().unwrap(),
            &[],
            crate::Certificates::Own,
        )
        .unwrap();
        let hq = Headquarters::open(&data).unwrap();
        let (wake, commits) = std::sync::mpsc::sync_channel(ROOM.all);
        let store = Store::open(&hq.folder).unwrap();
        let key = hq.receipt_key().unwrap();
        let clerk = Clerk::new(
            hq.identity,
            key,
            Arc::new(crate::SystemClock),
            Rates::GENEROUS,
        );
        let (writer, thread) = Writer::start(store, clerk, wake, Alarm::default()).unwrap();

        // The first commit cannot come while another connection writes.
        let mut other = Store::open(&hq.folder).unwrap();
        let writing = other.begin().unwrap();
        let answers: Vec<_> = (0..GROUP)
            .map(|n| {
                let (reply, answer) = oneshot::channel();
                let items = vec![(vec![n as u8], Item::NotYet(Deferral::MALFORMED))];
                // Each of another sender.
                let sender = Some(KeyId([n as u8; 8]));
                writer.0.push(sender, Job { items, reply }).unwrap();
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

    /// Checks signatures as a request's are, and answers.
    fn answer(
        stage: &Stage,
        clerk: &mut Clerk,
        store: &mut Store,
        sent: &[Vec<u8>],
    ) -> Vec<Answer> {
        let brought: Vec<_> = (sent.iter())
            .map(|bytes| (bytes.clone(), Brought::read(bytes)))
            .collect();
        let keys = stage.hq.reader.keys(&door::signers(&brought)).unwrap();
        let entered = door::check(brought, keys, clerk.election());
        let results = write_group(store, clerk, vec![entered.items], &Alarm::default()).unwrap();
        results.into_iter().next().unwrap().unwrap()
    }

    fn kept(answers: &[Answer]) -> Vec<bool> {
        let kept = |answer: &Answer| match answer {
            Answer::Receipt(_) => true,
            Answer::Deferred { deferral, .. } => {
                assert_eq!(*deferral, Deferral::OVER_QUOTA);
                false
            }
            answer => panic!("{answer:?}"),
        };
        answers.iter().map(kept).collect()
    }

    #[test]
    fn over_quota_is_deferred_the_first_of_each_device_goes_on_and_nothing_is_refused() {
        let stage = Stage::new();
        let mut store = Store::open(&stage.hq.folder).unwrap();
        let rate = |burst| Rate {
            burst,
            every_ms: 1 << 40,
        };
        let rates = Rates {
            capability: rate(3),
            enrolments: rate(2),
            reserve: rate(1),
        };
        let key = stage.hq.receipt_key().unwrap();
        let clock = Arc::new(crate::SystemClock);
        let mut clerk = Clerk::new(stage.hq.identity, key, clock, rates);
        let mut flooder = stage.witness();
        let mut witness = flooder.other_device();
        let mut elsewhere = stage.witness();
        let mut flood = vec![flooder.enrolment()];
        flood.extend((0..8).map(|_| flooder.envelope()));
        let answers = answer(&stage, &mut clerk, &mut store, &flood);
        // The enrolment, three of the capability's, one of the device's reserve; the rest waits.
        let kept_first = kept(&answers);
        assert_eq!(kept_first.iter().filter(|kept| **kept).count(), 5);
        // The same again: what is kept has its receipt, and costs nothing.
        assert_eq!(
            kept(&answer(&stage, &mut clerk, &mut store, &flood)),
            kept_first
        );
        // Whoever shares the code has a reserve of their own, and its first is the most urgent.
        let sent = [witness.enrolment(), witness.envelope(), witness.envelope()];
        let answers = answer(&stage, &mut clerk, &mut store, &sent);
        assert_eq!(kept(&answers), [true, true, false]);
        // Nor may whoever has the code make devices without end; what is enrolled stays so.
        let devices: Vec<_> = (0..3).map(|_| flooder.other_device().enrolment()).collect();
        let answers = answer(&stage, &mut clerk, &mut store, &devices);
        assert_eq!(kept(&answers), [false, false, false]);
        let answers = answer(&stage, &mut clerk, &mut store, &[witness.enrolment()]);
        assert_eq!(kept(&answers), [true]);
        // Another code is not touched.
        let sent = [
            elsewhere.enrolment(),
            elsewhere.envelope(),
            elsewhere.envelope(),
        ];
        let answers = answer(&stage, &mut clerk, &mut store, &sent);
        assert_eq!(kept(&answers), [true, true, true]);
    }

    #[test]
    fn one_ask_a_request_is_answered_and_a_forged_one_tells_nothing() {
        let stage = Stage::new();
        let mut store = Store::open(&stage.hq.folder).unwrap();
        let key = stage.hq.receipt_key().unwrap();
        let clock = Arc::new(crate::SystemClock);
        let mut clerk = Clerk::new(stage.hq.identity, key, clock.clone(), Rates::GENEROUS);
        let mut witness = stage.witness();
        let other = stage.witness();
        let sent = [witness.enrolment(), witness.envelope(), other.enrolment()];
        answer(&stage, &mut clerk, &mut store, &sent);
        let mut desk = crate::Desk::new(
            store::DeskStore::open(&stage.hq.folder).unwrap(),
            stage.hq.seal_keys().unwrap(),
            &stage.hq.keyset,
            stage.hq.desk_key().unwrap(),
            stage.hq.pack.clone(),
            clock.clone(),
            crate::courier::Courier::of(&stage.hq, clock).unwrap(),
        );
        assert_eq!(desk.pass().unwrap(), 1);
        let epoch = stage.hq.identity.epoch;
        let ask = |after, key: &SigningKey| Ask::new(epoch, after).sign(key).unwrap();
        let device = &witness.device;
        let told = answer(
            &stage,
            &mut clerk,
            &mut store,
            &[ask(0, device), ask(0, device)],
        );
        assert!(
            matches!(told[0], Answer::Notice { number: 1, .. }),
            "{told:?}"
        );
        assert!(matches!(told[1], Answer::Deferred { .. }), "{told:?}");
        assert_eq!(told.len(), 2);
        assert_eq!(
            answer(&stage, &mut clerk, &mut store, &[ask(1, device)]),
            []
        );
        // A number that was never given, or one of another run, means nothing here.
        let told = answer(&stage, &mut clerk, &mut store, &[ask(99, device)]);
        assert_eq!(told.len(), 1);
        let elsewhere = Ask::new(testigo_wire::Epoch([9; 16]), 1)
            .sign(device)
            .unwrap();
        assert_eq!(
            answer(&stage, &mut clerk, &mut store, &[elsewhere]).len(),
            1
        );
        // Another device hears nothing of it, and an unknown one is asked to enrol.
        assert_eq!(
            answer(&stage, &mut clerk, &mut store, &[ask(0, &other.device)]),
            []
        );
        let stranger = SigningKey::random().unwrap();
        let told = answer(&stage, &mut clerk, &mut store, &[ask(0, &stranger)]);
        assert!(
            matches!(
                told[..],
                [Answer::Deferred {
                    deferral: Deferral::UNKNOWN_DEVICE,
                    ..
                }]
            ),
            "{told:?}"
        );
    }
}
