//! How a pass ends, and where it stands until then.

use super::pace::{Pace, listening_ms};
use super::{LaneLeft, Progress, SyncPass};
use crate::moment::Moment;
use crate::store::LastPass;
use crate::{Phone, PhoneError};
use testigo_wire::Lane;

impl SyncPass {
    /// Settles what is left, and when the next pass is due. Once.
    pub(super) fn end(&mut self, phone: &mut Phone) -> Result<(), PhoneError> {
        if self.ended {
            return Ok(());
        }
        let now = Moment::of(phone.clock.as_ref());
        let outbox = phone.store.outbox()?;
        // What is quiet is tried as soon as everything of its lane, and told to nobody.
        let (quiet, _) = phone.store.quiet(0)?;
        self.report.remaining = outbox.queued + quiet;
        self.report.attachments_remaining = outbox.attachments_queued;
        self.report.unintroduced = !outbox.enrolment_delivered;
        let danger = |left: &LaneLeft| left.lane == Lane::DANGER && left.records > 0;
        let shown = phone.store.left()?.lanes.iter().any(danger);
        self.report.danger_waits = shown || quiet > 0;
        self.report.held = phone.held_on(self.link, now)?;
        let before = phone.store.last_pass()?;
        let mut pace = Pace {
            failures: before.failures,
        };
        let chance = self.chance.next();
        let wait = pace.after(&self.report, chance);
        self.report.next_attempt_ms = match wait {
            None if phone.store.awaits_notices()? => Some(listening_ms(chance)),
            wait => wait,
        };
        self.report.remaining = outbox.queued;
        self.report.danger_waits = shown;
        let last = LastPass {
            failures: pace.failures,
            failure: self.report.failure.clone(),
            link: self.link,
            wait: wait.map(|wait| (now, wait)),
        };
        if last != before {
            phone.store.keep_last_pass(&last)?;
        }
        self.ended = true;
        // What noting all this gave up is taken back before somebody else takes it; as much as there is room for.
        phone.store.keep_reserve();
        Ok(())
    }

    /// Where it stands: asked for after each step, the one snapshot to show.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn progress(&self, phone: &Phone) -> Result<Progress, PhoneError> {
        let mut progress = phone.progress(self.link)?;
        progress.under_way = !self.over;
        progress.bytes_sent = self.report.bytes_sent;
        if let Some(upload) = self.upload.as_ref() {
            progress.already_there(upload.file.lane, upload.offset());
        }
        let now = phone.clock.monotonic_ms();
        let elapsed = self.started_ms.map_or(0, |since| now.saturating_sub(since));
        progress.bytes_per_second = (self.report.bytes_sent.saturating_mul(1000))
            .checked_div(elapsed)
            .filter(|_| self.report.bytes_sent > 0);
        if !self.ended {
            // What the last pass left behind is no news while this one runs.
            progress.failure = self.report.failure.clone();
            progress.next_attempt_ms = None;
        }
        Ok(progress)
    }
}
