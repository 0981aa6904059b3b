use crate::attachment::collect_orphans;
use crate::store::{Recovered, Store, make_folder};
use crate::{Clock, HistoryView, OutboxView, PhoneError};
use std::path::Path;
use std::time::SystemTime;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{Body, ElectionPack, Keyset, Record, TableId};

/// A witness's phone. One folder, one key, one device.
pub struct Phone {
    pub(crate) store: Store,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) hq: Option<Trusted>,
}

/// What the phone believes of headquarters, verified from the signed bytes in its store.
pub(crate) struct Trusted {
    pub keyset: Keyset,
    pub pack: Option<ElectionPack>,
    pub assigned_table: Option<TableId>,
}

impl Phone {
    /// Makes a new phone in `dir`, encrypted under `key`, with a fresh device key.
    ///
    /// # Errors
    /// [`PhoneError::PhoneExists`], or why the store could not be made.
    pub fn create(
        dir: &Path,
        key: &DatabaseKey,
        clock: Box<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        Self::with(Store::create(dir, key)?, clock)
    }

    /// Makes the folder of a phone, for its owner only; one that is there stays as it is. [`Phone::create`] does
    /// so too: this is for hosts that put something there first.
    ///
    /// # Errors
    /// The operating system's.
    pub fn make_folder(dir: &Path) -> std::io::Result<()> {
        make_folder(dir)
    }

    /// Whether there is a phone in `dir`, whatever its key.
    pub fn exists(dir: &Path) -> bool {
        Store::exists(dir)
    }

    /// Opens the phone in `dir`.
    ///
    /// # Errors
    /// [`PhoneError::NoPhone`] where there is none; [`PhoneError::Open`] where its store cannot be
    /// opened, which leaves it untouched.
    pub fn open(dir: &Path, key: &DatabaseKey, clock: Box<dyn Clock>) -> Result<Self, PhoneError> {
        let phone = Self::with(Store::open(dir, key)?, clock)?;
        collect_orphans(&phone.store, SystemTime::now())?;
        Ok(phone)
    }

    /// Puts a phone with a damaged store to work again: what is readable goes into a new store, and the
    /// damaged one is kept beside it under the name that is returned. To be called where [`Phone::open`] or
    /// anything later says [`OpenError::Corrupt`](testigo_sqlite::OpenError::Corrupt) or that a part of the
    /// store is missing, with no other [`Phone`] open.
    ///
    /// A wrong key looks like a damaged beginning: only where `key_is_right` is such a store set aside.
    ///
    /// # Errors
    /// [`PhoneError::NoPhone`]; [`PhoneError::NotDamaged`], where nothing was changed; or why it could not be
    /// done: the same call goes on.
    pub fn recover(
        dir: &Path,
        key: &DatabaseKey,
        clock: Box<dyn Clock>,
        key_is_right: bool,
    ) -> Result<(Self, Recovered), PhoneError> {
        let (store, recovered) = Store::recover(dir, key, key_is_right)?;
        Ok((Self::with(store, clock)?, recovered))
    }

    fn with(store: Store, clock: Box<dyn Clock>) -> Result<Self, PhoneError> {
        let mut phone = Self {
            store,
            clock,
            hq: None,
        };
        phone.load_headquarters()?;
        Ok(phone)
    }

    pub(crate) fn load_headquarters(&mut self) -> Result<(), PhoneError> {
        let Some(hq) = self.store.headquarters()? else {
            return Ok(());
        };
        let keyset = Keyset::verify(&hq.keyset, hq.root).map_err(PhoneError::Damaged)?;
        let pack = (hq.pack.as_deref())
            .map(|bytes| ElectionPack::verify(bytes, &keyset.root))
            .transpose()
            .map_err(PhoneError::Damaged)?;
        let assigned_table = (hq.assigned_table.as_deref())
            .map(TableId::new)
            .transpose()
            .map_err(PhoneError::Damaged)?;
        self.hq = Some(Trusted {
            keyset,
            pack,
            assigned_table,
        });
        Ok(())
    }

    pub(crate) fn trusted(&self) -> Result<&Trusted, PhoneError> {
        self.hq.as_ref().ok_or(PhoneError::NotEnrolled)
    }

    /// The election's pack, where the phone has it.
    pub fn election(&self) -> Option<&ElectionPack> {
        self.hq.as_ref().and_then(|hq| hq.pack.as_ref())
    }

    /// The table that the witness is sent to.
    pub fn assigned_table(&self) -> Option<&TableId> {
        self.hq.as_ref().and_then(|hq| hq.assigned_table.as_ref())
    }

    /// Everything saved here, newest first, with what became of it.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn history(&self) -> Result<Vec<HistoryView>, PhoneError> {
        let kept = self.store.history()?;
        kept.iter()
            .map(|kept| {
                let body = Body::from_bytes(&kept.body)?;
                Ok(HistoryView {
                    sequence: body.sequence,
                    record_id: body.record_id,
                    table: body.table.clone(),
                    saved_at: body.saved_at,
                    // One that cannot be read must not hide the others.
                    record: body.record().unwrap_or_else(|_| Record::Unknown {
                        kind: body.kind,
                        bytes: body.record.clone(),
                    }),
                    warnings: body.warnings,
                    delivery: kept.delivery()?,
                    deferral: kept.deferral,
                    notice: kept.notice()?,
                    safe: kept.safe,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(PhoneError::Damaged)
    }

    /// The queue's true state.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn outbox(&self) -> Result<OutboxView, PhoneError> {
        self.store.outbox()
    }
}
