//! What is on a disk for good, what is not, and which states a power cut may leave.

use super::FileId;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

/// The unit that a disk writes whole, in bytes.
const SECTOR: usize = 512;

/// A change, in the order in which it was made.
#[derive(Debug, Clone)]
pub enum Event {
    /// Something that a sync makes durable.
    Pending(Pending),
    /// All changes of a file's bytes are durable.
    FileSynced(FileId),
    /// All changes of names in a folder are durable.
    FolderSynced(PathBuf),
}

/// A change that a power cut may take back.
#[derive(Debug, Clone)]
pub enum Pending {
    /// Bytes written.
    Wrote {
        /// Into this file.
        file: FileId,
        /// From here on.
        at: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A file cut or stretched to this length.
    Resized {
        /// The file.
        file: FileId,
        /// Its length in bytes.
        length: u64,
    },
    /// A new file.
    Made {
        /// Its name.
        path: PathBuf,
        /// The file.
        file: FileId,
    },
    /// Another name for a file, in place of what had it.
    Moved {
        /// The old name.
        from: PathBuf,
        /// The new one.
        to: PathBuf,
    },
    /// A name less.
    Removed {
        /// The name.
        path: PathBuf,
    },
}

impl Pending {
    /// Whether it changes a folder, not a file.
    pub fn is_name(&self) -> bool {
        self.folder().is_some()
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Wrote { .. } | Self::Resized { .. } => None,
            Self::Made { path, .. } | Self::Moved { to: path, .. } | Self::Removed { path } => {
                path.parent()
            }
        }
    }

    fn file(&self) -> Option<FileId> {
        match self {
            Self::Wrote { file, .. } | Self::Resized { file, .. } => Some(*file),
            _ => None,
        }
    }
}

/// All files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Bytes by absolute name.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Image {
    /// The files under a folder, without SQLite's shared memory.
    pub fn read(root: &Path) -> Self {
        let mut image = Self::default();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    _ if super::is_memory(&path) => {}
                    _ => {
                        let bytes = fs::read(&path).expect("a file of the simulation");
                        image.files.insert(path, bytes);
                    }
                }
            }
        }
        image
    }

    /// Makes a folder's files these. Folders stay.
    pub fn write(&self, root: &Path) {
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ => fs::remove_file(entry.path()).expect("a file of the simulation"),
                }
            }
        }
        for (path, bytes) in &self.files {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).expect("a folder of the simulation");
            }
            fs::write(path, bytes).expect("a file of the simulation");
        }
    }
}

/// A disk's durable content and what is pending behind it.
#[derive(Debug, Clone, Default)]
pub struct Model {
    names: BTreeMap<PathBuf, FileId>,
    bytes: HashMap<FileId, Vec<u8>>,
    pending: Vec<Pending>,
}

impl Model {
    pub(super) fn have(&mut self, path: PathBuf, file: FileId, bytes: Vec<u8>) {
        self.names.insert(path, file);
        self.bytes.insert(file, bytes);
    }

    /// What is not durable, in the order in which it was changed.
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Takes in a change.
    pub fn take(&mut self, event: Event) {
        let synced = |pending: &Pending| match &event {
            Event::FileSynced(file) => pending.file() == Some(*file),
            Event::FolderSynced(folder) => pending.folder() == Some(folder.as_path()),
            Event::Pending(_) => false,
        };
        if let Event::Pending(pending) = event {
            self.pending.push(pending);
            return;
        }
        let (durable, pending) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(synced);
        self.pending = pending;
        for change in durable {
            self.apply(&change, None);
        }
    }

    fn apply(&mut self, change: &Pending, sectors: Option<usize>) {
        match change {
            Pending::Wrote { file, at, bytes } => {
                let bytes = &bytes[..sectors.map_or(bytes.len(), |n| bytes.len().min(n * SECTOR))];
                let content = self.bytes.entry(*file).or_default();
                let (at, end) = (*at as usize, *at as usize + bytes.len());
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[at..end].copy_from_slice(bytes);
            }
            Pending::Resized { file, length } => {
                self.bytes
                    .entry(*file)
                    .or_default()
                    .resize(*length as usize, 0);
            }
            Pending::Made { path, file } => {
                self.names.insert(path.clone(), *file);
                self.bytes.entry(*file).or_default();
            }
            Pending::Moved { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Pending::Removed { path } => {
                self.names.remove(path);
            }
        }
    }

    /// What is there for good.
    pub fn durable(&self) -> Image {
        let files = self.names.iter().map(|(path, file)| {
            (
                path.clone(),
                self.bytes.get(file).cloned().unwrap_or_default(),
            )
        });
        Image {
            files: files.collect(),
        }
    }

    /// The state in which these of the pending changes have reached the disk; of a torn one, as many
    /// sectors from its start.
    ///
    /// Changes of bytes may arrive in any selection. Those of names arrive in their order, as on any file
    /// system with a journal: `names` is how many.
    pub fn after_power_cut(
        &self,
        names: usize,
        mut keeps: impl FnMut(usize, &Pending) -> Kept,
    ) -> Image {
        let mut after = self.clone();
        let mut seen = 0;
        for (n, change) in self.pending.iter().enumerate() {
            if change.is_name() {
                seen += 1;
                if seen <= names {
                    after.apply(change, None);
                }
                continue;
            }
            match keeps(n, change) {
                Kept::Whole => after.apply(change, None),
                Kept::Sectors(n) => after.apply(change, Some(n)),
                Kept::Not => {}
            }
        }
        after.durable()
    }
}

/// How much of a pending change reached the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    Whole,
    /// So many sectors from its start.
    Sectors(usize),
    /// Nothing.
    Not,
}
