use std::path::Path;

/// How much room attachments may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Bytes of attachments under one capability, held and on their way.
    pub capability: u64,
    /// Bytes under one capability that are on their way at a time, as their senders announced them.
    pub on_the_way: u64,
    /// Bytes of the disk that are left to records.
    pub reserve: u64,
}

impl Room {
    /// 64 GiB for a witness's code, 16 GiB of it on the way; the last GiB of the disk is the records'.
    pub(crate) const GENEROUS: Self = Self {
        capability: 64 << 30,
        on_the_way: 16 << 30,
        reserve: 1 << 30,
    };

    /// Whether so many more bytes leave the records' part of the disk free. Where the system does not tell,
    /// it is believed: a full disk is told when it comes.
    pub(super) fn on_disk(&self, folder: &Path, bytes: u64) -> bool {
        free(folder).is_none_or(|free| free >= self.reserve.saturating_add(bytes))
    }
}

#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

#[cfg(not(unix))]
fn free(_folder: &Path) -> Option<u64> {
    None
}
