use crate::phone::{Phone, Shared};
use crate::{TestigoError, error::caught};
use std::sync::Arc;
use std::time::Duration;
use testigo_phone::PhoneError;
use testigo_phone::sync::{
    Client, Link, NetworkFault, Selection, Step, SyncFailure, SyncPass, SyncReport,
};
use testigo_wire::Language;
use tokio::sync::watch;

/// How long each answer is waited for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncReportView {
    /// Records whose receipt was verified for the first time.
    pub delivered: u64,
    /// Records that had been delivered before and were confirmed again.
    pub confirmed: u64,
    /// Records that headquarters signed it will not take.
    pub parked: u64,
    /// Records that still wait.
    pub remaining: u64,
    /// Files whose receipt was verified.
    pub attachments_delivered: u64,
    /// Files that still wait.
    pub attachments_remaining: u64,
    /// Files that cannot be read on this phone any more.
    pub attachments_missing: u64,
    /// Requests made.
    pub requests: u32,
    /// Bytes sent in their bodies.
    pub bytes_sent: u64,
    /// Records and files that headquarters did not take: each is tried again in its own time.
    pub held_back: u64,
    /// Files that wait because the link costs money.
    pub held_for_cost: u64,
    /// Milliseconds until the next sync is due; none where waiting alone helps nothing. What is saved
    /// meanwhile, or a better link, makes it due at once.
    pub next_attempt_ms: Option<u64>,
    /// How it ended.
    pub outcome: SyncOutcome,
}

/// How a sync ended. Nothing is ever lost by it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SyncOutcome {
    /// Everything was asked about.
    Done,
    /// It was stopped; what is left waits for the next one.
    Stopped,
    /// The network or headquarters failed; what is left waits for the next one.
    Failed {
        /// A stable name for programs, such as `no-network`.
        code: String,
        /// The sentence in Spanish; it says what to do.
        es: String,
        /// The sentence in English.
        en: String,
        /// After how many seconds headquarters asks to try again.
        retry_after_s: Option<u32>,
    },
}

/// Ends a sync from outside, such as from a background job that runs out of its time.
#[derive(uniffi::Object)]
pub struct SyncStop(watch::Sender<bool>);

#[uniffi::export]
impl SyncStop {
    /// One that has not been stopped.
    #[uniffi::constructor]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Ends the syncs that were given this, now and later ones.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Default for SyncStop {
    fn default() -> Self {
        Self::new()
    }
}

impl SyncStop {
    async fn stopped(&self) {
        // It can only end early where the sender is gone, and `self` holds it.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Phone {
    /// Delivers what waits. The phone is free for everything else while the network is waited for, and
    /// what is saved meanwhile is delivered too. One sync runs at a time; another waits for its turn.
    /// Safe to stop, to cancel and to run again at any point: what counts as delivered is on disk.
    ///
    /// `metered`: the link costs money, such as mobile data; files then keep to the phone's budget.
    ///
    /// # Errors
    /// `Enrolment` where the phone has not enrolled; `Store` where the store fails. What the network
    /// does is in the report.
    #[uniffi::method(default(stop = None, metered = false))]
    pub async fn sync(
        &self,
        stop: Option<Arc<SyncStop>>,
        metered: bool,
    ) -> Result<SyncReportView, TestigoError> {
        let _under_way = self.shared.syncing();
        let stopped = async {
            match &stop {
                Some(stop) => stop.stopped().await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(stopped);
        let shared = &self.shared;
        let _turn = tokio::select! {
            biased;
            () = &mut stopped => return finish(shared, SyncPass::new(Selection::Queued)).await,
            turn = shared.turn.lock() => turn,
        };
        let link = if metered {
            Link::Metered
        } else {
            Link::Unmetered
        };
        let mut pass = SyncPass::new(Selection::Queued).over(link);
        let pins = shared.phone().pins();
        let client = match Client::new(ANSWER_TIMEOUT, pins) {
            Ok(client) => client,
            Err(fault) => return Ok(unreachable_by(fault)),
        };
        loop {
            let step;
            (pass, step) = on_disk(shared, pass, |pass, phone| pass.step(phone)).await?;
            let request = match step {
                Step::Done(report) => return Ok(SyncReportView::of(report, None)),
                Step::Send(request) => request,
            };
            let outcome = tokio::select! {
                biased;
                () = &mut stopped => return finish(shared, pass).await,
                outcome = client.send(request) => outcome,
            };
            (pass, ()) = on_disk(shared, pass, |pass, phone| pass.reply(phone, outcome)).await?;
            shared.tell();
        }
    }
}

/// Works on the phone off the host's thread, which may be the one that draws. Where the sync's future is
/// dropped meanwhile, the work comes to its end all the same.
async fn on_disk<T: Send + 'static>(
    shared: &Arc<Shared>,
    mut pass: SyncPass,
    work: impl FnOnce(&mut SyncPass, &mut testigo_phone::Phone) -> Result<T, PhoneError>
    + Send
    + 'static,
) -> Result<(SyncPass, T), TestigoError> {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || {
        caught(|| {
            let value = work(&mut pass, &mut shared.phone())
                .inspect_err(|error| tracing::error!(code = error.code(), "sync: the store"))?;
            Ok((pass, value))
        })
    })
    .await
    .unwrap_or_else(|_| Err(TestigoError::internal("task")))
}

/// The report of a sync that was stopped.
async fn finish(shared: &Arc<Shared>, pass: SyncPass) -> Result<SyncReportView, TestigoError> {
    let (pass, outbox) = on_disk(shared, pass, |_, phone| phone.outbox()).await?;
    let report = SyncReport {
        remaining: outbox.queued,
        attachments_remaining: outbox.attachments_queued,
        ..pass.report().clone()
    };
    Ok(SyncReportView::of(report, Some(SyncOutcome::Stopped)))
}

fn unreachable_by(fault: NetworkFault) -> SyncReportView {
    SyncReportView::of(
        SyncReport {
            failure: Some(SyncFailure::NoNetwork(fault)),
            ..SyncReport::default()
        },
        None,
    )
}

impl SyncReportView {
    fn of(report: SyncReport, outcome: Option<SyncOutcome>) -> Self {
        let outcome = outcome.unwrap_or_else(|| match &report.failure {
            None => SyncOutcome::Done,
            Some(failure) => SyncOutcome::Failed {
                code: failure.code().to_owned(),
                es: failure.sentence(Language::Es),
                en: failure.sentence(Language::En),
                retry_after_s: match failure {
                    SyncFailure::Busy { retry_after_s } => Some(*retry_after_s),
                    _ => None,
                },
            },
        });
        let ended = match &outcome {
            SyncOutcome::Done => "done",
            SyncOutcome::Stopped => "stopped",
            SyncOutcome::Failed { code, .. } => code,
        };
        tracing::info!(
            delivered = report.delivered,
            remaining = report.remaining,
            requests = report.requests,
            ended,
            "a sync ended"
        );
        Self {
            delivered: report.delivered,
            confirmed: report.confirmed,
            parked: report.parked,
            remaining: report.remaining,
            attachments_delivered: report.attachments_delivered,
            attachments_remaining: report.attachments_remaining,
            attachments_missing: report.attachments_missing,
            requests: report.requests,
            bytes_sent: report.bytes_sent,
            held_back: report.held.records + report.held.files,
            held_for_cost: report.held.unmetered_only + report.held.over_budget,
            next_attempt_ms: report.next_attempt_ms,
            outcome,
        }
    }
}
