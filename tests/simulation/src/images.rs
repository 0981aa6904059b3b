//! Every state in which a power cut may leave a disk, at any point of capture, sealing, upload and receipt, is
//! opened again and goes on.
//!
//! One night without faults is recorded, call by call. Then for each change of a disk the states that the
//! changes since the last syncs allow are made, one after another, from the recording.

use crate::disk::{Event, Image, Kept, Model, Pending};
use crate::headquarters::Headquarters;
use crate::oracle::{self, Holdings};
use crate::phone::SimulatedPhone;
use crate::template::{SimulatedClock, Template, copy};
use fastrand::Rng;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use testigo_phone::sync::{NetworkFault, Selection, Step, SyncPass};

/// Up to so many changed pieces of files, every selection of them is a state of its own.
const EVERY_SELECTION: usize = 5;

/// What was tried.
#[derive(Default)]
pub struct Tried {
    /// Changes of the disk at which the power was cut.
    pub cuts: usize,
    /// At how many of them every legal state was made.
    pub whole: usize,
    /// States that differ from all others.
    pub states: usize,
}

/// A recorded disk.
struct Recording {
    start: Model,
    events: Vec<Event>,
    /// What had been promised, and at which event.
    promises: Vec<(usize, Promise)>,
}

/// What must not be broken.
#[derive(Clone)]
enum Promise {
    /// The phone said that the record with this marker is saved.
    Saved(String),
    /// Headquarters answered, and hold this.
    Held(Holdings),
}

/// The states of a phone's disk, then those of headquarters', then those of headquarters whose one database becomes two.
pub fn run(template: &Template) -> Result<[(&'static str, Tried); 3], String> {
    let folder = tempfile::tempdir_in(template.base()).expect("a temporary folder");
    let clock = || SimulatedClock::new(Arc::default());
    let (phone_folder, hq_folder) = (folder.path().join("phone"), folder.path().join("hq"));
    template.copy_phone(0, &phone_folder);
    template.copy_hq(&hq_folder);
    let mut phone = SimulatedPhone::new(&phone_folder, clock());
    let mut hq = Headquarters::new(&hq_folder, clock());

    let start = phone.disk.record();
    let mut promises = Vec::new();
    let mut rng = Rng::with_seed(1);
    phone.start().map_err(|error| error.to_string())?;
    for n in 0..4 {
        let marker = format!("MARK-{n}-END");
        let saved = phone.capture_with(&mut rng, n % 2 == 1, marker.clone());
        saved.map_err(|error| error.to_string())?;
        promises.push((phone.disk.recorded_so_far(), Promise::Saved(marker)));
    }
    let queued = Image::read(&phone_folder);
    let before_sync = phone.disk.recorded_so_far();
    let hq_start = hq.disk.record();
    let mut answers = Vec::new();
    hq.start()?;
    sync(&mut phone, &mut hq, |hq| {
        let held = oracle::holdings(hq).expect("headquarters' store");
        answers.push((hq.disk.recorded_so_far(), Promise::Held(held)));
    })?;
    while hq.desk()? > 0 {}
    hq.stop();
    phone.stop();
    let phone_recording = Recording {
        start,
        events: phone.disk.recorded(),
        promises,
    };
    let hq_recording = Recording {
        start: hq_start,
        events: hq.disk.recorded(),
        promises: answers,
    };

    let of_phone = each_state(&phone_recording, |n, image, promises| {
        phone.disk.replace(image);
        let again = tempfile::tempdir_in(template.base()).expect("a temporary folder");
        match n <= before_sync {
            // Nothing has left it yet.
            true => template.copy_hq(again.path()),
            false => copy(&hq_folder, again.path()),
        }
        reopen_phone(again.path(), &mut phone, promises)
    })?;
    let of_hq = each_state(&hq_recording, |_, image, promises| {
        hq.disk.replace(image);
        phone.disk.replace(&queued);
        let outcome = reopen_hq(&mut hq, &mut phone, promises.last());
        hq.stop();
        phone.stop();
        outcome
    })?;
    let of_split = split(folder.path())?;
    Ok([
        ("phone", of_phone),
        ("headquarters", of_hq),
        ("headquarters of one database", of_split),
    ])
}

/// Headquarters of a release that had one database are opened: whenever the power is cut, the next opening has all of it.
fn split(folder: &Path) -> Result<Tried, String> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../databases/schema-7/hq");
    let folder = folder.join("one");
    copy(&kept, &folder);
    let mut hq = Headquarters::new(&folder, SimulatedClock::new(Arc::default()));
    let start = hq.disk.record();
    let open = |hq: &mut Headquarters| -> Result<String, String> {
        hq.start()?;
        while hq.desk()? > 0 {}
        hq.stop();
        let tables = testigo_hq::tables(&folder).map_err(|error| error.to_string())?;
        let decided = testigo_hq::decisions(&folder).map_err(|error| error.to_string())?;
        let devices = testigo_hq::devices(&folder).map_err(|error| error.to_string())?;
        let votes: u64 = tables.0.candidates.iter().map(|one| one.votes).sum();
        let reports = tables.1.incidents.len();
        oracle::ingest_is_sealed(&folder)?;
        Ok(format!("{votes} {reports} {decided:?} {devices:?}"))
    };
    let expected = open(&mut hq)?;
    let recording = Recording {
        start,
        events: hq.disk.recorded(),
        promises: Vec::new(),
    };
    each_state(&recording, |_, image, _| {
        hq.disk.replace(image);
        let found = open(&mut hq);
        hq.stop();
        match found? {
            found if found == expected => Ok(()),
            found => Err(format!("{found} instead of {expected}")),
        }
    })
}

/// Makes each state and hands it over with the promises that had been given by then.
fn each_state(
    recording: &Recording,
    mut proceed: impl FnMut(usize, &Image, &[Promise]) -> Result<(), String>,
) -> Result<Tried, String> {
    let mut tried = Tried::default();
    let mut seen = HashSet::new();
    let mut model = recording.start.clone();
    for n in 0..=recording.events.len() {
        if let Some(event) = n.checked_sub(1).and_then(|n| recording.events.get(n)) {
            model.take(event.clone());
        }
        let promises: Vec<Promise> = (recording.promises.iter())
            .take_while(|(at, _)| *at <= n)
            .map(|(_, promise)| promise.clone())
            .collect();
        tried.cuts += 1;
        let (states, whole) = states(&model);
        tried.whole += usize::from(whole);
        for image in states {
            if !seen.insert((fingerprint(&image), promises.len())) {
                continue;
            }
            tried.states += 1;
            proceed(n, &image, &promises).map_err(|error| {
                format!("power cut at change {n}, state {}: {error}", tried.states)
            })?;
        }
    }
    Ok(tried)
}

/// The states that a power cut may leave now, and whether they are all of them. Of many changed pieces: none,
/// all, each prefix, each without one, each alone, and each prefix with a torn end.
fn states(model: &Model) -> (Vec<Image>, bool) {
    let names = model
        .pending()
        .iter()
        .filter(|change| change.is_name())
        .count();
    let pieces: Vec<usize> = (model.pending().iter().enumerate())
        .filter(|(_, change)| !change.is_name())
        .map(|(n, _)| n)
        .collect();
    let count = pieces.len();
    let mut selections: Vec<Vec<Kept>> = Vec::new();
    let whole = count <= EVERY_SELECTION;
    if whole {
        selections.extend((0..1usize << count).map(|bits| {
            let kept = |n| {
                if bits >> n & 1 == 1 {
                    Kept::Whole
                } else {
                    Kept::Not
                }
            };
            (0..count).map(kept).collect()
        }));
    } else {
        for n in 0..=count {
            let select = |keep: &dyn Fn(usize) -> bool| {
                let kept = |n| if keep(n) { Kept::Whole } else { Kept::Not };
                (0..count).map(kept).collect::<Vec<_>>()
            };
            selections.push(select(&|i| i < n));
            selections.push(select(&|i| i != n));
            selections.push(select(&|i| i == n));
        }
    }
    for (n, piece) in pieces.iter().enumerate() {
        // A write is torn between sectors only.
        if matches!(&model.pending()[*piece], Pending::Wrote { bytes, .. } if bytes.len() > 512) {
            let kept = |i| match i {
                i if i < n => Kept::Whole,
                i if i == n => Kept::Sectors(1),
                _ => Kept::Not,
            };
            selections.push((0..count).map(kept).collect());
        }
    }
    let mut images = Vec::new();
    for names in 0..=names {
        for selection in &selections {
            images.push(model.after_power_cut(names, |n, _| {
                pieces
                    .iter()
                    .position(|piece| *piece == n)
                    .map_or(Kept::Not, |at| selection[at])
            }));
        }
    }
    (images, whole)
}

fn fingerprint(image: &Image) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (path, bytes) in &image.files {
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    hash.finalize().into()
}

/// The phone opens, has what it promised, saves one more, and all of it arrives at headquarters.
fn reopen_phone(hq: &Path, phone: &mut SimulatedPhone, promises: &[Promise]) -> Result<(), String> {
    phone
        .start()
        .map_err(|error| format!("the phone does not open: {error}"))?;
    let before = phone.truths.clone();
    let outcome = (|| {
        let program = phone.phone.as_ref().expect("a running phone");
        let history = program.history().map_err(|error| error.to_string())?;
        if history.len() < promises.len() {
            return Err(format!(
                "{} of {} saved records",
                history.len(),
                promises.len()
            ));
        }
        let mut hq = Headquarters::new(hq, SimulatedClock::new(Arc::default()));
        hq.start()?;
        let known = phone.truths.len();
        let marker = "MARK-again-END".to_owned();
        let saved = phone.capture_with(&mut Rng::with_seed(2), false, marker);
        saved.map_err(|error| format!("nothing more can be saved: {error}"))?;
        sync(phone, &mut hq, |_| {})?;
        while hq.desk()? > 0 {}
        // Once more, to hear what the desk says.
        sync(phone, &mut hq, |_| {})?;
        hq.stop();
        // What was not promised may be there or not.
        for (n, truth) in phone.truths.iter_mut().enumerate() {
            let is_it = |promise: &Promise| matches!(promise, Promise::Saved(marker) if *marker == truth.marker);
            if n < known && !promises.iter().any(is_it) {
                truth.told = None;
            }
        }
        oracle::check_nodes(&hq, &[&*phone])
    })();
    phone.truths = before;
    phone.stop();
    outcome
}

/// Headquarters open and still hold what they answered for; the phone, back in the state before its first
/// sync, sends everything again, and nothing is doubled.
fn reopen_hq(
    hq: &mut Headquarters,
    phone: &mut SimulatedPhone,
    promise: Option<&Promise>,
) -> Result<(), String> {
    hq.start()
        .map_err(|error| format!("headquarters do not open: {error}"))?;
    if let Some(Promise::Held(held)) = promise {
        oracle::still_held(hq, held)?;
    }
    phone.start().map_err(|error| error.to_string())?;
    sync(phone, hq, |_| {})?;
    while hq.desk()? > 0 {}
    sync(phone, hq, |_| {})?;
    hq.stop();
    oracle::check_nodes(hq, &[&*phone])
}

/// Whole passes without faults until nothing is left.
fn sync(
    phone: &mut SimulatedPhone,
    hq: &mut Headquarters,
    mut answered: impl FnMut(&Headquarters),
) -> Result<(), String> {
    let mut last = None;
    for _ in 0..4 {
        let program = phone.phone.as_mut().expect("a running phone");
        let mut pass = SyncPass::new(Selection::Queued);
        let report = loop {
            match pass.step(program).map_err(|error| error.to_string())? {
                Step::Done(report) => break report,
                Step::Send(request) => {
                    let answer = hq.answer(&request, None);
                    answered(hq);
                    pass.reply(program, answer.ok_or(NetworkFault::Unreachable))
                        .map_err(|error| error.to_string())?;
                }
            }
        };
        if report.remaining + report.attachments_remaining == 0 {
            return Ok(());
        }
        last = Some(report);
    }
    Err(format!("something does not get through: {last:?}"))
}
