//! A pass's files: which goes next, and what a reply about it means.

use super::keyset::KeysetQuestion;
use super::notices::let_safe_go;
use super::pass::Sent;
use super::upload::{MIN_CHUNK, Upload, Verdict};
use super::{Link, Request, Response, Selection, SyncFailure, SyncPass};
use crate::moment::Moment;
use crate::store::Store;
use crate::{Phone, PhoneError};
use testigo_wire::Lane;

impl SyncPass {
    /// The next request for an attachment, where any is left.
    pub(super) fn file(
        &mut self,
        phone: &Phone,
        endpoint: &str,
    ) -> Result<Option<Request>, PhoneError> {
        let moment = Moment::of(phone.clock.as_ref());
        let everything = self.selection == Selection::Everything;
        let allowance = match self.link {
            Link::Unmetered => None,
            Link::Metered => phone.allowance(moment)?,
        };
        if allowance.is_some_and(|bytes| bytes < MIN_CHUNK) {
            return Ok(None);
        }
        let below = phone.photos_held_from(self.link)?.unwrap_or(Lane(u8::MAX));
        loop {
            // Asked for each time: what was saved meanwhile may have a more urgent one.
            let due = phone
                .store
                .due_file(&self.later, below, everything, moment)?;
            let Some(due) = due else {
                return Ok(None);
            };
            let upload = match self.upload.take() {
                Some(upload) if upload.file.blob == due.blob => upload,
                _ => Upload::new(due),
            };
            let upload = self.upload.insert(upload);
            let now = phone.clock.monotonic_ms();
            match upload.request(&phone.store, endpoint, self.chunk.within(allowance), now) {
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
                    self.missing.insert(upload.file.blob.sha256);
                    self.report.attachments_missing += 1;
                }
            }
        }
    }

    pub(super) fn take_in_file(
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
        let may_ask = self.keyset == KeysetQuestion::None;
        match upload.reply(response, url, keyset, may_ask, &mut self.chunk, now) {
            Verdict::GoOn => {}
            Verdict::UnknownKey => {
                self.hear_of_keyset();
            }
            Verdict::Created(path) => phone.store.keep_upload(&sha256, Some(&path))?,
            Verdict::Gone => phone.store.keep_upload(&sha256, None)?,
            Verdict::Delivered(receipt) => {
                let answered = self.endpoints.get(self.endpoint);
                let news = phone.store.note(|tx| {
                    answered.map_or(Ok(()), |endpoint| Store::keep_endpoint(tx, endpoint))?;
                    Store::settle_file(tx, &sha256, &receipt)
                })?;
                self.report.attachments_delivered += u64::from(news);
                self.upload = None;
                let_safe_go(phone)?;
            }
            Verdict::Later => {
                let sequence = upload.file.sequence;
                self.later.insert(sha256);
                self.upload = None;
                let now = Moment::of(phone.clock.as_ref());
                let chance = self.chance.next();
                (phone.store)
                    .note(|tx| Store::set_back(tx, sequence, Some(&sha256), now, chance))?;
            }
            Verdict::NotUnderstood => {
                let status = response.status;
                let failure = match status {
                    500..=510 | 512.. => SyncFailure::Headquarters { status },
                    _ => SyncFailure::Portal { status },
                };
                self.next_endpoint(failure);
            }
        }
        Ok(())
    }
}
