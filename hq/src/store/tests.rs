//! Two databases, and what may come between their commits.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::courier::Courier;
use crate::door;
use crate::quota::Rates;
use crate::stage::{Stage, Witness};
use crate::store::{Decided, Note};
use crate::writer::Clerk;
use crate::{Desk, SystemClock};
use std::sync::Arc;

/// Takes these in as a request's, and returns the kinds of answers.
fn send(stage: &Stage, sent: &[Vec<u8>]) {
    let mut store = Store::open(&stage.hq.folder).unwrap();
    let brought: Vec<_> = (sent.iter())
        .map(|bytes| (bytes.clone(), door::Brought::read(bytes)))
        .collect();
    let keys = store.keys(&door::signers(&brought)).unwrap();
    let entered = door::check(brought, keys, stage.hq.identity.election);
    let key = stage.hq.receipt_key().unwrap();
    let clock = Arc::new(SystemClock);
    let mut clerk = Clerk::new(stage.hq.identity, key, clock, Rates::GENEROUS);
    let mut tx = store.begin().unwrap();
    let savepoint = tx.savepoint().unwrap();
    let answers = clerk.answer(&savepoint, entered.items).unwrap();
    savepoint.commit().unwrap();
    tx.commit().unwrap();
    assert_eq!(answers.len(), sent.len());
}

fn desk(stage: &Stage) -> Desk {
    let clock = Arc::new(SystemClock);
    Desk::new(
        DeskStore::open(&stage.hq.folder).unwrap(),
        stage.hq.seal_keys().unwrap(),
        &stage.hq.keyset,
        stage.hq.desk_key().unwrap(),
        stage.hq.pack.clone(),
        clock.clone(),
        Courier::of(&stage.hq, clock).unwrap(),
    )
}

/// Number, arrival and status of each notice.
fn notices(stage: &Stage) -> Vec<(i64, i64, u16)> {
    let store = Store::open(&stage.hq.folder).unwrap();
    let sql = "SELECT number, arrival, status FROM notice ORDER BY number";
    let mut query = store.0.prepare(sql).unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn two_reports(stage: &Stage) -> Witness {
    let mut witness = stage.witness();
    let sent = [witness.enrolment(), witness.envelope(), witness.envelope()];
    send(stage, &sent);
    witness
}

#[test]
fn what_the_desk_could_not_say_is_said_later_and_once() {
    let stage = Stage::new();
    two_reports(&stage);
    assert_eq!(desk(&stage).pass().unwrap(), 2);
    let said = notices(&stage);
    assert_eq!(said.len(), 2);
    // As after a power cut between the two commits: the desk has filed the second, and ingest has not heard of it.
    let store = Store::open(&stage.hq.folder).unwrap();
    store
        .0
        .execute("DELETE FROM notice WHERE number = 2", [])
        .unwrap();
    // And as behind a restore, where ingest says something else of the first.
    store
        .0
        .execute("UPDATE notice SET status = 4 WHERE number = 1", [])
        .unwrap();
    let mut again = desk(&stage);
    assert_eq!(again.pass().unwrap(), 2);
    let owed: Vec<_> = said
        .iter()
        .map(|(n, arrival, status)| (n + 2, *arrival, *status))
        .collect();
    assert_eq!(notices(&stage), owed, "numbers rise");
    assert_eq!(again.pass().unwrap(), 0);
    assert_eq!(desk(&stage).pass().unwrap(), 0);
    assert_eq!(notices(&stage), owed, "nothing is said twice");
}

#[test]
fn while_ingest_cannot_be_written_the_desk_files_and_says_so_afterwards() {
    let stage = Stage::new();
    two_reports(&stage);
    let mut desk = desk(&stage);
    let store = Store::open(&stage.hq.folder).unwrap();
    let refuse =
        "CREATE TRIGGER full BEFORE INSERT ON notice BEGIN SELECT raise(ABORT, 'no room'); END";
    store.0.execute_batch(refuse).unwrap();
    desk.pass().unwrap_err();
    assert_eq!(stage.hq.reader.counts().unwrap().unopened, 0, "filed");
    assert_eq!(notices(&stage), []);
    desk.pass().unwrap_err();
    store.0.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(desk.pass().unwrap(), 2);
    assert_eq!(notices(&stage).len(), 2);
    assert_eq!(desk.pass().unwrap(), 0);
}

#[test]
fn a_desk_that_opens_everything_anew_says_only_what_is_new() {
    let stage = Stage::new();
    two_reports(&stage);
    desk(&stage).pass().unwrap();
    let said = notices(&stage);
    let store = DeskStore::open(&stage.hq.folder).unwrap();
    for table in ["flag", "incident", "opened"] {
        store
            .desk
            .execute(&format!("DELETE FROM {table}"), [])
            .unwrap();
    }
    assert_eq!(desk(&stage).pass().unwrap(), 2);
    assert_eq!(notices(&stage), said);
}

#[test]
fn an_arrival_that_ingest_lost_gives_its_number_to_no_other() {
    let stage = Stage::new();
    let mut witness = two_reports(&stage);
    desk(&stage).pass().unwrap();
    // A log that was cut off takes ingest's last transaction along, and not the desk's.
    let store = Store::open(&stage.hq.folder).unwrap();
    store
        .0
        .execute_batch(
            "DELETE FROM notice WHERE arrival = 3; DELETE FROM arrival WHERE id = 3;
             UPDATE sqlite_sequence SET seq = 2 WHERE name = 'arrival';",
        )
        .unwrap();
    let epoch = || stage.hq.reader.identity().unwrap().unwrap().epoch;
    let before = epoch();
    let mut desk = desk(&stage);
    assert_ne!(epoch(), before, "phones send again what was lost");
    let begun = epoch();
    drop(DeskStore::open(&stage.hq.folder).unwrap());
    assert_eq!(epoch(), begun, "once");
    send(&stage, &[witness.envelope()]);
    assert_eq!(desk.pass().unwrap(), 1, "it is opened");
    let arrivals: Vec<i64> = notices(&stage)
        .iter()
        .map(|(_, arrival, _)| *arrival)
        .collect();
    assert_eq!(arrivals, [2, 4]);
    assert_eq!(stage.hq.reader.counts().unwrap().unopened, 0);
}

#[test]
fn the_desk_of_a_backup_knows_of_nothing_that_its_ingest_has_not() {
    let stage = Stage::new();
    let mut witness = two_reports(&stage);
    let mut desk = desk(&stage);
    desk.pass().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (copy, back) = (folder.path().join("copy"), folder.path().join("back"));
    // Before each of the two copies another report comes and is opened.
    let mut copies = 0;
    let made = crate::backup(&stage.data, &copy, &SystemClock, |progress| {
        if matches!(progress, crate::Progress::Pages { done: 0, .. }) {
            copies += 1;
            send(&stage, &[witness.envelope()]);
            assert_eq!(desk.pass().unwrap(), 1);
        }
    });
    assert_eq!((copies, made.unwrap().records), (2, 4));
    crate::restore(&copy, &stage.data.join("keys"), &back, |_| {}).unwrap();
    let counts = |hq: &crate::init::Headquarters| {
        let counts = hq.reader.counts().unwrap();
        (counts.records, counts.unopened)
    };
    let restored = Stage::over(&back);
    assert_eq!(
        counts(&restored.hq),
        (4, 1),
        "the second that came is to be opened still"
    );
    let unknown = "SELECT count(*) FROM opened WHERE arrival NOT IN (SELECT id FROM arrival)";
    let unknown: i64 = (restored.hq.reader.0)
        .query_row(unknown, [], |row| row.get(0))
        .unwrap();
    assert_eq!(unknown, 0);
    assert_eq!(self::desk(&restored).pass().unwrap(), 1);
    assert_eq!(counts(&restored.hq), (4, 0));
}

#[test]
fn ingest_believes_what_people_decided_and_knows_no_more_of_it() {
    let stage = Stage::new();
    let witness = two_reports(&stage);
    let other = witness.other_device();
    send(&stage, &[other.enrolment()]);
    let kid = |witness: &Witness| witness.device.verifying_key().key_id();
    let store = Store::open(&stage.hq.folder).unwrap();
    let believed = |witness: &Witness| device(&store.0, kid(witness)).unwrap().unwrap().believed;
    let mut desk = desk(&stage);
    let mut decide = |decided: &[Decided<'_>]| {
        let mut deciding = DeskStore::open(&stage.hq.folder).unwrap();
        deciding.decide(decided, &Note::default()).unwrap();
        desk.pass().unwrap();
    };
    assert!(believed(&witness) && believed(&other));
    decide(&[Decided::Revoke(kid(&witness), 7)]);
    assert!(!believed(&witness) && believed(&other));
    let capability = witness.capability.verifying_key().key_id();
    decide(&[Decided::RevokeCapability(capability, 7)]);
    let third = witness.other_device();
    send(&stage, &[third.enrolment()]);
    assert!(!believed(&other) && !believed(&third), "those to come, too");
    decide(&[Decided::Trust(kid(&other))]);
    assert!(believed(&other) && !believed(&witness) && !believed(&third));
    // More than a code may enrol are believed once they are confirmed.
    let fourth = witness.other_device();
    send(&stage, &[fourth.enrolment()]);
    decide(&[Decided::Trust(kid(&fourth))]);
    assert!(!believed(&fourth));
    decide(&[Decided::Confirm(kid(&fourth))]);
    assert!(believed(&fourth));
    // What was lost on the way to ingest is there again once a desk has started.
    store.0.execute("DELETE FROM belief", []).unwrap();
    assert!(believed(&witness));
    self::desk(&stage).pass().unwrap();
    assert!(!believed(&witness) && believed(&other) && believed(&fourth));
}
