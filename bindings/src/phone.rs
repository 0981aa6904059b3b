use crate::catalogue;
use crate::error::caught;
use crate::host_keys::{HostKeys, Lent};
use crate::observe::Observers;
use crate::{
    CatalogueEntryView, ElectionView, EnrolledView, HistoryView, Observation, PhoneObserver,
    ReportInput, RootWords, SavedTallyView, SavedView, StatusView, TableView, TallyInput,
    TallyReading, TestigoError,
};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use testigo_phone::{DatabaseKey, HostClock, PhoneError};
use testigo_wire::TableId;
use zeroize::Zeroizing;

/// A witness's phone: one folder, one key. "Saved" is said only once it is durably on disk, "delivered"
/// only for a receipt signed by headquarters.
#[derive(uniffi::Object)]
pub struct Phone {
    pub(crate) shared: Arc<Shared>,
}

/// What a call that outlives its caller holds on to.
pub(crate) struct Shared {
    phone: Mutex<testigo_phone::Phone>,
    observers: Arc<Observers>,
    syncs: AtomicU32,
    /// Held by the sync whose turn it is.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

/// Whether there is a phone in this folder, whatever its key.
#[uniffi::export]
pub fn phone_exists(directory: String) -> bool {
    testigo_phone::Phone::exists(Path::new(&directory))
}

/// What became of a damaged store.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RecoveredView {
    /// Where the damaged store is kept. Nothing of it was deleted.
    pub aside: String,
    /// Records that are in the new store.
    pub records: u64,
    /// Places of the old store that could not be read; how much was there is not known.
    pub gaps: u64,
    /// Whether the phone is still the device that it was; if not, it must enrol anew.
    pub same_device: bool,
}

/// Puts a phone with a damaged store to work again: what is readable goes into a new store, and the damaged
/// one is kept beside it. To be called where the code is `store-damaged`, with no phone open on the folder;
/// then open the phone as ever.
///
/// `key_is_right`: set a store aside also where the key does not open it, since a damaged beginning looks
/// like a wrong key.
///
/// # Errors
/// `Enrolment` where there is no phone, or its store is not damaged; `Store` and `StorageFull` where it
/// could not be done: the same call goes on.
#[uniffi::export]
pub fn recover_store(
    directory: String,
    database_key: Vec<u8>,
    key_is_right: bool,
) -> Result<RecoveredView, TestigoError> {
    caught(|| {
        let key = key(database_key)?;
        let clock = Box::new(HostClock::new(0));
        let folder = Path::new(&directory);
        let (_, of) = testigo_phone::Phone::recover(folder, &key, clock, key_is_right)?;
        Ok(recovered(of))
    })
}

pub(crate) fn recovered(recovered: testigo_phone::Recovered) -> RecoveredView {
    tracing::warn!(
        records = recovered.records,
        gaps = recovered.gaps,
        "a store was recovered"
    );
    RecoveredView {
        aside: recovered.aside.display().to_string(),
        records: recovered.records,
        gaps: recovered.gaps,
        same_device: recovered.same_device,
    }
}

#[uniffi::export]
impl Phone {
    /// Makes a new phone in this folder, encrypted under a key of 32 uniformly random bytes. The app
    /// keeps the key wrapped by the platform's key store: without it, what is saved is lost. `create_under` leaves
    /// that to the phone, and has what a PIN opens wrapped as well.
    ///
    /// # Errors
    /// `Enrolment` where there is a phone already; `Input` for a key of another length or a folder that
    /// cannot be made; `Store` and `StorageFull`.
    #[uniffi::constructor]
    pub fn create(directory: String, database_key: Vec<u8>) -> Result<Self, TestigoError> {
        caught(|| {
            let key = key(database_key)?;
            let clock = Box::new(HostClock::new(0));
            let phone = testigo_phone::Phone::create(Path::new(&directory), &key, clock)?;
            tracing::info!("a phone was made");
            Ok(Self::of(phone))
        })
    }

    /// Makes a new phone in this folder, whose keys the platform's key store wraps.
    ///
    /// # Errors
    /// As `create`.
    #[uniffi::constructor]
    pub fn create_under(directory: String, keys: Arc<dyn HostKeys>) -> Result<Self, TestigoError> {
        caught(|| {
            let (folder, clock) = (Path::new(&directory), Box::new(HostClock::new(0)));
            let phone = testigo_phone::Phone::create_under(folder, Lent::of(keys), clock)?;
            tracing::info!("a phone was made");
            Ok(Self::of(phone))
        })
    }

    /// Opens the phone in this folder, whose keys the platform's key store wraps. It starts locked where it has a
    /// PIN.
    ///
    /// # Errors
    /// As `open`.
    #[uniffi::constructor]
    pub fn open_under(directory: String, keys: Arc<dyn HostKeys>) -> Result<Self, TestigoError> {
        caught(|| {
            let (folder, clock) = (Path::new(&directory), Box::new(HostClock::new(0)));
            let phone = testigo_phone::Phone::open_under(folder, Lent::of(keys), clock)
                .inspect_err(|error| tracing::error!(code = error.code(), "not opened"))?;
            tracing::info!("a phone was opened");
            Ok(Self::of(phone))
        })
    }

    /// Opens the phone in this folder. It starts locked where it has a PIN.
    ///
    /// # Errors
    /// `Enrolment` where there is none, or a wipe was interrupted, which is finished now; `Store` where it cannot be opened, which leaves it untouched.
    #[uniffi::constructor]
    pub fn open(directory: String, database_key: Vec<u8>) -> Result<Self, TestigoError> {
        caught(|| {
            let key = key(database_key)?;
            let clock = Box::new(HostClock::new(0));
            let phone = testigo_phone::Phone::open(Path::new(&directory), &key, clock)
                .inspect_err(|error| tracing::error!(code = error.code(), "not opened"))?;
            tracing::info!("a phone was opened");
            Ok(Self::of(phone))
        })
    }

    /// Enrols by a witness's code (scanned or typed), headquarters' keyset and the election's pack. No
    /// network is needed.
    ///
    /// # Errors
    /// `Input` where the code is none; `Enrolment` where the phone has enrolled already, or a file is
    /// damaged or of another headquarters.
    pub fn enrol(
        &self,
        code: String,
        keyset: Vec<u8>,
        pack: Option<Vec<u8>>,
    ) -> Result<EnrolledView, TestigoError> {
        let code = Zeroizing::new(code);
        self.changing("enrolled", |phone| {
            let invitation = testigo_phone::invitation(&code)?;
            let enrolled = phone.enrol(&invitation, &keyset, pack.as_deref())?;
            Ok(EnrolledView {
                election: enrolled.election,
                table: enrolled.table.as_ref().map(TableId::to_string),
                root_words: phone.trust().ok_or(PhoneError::NotEnrolled)?.into(),
                confirmation: confirmation(phone)?,
            })
        })
    }

    /// Saves a report. Whatever is doubtful about it is saved with it as a warning.
    ///
    /// # Errors
    /// `Input` naming the field that cannot be understood; `Enrolment`, `Store` or `StorageFull`. In
    /// each case nothing was saved.
    pub fn report(&self, input: ReportInput) -> Result<SavedView, TestigoError> {
        self.changing("saved a report", |phone| {
            Ok(phone.report(&input.into())?.into())
        })
    }

    /// Saves a tally sheet's texts word for word, and reads them. What is no known sheet, or has sums
    /// that fail, is saved all the same.
    ///
    /// # Errors
    /// As `report`.
    pub fn tally(&self, input: TallyInput) -> Result<SavedTallyView, TestigoError> {
        self.changing("saved a tally", |phone| {
            Ok(phone.tally(&input.into())?.into())
        })
    }

    /// Reads a sheet's texts without saving anything.
    ///
    /// # Errors
    /// `Internal` alone: what is no sheet is a reading that says so.
    pub fn read_tally(&self, texts: Vec<Vec<u8>>) -> Result<TallyReading, TestigoError> {
        caught(|| Ok(self.shared.phone().read_tally(&texts).into()))
    }

    /// The queue's true state.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn status(&self) -> Result<StatusView, TestigoError> {
        caught(|| Ok(self.shared.status()?))
    }

    /// What can be reported in the phone's election, by number; the built-in catalogue as long as it has none.
    pub fn catalogue(&self) -> Vec<CatalogueEntryView> {
        catalogue::views(self.shared.phone().catalogue())
    }

    /// The phone's election; none as long as it has no pack.
    pub fn election(&self) -> Option<ElectionView> {
        self.shared.phone().election().map(ElectionView::of)
    }

    /// A polling table as the election's pack knows it; none where it has no such table.
    pub fn table(&self, id: String) -> Option<TableView> {
        let (phone, id) = (self.shared.phone(), TableId::new(&id).ok()?);
        let pack = phone.election()?;
        pack.table(&id).map(|table| TableView::of(table, pack))
    }

    /// Everything saved here, newest first, with what became of it and what can be read of it.
    ///
    /// # Errors
    /// `Locked` before the PIN is given; or where the store fails.
    pub fn history(&self) -> Result<Vec<HistoryView>, TestigoError> {
        caught(|| {
            let phone = self.shared.phone();
            let items = phone.history()?;
            Ok((items.into_iter())
                .map(|item| HistoryView::new(item, &phone))
                .collect())
        })
    }

    /// Has the observer called after every change, until the observation is stopped or let go.
    pub fn observe(&self, observer: Arc<dyn PhoneObserver>) -> Arc<Observation> {
        self.shared.observers.add(observer)
    }
}

impl Phone {
    fn of(phone: testigo_phone::Phone) -> Self {
        Self {
            shared: Arc::new(Shared {
                phone: Mutex::new(phone),
                observers: Arc::default(),
                syncs: AtomicU32::new(0),
                turn: tokio::sync::Mutex::new(()),
            }),
        }
    }

    /// Does what changes the phone, and tells the observers once the phone is free again.
    pub(crate) fn changing<T>(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut testigo_phone::Phone) -> Result<T, PhoneError>,
    ) -> Result<T, TestigoError> {
        let changed = caught(|| {
            change(&mut self.shared.phone())
                .inspect(|_| tracing::info!("{what}"))
                .inspect_err(|error| tracing::warn!(code = error.code(), "refused"))
                .map_err(TestigoError::from)
        });
        if changed.is_ok() {
            self.shared.tell();
        }
        changed
    }
}

impl Shared {
    /// The phone; whoever panicked while holding it left no transaction open.
    pub(crate) fn phone(&self) -> MutexGuard<'_, testigo_phone::Phone> {
        self.phone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> Result<StatusView, PhoneError> {
        let phone = self.phone();
        let outbox = phone.outbox()?;
        Ok(StatusView {
            enrolled: outbox.enrolled,
            enrolment_delivered: outbox.enrolment_delivered,
            election: phone.election().map(|pack| pack.name.clone()),
            practice: phone.is_practice(),
            table: phone.assigned_table()?.map(TableId::to_string),
            root_words: phone.trust().map(RootWords::from),
            confirmation: confirmation(&phone)?,
            has_pin: phone.has_pin()?,
            locked: phone.is_locked()?,
            queued: outbox.queued,
            queued_bytes: outbox.queued_bytes,
            attachments_queued: outbox.attachments_queued,
            attachment_bytes: outbox.attachment_bytes,
            delivered: outbox.delivered,
            parked: outbox.parked,
            last_contact: outbox.last_contact.map(|time| time.to_string()),
            syncing: self.syncs.load(Ordering::SeqCst) > 0,
        })
    }

    /// Tells the observers; never while this thread holds the phone.
    pub(crate) fn tell(&self) {
        self.observers.tell(|| {
            self.status()
                .inspect_err(|error| tracing::error!(code = error.code(), "no state to tell"))
                .ok()
        });
    }

    /// Counts a sync until the answer is let go.
    pub(crate) fn syncing(self: &Arc<Self>) -> Syncing {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        self.tell();
        Syncing(self.clone())
    }
}

/// A sync is under way. It ends in whatever way the sync ends, also where its future is dropped.
pub(crate) struct Syncing(Arc<Shared>);

impl Drop for Syncing {
    fn drop(&mut self) {
        self.0.syncs.fetch_sub(1, Ordering::SeqCst);
        self.0.tell();
    }
}

/// A locked phone does not tell whoever holds it which device headquarters know it as.
fn confirmation(phone: &testigo_phone::Phone) -> Result<Option<String>, PhoneError> {
    let locked = phone.is_locked()?;
    let confirmation = phone.confirmation()?.filter(|_| !locked);
    Ok(confirmation.map(|characters| characters.to_string()))
}

pub(crate) fn key(bytes: Vec<u8>) -> Result<DatabaseKey, PhoneError> {
    let bytes = Zeroizing::new(bytes);
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
        PhoneError::input(
            "database_key",
            format!("tiene {} bytes y debe tener 32", bytes.len()),
            format!("it has {} bytes and must have 32", bytes.len()),
            format!("tem {} bytes e deve ter 32", bytes.len()),
        )
    })?;
    Ok(DatabaseKey::from_bytes(key))
}
