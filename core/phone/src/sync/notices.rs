//! A pass's question for the desk's notices, and what they let go.

use super::SyncPass;
use crate::attachment::let_go;
use crate::store::Store;
use crate::{Phone, PhoneError};
use rusqlite::Transaction;
use testigo_wire::{Ask, Epoch, Notice};

/// A notice that was verified, as it came.
pub(super) struct Told<'a> {
    pub number: u64,
    pub notice: Notice,
    pub bytes: &'a [u8],
}

impl SyncPass {
    /// The question for notices, until the desk has said all; `alone` where a request would be made for it
    /// only.
    pub(super) fn ask(
        &mut self,
        phone: &Phone,
        alone: bool,
    ) -> Result<Option<Vec<u8>>, PhoneError> {
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
        let signed = ask.sign(&store.device()?.key());
        signed.map(Some).map_err(PhoneError::Damaged)
    }

    /// What was asked is answered: whether to ask on. A full reply may have left some behind; one that leads
    /// no further is the last.
    pub(super) fn heard(
        &mut self,
        phone: &Phone,
        before: Option<Ask>,
        told: usize,
    ) -> Result<(), PhoneError> {
        self.told = told < Ask::MAX_NOTICES || phone.store.ask()? == before;
        Ok(())
    }
}

/// Keeps what the desk said, and how far it has been heard; returns how much was news.
pub(super) fn keep(
    tx: &Transaction<'_>,
    told: &[Told<'_>],
    epoch: Epoch,
) -> Result<u64, PhoneError> {
    let mut news = 0;
    for one in told {
        news += u64::from(Store::settle_notice(tx, &one.notice, one.bytes)?);
        Store::settle_heard(tx, epoch, one.number)?;
    }
    if let Some(latest) = told.iter().map(|one| one.notice.issued_at).max() {
        Store::settle_contact(tx, latest)?;
    }
    Ok(news)
}

/// What is safe at headquarters leaves the phone.
pub(super) fn let_safe_go(phone: &mut Phone) -> Result<(), PhoneError> {
    let files = phone.store.release_safe()?;
    let_go(&phone.store, &files);
    Ok(())
}
