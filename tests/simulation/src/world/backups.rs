//! Backups of headquarters, and headquarters that come back from one.

use super::World;
use crate::disk::{Image, unwatched};
use crate::faults::Fault;
use std::fs;

impl World {
    /// Makes a backup while headquarters serve; half of them are confirmed to lie elsewhere.
    pub(super) fn back_up(&mut self, n: usize) {
        let copy = self.folder.path().join(format!("copy-{n}"));
        let data = &self.hq.folder;
        let made = testigo_hq::backup(data, &copy, &self.hq.clock, |_| {});
        let confirmed = match &made {
            Ok(_) if self.rng.bool() => {
                testigo_hq::confirm(data, &copy, &self.hq.clock, |_| {}).map(|done| done.safe)
            }
            _ => Ok(0),
        };
        self.say(match (&made, confirmed) {
            (Err(error), _) => format!("no backup: {error}"),
            (Ok(_), Err(error)) => format!("a backup that cannot be confirmed: {error}"),
            (Ok(_), Ok(safe)) => format!("a backup, {safe} records safe by it"),
        });
        if made.is_ok() {
            self.backups.push(copy);
        }
        self.see_hq();
    }

    /// Headquarters' machine is gone; another one takes its place with the latest backup.
    pub(super) fn restore_hq(&mut self) {
        let Some(copy) = self.backups.last().cloned() else {
            return;
        };
        self.hq.stop();
        let root = self.hq.folder.clone();
        let (keys, new) = (root.join("keys"), self.folder.path().join("new"));
        let restored = unwatched(|| {
            let restored = testigo_hq::restore(&copy, &keys, &new, |_| {});
            let image = Image::read(&new);
            // What an earlier attempt left is in nobody's way.
            let _ = fs::remove_dir_all(&new);
            restored.map(|restored| (restored, image))
        });
        match restored {
            Ok((restored, image)) => {
                let files = image.files.into_iter().map(|(path, bytes)| {
                    let name = path.strip_prefix(&new).expect("a file of the new folder");
                    (root.join(name), bytes)
                });
                let files = files.collect();
                self.hq.disk.replace(&Image { files });
                self.counts.add(Fault::HqRestored, 1);
                self.say(format!(
                    "headquarters come back with {} records",
                    restored.records
                ));
            }
            Err(error) => self.say(format!("headquarters do not come back: {error}")),
        }
        self.start_hq();
    }
}
