use crate::capabilities::{self, KnownCapability};
use crate::keys::{Folder, private_folder, sync_folder, write_new};
use crate::store::{Identity, Reader, Store};
use crate::{HqError, IncidentsView, PackSource, ResultsView};
use chrono::Utc;
use std::fs;
use std::path::Path;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{
    Capability, ElectionId, ElectionPack, Epoch, Invitation, Keyset, RootId, SealSecretKey,
    SigningKey, TableId, Time, is_safe_endpoint,
};

/// Makes an empty or new folder into the headquarters of one election: keys in `keys/` (raw 32 bytes,
/// their owner's alone), the encrypted `hq.db`, and for phones `public/keyset.cose` and
/// `public/pack.cose`, both signed by the root. `endpoints` are the addresses that phones will send to.
///
/// The keyset is written last: where it is, headquarters are whole.
///
/// In this release the root key stays on the same machine as the server. Whoever takes the machine can
/// sign as the root; keep `keys/root.key` elsewhere once `init` and all invitations are done with it
/// (nothing but `init` reads it).
///
/// Returns the root's short name, which every enrolment code carries.
///
/// # Errors
/// [`HqError::Endpoint`], [`HqError::AlreadyHeadquarters`] and [`HqError::NotEmpty`] before anything is changed; others where
/// keys, files or the database cannot be made.
pub fn init(data_dir: &Path, source: &PackSource, endpoints: &[String]) -> Result<RootId, HqError> {
    if let Some(address) = (endpoints.iter()).find(|address| !is_safe_endpoint(address)) {
        return Err(HqError::Endpoint(address.clone()));
    }
    let folder = Folder::new(data_dir);
    fs::create_dir_all(data_dir).map_err(HqError::file(data_dir))?;
    if folder.keyset().exists() {
        return Err(HqError::AlreadyHeadquarters(data_dir.to_owned()));
    }
    let mut entries = fs::read_dir(data_dir).map_err(HqError::file(data_dir))?;
    if entries.next().is_some() {
        return Err(HqError::NotEmpty(data_dir.to_owned()));
    }
    // Of two that run at once, one fails here.
    private_folder(&folder.keys())?;
    let root = SigningKey::random().map_err(HqError::keys)?;
    let seal = SealSecretKey::random().map_err(HqError::keys)?;
    let receipt = SigningKey::random().map_err(HqError::keys)?;
    let desk = SigningKey::random().map_err(HqError::keys)?;
    let database = DatabaseKey::random().map_err(HqError::keys)?;
    write_new(&folder.root_key(), &*root.seed(), true)?;
    write_new(&folder.seal_key(), &*seal.to_bytes(), true)?;
    write_new(&folder.receipt_key(), &*receipt.seed(), true)?;
    write_new(&folder.desk_key(), &*desk.seed(), true)?;
    write_new(&folder.database_key(), database.expose(), true)?;

    let identity = Identity {
        election: ElectionId::random().map_err(HqError::keys)?,
        root: RootId::of(&root.verifying_key()),
        epoch: Epoch::random().map_err(HqError::keys)?,
    };
    Store::create(&folder.database(), &database, &identity)?;

    let signed = |path, result: Result<Vec<u8>, _>| {
        result.map_err(|source| HqError::Signed { path, source })
    };
    let pack = source.clone().into_pack(identity.election).sign(&root);
    let keyset = Keyset {
        version: 1,
        election: identity.election,
        issued_at: Time::from(Utc::now().fixed_offset()),
        root: root.verifying_key(),
        seal: vec![seal.public_key().map_err(HqError::keys)?],
        receipt: vec![receipt.verifying_key()],
        desk: vec![desk.verifying_key()],
        log: Vec::new(),
        revoked: Vec::new(),
        endpoints: endpoints.to_vec(),
        pins: Vec::new(),
    }
    .sign(&root);
    let public = folder.public();
    fs::create_dir(&public).map_err(HqError::file(&public))?;
    write_new(&folder.pack(), &signed(folder.pack(), pack)?, false)?;
    write_new(&folder.keyset(), &signed(folder.keyset(), keyset)?, false)?;
    sync_folder(data_dir)?;
    Ok(identity.root)
}

/// Makes the right to enrol a phone, for a witness sent to `table`. Headquarters keep the public half
/// only: the invitation is written down by `hand_over` now, or never. It is valid only once this has
/// returned: where `hand_over` fails, nothing was kept. Works while a server runs on the folder. The public half is
/// also kept beside the database, in `capabilities`, for [`recover`](crate::recover).
///
/// # Errors
/// [`HqError::NotHeadquarters`]; [`HqError::TableUnknown`] where the election has no such table; and
/// those of `hand_over`.
pub fn invite<E: From<HqError>>(
    data_dir: &Path,
    table: Option<TableId>,
    hand_over: impl FnOnce(&Invitation) -> Result<(), E>,
) -> Result<(), E> {
    let headquarters = Headquarters::open(data_dir)?;
    if let Some(table) = &table
        && headquarters.pack.table(table).is_none()
    {
        return Err(HqError::TableUnknown(table.clone()).into());
    }
    let capability = Capability::random().map_err(HqError::keys)?;
    let key = capability.signing_key().map_err(HqError::keys)?;
    let store = Store::open(&headquarters.folder)?;
    hand_over(&Invitation {
        capability,
        root: headquarters.identity.root,
        election: headquarters.identity.election,
        table: table.clone(),
    })?;
    let known = KnownCapability {
        key: key.verifying_key(),
        table,
        created_at: Utc::now().timestamp_millis(),
    };
    capabilities::append(&headquarters.folder, std::slice::from_ref(&known))?;
    store.add_capability(&known).map_err(HqError::from)?;
    Ok(())
}

/// The results and incidents so far, as the server's own API gives them. Works beside a server.
///
/// # Errors
/// [`HqError`] where the folder holds no headquarters, or its database cannot be read.
pub fn tables(data_dir: &Path) -> Result<(ResultsView, IncidentsView), HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let snapshot = headquarters.reader.snapshot()?;
    Ok((
        ResultsView::new(&headquarters.pack, &snapshot),
        IncidentsView::new(&snapshot),
    ))
}

/// Headquarters that were found whole: identity from the encrypted database, keyset and pack verified
/// under the root that it names.
pub(crate) struct Headquarters {
    pub folder: Folder,
    pub identity: Identity,
    pub keyset: Keyset,
    pub pack: ElectionPack,
    pub reader: Reader,
}

impl Headquarters {
    pub(crate) fn open(data_dir: &Path) -> Result<Self, HqError> {
        let folder = Folder::new(data_dir);
        let missing = || HqError::NotHeadquarters(data_dir.to_owned());
        if !folder.keyset().exists() {
            return Err(missing());
        }
        let reader = Reader::open(&folder)?;
        let identity = reader.identity()?.ok_or_else(missing)?;
        let read = |path: &Path| fs::read(path).map_err(HqError::file(path));
        let signed = |path| move |source| HqError::Signed { path, source };
        let keyset = Keyset::verify(&read(&folder.keyset())?, identity.root)
            .map_err(signed(folder.keyset()))?;
        let pack = ElectionPack::verify(&read(&folder.pack())?, &keyset.root)
            .map_err(signed(folder.pack()))?;
        Ok(Self {
            folder,
            identity,
            keyset,
            pack,
            reader,
        })
    }

    /// The key that signs receipts, which must be one that phones know.
    pub(crate) fn receipt_key(&self) -> Result<SigningKey, HqError> {
        let key = self.folder.load_receipt()?;
        match self.keyset.receipt_key(key.verifying_key().key_id()) {
            Some(_) => Ok(key),
            None => Err(HqError::Key(self.folder.receipt_key())),
        }
    }

    /// The key that signs notices, which must be one that phones know; `None` where this headquarters
    /// was made by a release whose desk had none: it works on, without notices.
    pub(crate) fn desk_key(&self) -> Result<Option<SigningKey>, HqError> {
        if self.keyset.desk.is_empty() {
            return Ok(None);
        }
        let key = self.folder.load_desk()?;
        match self.keyset.desk_key(key.verifying_key().key_id()) {
            Some(_) => Ok(Some(key)),
            None => Err(HqError::Key(self.folder.desk_key())),
        }
    }

    /// The key that opens records, which must be one that phones seal to.
    pub(crate) fn seal_key(&self) -> Result<SealSecretKey, HqError> {
        let key = self.folder.load_seal()?;
        let public = key.public_key().map_err(HqError::keys)?;
        if self.keyset.seal.contains(&public) {
            Ok(key)
        } else {
            Err(HqError::Key(self.folder.seal_key()))
        }
    }
}
