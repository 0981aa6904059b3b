use crate::attachment::collect_orphans;
use crate::lock::{Opened, Shown, read_copy};
use crate::store::{HistoryKeys, Part, Recovered, Store, make_folder};
use crate::{
    Clock, Content, HistoryView, HostKeys, HostKeysFault, OutboxView, PhoneError, store_key,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{
    Catalogue, Confirmation, ElectionPack, Enrolment, Keyset, Record, SealedStoreKey, TableId,
};

/// A witness's phone. One folder, one key, one device.
pub struct Phone {
    pub(crate) store: Store,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) hq: Option<Trusted>,
    /// Where the host wraps keys for the phone; otherwise it keeps the store's key itself.
    pub(crate) host: Option<Arc<dyn HostKeys>>,
    /// What readable copies are sealed to.
    pub(crate) history: HistoryKeys,
    /// What a PIN opened. Boxed: a move would leave a copy of the key behind.
    pub(crate) opened: Option<Box<Opened>>,
}

/// What the phone believes of headquarters, verified from the signed bytes in its store.
pub(crate) struct Trusted {
    pub keyset: Keyset,
    pub pack: Option<ElectionPack>,
    pub assigned_table: Option<TableId>,
    /// What can be reported, by the pack or built in.
    pub catalogue: Catalogue,
}

impl Phone {
    /// Makes a new phone in `dir`, encrypted under `key`, which the host keeps itself, with a fresh device key.
    /// What opens its readable history then lies under the PIN alone; see [`Phone::create_under`].
    ///
    /// # Errors
    /// [`PhoneError::PhoneExists`], or why the store could not be made.
    pub fn create(
        dir: &Path,
        key: &DatabaseKey,
        clock: Box<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        Self::finish_wipe(dir, None)?;
        Self::with(Store::create(dir, key)?, clock, None)
    }

    /// Makes a new phone in `dir` under keys of the host's key store.
    ///
    /// # Errors
    /// As [`Phone::create`], and [`PhoneError::HostKeys`].
    pub fn create_under(
        dir: &Path,
        host: Arc<dyn HostKeys>,
        clock: Box<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        Self::finish_wipe(dir, Some(host.as_ref()))?;
        if Store::exists(dir) {
            return Err(PhoneError::PhoneExists);
        }
        make_folder(dir).map_err(|error| crate::store::folder_refused(dir, &error))?;
        // One whose making was interrupted has its key already.
        let key = match store_key::read(dir, host.as_ref()) {
            Ok(Some(key)) => key,
            Ok(None) | Err(PhoneError::HostKeys(HostKeysFault::Gone)) => {
                let key = DatabaseKey::random()?;
                store_key::keep(dir, &key, host.as_ref())?;
                key
            }
            Err(error) => return Err(error),
        };
        Self::with(Store::create(dir, &key)?, clock, Some(host))
    }

    /// Puts a phone whose store's key the host kept itself under the host's key store. From then on
    /// [`Phone::open_under`] opens it.
    ///
    /// # Errors
    /// [`PhoneError::HostKeys`], [`PhoneError::Disk`].
    pub fn keep_key_under(
        dir: &Path,
        key: &DatabaseKey,
        host: &dyn HostKeys,
    ) -> Result<(), PhoneError> {
        store_key::keep(dir, key, host)
    }

    /// Whether the store's key lies here, wrapped by a host's key store.
    pub fn has_wrapped_key(dir: &Path) -> bool {
        dir.join(store_key::FILE).exists()
    }

    /// The store's key as it lies here for headquarters, who may open the store with it where the host's key store lost
    /// its own; `None` where there is none.
    ///
    /// # Errors
    /// [`PhoneError::Disk`]; [`PhoneError::Damaged`] where it is not what was written.
    pub fn key_for_headquarters(dir: &Path) -> Result<Option<SealedStoreKey>, PhoneError> {
        store_key::for_headquarters(dir)
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

    /// Opens the phone in `dir` under a key that the host kept itself. It starts locked where it has a PIN.
    ///
    /// # Errors
    /// [`PhoneError::NoPhone`] where there is none; [`PhoneError::Wiped`] where a wipe was interrupted, which is
    /// finished now; [`PhoneError::Open`] where its store cannot be opened, which leaves it untouched.
    pub fn open(dir: &Path, key: &DatabaseKey, clock: Box<dyn Clock>) -> Result<Self, PhoneError> {
        if Self::finish_wipe(dir, None)? {
            return Err(PhoneError::Wiped);
        }
        Self::opened(dir, key, clock, None)
    }

    /// Opens the phone in `dir` under keys of the host's key store.
    ///
    /// # Errors
    /// As [`Phone::open`], and [`PhoneError::HostKeys`].
    pub fn open_under(
        dir: &Path,
        host: Arc<dyn HostKeys>,
        clock: Box<dyn Clock>,
    ) -> Result<Self, PhoneError> {
        if Self::finish_wipe(dir, Some(host.as_ref()))? {
            return Err(PhoneError::Wiped);
        }
        let key = Self::wrapped_key(dir, host.as_ref())?;
        Self::opened(dir, &key, clock, Some(host))
    }

    fn wrapped_key(dir: &Path, host: &dyn HostKeys) -> Result<DatabaseKey, PhoneError> {
        if !Store::exists(dir) {
            return Err(PhoneError::NoPhone);
        }
        let key = store_key::read(dir, host)?;
        key.ok_or(PhoneError::HostKeys(HostKeysFault::Gone))
    }

    fn opened(
        dir: &Path,
        key: &DatabaseKey,
        clock: Box<dyn Clock>,
        host: Option<Arc<dyn HostKeys>>,
    ) -> Result<Self, PhoneError> {
        let phone = Self::with(Store::open(dir, key)?, clock, host)?;
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
        Ok((Self::with(store, clock, None)?, recovered))
    }

    /// The same under keys of the host's key store.
    ///
    /// # Errors
    /// As [`Phone::recover`], and [`PhoneError::HostKeys`].
    pub fn recover_under(
        dir: &Path,
        host: Arc<dyn HostKeys>,
        clock: Box<dyn Clock>,
        key_is_right: bool,
    ) -> Result<(Self, Recovered), PhoneError> {
        let key = store_key::read(dir, host.as_ref())?.ok_or(PhoneError::NoPhone)?;
        let (store, recovered) = Store::recover(dir, &key, key_is_right)?;
        Ok((Self::with(store, clock, Some(host))?, recovered))
    }

    fn with(
        mut store: Store,
        clock: Box<dyn Clock>,
        host: Option<Arc<dyn HostKeys>>,
    ) -> Result<Self, PhoneError> {
        let mut phone = Self {
            history: Self::begin_history(&mut store, host.as_ref())?,
            store,
            clock,
            hq: None,
            host,
            opened: None,
        };
        phone.load_headquarters()?;
        phone.keep_key_for_headquarters();
        Ok(phone)
    }

    /// Leaves the store's key beside the store, sealed to headquarters. It helps where all else is lost, so nothing
    /// fails with it; where it did not succeed the next opening tries again.
    pub(crate) fn keep_key_for_headquarters(&self) {
        if let (Some(host), Some(hq), Ok(device)) = (&self.host, &self.hq, self.store.device())
            && let Some(seal_key) = hq.keyset.seal.first()
        {
            let dir = self.store.folder();
            let _ = store_key::keep_for_headquarters(dir, host.as_ref(), device.store_id, seal_key);
        }
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
        let built_in = Catalogue::built_in;
        self.hq = Some(Trusted {
            keyset,
            catalogue: (pack.as_ref()).map_or_else(|| built_in().clone(), ElectionPack::catalogue),
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

    /// Whether the phone belongs to an election for practice, in which nothing counts.
    pub fn is_practice(&self) -> bool {
        (self.hq.as_ref()).is_some_and(|hq| hq.keyset.election.is_practice())
    }

    /// What can be reported: the election's catalogue, or the built-in one as long as the phone has none.
    pub fn catalogue(&self) -> &Catalogue {
        (self.hq.as_ref()).map_or_else(|| Catalogue::built_in(), |hq| &hq.catalogue)
    }

    /// The table that the witness is sent to; a locked phone shows nobody where that is.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn assigned_table(&self) -> Result<Option<&TableId>, PhoneError> {
        let locked = self.is_locked()?;
        Ok(self.own_table().filter(|_| !locked))
    }

    pub(crate) fn own_table(&self) -> Option<&TableId> {
        self.hq.as_ref().and_then(|hq| hq.assigned_table.as_ref())
    }

    /// SHA-256 of the TLS public keys (SubjectPublicKeyInfo) that headquarters' addresses may show, by its keyset: for
    /// the client of a sync. Empty before enrolment, and where they show the web's certificates.
    pub fn pins(&self) -> Vec<[u8; 32]> {
        let pins = self.hq.iter().flat_map(|hq| &hq.keyset.pins);
        pins.map(|pin| **pin).collect()
    }

    /// What the witness reads out to their coordinator, who then knows this phone from others under the same code;
    /// `None` before enrolment.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn confirmation(&self) -> Result<Option<Confirmation>, PhoneError> {
        let Some(hq) = self.store.headquarters()? else {
            return Ok(None);
        };
        let enrolment = Enrolment::parse(&hq.enrolment).map_err(PhoneError::Damaged)?;
        let device = self.store.device()?.key().verifying_key();
        Ok(Some(Confirmation::of(enrolment.capability(), &device)))
    }

    /// Numbers of the records that nobody but their witness is to see, unless it is the witness who looks.
    pub(crate) fn hidden(&self) -> Result<BTreeSet<u64>, PhoneError> {
        let whole = |shown: Shown<'_>| matches!(shown.key(), (_, Part::Whole));
        match self.shown().is_ok_and(whole) {
            true => Ok(BTreeSet::new()),
            false => self.store.quiet_ones(),
        }
    }

    /// Everything saved here, newest first, with what became of it, and what can be read of it on this phone.
    ///
    /// # Errors
    /// [`PhoneError::Locked`] before the PIN is given; or where the store fails.
    pub fn history(&self) -> Result<Vec<HistoryView>, PhoneError> {
        let shown = self.shown()?;
        let store_id = self.store.device()?.store_id;
        let whole = matches!(shown.key(), (_, Part::Whole));
        let kept = self.store.history()?;
        (kept.iter().filter(|kept| whole || !kept.quiet))
            .map(|kept| {
                let body = read_copy(&shown, store_id, kept);
                Ok(HistoryView {
                    sequence: kept.sequence.unsigned_abs(),
                    content: body.map(|body| Content {
                        record_id: body.record_id,
                        // One that cannot be read must not hide the others.
                        record: body.record().unwrap_or_else(|_| Record::Unknown {
                            kind: body.kind,
                            bytes: body.record.clone(),
                        }),
                        table: body.table,
                        saved_at: body.saved_at,
                        warnings: body.warnings,
                    }),
                    delivery: kept.delivery()?,
                    deferral: kept.deferral,
                    notice: kept.notice()?,
                    safe: kept.safe,
                })
            })
            .collect::<Result<_, _>>()
            .map_err(PhoneError::Damaged)
    }

    /// The queue's true state, on a locked phone too.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn outbox(&self) -> Result<OutboxView, PhoneError> {
        self.store.outbox()
    }
}
