//! A headquarters and phones that it invited, made once and copied for each night.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use testigo_hq::PackSource;
use testigo_phone::sync::Budget;
use testigo_phone::{Clock, DatabaseKey, Phone};
use testigo_wire::{BootId, TableId, Time};

/// The most phones of one night.
pub const PHONES: usize = 4;

/// Simulated clocks, all of one world: they share the time that has passed.
#[derive(Clone)]
pub struct SimulatedClock {
    world_ms: Arc<AtomicU64>,
    wrong_by_ms: Arc<AtomicU64>,
    started_at_ms: u64,
    boot: [u8; 16],
}

/// What the nights need at the most: headquarters leave the last gibibyte of a disk to records.
const ROOM: u64 = 3 << 30;

/// The beginning of every night: 28 July 2024, 18:00 in Caracas.
const EVENING_MS: i64 = 1_722_204_000_000;

impl SimulatedClock {
    /// A clock of the world with this time, of a machine that is started now.
    pub fn new(world_ms: Arc<AtomicU64>) -> Self {
        Self {
            started_at_ms: world_ms.load(Ordering::Relaxed),
            world_ms,
            wrong_by_ms: Arc::default(),
            boot: [1; 16],
        }
    }

    /// The same clock after another start of its machine.
    pub fn rebooted(&self) -> Self {
        let mut boot = self.boot;
        boot[0] = boot[0].wrapping_add(1);
        Self {
            started_at_ms: self.world_ms.load(Ordering::Relaxed),
            boot,
            ..self.clone()
        }
    }

    /// Puts it forward or back by so many milliseconds.
    pub fn jump(&self, by_ms: i64) {
        self.wrong_by_ms.fetch_add(by_ms as u64, Ordering::Relaxed);
    }

    fn time(&self) -> Time {
        let wrong_by = self.wrong_by_ms.load(Ordering::Relaxed) as i64;
        let world = self.world_ms.load(Ordering::Relaxed) as i64;
        Time::from_millis(EVENING_MS + world + wrong_by, -240).expect("a year of four digits")
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Time {
        self.time()
    }

    fn monotonic_ms(&self) -> u64 {
        self.world_ms.load(Ordering::Relaxed) - self.started_at_ms
    }

    fn boot_id(&self) -> BootId {
        BootId(self.boot)
    }
}

impl testigo_hq::Clock for SimulatedClock {
    fn now(&self) -> Time {
        self.time()
    }
}

/// The key of every simulated phone's store.
pub fn phone_key() -> DatabaseKey {
    DatabaseKey::from_bytes([42; 32])
}

/// What a phone's files may cost over mobile data: the first has what every phone begins with.
fn budget(n: usize) -> Budget {
    Budget {
        bytes_a_day: match n {
            0 => Budget::default().bytes_a_day,
            1 => None,
            _ => Some(30_000),
        },
        photos_on_metered: n.is_multiple_of(2),
    }
}

/// What each night begins with.
pub struct Template {
    folder: TempDir,
}

impl Template {
    /// Makes it in a folder of its own, in memory where the system has such a place.
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = match free(memory) > ROOM {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        }
        .expect("a temporary folder");
        let template = Self { folder };
        let hq = template.hq();
        let source = PackSource::venezuela_2024().expect("the pack that is built in");
        let tables: Vec<TableId> = source
            .tables()
            .iter()
            .map(|table| table.id.clone())
            .collect();
        let endpoints = ["https://a.hq.example", "https://b.hq.example"].map(str::to_owned);
        testigo_hq::init(&hq, &source, &endpoints, testigo_hq::Certificates::Own)
            .expect("headquarters");
        let keyset = fs::read(hq.join("public/keyset.cose")).expect("the keyset");
        let pack = fs::read(hq.join("public/pack.cose")).expect("the pack");
        for n in 0..PHONES {
            let clock = SimulatedClock::new(Arc::default());
            let mut phone =
                Phone::create(&template.phone(n), &phone_key(), Box::new(clock)).expect("a phone");
            phone.set_budget(&budget(n)).expect("a budget");
            let table = tables.get(n % tables.len()).cloned();
            testigo_hq::invite(&hq, table, |invitation| {
                phone
                    .enrol(invitation, &keyset, Some(&pack))
                    .expect("an enrolment");
                Ok::<_, testigo_hq::HqError>(())
            })
            .expect("an invitation");
        }
        template
    }

    /// Where nights happen.
    pub fn base(&self) -> &Path {
        self.folder.path()
    }

    fn hq(&self) -> PathBuf {
        self.base().join("template-hq")
    }

    fn phone(&self, n: usize) -> PathBuf {
        self.base().join(format!("template-phone-{n}"))
    }

    /// Copies headquarters to a new folder.
    pub fn copy_hq(&self, to: &Path) {
        copy(&self.hq(), to);
    }

    /// Copies a phone to a new folder.
    pub fn copy_phone(&self, n: usize, to: &Path) {
        copy(&self.phone(n), to);
    }
}

/// Free bytes of the disk under a folder.
fn free(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(0, |disk| disk.f_bavail * disk.f_frsize)
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder of the simulation");
    for entry in fs::read_dir(from)
        .expect("a folder of the simulation")
        .flatten()
    {
        let target = to.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => copy(&entry.path(), &target),
            _ => {
                let bytes = fs::read(entry.path()).expect("a file of the simulation");
                fs::write(target, bytes).expect("a file of the simulation");
            }
        }
    }
}
