//! `testigo phone sync`: one pass with a bar on a terminal, or one after the other at the phone's pace.

use crate::failure::Failure;
use crate::outbox;
use crate::outcome::Outcome;
use crate::phone::runtime;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};
use testigo_phone::Phone;
use testigo_phone::sync::{
    Client, Link, NetworkFault, Progress, Selection, SyncFailure, SyncPass, SyncReport, sync,
};
use testigo_wire::Language;

/// How long the phone waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a watching phone looks whether another process has saved something.
const LOOK: Duration = Duration::from_millis(500);

pub fn link(metered: bool) -> Link {
    if metered {
        Link::Metered
    } else {
        Link::Unmetered
    }
}

/// One pass.
pub fn once(phone: &mut Phone, pass: SyncPass, language: Language) -> Result<SyncReport, Failure> {
    let client = Client::new(TIMEOUT, phone.pins()).map_err(no_network)?;
    let bar = Bar::new();
    let report = runtime()?.block_on(sync(phone, &client, pass, |progress| {
        bar.show(progress, language);
    }))?;
    bar.0.finish_and_clear();
    Ok(report)
}

/// One pass after the other, until the program is ended: whatever is under way then is safe.
pub fn watch(
    phone: &mut Phone,
    link: Link,
    language: Language,
    as_json: bool,
) -> Result<Outcome, Failure> {
    loop {
        let report = once(phone, SyncPass::new(Selection::Queued).over(link), language)?;
        outbox::sync_report(&report, language).print(as_json);
        let ended = Instant::now();
        let left = report.remaining + report.attachments_remaining;
        loop {
            std::thread::sleep(LOOK);
            let now = phone.progress(link)?;
            let due = (report.next_attempt_ms)
                .is_some_and(|wait| ended.elapsed() >= Duration::from_millis(wait));
            if due || now.records_left() + now.files_left() != left {
                break;
            }
        }
    }
}

/// On a terminal only: nothing of it reaches a pipe.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if !stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style =
            ProgressStyle::with_template("{bar:24} {decimal_bytes}/{decimal_total_bytes}\n{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    fn show(&self, progress: &Progress, language: Language) {
        let left = progress.bytes_left();
        let total = self.0.length().unwrap_or(0).max(self.0.position() + left);
        self.0.set_length(total);
        self.0.set_position(total.saturating_sub(left));
        let said = progress.sentences(language).into_iter().take(2);
        // A line each: one that is longer than the terminal is wide would be cut.
        self.0.set_message(said.collect::<Vec<_>>().join("\n"));
    }
}

fn no_network(fault: NetworkFault) -> Failure {
    let failure = SyncFailure::NoNetwork(fault);
    Failure::said(
        failure.sentence(Language::Es),
        failure.sentence(Language::En),
    )
}
