use crate::backup::fresh;
use crate::capabilities::{self, KnownCapability};
use crate::keys::{Folder, private_folder, sync_folder, write_new};
use crate::ring::SealKeys;
use crate::rotate::sign_and_install;
use crate::store::{DeskStore, Identity, Reader};
use crate::tls::{self, Certificates};
use crate::{HqError, IncidentsView, PackSource, ResultsView};
use chrono::Utc;
use std::fs;
use std::path::Path;
use testigo_sqlite::DatabaseKey;
use testigo_wire::{
    Capability, ElectionId, ElectionPack, Epoch, Invitation, Keyset, KeysetRequest, RootId,
    SealSecretKey, SigningKey, TableId, VerifyingKey, is_safe_endpoint,
};

/// Makes an empty or new folder into the headquarters of one election, with a root of its own: keys in `keys/`
/// (raw 32 bytes, their owner's alone), the encrypted `hq.db` (ingest's) and `desk.db`, and for phones `public/keyset.cose` and
/// `public/pack.cose`, both signed by the root. `endpoints` are the addresses that phones will send to; where one
/// is https and `certificates` are their own, keys for TLS are made too, the next one beside the first, and pinned.
///
/// The keyset is written last: where it is, headquarters are whole.
///
/// The root's key stays on the machine that receives, in `keys/root.key`: for practice. [`init_for_root`] makes
/// headquarters whose root is kept offline.
///
/// Returns the root's short name, which every enrolment code carries.
///
/// # Errors
/// [`HqError::Endpoint`], [`HqError::AlreadyHeadquarters`] and [`HqError::NotEmpty`] before anything is changed; others where
/// keys, files or the database cannot be made.
pub fn init(
    data_dir: &Path,
    source: &PackSource,
    endpoints: &[String],
    certificates: Certificates,
) -> Result<RootId, HqError> {
    let root = SigningKey::random().map_err(HqError::keys)?;
    let id = RootId::of(&root.verifying_key());
    let folder = begin(data_dir, endpoints)?;
    write_new(&folder.root_key(), &*root.seed(), true)?;
    let request = make(&folder, source, endpoints, certificates, &[], id)?;
    sign_and_install(&folder, &request, &root)?;
    sync_folder(data_dir)?;
    Ok(id)
}

/// The same under a root that is kept offline, of which `root` is the public half: what it has to sign is written
/// to `keyset-request.cbor` in the folder, and until [`install`](crate::install) has brought the signed keyset and
/// pack, headquarters do not serve. `pins` are SHA-256 of further TLS public keys of the addresses.
///
/// # Errors
/// As [`init`].
pub fn init_for_root(
    data_dir: &Path,
    source: &PackSource,
    endpoints: &[String],
    certificates: Certificates,
    pins: &[[u8; 32]],
    root: &VerifyingKey,
) -> Result<KeysetRequest, HqError> {
    let folder = begin(data_dir, endpoints)?;
    let id = RootId::of(root);
    let request = make(&folder, source, endpoints, certificates, pins, id)?;
    write_new(&folder.request(), &request.to_bytes(), false)?;
    sync_folder(data_dir)?;
    Ok(request)
}

/// Whether all these are addresses that phones send to.
pub(crate) fn check_endpoints(endpoints: &[String]) -> Result<(), HqError> {
    match (endpoints.iter()).find(|address| !is_safe_endpoint(address)) {
        Some(address) => Err(HqError::Endpoint(address.clone())),
        None => Ok(()),
    }
}

fn begin(data_dir: &Path, endpoints: &[String]) -> Result<Folder, HqError> {
    check_endpoints(endpoints)?;
    let folder = fresh(data_dir)?;
    // Of two that run at once, one fails here.
    private_folder(&folder.keys())?;
    Ok(folder)
}

/// Makes headquarters' own keys and their databases, and says what the root has to sign.
fn make(
    folder: &Folder,
    source: &PackSource,
    endpoints: &[String],
    certificates: Certificates,
    pins: &[[u8; 32]],
    root: RootId,
) -> Result<KeysetRequest, HqError> {
    let seal = SealSecretKey::random().map_err(HqError::keys)?;
    let receipt = SigningKey::random().map_err(HqError::keys)?;
    let desk = SigningKey::random().map_err(HqError::keys)?;
    let database = DatabaseKey::random().map_err(HqError::keys)?;
    write_new(&folder.seal_key(), &*seal.to_bytes(), true)?;
    write_new(&folder.receipt_key(), &*receipt.seed(), true)?;
    write_new(&folder.desk_key(), &*desk.seed(), true)?;
    write_new(&folder.database_key(), database.expose(), true)?;
    let desk_database = DatabaseKey::random().map_err(HqError::keys)?;
    write_new(&folder.desk_database_key(), desk_database.expose(), true)?;
    let own_tls = certificates == Certificates::Own
        && (endpoints.iter()).any(|address| address.starts_with("https:"));
    let mut pins = pins.to_vec();
    if own_tls {
        pins.extend(tls::make_keys(folder)?);
    }

    let identity = Identity {
        election: match source.is_practice() {
            true => ElectionId::draw_practice(),
            false => ElectionId::draw(),
        }
        .map_err(HqError::keys)?,
        root,
        epoch: Epoch::random().map_err(HqError::keys)?,
    };
    DeskStore::create(folder, &identity)?;
    let pack = source.clone().into_pack(identity.election);
    let signed = |source| HqError::Signed {
        path: folder.pack(),
        source,
    };
    let mut request = KeysetRequest::first(&pack, root).map_err(signed)?;
    request.seal = vec![seal.public_key().map_err(HqError::keys)?];
    request.receipt = vec![receipt.verifying_key()];
    request.desk = vec![desk.verifying_key()];
    request.endpoints = endpoints.to_vec();
    request.pins = pins.into_iter().map(Into::into).collect();
    Ok(request)
}

/// Makes the right to enrol a phone, for a witness sent to `table`: [`invite_all`] of one.
///
/// # Errors
/// As [`invite_all`].
pub fn invite<E: From<HqError>>(
    data_dir: &Path,
    table: Option<TableId>,
    hand_over: impl FnOnce(&Invitation) -> Result<(), E>,
) -> Result<(), E> {
    invite_all(data_dir, &[table], |invitations, _| match invitations {
        [invitation] => hand_over(invitation),
        _ => Ok(()),
    })
}

/// Makes rights to enrol, one for each of these tables in their order. Headquarters keep the public halves
/// only: the invitations are written down by `hand_over` now, or never; it is given the election's pack for what is
/// known of the tables. They are valid only once this has returned: where `hand_over` fails, nothing was kept. Works
/// while a server runs on the folder. The public halves are also kept beside the database, in `capabilities`, for
/// [`recover`](crate::recover).
///
/// # Errors
/// [`HqError::NotHeadquarters`]; [`HqError::TableUnknown`] where the election has no such table; and
/// those of `hand_over`.
pub fn invite_all<E: From<HqError>>(
    data_dir: &Path,
    tables: &[Option<TableId>],
    hand_over: impl FnOnce(&[Invitation], &ElectionPack) -> Result<(), E>,
) -> Result<(), E> {
    let headquarters = Headquarters::open(data_dir)?;
    let (mut invitations, mut known) = (Vec::new(), Vec::new());
    for table in tables {
        if let Some(table) = table
            && headquarters.pack.table(table).is_none()
        {
            return Err(HqError::TableUnknown(table.clone()).into());
        }
        let capability = Capability::random().map_err(HqError::keys)?;
        let key = capability.signing_key().map_err(HqError::keys)?;
        known.push(KnownCapability {
            key: key.verifying_key(),
            table: table.clone(),
            created_at: Utc::now().timestamp_millis(),
        });
        invitations.push(Invitation {
            capability,
            root: headquarters.identity.root,
            election: headquarters.identity.election,
            table: table.clone(),
        });
    }
    let mut store = DeskStore::open(&headquarters.folder)?;
    hand_over(&invitations, &headquarters.pack)?;
    capabilities::append(&headquarters.folder, &known)?;
    store.add_capabilities(&known).map_err(HqError::from)?;
    Ok(())
}

/// Whether the folder's headquarters are of an election for practice; not where they are no headquarters, or cannot be
/// read.
pub fn is_practice(data_dir: &Path) -> bool {
    let Ok(bytes) = fs::read(Folder::new(data_dir).keyset()) else {
        return false;
    };
    let keyset = Keyset::named_root(&bytes).and_then(|root| Keyset::verify(&bytes, root));
    keyset.is_ok_and(|keyset| keyset.election.is_practice())
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
        IncidentsView::new(&headquarters.pack, &snapshot),
    ))
}

/// The election and its results so far, for an export. Works beside a server.
///
/// # Errors
/// As [`tables`].
pub fn results(data_dir: &Path) -> Result<(ElectionPack, ResultsView), HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let results = ResultsView::new(&headquarters.pack, &headquarters.reader.snapshot()?);
    Ok((headquarters.pack, results))
}

/// The polling tables of the election, in its order.
///
/// # Errors
/// [`HqError`] where the folder holds no headquarters.
pub fn table_ids(data_dir: &Path) -> Result<Vec<TableId>, HqError> {
    let tables = Headquarters::open(data_dir)?.pack.tables;
    Ok(tables.into_iter().map(|table| table.id).collect())
}

/// Headquarters that were found whole: identity from ingest's encrypted database, keyset and pack verified
/// under the root that it names.
pub(crate) struct Headquarters {
    pub folder: Folder,
    pub identity: Identity,
    pub keyset: Keyset,
    /// As the root signed it.
    pub signed_keyset: Vec<u8>,
    pub pack: ElectionPack,
    pub reader: Reader,
}

impl Headquarters {
    pub(crate) fn open(data_dir: &Path) -> Result<Self, HqError> {
        let folder = Folder::new(data_dir);
        let missing = || HqError::NotHeadquarters(data_dir.to_owned());
        if !folder.keyset().exists() {
            return Err(
                match folder.request().exists() && folder.database().exists() {
                    true => HqError::NotSigned(data_dir.to_owned()),
                    false => missing(),
                },
            );
        }
        let reader = Reader::open(&folder)?;
        let identity = reader.identity()?.ok_or_else(missing)?;
        let read = |path: &Path| fs::read(path).map_err(HqError::file(path));
        let signed = |path| move |source| HqError::Signed { path, source };
        let signed_keyset = read(&folder.keyset())?;
        let keyset =
            Keyset::verify(&signed_keyset, identity.root).map_err(signed(folder.keyset()))?;
        let pack = ElectionPack::verify(&read(&folder.pack())?, &keyset.root)
            .map_err(signed(folder.pack()))?;
        Ok(Self {
            folder,
            identity,
            keyset,
            signed_keyset,
            pack,
            reader,
        })
    }

    /// The key that signs receipts, which must be the one that phones expect.
    pub(crate) fn receipt_key(&self) -> Result<SigningKey, HqError> {
        self.folder.load_keys()?.receipt_key(&self.keyset)
    }

    /// The key that signs notices, which must be the one that phones expect; `None` where this headquarters
    /// was made by a release whose desk had none: it works on, without notices.
    pub(crate) fn desk_key(&self) -> Result<Option<SigningKey>, HqError> {
        self.folder.load_keys()?.desk_key(&self.keyset)
    }

    /// The keys that open records, the one that phones seal to among them.
    pub(crate) fn seal_keys(&self) -> Result<SealKeys, HqError> {
        let keys = self.folder.load_keys()?;
        keys.check(&self.keyset)?;
        Ok(keys.seal_keys())
    }
}
