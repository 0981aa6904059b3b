//! The C library's calls that change files, taken over by this program: the linker finds these before the
//! library's own. Each asks the disk it concerns, then the kernel itself.
#![allow(unsafe_code)]
#![allow(missing_docs, reason = "POSIX describes them")]

use super::{Event, FileId, Mounted, Pending, Ruling, State, is_memory, numbered, watching};
use libc::{c_char, c_int, c_long, c_void, iovec, mode_t, off_t, size_t, ssize_t};
use std::cell::Cell;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What each file descriptor is: 0 where nobody watches it.
static DESCRIPTORS: [AtomicU64; 8192] = [const { AtomicU64::new(0) }; 8192];

thread_local! {
    static UNWATCHED: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn unwatched<T>(work: impl FnOnce() -> T) -> T {
    let before = UNWATCHED.replace(true);
    let value = work();
    UNWATCHED.set(before);
    value
}

#[derive(Clone, Copy)]
struct Descriptor {
    disk: u16,
    folder: bool,
    appends: bool,
    file: FileId,
}

impl Descriptor {
    fn packed(self) -> u64 {
        u64::from(self.disk) << 48
            | u64::from(self.folder) << 33
            | u64::from(self.appends) << 32
            | u64::from(self.file)
    }

    fn of(fd: c_int) -> Option<Self> {
        let packed = DESCRIPTORS
            .get(usize::try_from(fd).ok()?)?
            .load(Ordering::Acquire);
        (packed != 0).then_some(Self {
            disk: (packed >> 48) as u16,
            folder: packed >> 33 & 1 == 1,
            appends: packed >> 32 & 1 == 1,
            file: packed as u32,
        })
    }

    fn set(fd: c_int, descriptor: u64) {
        let slot = usize::try_from(fd).ok().and_then(|fd| DESCRIPTORS.get(fd));
        if let Some(slot) = slot {
            slot.store(descriptor, Ordering::Release);
        } else {
            assert_eq!(descriptor, 0, "more open files than are watched");
        }
    }
}

fn refused(errno: c_int) -> c_int {
    // SAFETY: the C library's own place for this thread's error.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// The path, where somebody watches it.
fn watched(path: *const c_char) -> Option<(Arc<Mounted>, PathBuf)> {
    if UNWATCHED.get() || path.is_null() {
        return None;
    }
    // SAFETY: callers of POSIX calls hand in a string that ends with 0.
    let path = Path::new(OsStr::from_bytes(
        unsafe { CStr::from_ptr(path) }.to_bytes(),
    ));
    let disk = path.is_absolute().then(|| watching(path)).flatten()?;
    (!is_memory(path)).then(|| (disk, path.to_owned()))
}

fn opened(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the arguments are the caller's.
    let real = || unsafe {
        libc::syscall(
            libc::SYS_openat,
            folder,
            name,
            flags | libc::O_LARGEFILE,
            mode,
        ) as c_int
    };
    let Some((disk, path)) = watched(name) else {
        return real();
    };
    let mut state = disk.state();
    let known = state.names.get(&path).copied();
    let is_folder = known.is_none() && flags & libc::O_CREAT == 0;
    let emptied = known.is_some() && flags & libc::O_TRUNC != 0;
    let made = known.is_none() && !is_folder;
    if (made || emptied)
        && let Ruling::Refuse(errno) = state.change()
    {
        return refused(errno);
    }
    let fd = real();
    if fd < 0 {
        return fd;
    }
    let file = match known {
        Some(file) => file,
        None if is_folder => {
            state.folders.push(path);
            state.folders.len() as FileId - 1
        }
        None => {
            let file = state.fresh();
            state.names.insert(path.clone(), file);
            state.sizes.insert(file, 0);
            state.note(Event::Pending(Pending::Made { path, file }));
            file
        }
    };
    if emptied {
        state.sizes.insert(file, 0);
        state.note(Event::Pending(Pending::Resized { file, length: 0 }));
    }
    let descriptor = Descriptor {
        disk: disk.number,
        folder: is_folder,
        appends: flags & libc::O_APPEND != 0,
        file,
    };
    Descriptor::set(fd, descriptor.packed());
    fd
}

#[unsafe(no_mangle)]
extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    opened(libc::AT_FDCWD, path, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    opened(libc::AT_FDCWD, path, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn openat(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    opened(folder, path, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn openat64(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    opened(folder, path, flags, mode)
}

#[unsafe(no_mangle)]
extern "C" fn close(fd: c_int) -> c_int {
    Descriptor::set(fd, 0);
    // SAFETY: the argument is the caller's.
    unsafe { libc::syscall(libc::SYS_close, fd) as c_int }
}

/// What an open file's disk says to a change of it; `None` where nobody watches.
fn changing(fd: c_int) -> Option<(Arc<Mounted>, Descriptor)> {
    let descriptor = Descriptor::of(fd)?;
    if UNWATCHED.get() {
        return None;
    }
    Some((numbered(descriptor.disk)?, descriptor))
}

/// Makes a change, where its process lives to make it, and notes it once the kernel has made it.
fn changed(disk: &Mounted, real: impl FnOnce() -> c_int, note: impl FnOnce(&mut State)) -> c_int {
    let mut state = disk.state();
    if let Ruling::Refuse(errno) = state.change() {
        return refused(errno);
    }
    let outcome = real();
    if outcome == 0 {
        note(&mut state);
    }
    outcome
}

fn wrote(fd: c_int, bytes: &[u8], at: Option<u64>, real: impl Fn(usize) -> c_long) -> ssize_t {
    let Some((disk, descriptor)) = changing(fd) else {
        return real(bytes.len()) as ssize_t;
    };
    let mut state = disk.state();
    let file = descriptor.file;
    let at = match at {
        Some(at) => at,
        None if descriptor.appends => state.sizes.get(&file).copied().unwrap_or_default(),
        // SAFETY: asks where the descriptor stands.
        None => unsafe { libc::lseek64(fd, 0, libc::SEEK_CUR) as u64 },
    };
    if let Ruling::Refuse(errno) = state.change() {
        return refused(errno) as ssize_t;
    }
    let length = match state.room_for(file, at, bytes.len()) {
        Ruling::Go => bytes.len(),
        Ruling::Part(length) => length,
        Ruling::Refuse(errno) => return refused(errno) as ssize_t,
    };
    let written = real(length);
    if let Ok(n) = usize::try_from(written) {
        let size = state.sizes.entry(file).or_default();
        *size = (*size).max(at + n as u64);
        let bytes = bytes[..n].to_vec();
        state.note(Event::Pending(Pending::Wrote { file, at, bytes }));
    }
    written as ssize_t
}

fn slice<'a>(bytes: *const c_void, length: size_t) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    // SAFETY: callers of `write` hand in so many readable bytes, for as long as the call lasts.
    unsafe { std::slice::from_raw_parts(bytes.cast(), length) }
}

#[unsafe(no_mangle)]
extern "C" fn write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    // SAFETY: the arguments are the caller's, with a length that is at most the caller's.
    let real = |length: usize| unsafe { libc::syscall(libc::SYS_write, fd, bytes, length) };
    if Descriptor::of(fd).is_none() {
        return real(length) as ssize_t;
    }
    wrote(fd, slice(bytes, length), None, real)
}

#[unsafe(no_mangle)]
extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
    // SAFETY: as for `write`.
    let real = |length: usize| unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, length, at) };
    if Descriptor::of(fd).is_none() {
        return real(length) as ssize_t;
    }
    wrote(fd, slice(bytes, length), Some(at as u64), real)
}

#[unsafe(no_mangle)]
extern "C" fn pwrite(fd: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
    pwrite64(fd, bytes, length, at)
}

#[unsafe(no_mangle)]
extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    if Descriptor::of(fd).is_none() {
        // SAFETY: the arguments are the caller's.
        return unsafe { libc::syscall(libc::SYS_writev, fd, parts, count) as ssize_t };
    }
    // One part is a legal answer; the caller comes again with the rest.
    // SAFETY: callers hand in so many parts.
    let parts = unsafe { std::slice::from_raw_parts(parts, usize::try_from(count).unwrap_or(0)) };
    match parts.iter().find(|part| part.iov_len > 0) {
        Some(part) => write(fd, part.iov_base, part.iov_len),
        None => 0,
    }
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    // SAFETY: the arguments are the caller's.
    let real = || unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) as c_int };
    let Some((disk, descriptor)) = changing(fd) else {
        return real();
    };
    changed(&disk, real, |state| {
        let (file, length) = (descriptor.file, length as u64);
        state.resize(file, length);
        state.note(Event::Pending(Pending::Resized { file, length }));
    })
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    ftruncate64(fd, length)
}

impl State {
    fn resize(&mut self, file: FileId, length: u64) {
        let size = self.sizes.insert(file, length).unwrap_or_default();
        if let Some(room) = &mut self.room {
            *room += size.saturating_sub(length);
        }
    }
}

/// The disk is simulated, and so is waiting for it.
#[unsafe(no_mangle)]
extern "C" fn fsync(fd: c_int) -> c_int {
    let Some((disk, descriptor)) = changing(fd) else {
        // SAFETY: the argument is the caller's.
        return unsafe { libc::syscall(libc::SYS_fsync, fd) as c_int };
    };
    changed(
        &disk,
        || 0,
        |state| {
            let event = match descriptor.folder {
                true => Event::FolderSynced(state.folders[descriptor.file as usize].clone()),
                false => Event::FileSynced(descriptor.file),
            };
            state.note(event);
        },
    )
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: c_int) -> c_int {
    fsync(fd)
}

#[unsafe(no_mangle)]
extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the arguments are the caller's.
    let real = || unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            from,
            libc::AT_FDCWD,
            to,
            0,
        ) as c_int
    };
    let (Some((disk, from)), Some((_, to))) = (watched(from), watched(to)) else {
        return real();
    };
    changed(&disk, real, |state| {
        if let Some(file) = state.names.remove(&from) {
            state.names.insert(to.clone(), file);
        }
        state.note(Event::Pending(Pending::Moved { from, to }));
    })
}

#[unsafe(no_mangle)]
extern "C" fn linkat(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    // SAFETY: the arguments are the caller's.
    let real = || unsafe {
        libc::syscall(libc::SYS_linkat, from_folder, from, to_folder, to, flags) as c_int
    };
    let (Some((disk, from)), Some((_, path))) = (watched(from), watched(to)) else {
        return real();
    };
    changed(&disk, real, |state| {
        if let Some(file) = state.names.get(&from).copied() {
            state.names.insert(path.clone(), file);
            state.note(Event::Pending(Pending::Made { path, file }));
        }
    })
}

#[unsafe(no_mangle)]
extern "C" fn unlink(name: *const c_char) -> c_int {
    // SAFETY: the argument is the caller's.
    let real = || unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, name, 0) as c_int };
    let Some((disk, path)) = watched(name) else {
        return real();
    };
    changed(&disk, real, |state| {
        if let Some(file) = state.names.remove(&path) {
            state.resize(file, 0);
        }
        state.note(Event::Pending(Pending::Removed { path }));
    })
}
