//! Capture: saved is saved, evidence is never refused, and what is no input names its field.

use crate::support::*;
use testigo_phone::{
    Delivery, Phone, PhoneError, ReportInput, TallyInput, TypedField, TypedInput, TypedSheet,
};
use testigo_wire::{Language, Record, TallyRecord, Warning};

const SHEET: &str = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0";

fn report(code: u16) -> ReportInput {
    ReportInput {
        code,
        ..ReportInput::default()
    }
}

fn tally(text: impl Into<Vec<u8>>) -> TallyInput {
    TallyInput {
        texts: vec![text.into()],
        ..TallyInput::default()
    }
}

#[test]
fn what_is_saved_is_there_after_the_process_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = FakeHq::new(1).phone(dir.path());
    for n in 1..=5 {
        assert_eq!(phone.report(&report(11)).unwrap().sequence, n);
    }
    // No destructor runs, as when the process is killed.
    std::mem::forget(phone);
    let phone = Phone::open(dir.path(), &key(), clock()).unwrap();
    let history = phone.history().unwrap();
    assert_eq!(
        history.iter().map(|h| h.sequence).collect::<Vec<_>>(),
        [5, 4, 3, 2, 1]
    );
    assert!(history.iter().all(|h| h.delivery == Delivery::Queued));
    assert_eq!(phone.outbox().unwrap().queued, 5);
}

#[test]
fn a_sheet_is_read_at_once_and_kept_word_for_word() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = FakeHq::new(1).phone(dir.path());
    let saved = phone.tally(&tally(SHEET)).unwrap();
    assert_eq!(saved.reading.unwrap().valid_votes(), 368);
    assert_eq!(saved.saved.warnings, []);
    assert_eq!(
        phone.history().unwrap()[0].content.as_ref().unwrap().record,
        Record::Tally(TallyRecord::new([SHEET.as_bytes().to_vec()]))
    );
}

#[test]
fn evidence_is_never_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = FakeHq::new(1).phone(dir.path());
    let elsewhere = SHEET.replace("201301006", "010101001");
    let cases: [(TallyInput, &[Warning]); 5] = [
        (tally("https://example.org"), &[Warning::NOT_A_TALLY]),
        (tally(vec![0xff, 0x00, 0x80]), &[Warning::NOT_A_TALLY]),
        (
            tally(SHEET.replace("!140,", "!1400,")),
            &[Warning::SUM_EXCEEDS_REGISTERED],
        ),
        (
            tally(elsewhere),
            &[Warning::TABLE_UNKNOWN, Warning::TABLE_NOT_ASSIGNED],
        ),
        (
            TallyInput {
                table: Some("999999999.09".into()),
                ..tally(SHEET)
            },
            &[Warning::TABLE_NOT_ASSIGNED, Warning::TABLE_DIFFERS],
        ),
    ];
    for (input, warnings) in cases {
        let saved = phone.tally(&input).unwrap().saved;
        assert_eq!(saved.warnings, warnings, "{input:?}");
        let Record::Tally(kept) = phone.history().unwrap()[0].content.clone().unwrap().record
        else {
            panic!("not a tally");
        };
        assert_eq!(kept.texts().collect::<Vec<_>>(), input.texts);
    }
    let stray = ReportInput {
        table: Some("nowhere".into()),
        ..report(11)
    };
    assert_eq!(
        phone.report(&stray).unwrap().warnings,
        [Warning::TABLE_UNKNOWN, Warning::TABLE_NOT_ASSIGNED]
    );
    let backwards = ReportInput {
        started: Some("2024-07-28T15:00:00-04:00".into()),
        ended: Some("2024-07-28T14:00:00-04:00".into()),
        ..report(21)
    };
    assert_eq!(
        phone.report(&backwards).unwrap().warnings,
        [Warning::ENDS_BEFORE_START]
    );
}

#[test]
fn a_clock_behind_headquarters_is_told() {
    let dir = tempfile::tempdir().unwrap();
    drop(FakeHq::new(1).phone(dir.path()));
    let three_days_back = Box::new(FixedClock(time("2024-07-25T18:30:00-04:00")));
    let mut phone = Phone::open(dir.path(), &key(), three_days_back).unwrap();
    assert_eq!(
        phone.report(&report(11)).unwrap().warnings,
        [Warning::CLOCK_BEHIND]
    );
}

#[test]
fn what_is_no_input_names_its_field_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = FakeHq::new(1).phone(dir.path());
    phone.report(&report(11)).unwrap();
    let long = |n| Some("ñ".repeat(n));
    let cases = [
        ("code", report(98)),
        (
            "note",
            ReportInput {
                note: long(501),
                ..report(11)
            },
        ),
        (
            "table",
            ReportInput {
                table: Some(String::new()),
                ..report(11)
            },
        ),
        (
            "table",
            ReportInput {
                table: long(65),
                ..report(11)
            },
        ),
        (
            "started",
            ReportInput {
                started: Some("yesterday".into()),
                ..report(21)
            },
        ),
        (
            "ended",
            ReportInput {
                ended: Some("2024-07-28".into()),
                ..report(21)
            },
        ),
    ];
    for (expected, input) in cases {
        match phone.report(&input) {
            Err(error @ PhoneError::Input { field, .. }) => {
                assert_eq!(field, expected);
                assert!(error.sentence(Language::Es).contains(expected));
            }
            other => panic!("{other:?}"),
        }
    }
    for texts in [vec![], vec![vec![]; 65], vec![vec![b'a'; 70_000]]] {
        let input = TallyInput {
            texts,
            ..TallyInput::default()
        };
        assert!(matches!(
            phone.tally(&input),
            Err(PhoneError::Input { field: "texts", .. })
        ));
    }
    assert_eq!(phone.outbox().unwrap().queued, 1);
    let longest = ReportInput {
        note: long(500),
        ..report(11)
    };
    assert_eq!(phone.report(&longest).unwrap().sequence, 2);
}

#[test]
fn the_phone_enrols_once_and_with_what_belongs_together() {
    let dir = tempfile::tempdir().unwrap();
    let (hq, other) = (FakeHq::new(1), FakeHq::new(20));
    let mut phone = Phone::create(dir.path(), &key(), clock()).unwrap();
    assert!(matches!(
        phone.report(&report(11)),
        Err(PhoneError::NotEnrolled)
    ));
    let keyset = hq.keyset(&[]);
    for (invitation, keyset, pack) in [
        (other.invitation(), &keyset, hq.pack()),
        (hq.invitation(), &other.keyset(&[]), hq.pack()),
    ] {
        assert!(matches!(
            phone.enrol(&invitation, keyset, Some(&pack)),
            Err(PhoneError::OtherHeadquarters(_))
        ));
    }
    assert!(matches!(
        phone.enrol(&hq.invitation(), &keyset, Some(&other.pack())),
        Err(PhoneError::OtherHeadquarters(_))
    ));
    assert!(matches!(
        phone.enrol(&hq.invitation(), b"junk", None),
        Err(PhoneError::Damaged(_))
    ));
    assert!(!phone.outbox().unwrap().enrolled);
    phone.enrol(&hq.invitation(), &keyset, None).unwrap();
    assert!(matches!(
        phone.enrol(&hq.invitation(), &keyset, Some(&hq.pack())),
        Err(PhoneError::AlreadyEnrolled)
    ));
    let saved = phone.tally(&tally(SHEET)).unwrap();
    assert_eq!(saved.saved.warnings, [Warning::NO_ELECTION_PACK]);
}

#[test]
fn a_store_that_does_not_open_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(FakeHq::new(1).phone(dir.path()));
    let file = dir.path().join("phone.db");
    let before = std::fs::read(&file).unwrap();
    let other = testigo_phone::DatabaseKey::from_bytes([1; 32]);
    assert!(matches!(
        Phone::open(dir.path(), &other, clock()),
        Err(PhoneError::Open(_))
    ));
    assert!(matches!(
        Phone::create(dir.path(), &key(), clock()),
        Err(PhoneError::PhoneExists)
    ));
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let nothing = tempfile::tempdir().unwrap();
    assert!(matches!(
        Phone::open(nothing.path(), &key(), clock()),
        Err(PhoneError::NoPhone)
    ));
}

fn typed(table: &str, votes: &[u32]) -> TypedSheet {
    TypedSheet {
        table: table.into(),
        votes: votes.to_vec(),
        null: Some(0),
        ..TypedSheet::default()
    }
}

fn twice(sheet: TypedSheet) -> TypedInput {
    TypedInput {
        first: sheet.clone(),
        second: sheet,
        attachments: vec![],
    }
}

#[test]
fn a_typed_sheet_is_saved_with_its_doubts_and_what_is_no_input_names_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = FakeHq::new(1).phone(dir.path());
    let slots = phone.typing_form().unwrap().slots.len();
    let votes = vec![1; slots];
    let saved = phone
        .typed(&twice(typed(" 201301006.01 ", &votes)))
        .unwrap();
    assert_eq!(saved.saved.warnings, [Warning::NO_PHOTOGRAPH]);
    // Nothing of it is refused: another table, another ballot, more votes than voters.
    let doubtful = phone
        .typed(&twice(typed("999999999.01", &[99_999])))
        .unwrap();
    for warning in [
        Warning::TABLE_UNKNOWN,
        Warning::SLOTS_DIFFER,
        Warning::TABLE_NOT_ASSIGNED,
    ] {
        assert!(doubtful.saved.warnings.contains(&warning), "{doubtful:?}");
    }
    let kept = phone.history().unwrap();
    assert_eq!(kept.len(), 2);
    let Record::Typed(kept) = &kept[1].content.as_ref().unwrap().record else {
        panic!("{kept:?}");
    };
    assert_eq!((kept.table.as_str(), &kept.votes), ("201301006.01", &votes));

    let long = TypedSheet {
        printed_hash: Some("f".repeat(257)),
        ..typed("1.01", &votes)
    };
    let wrong = [
        ("table", typed("no table", &votes)),
        ("votes", typed("1.01", &[])),
        ("votes", typed("1.01", &[100_000])),
        ("votes", typed("1.01", &[0; 513])),
        ("printed_hash", long),
    ];
    for (named, sheet) in wrong {
        match phone.typed(&twice(sheet)) {
            Err(PhoneError::Input { field, .. }) => assert_eq!(field, named),
            other => panic!("{named}: {other:?}"),
        }
    }
    assert_eq!(phone.history().unwrap().len(), 2);
}

#[test]
fn two_typings_differ_by_field() {
    let first = TypedSheet {
        machine_code: Some("AB-1 ".into()),
        ..typed("1.01", &[1, 2, 3])
    };
    let same = TypedSheet {
        machine_code: Some("ab-1".into()),
        ..typed(" 1.01", &[1, 2, 3])
    };
    assert_eq!(first.differences(&same), []);
    let other = TypedSheet {
        blank: Some(0),
        total: Some(6),
        ..typed("1.02", &[1, 5])
    };
    let differ = [
        TypedField::Table,
        TypedField::Votes(1),
        TypedField::Votes(2),
        TypedField::Blank,
        TypedField::Total,
        TypedField::MachineCode,
    ];
    assert_eq!(first.differences(&other), differ);
    assert_eq!(other.differences(&first), differ);
}
