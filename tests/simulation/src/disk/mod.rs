//! A disk that loses power, fills up, and dies under a process: the folder of one node, watched call by call.
//!
//! Every change to a file under a mounted folder goes through [`calls`], whoever makes it: SQLite, the phone,
//! headquarters, a library. The kernel's copy is what a *killed* process leaves behind. Beside it [`Model`]
//! keeps what a *power cut* may leave behind: what was synced, and any legal part of what was not.

mod calls;
mod model;

pub use model::{Event, Image, Kept, Model, Pending};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// The disk of one node: everything under one folder.
pub struct Disk(Arc<Mounted>);

pub(crate) struct Mounted {
    number: u16,
    root: PathBuf,
    state: Mutex<State>,
}

/// Numbers of files and folders of a disk.
pub type FileId = u32;

#[derive(Default)]
struct State {
    model: Model,
    /// Names as the kernel has them now.
    names: HashMap<PathBuf, FileId>,
    sizes: HashMap<FileId, u64>,
    folders: Vec<PathBuf>,
    next: FileId,
    /// How many more changes the process makes before it dies.
    dies_after: Option<u64>,
    dead: bool,
    /// Free bytes.
    room: Option<u64>,
    refused_for_room: u64,
    log: Option<Vec<Event>>,
}

static DISKS: RwLock<Vec<Option<Arc<Mounted>>>> = RwLock::new(Vec::new());

impl Disk {
    /// Watches a folder; what is in it is on the disk for good.
    pub fn mount(root: &Path) -> Self {
        let mut disks = DISKS.write().unwrap_or_else(PoisonError::into_inner);
        let free = disks.iter().position(Option::is_none);
        let slot = free.unwrap_or(disks.len());
        let mounted = Arc::new(Mounted {
            // 0 in the table of descriptors is "not watched".
            number: u16::try_from(slot + 1).expect("fewer than 65,535 disks"),
            root: root.to_owned(),
            state: Mutex::default(),
        });
        mounted.state().load(root);
        match disks.get_mut(slot) {
            Some(place) => *place = Some(mounted.clone()),
            None => disks.push(Some(mounted.clone())),
        }
        Self(mounted)
    }

    /// The process on it dies at the change after this many.
    pub fn die_after(&self, changes: u64) {
        self.0.state().dies_after = Some(changes);
    }

    /// Whether its process has died.
    pub fn is_dead(&self) -> bool {
        self.0.state().dead
    }

    /// A new process: what the killed one wrote is there.
    pub fn restart(&self) {
        let mut state = self.0.state();
        state.dead = false;
        state.dies_after = None;
    }

    /// Bytes that are left; `None` for plenty.
    pub fn set_room(&self, room: Option<u64>) {
        self.0.state().room = room;
    }

    /// How often a write was refused or cut for want of room.
    pub fn refused_for_room(&self) -> u64 {
        self.0.state().refused_for_room
    }

    /// The power goes. Nothing may have the folder's files open.
    pub fn cut_power(&self, choose: impl FnOnce(&Model) -> Image) {
        let image = choose(&self.0.state().model);
        self.replace(&image);
    }

    /// Puts other files into the folder, for good. Nothing may have its files open.
    pub fn replace(&self, image: &Image) {
        let root = self.0.root.clone();
        unwatched(|| image.write(&root));
        self.0.state().load(&root);
    }

    /// Keeps every change from now on, and returns what is there now.
    pub fn record(&self) -> Model {
        let mut state = self.0.state();
        state.log = Some(Vec::new());
        state.model.clone()
    }

    /// How many changes were kept so far.
    pub fn recorded_so_far(&self) -> usize {
        self.0.state().log.as_ref().map_or(0, Vec::len)
    }

    /// The changes since [`Disk::record`].
    pub fn recorded(&self) -> Vec<Event> {
        self.0.state().log.take().unwrap_or_default()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut disks = DISKS.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = disks.get_mut(usize::from(self.0.number) - 1) {
            *place = None;
        }
    }
}

/// Does something to watched folders that no node does.
pub fn unwatched<T>(work: impl FnOnce() -> T) -> T {
    calls::unwatched(work)
}

fn watching(path: &Path) -> Option<Arc<Mounted>> {
    let disks = DISKS.read().unwrap_or_else(PoisonError::into_inner);
    let mut mounted = disks.iter().flatten();
    mounted.find(|disk| path.starts_with(&disk.root)).cloned()
}

fn numbered(number: u16) -> Option<Arc<Mounted>> {
    let disks = DISKS.read().unwrap_or_else(PoisonError::into_inner);
    disks.get(usize::from(number) - 1).cloned().flatten()
}

/// What the kernel is to be asked for.
enum Ruling {
    Go,
    /// Only so many bytes.
    Part(usize),
    Refuse(i32),
}

impl Mounted {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SQLite's shared memory is no part of what a power cut leaves: it is made anew.
fn is_memory(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"-shm")
}

impl State {
    fn load(&mut self, root: &Path) {
        let image = unwatched(|| Image::read(root));
        self.names.clear();
        self.sizes.clear();
        self.model = Model::default();
        for (path, bytes) in image.files {
            let file = self.fresh();
            self.names.insert(path.clone(), file);
            self.sizes.insert(file, bytes.len() as u64);
            self.model.have(path, file, bytes);
        }
        self.dead = false;
        self.dies_after = None;
    }

    fn fresh(&mut self) -> FileId {
        self.next += 1;
        self.next
    }

    /// Whether the process still lives to make this change.
    fn change(&mut self) -> Ruling {
        if !self.dead {
            match &mut self.dies_after {
                Some(0) => self.dead = true,
                Some(left) => *left -= 1,
                None => {}
            }
        }
        if self.dead {
            return Ruling::Refuse(libc::EIO);
        }
        Ruling::Go
    }

    fn room_for(&mut self, file: FileId, at: u64, length: usize) -> Ruling {
        let size = self.sizes.get(&file).copied().unwrap_or_default();
        let grows = (at + length as u64).saturating_sub(size.max(at));
        let Some(room) = &mut self.room else {
            return Ruling::Go;
        };
        if grows <= *room {
            *room -= grows;
            return Ruling::Go;
        }
        self.refused_for_room += 1;
        let fits = (length as u64 - grows + *room) as usize;
        *room = 0;
        match fits {
            0 => Ruling::Refuse(libc::ENOSPC),
            fits => Ruling::Part(fits),
        }
    }

    fn note(&mut self, event: Event) {
        if let Some(log) = &mut self.log {
            log.push(event.clone());
        }
        self.model.take(event);
    }
}
