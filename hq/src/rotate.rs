//! Keys and addresses that change while phones are out: headquarters make the new secret keys and ask the root, and
//! take in what it signed.

use crate::HqError;
use crate::init::{Headquarters, check_endpoints};
use crate::keys::{Folder, read_key, replace_file, write_new};
use crate::ring::Role;
use crate::root::sign_request;
use crate::store::Reader;
use crate::tls;
use axum::body::Bytes;
use chrono::Utc;
use std::fs;
use std::path::{Path, PathBuf};
use testigo_wire::{
    ElectionPack, KeyId, Keyset, KeysetRequest, Language, RootId, SealSecretKey, SigningKey,
    Succession, Time, WireError,
};

/// What is to change. Several changes wait together for one signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// A new key that records are sealed to. The earlier ones stay in `keys/` and open what comes under them.
    pub seal: bool,
    /// A new key that signs receipts.
    pub receipt: bool,
    /// A new key that signs the desk's notices.
    pub desk: bool,
    /// The keys that are replaced are in other hands: nothing that they sign is believed any more, and what they
    /// signed is signed anew. Otherwise they stay listed.
    pub seized: bool,
    /// The addresses from now on; empty: as they are.
    pub endpoints: Vec<String>,
    /// The next key of headquarters' own TLS, which phones know already, comes into use, and another one is made for
    /// after it.
    pub tls: bool,
    /// SHA-256 of the TLS public keys from now on; empty: as they are.
    pub pins: Vec<[u8; 32]>,
    /// Devices and capabilities that are no longer believed.
    pub revoke: Vec<KeyId>,
}

/// What became of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// What the root has to sign, as it lies in `keyset-request.cbor`.
    pub request: KeysetRequest,
    /// Version of the new keyset, where the root's key lies in `keys/` and has signed it already.
    pub installed: Option<u64>,
    /// Keys of TLS are pinned from then on, and none of them is here: a proxy must have them.
    pub tls_elsewhere: bool,
}

/// Makes new secret keys in `keys/`, and writes what the root has to sign to `keyset-request.cbor`; where the root's
/// key is on this machine, signs and installs it. A request that still waits is added to.
///
/// # Errors
/// [`HqError::NotHeadquarters`], [`HqError::NotSigned`], [`HqError::Endpoint`], [`HqError::NothingToRevoke`] before anything
/// is changed; others where files cannot be read or written.
pub fn rotate(data_dir: &Path, rotation: &Rotation) -> Result<Rotated, HqError> {
    check_endpoints(&rotation.endpoints)?;
    let hq = Headquarters::open(data_dir)?;
    let known = hq.reader.keys(&rotation.revoke)?;
    let unknown =
        |kid: &&KeyId| !known.devices.contains_key(*kid) && !known.capabilities.contains_key(*kid);
    if let Some(kid) = rotation.revoke.iter().find(unknown) {
        return Err(HqError::NothingToRevoke(*kid));
    }
    let folder = &hq.folder;
    let fault = |source| HqError::Signed {
        path: folder.keyset(),
        source,
    };
    let mut request = match waiting(folder, &hq.signed_keyset) {
        Some(request) => request,
        None => KeysetRequest::following(&hq.signed_keyset).map_err(fault)?,
    };
    let keys = folder.keys();
    if rotation.seal {
        let key = SealSecretKey::random().map_err(HqError::keys)?;
        let public = key.public_key().map_err(HqError::keys)?;
        write_new(
            &Role::Seal.file(&keys, public.key_id()),
            &*key.to_bytes(),
            true,
        )?;
        if rotation.seized {
            request.seal.clear();
        }
        request.replace_seal_key(public);
    }
    let listed = [
        (rotation.receipt, Role::Receipt, &mut request.receipt),
        (rotation.desk, Role::Desk, &mut request.desk),
    ];
    for (asked, role, list) in listed {
        if asked {
            let key = SigningKey::random().map_err(HqError::keys)?;
            let public = key.verifying_key();
            write_new(&role.file(&keys, public.key_id()), &*key.seed(), true)?;
            if rotation.seized {
                list.clear();
            }
            list.insert(0, public);
        }
    }
    if !rotation.endpoints.is_empty() {
        request.endpoints.clone_from(&rotation.endpoints);
    }
    if !rotation.pins.is_empty() {
        request.pins = rotation.pins.iter().map(|pin| (*pin).into()).collect();
    }
    if rotation.tls {
        let known = hq.keyset.pins.get(1).copied();
        request.pins = known.into_iter().collect();
        while request.pins.len() < 2 {
            request.pins.push(tls::make_another(&keys)?.into());
        }
    }
    for kid in &rotation.revoke {
        if !request.revoked.contains(kid) {
            request.revoked.push(*kid);
        }
    }
    let installed = match folder.root_key().exists() {
        true => {
            let root = SigningKey::from_seed(&*read_key(&folder.root_key())?);
            Some(sign_and_install(folder, &request, &root)?)
        }
        false => {
            replace_file(&folder.request(), &request.to_bytes())?;
            None
        }
    };
    let tls_elsewhere = !tls::holds_one_of(&keys, &request.pins)?;
    Ok(Rotated {
        request,
        installed,
        tls_elsewhere,
    })
}

/// A request that waits and changes the keyset that is held.
fn waiting(folder: &Folder, held: &[u8]) -> Option<KeysetRequest> {
    let bytes = fs::read(folder.request()).ok()?;
    let request = KeysetRequest::from_bytes(&bytes).ok()?;
    (request.previous() == Some(held)).then_some(request)
}

/// Why headquarters do not take a signed keyset. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysetRefusal {
    /// Another root signed it, or it was changed since.
    OtherRoot,
    /// It is none, or damaged.
    Damaged,
    /// It is of another election.
    OtherElection,
    /// A later one is installed.
    Older {
        /// Its version.
        found: u64,
        /// The version that is installed.
        held: u64,
    },
    /// The same version with another content is installed.
    Conflict,
    /// The signed election pack is missing beside it, or is not its own.
    Pack,
}

impl KeysetRefusal {
    /// What a person is told, with what to do next.
    pub fn sentence(self, language: Language) -> String {
        let fixed = match self {
            Self::Older { found, held } => {
                return language.pick(
                    format!("es la versión {found} y ya está instalada la {held}: no se vuelve atrás. Para cambiar algo, haga otra solicitud con rotate."),
                    format!("it is version {found}, and {held} is installed: there is no way back. To change something, make another request with rotate."),
                );
            }
            Self::OtherRoot => (
                "lo firmó otra raíz, o cambió en el camino. Compare las seis palabras y tráigalo de nuevo.",
                "another root signed it, or it was changed on the way. Compare the six words, and bring it again.",
            ),
            Self::Damaged => (
                "está dañado o no es un juego de llaves. Tráigalo de nuevo de la raíz.",
                "it is damaged, or no keyset. Bring it from the root again.",
            ),
            Self::OtherElection => (
                "es de otra elección. Traiga el que se firmó para esta central.",
                "it is of another election. Bring the one that was signed for these headquarters.",
            ),
            Self::Conflict => (
                "es otra versión con el mismo número: la raíz firmó dos veces. No instale ninguna más y averigüe quién usó la raíz.",
                "it is another content under the same number: the root signed twice. Install no more, and find out who used the root.",
            ),
            Self::Pack => (
                "falta a su lado la elección firmada (pack.cose), o no es la suya. Traiga la carpeta entera.",
                "the signed election (pack.cose) is missing beside it, or is not its own. Bring the whole folder.",
            ),
        };
        language.pick(fixed.0, fixed.1).to_owned()
    }
}

/// What was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Installed {
    /// The root that signed it.
    pub root: RootId,
    /// Version of the keyset.
    pub version: u64,
    /// It was there already.
    pub known: bool,
}

/// Takes in what the root signed: `from` is the folder that [`Root::sign`](crate::Root::sign) wrote, or a keyset
/// alone. A server that runs takes it up by itself.
///
/// # Errors
/// [`HqError::Keyset`] where it is of another root or election, older, or lacks the pack; [`HqError::Key`] with the
/// secret key that it names and that is not held. Nothing changes then. Others where files fail.
pub fn install(data_dir: &Path, from: &Path) -> Result<Installed, HqError> {
    let folder = Folder::new(data_dir);
    if !folder.database().exists() {
        return Err(HqError::NotHeadquarters(data_dir.to_owned()));
    }
    let (keyset_path, pack_path) = match from.is_dir() {
        true => (from.join("keyset.cose"), Some(from.join("pack.cose"))),
        false => (from.to_owned(), None),
    };
    let signed = fs::read(&keyset_path).map_err(HqError::file(&keyset_path))?;
    let pack = match pack_path.filter(|path| path.exists()) {
        Some(path) => Some(fs::read(&path).map_err(HqError::file(&path))?),
        None => None,
    };
    let identity = (Reader::open(&folder)?.identity()?)
        .ok_or_else(|| HqError::NotHeadquarters(data_dir.to_owned()))?;
    let refused = |refusal| HqError::Keyset {
        path: keyset_path.clone(),
        refusal,
    };
    let keyset = Keyset::verify(&signed, identity.root).map_err(|error| {
        refused(match error {
            WireError::Signature { .. } => KeysetRefusal::OtherRoot,
            _ => KeysetRefusal::Damaged,
        })
    })?;
    if keyset.election != identity.election {
        return Err(refused(KeysetRefusal::OtherElection));
    }
    let mut known = false;
    if folder.keyset().exists() {
        let hq = Headquarters::open(data_dir)?;
        let succession = (hq.keyset.succession(&hq.signed_keyset, &signed))
            .map_err(|_| refused(KeysetRefusal::Damaged))?;
        known = match succession {
            Succession::Newer(_) => false,
            Succession::Same => true,
            Succession::Older(found) => {
                let held = hq.keyset.version;
                return Err(refused(KeysetRefusal::Older { found, held }));
            }
            Succession::Conflict => return Err(refused(KeysetRefusal::Conflict)),
            Succession::OtherElection => return Err(refused(KeysetRefusal::OtherElection)),
        };
    }
    folder.load_keys()?.check(&keyset)?;
    put(&folder, &keyset, &signed, pack.as_deref()).map_err(|error| match error {
        HqError::Signed { .. } => refused(KeysetRefusal::Pack),
        error => error,
    })?;
    Ok(Installed {
        root: identity.root,
        version: keyset.version,
        known,
    })
}

/// What a running server finds where its keyset lies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Its own, or one of which it has said already that it is of no use.
    Same,
    /// One that it cannot serve under, and why; told once.
    Useless(String),
    /// A later one, whole and with the secret keys that it names, however it came there.
    Later,
}

/// Looks for a later keyset than the one that a server serves under.
pub(crate) struct Watch {
    data_dir: PathBuf,
    held: Bytes,
    version: u64,
    proxy_speaks_tls: bool,
    /// The file that is of no use.
    useless: Option<Vec<u8>>,
}

impl Watch {
    pub(crate) fn new(data_dir: &Path, held: Bytes, version: u64, proxy_speaks_tls: bool) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            held,
            version,
            proxy_speaks_tls,
            useless: None,
        }
    }

    pub(crate) fn look(&mut self) -> Look {
        let folder = Folder::new(&self.data_dir);
        // What cannot be read at this moment may be replaced at this moment.
        let Ok(bytes) = fs::read(folder.keyset()) else {
            return Look::Same;
        };
        if bytes == self.held {
            self.useless = None;
            return Look::Same;
        }
        match self.check(&folder) {
            Ok(true) => Look::Later,
            _ if self.useless.as_ref() == Some(&bytes) => Look::Same,
            found => {
                self.useless = Some(bytes);
                Look::Useless(match found {
                    Err(error) => error.sentence(Language::En),
                    Ok(_) => format!("it is no later one than version {}", self.version),
                })
            }
        }
    }

    fn check(&self, folder: &Folder) -> Result<bool, HqError> {
        let hq = Headquarters::open(&self.data_dir)?;
        folder.load_keys()?.check(&hq.keyset)?;
        if !self.proxy_speaks_tls {
            tls::acceptor(&hq)?;
        }
        Ok(hq.keyset.version > self.version)
    }
}

/// Signs a request with a root's key that lies on this machine, and installs what comes of it.
pub(crate) fn sign_and_install(
    folder: &Folder,
    request: &KeysetRequest,
    root: &SigningKey,
) -> Result<u64, HqError> {
    let fault = |source| HqError::Signed {
        path: folder.keyset(),
        source,
    };
    let now = Time::from(Utc::now().fixed_offset());
    let signed = sign_request(request, root, now).map_err(fault)?;
    let keyset = Keyset::verify(&signed.keyset, request.root).map_err(fault)?;
    folder.load_keys()?.check(&keyset)?;
    put(folder, &keyset, &signed.keyset, signed.pack.as_deref())?;
    Ok(keyset.version)
}

/// Writes the public files, the keyset last.
fn put(
    folder: &Folder,
    keyset: &Keyset,
    signed: &[u8],
    pack: Option<&[u8]>,
) -> Result<(), HqError> {
    let public = folder.public();
    if !public.exists() {
        fs::create_dir(&public).map_err(HqError::file(&public))?;
    }
    let fault = |source| HqError::Signed {
        path: folder.pack(),
        source,
    };
    let other = || {
        fault(WireError::Signature {
            what: "election pack",
        })
    };
    match pack {
        Some(bytes) => {
            let pack = ElectionPack::verify(bytes, &keyset.root).map_err(fault)?;
            if pack.election != keyset.election {
                return Err(other());
            }
            replace_file(&folder.pack(), bytes)?;
        }
        None if !folder.pack().exists() => return Err(other()),
        None => {}
    }
    replace_file(&folder.keyset(), signed)?;
    let _ = fs::remove_file(folder.request());
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::stage::Stage;

    #[test]
    fn a_keyset_that_cannot_be_served_under_is_told_of_once() {
        let stage = Stage::new();
        let path = stage.hq.folder.keyset();
        let first = fs::read(&path).unwrap();
        let mut watch = Watch::new(&stage.data, first.clone().into(), 1, false);
        assert_eq!(watch.look(), Look::Same);
        let rotation = Rotation {
            seal: true,
            ..Rotation::default()
        };
        rotate(&stage.data, &rotation).unwrap();
        let second = fs::read(&path).unwrap();
        // Half of it, as another program would write it; then whole, but without its key.
        let keys = crate::ring::key_files(&stage.hq.folder.keys()).unwrap();
        let key = keys.iter().find(|name| name.starts_with("seal-")).unwrap();
        let key = stage.hq.folder.keys().join(key);
        let aside = key.with_extension("aside");
        fs::rename(&key, &aside).unwrap();
        for bytes in [&second[..50], &second] {
            fs::write(&path, bytes).unwrap();
            let look = watch.look();
            assert!(
                matches!(&look, Look::Useless(why) if !why.is_empty()),
                "{look:?}"
            );
            assert_eq!(watch.look(), Look::Same, "said once");
        }
        // Back and there again: it is said again.
        fs::write(&path, &first).unwrap();
        assert_eq!(watch.look(), Look::Same);
        fs::write(&path, &second).unwrap();
        assert!(matches!(watch.look(), Look::Useless(_)));
        fs::rename(&aside, &key).unwrap();
        assert_eq!(watch.look(), Look::Later);
        // One that is whole and no later.
        let mut later = Watch::new(&stage.data, second.into(), 2, false);
        fs::write(&path, &first).unwrap();
        assert!(matches!(later.look(), Look::Useless(why) if why.contains('2')));
    }

    #[test]
    fn what_headquarters_do_not_know_is_not_revoked() {
        let stage = Stage::new();
        let witness = stage.witness();
        let before = fs::read(stage.hq.folder.keyset()).unwrap();
        let known = witness.capability.verifying_key().key_id();
        let revoke = |kids: &[KeyId]| {
            let rotation = Rotation {
                seal: true,
                revoke: kids.to_vec(),
                ..Rotation::default()
            };
            rotate(&stage.data, &rotation)
        };
        let unknown = KeyId([9; 8]);
        let refused = revoke(&[known, unknown]);
        assert!(matches!(refused, Err(HqError::NothingToRevoke(kid)) if kid == unknown));
        assert_eq!(fs::read(stage.hq.folder.keyset()).unwrap(), before);
        assert_eq!(
            crate::ring::key_files(&stage.hq.folder.keys())
                .unwrap()
                .len(),
            6
        );
        revoke(&[known]).unwrap();
        assert_eq!(
            Headquarters::open(&stage.data).unwrap().keyset.revoked,
            [known]
        );
    }
}
