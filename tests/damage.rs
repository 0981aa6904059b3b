//! Damaged stores of phones and headquarters: told, recovered as far as they can be read, never deleted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::fs;
use std::path::Path;
use support::{Stage, TABLE, run};

const PAGE: usize = 4096;

/// Changes a byte of this page.
fn damage(path: &Path, page: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[page * PAGE + 2000] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn pages(path: &Path) -> usize {
    fs::read(path).unwrap().len() / PAGE
}

#[test]
fn a_phone_goes_on_behind_any_damaged_page() {
    let stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    for n in 0..12 {
        phone.report(&format!("note {n}"));
    }
    let store = phone.home.join("phone.db");
    let whole = fs::read(&store).unwrap();
    let refused = phone.run(&["recover"]).exited(2);
    assert_eq!(refused.text("/error/code"), "not-damaged");
    let mut most = 0;
    for page in (1..pages(&store)).step_by(3) {
        fs::write(&store, &whole).unwrap();
        damage(&store, page);
        let recovered = phone.run(&["recover"]).json();
        let aside = Path::new(recovered["aside"].as_str().unwrap());
        assert_eq!(fs::read(aside).unwrap().len(), whole.len());
        let records = phone.run(&["list"]).done().json();
        let records = records.as_array().unwrap().len() as u64;
        assert!(records <= recovered["records"].as_u64().unwrap());
        most = most.max(records);
    }
    assert_eq!(most, 12);
}

#[test]
fn headquarters_go_on_and_phones_send_again_what_may_be_missing() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone", TABLE);
    let notes: Vec<String> = (0..40).map(|n| format!("note {n:02}")).collect();
    for note in &notes {
        phone.report(note);
    }
    phone.sync_all_well();
    assert_eq!(stage.hq.held().notes(), notes);
    assert!(stage.hq.ends_by_itself("-TERM"));
    let path = stage.hq.data().join("hq.db");
    let data = stage.hq.path().to_owned();
    let recover = || run(&["hq", "--data", &data, "recover"]);
    assert!(
        recover().exited(2).err.contains("not damaged") || recover().out.contains("not damaged")
    );
    // What the desk has found out is found out again; an envelope is not.
    let whole = fs::read(&path).unwrap();
    let recovered = (1..pages(&path)).rev().find_map(|page| {
        fs::write(&path, &whole).unwrap();
        damage(&path, page);
        let ended = recover();
        let recovered = (ended.status != Some(2)).then(|| ended.json())?;
        (recovered["records"].as_u64().unwrap() < 40).then_some(recovered)
    });
    let before = fs::read(&path).unwrap();
    let recovered = recovered.expect("no page holds an envelope");
    // Only the page that leads to all envelopes takes all of them along, and none of devices or capabilities.
    let records: Vec<Option<u64>> = (1..whole.len() / PAGE)
        .map(|page| {
            fs::write(&path, &whole).unwrap();
            damage(&path, page);
            let ended = recover();
            (ended.status != Some(2)).then(|| ended.json()["records"].as_u64().unwrap())
        })
        .collect();
    let lost_all = records.iter().filter(|records| **records == Some(0));
    assert!(lost_all.count() <= 1, "{records:?}");
    fs::write(&path, &before).unwrap();
    assert!(recovered["gaps"].as_u64().unwrap() > 0, "{recovered}");
    let aside = Path::new(recovered["aside"].as_str().unwrap());
    assert_eq!(fs::read(aside).unwrap().len(), whole.len());
    stage.serve_again();
    // The phone hears of the new run beside the receipt of something new.
    phone.report("note 99");
    phone.sync_all_well();
    phone.sync_all_well();
    let mut all = notes;
    all.push("note 99".to_owned());
    assert_eq!(stage.hq.held().notes(), all);
}
