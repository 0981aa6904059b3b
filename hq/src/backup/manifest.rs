use crate::HqError;
use crate::hex::bytes;
use crate::store::Identity;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use testigo_wire::{ElectionId, Epoch, RootId, Time};

/// First line of every manifest.
const TITLE: &str = "# testigo backup 2";
/// That of releases whose headquarters had one database.
const TITLE_OF_ONE: &str = "# testigo backup 1";
/// The largest manifest that is read, in bytes.
const MAX: u64 = 1 << 30;

/// What a backup holds: SHA-256 of each file, in the form that `sha256sum -c` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub made_at: Time,
    pub election: ElectionId,
    pub root: RootId,
    pub epoch: Epoch,
    /// The name and hash of ingest's database.
    pub database: (String, [u8; 32]),
    /// Those of the desk's; `None` where an earlier release made the backup: then both are one.
    pub desk_database: Option<(String, [u8; 32])>,
    /// `public/keyset.cose` and `public/pack.cose`.
    pub public: BTreeMap<String, [u8; 32]>,
    /// Attachments, which are named by their hash.
    pub blobs: BTreeSet<[u8; 32]>,
}

impl Manifest {
    pub(super) fn new(
        made_at: Time,
        identity: &Identity,
        database: (String, [u8; 32]),
        desk_database: (String, [u8; 32]),
    ) -> Self {
        Self {
            made_at,
            election: identity.election,
            root: identity.root,
            epoch: identity.epoch,
            database,
            desk_database: Some(desk_database),
            public: BTreeMap::new(),
            blobs: BTreeSet::new(),
        }
    }

    /// Where it lies. It is written last: where it is, the backup is whole.
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join("MANIFEST.sha256")
    }

    pub(super) fn to_text(&self) -> String {
        let title = match self.desk_database {
            Some(_) => TITLE,
            None => TITLE_OF_ONE,
        };
        let mut text = format!(
            "{title}\n# made {}\n# election {}\n# root {}\n# epoch {}\n",
            self.made_at.datetime().to_rfc3339(),
            self.election,
            self.root,
            self.epoch
        );
        let mut line = |sha256: &[u8; 32], name: &str| {
            text.push_str(&format!("{}  {name}\n", HEXLOWER.encode(sha256)));
        };
        for (name, sha256) in self.databases() {
            line(sha256, name);
        }
        for (name, sha256) in &self.public {
            line(sha256, name);
        }
        for sha256 in &self.blobs {
            line(sha256, &format!("blobs/{}", HEXLOWER.encode(sha256)));
        }
        text
    }

    /// Names and hashes of all databases.
    pub(super) fn databases(&self) -> impl Iterator<Item = &(String, [u8; 32])> {
        std::iter::once(&self.database).chain(&self.desk_database)
    }

    /// Reads the manifest of the backup in `folder`; also gives the manifest's own SHA-256, which names
    /// this backup.
    ///
    /// # Errors
    /// [`HqError::NotBackup`] where there is none; [`HqError::BackupDamaged`] where it is none of ours.
    pub(super) fn read(folder: &Path) -> Result<(Self, [u8; 32]), HqError> {
        let path = Self::path(folder);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(HqError::NotBackup(folder.to_owned()));
            }
            Err(error) => return Err(HqError::file(&path)(error)),
        };
        if size > MAX {
            return Err(HqError::BackupDamaged(path));
        }
        let bytes = fs::read(&path).map_err(HqError::file(&path))?;
        let manifest = std::str::from_utf8(&bytes).ok().and_then(Self::from_text);
        let manifest = manifest.ok_or(HqError::BackupDamaged(path))?;
        Ok((manifest, Sha256::digest(&bytes).into()))
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let of_one = match lines.next()? {
            TITLE => false,
            TITLE_OF_ONE => true,
            _ => return None,
        };
        let mut said = |what: &str| {
            let line = lines.next()?.strip_prefix("# ")?.strip_prefix(what)?;
            line.strip_prefix(' ')
        };
        let made_at = Time::from_rfc3339(said("made")?)?;
        let election = ElectionId(bytes(said("election")?)?);
        let root = RootId(bytes(said("root")?)?);
        let epoch = Epoch(bytes(said("epoch")?)?);
        let (mut database, mut desk_database) = (None, None);
        let mut public = BTreeMap::new();
        let mut blobs = BTreeSet::new();
        for line in lines {
            let (sha256, name) = line.split_once("  ")?;
            let hash: [u8; 32] = bytes(sha256)?;
            // No other name is opened: a manifest must not lead anywhere else.
            if name == "public/keyset.cose" || name == "public/pack.cose" {
                public.insert(name.to_owned(), hash);
            } else if name.strip_prefix("blobs/") == Some(sha256) {
                blobs.insert(hash);
            } else {
                let (of, digits) = name.strip_suffix(".db")?.split_once('-')?;
                digits.parse::<i64>().ok()?;
                let found = match of {
                    "hq" => &mut database,
                    "desk" => &mut desk_database,
                    _ => return None,
                };
                *found = Some((name.to_owned(), hash));
            }
        }
        (public.len() == 2 && desk_database.is_none() == of_one).then_some(())?;
        Some(Self {
            made_at,
            election,
            root,
            epoch,
            database: database?,
            desk_database,
            public,
            blobs,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            made_at: Time::from_millis(1_722_124_800_123, 0).unwrap(),
            election: ElectionId([1; 8]),
            root: RootId([2; 16]),
            epoch: Epoch([3; 16]),
            database: ("hq-1722124800123.db".into(), [4; 32]),
            desk_database: Some(("desk-1722124800123.db".into(), [9; 32])),
            public: [("public/keyset.cose", 5), ("public/pack.cose", 6)]
                .map(|(name, n)| (name.to_owned(), [n; 32]))
                .into(),
            blobs: [[7; 32], [8; 32]].into(),
        }
    }

    #[test]
    fn a_manifest_comes_back_as_it_went() {
        let text = manifest().to_text();
        assert_eq!(Manifest::from_text(&text).unwrap(), manifest());
        // As earlier releases wrote it: one database is the other, too.
        let of_one = Manifest {
            desk_database: None,
            ..manifest()
        };
        let text = of_one.to_text();
        assert!(text.starts_with("# testigo backup 1\n"));
        assert_eq!(Manifest::from_text(&text).unwrap(), of_one);
    }

    #[test]
    fn a_manifest_leads_nowhere_else() {
        let text = manifest().to_text();
        for (from, to) in [
            ("hq-1722124800123.db", "hq-/../../etc/passwd.db"),
            ("hq-1722124800123.db", "/etc/passwd"),
            ("public/pack.cose", "public/../../pack.cose"),
            ("blobs/07", "blobs/../07"),
            ("desk-1722124800123.db", "desk-/../../etc/passwd.db"),
            ("desk-1722124800123.db", "dusk-1722124800123.db"),
            // One without the desk's is none of this release, and one with it none of an earlier.
            ("# testigo backup 2", "# testigo backup 1"),
            ("# testigo backup 2", "# testigo backup 3"),
            ("# epoch", "# era"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert_eq!(Manifest::from_text(&changed), None, "{to}");
        }
        for cut in [0, 10, 40, text.len() - 30] {
            assert_eq!(Manifest::from_text(&text[..cut]), None, "{cut}");
        }
    }
}
