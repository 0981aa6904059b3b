//! Venezuela's acta: three real sheets, whose figures were published by table, and their mutations.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use testigo_tally::{Doubt, NotATally, Tally, VotesField, Vouch, Wants, read};
use testigo_wire::{
    Candidate, ElectionId, ElectionPack, Language, PollingTable, Slot, TableId, Warning,
};

const YUMARE: &str = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0";
const TRINIDAD: &str = "110601011.04.1.0001!122,1,0,0,4,2,0,0,2,1,0,1,2,1,0,0,0,5,0,2,0,0,0,0,0,0,0,0,1,0,0,0,0,8,22,406,0,1!0!0";
const MACANAO: &str = "150702005.02.1.0001!105,7,2,0,4,1,0,1,1,1,0,2,44,2,1,0,0,1,0,1,0,0,0,1,0,0,0,0,1,0,1,0,0,7,13,350,0,2!0!0";

/// Candidate and number of consecutive slots on the ballot of 2024.
const BALLOT: [(&str, usize); 10] = [
    ("NM", 13),
    ("LM", 6),
    ("JABE", 1),
    ("JOBR", 4),
    ("AE", 6),
    ("CF", 1),
    ("DC", 2),
    ("EG", 3),
    ("EM", 1),
    ("BERA", 1),
];

fn pack() -> ElectionPack {
    let table = |id: &str, registered| {
        PollingTable::in_areas(TableId::new(id).unwrap(), registered, ["", "", ""])
    };
    ElectionPack {
        date: "2024-07-28".into(),
        time_zone: "America/Caracas".into(),
        candidates: BALLOT
            .map(|(code, _)| Candidate {
                code: code.into(),
                name: code.into(),
            })
            .to_vec(),
        slots: BALLOT
            .iter()
            .flat_map(|(code, n)| {
                (0..*n).map(move |i| Slot {
                    party: format!("{code}{i}"),
                    candidate: (*code).into(),
                })
            })
            .collect(),
        tables: vec![
            table("110601011.04", 903),
            table("150702005.02", 710),
            table("201301006.01", 535),
        ],
        ..ElectionPack::new(ElectionId([0; 8]), "Venezuela 2024")
    }
}

fn tally(text: &str) -> Tally {
    read(&[text.as_bytes()], Some(&pack())).unwrap()
}

fn refused(text: &str) -> NotATally {
    read(&[text.as_bytes()], Some(&pack())).unwrap_err()
}

#[test]
fn real_sheets_give_the_published_figures() {
    // EG, NM, LM, JABE, JOBR, AE, CF, DC, EM, BERA, valid: as published for these tables.
    for (text, published) in [
        (YUMARE, [167, 188, 6, 1, 1, 3, 0, 0, 1, 1, 368]),
        (TRINIDAD, [436, 135, 6, 2, 0, 1, 0, 0, 0, 1, 581]),
        (MACANAO, [370, 168, 4, 1, 1, 1, 1, 0, 0, 2, 548]),
    ] {
        let tally = tally(text);
        let of = |code| {
            tally
                .candidates
                .iter()
                .find(|c| c.code == code)
                .unwrap()
                .votes
        };
        let order = [
            "EG", "NM", "LM", "JABE", "JOBR", "AE", "CF", "DC", "EM", "BERA",
        ];
        assert_eq!(order.map(of), published[..10]);
        assert_eq!(tally.valid_votes(), published[10]);
        assert_eq!(
            (
                tally.null_votes(),
                tally.field("fourth"),
                tally.field("suffix")
            ),
            (Some(0), Some("0"), Some("1.0001"))
        );
        assert_eq!(tally.doubts, []);
        // Nothing inside the code protects it.
        assert_eq!(tally.vouch, Vouch::PLAIN_CODE);
        let slots = text.split('!').nth(1).unwrap();
        assert_eq!(tally.contests[0].to_string(), slots);
    }
}

#[test]
fn each_doubt_is_told_and_stops_nothing() {
    let unknown = YUMARE.replace("201301006", "099999999");
    let cases = [
        (unknown, Warning::TABLE_UNKNOWN),
        (
            YUMARE.replace("!140,", "!1400,"),
            Warning::SUM_EXCEEDS_REGISTERED,
        ),
        (
            YUMARE.replace("!0!0", "!0!7"),
            Warning::FOURTH_FIELD_UNUSUAL,
        ),
        (YUMARE.replace(".1.0001", ".2.0001"), Warning::FORM_UNUSUAL),
        (YUMARE.replace("!140,", "!0140,"), Warning::FORM_UNUSUAL),
    ];
    for (text, warning) in cases {
        let tally = tally(&text);
        assert_eq!(
            tally.doubts.iter().map(Doubt::warning).collect::<Vec<_>>(),
            [warning]
        );
        let doubt = &tally.doubts[0];
        assert_ne!(doubt.sentence(Language::Es), doubt.sentence(Language::En));
    }
    assert_eq!(
        tally(&YUMARE.replace("201301006", "012345678"))
            .table
            .as_str(),
        "012345678.01"
    );
}

#[test]
fn without_a_pack_the_slots_are_read_and_the_doubt_is_told() {
    let tally = read(&[YUMARE.as_bytes()], None).unwrap();
    assert_eq!(tally.contests[0].slots.len(), 38);
    assert!(tally.candidates.is_empty());
    assert_eq!(tally.doubts, [Doubt::NoElectionPack]);
}

#[test]
fn a_ballot_of_another_size_is_told_and_not_folded() {
    let mut small = pack();
    small.slots.pop();
    let tally = read(&[YUMARE.as_bytes()], Some(&small)).unwrap();
    assert_eq!(
        tally.doubts,
        [Doubt::SlotsDiffer {
            sheet: 38,
            pack: 37
        }]
    );
    assert!(tally.candidates.is_empty());
}

#[test]
fn what_is_no_sheet_says_why() {
    let thirty_seven = YUMARE.replace("!140,", "!");
    let huge = YUMARE.replace("!140,", &format!("!1{},", "0".repeat(30)));
    let negative = YUMARE.replace("!140,", "!-140,");
    assert_eq!(refused(""), NotATally::Empty);
    assert_eq!(
        refused("https://example.org"),
        NotATally::Literal {
            after: Some("table".into()),
            literal: ".".into()
        }
    );
    // A fifth part, and a third only.
    assert!(matches!(
        refused(&format!("{YUMARE}!0")),
        NotATally::Field { field, wants: Wants::Without(_), .. } if field == "fourth"
    ));
    assert_eq!(
        refused(YUMARE.strip_suffix("!0").unwrap()),
        NotATally::Literal {
            after: Some("null".into()),
            literal: "!".into()
        }
    );
    assert_eq!(
        refused(&thirty_seven),
        NotATally::Slots {
            found: 37,
            expected: 38
        }
    );
    assert!(
        matches!(refused(&huge), NotATally::Votes { field, .. } if field == VotesField::Slot(1))
    );
    assert!(
        matches!(refused(&negative), NotATally::Votes { field, .. } if field == VotesField::Slot(1))
    );
    assert!(
        matches!(refused(&YUMARE.replace("!0!0", "!x!0")), NotATally::Votes { field, .. } if field == VotesField::Null)
    );
    assert!(matches!(
        refused(&YUMARE.replace("201301006", "20130100")),
        NotATally::Field { field, wants: Wants::Digits(9), .. } if field == "centre"
    ));
    let latin_1 = YUMARE.as_bytes().iter().copied().chain([0xf1]);
    let latin_1: Vec<u8> = latin_1.collect();
    assert_eq!(read(&[&latin_1], Some(&pack())), Err(NotATally::NotText));
    assert_eq!(
        refused(&"1".repeat(9000)),
        NotATally::TooLong { bytes: 9000 }
    );
    assert_eq!(read(&[], None), Err(NotATally::Empty));
    assert_eq!(
        read(&[b"a", b"b"], None),
        Err(NotATally::SeveralTexts { found: 2 })
    );
    for (text, es, en) in [
        (
            "x",
            "falta \".\" tras «centre»",
            "\".\" is missing behind \"centre\"",
        ),
        (&thirty_seven, "37 números", "37 numbers"),
        (&huge, "casilla 1", "slot 1"),
    ] {
        let error = refused(text);
        assert!(error.sentence(Language::Es).contains(es), "{error}");
        assert!(error.sentence(Language::En).contains(en), "{error}");
    }
}

#[test]
fn what_lies_beside_the_one_sheet_is_a_doubt_and_two_sheets_are_none() {
    let (sheet, again) = (YUMARE.as_bytes(), [YUMARE.as_bytes(), b"\r\n"].concat());
    let twice = read(&[sheet, &again], Some(&pack())).unwrap();
    assert_eq!(twice, tally(YUMARE));
    for beside in [&b"https://example.org"[..], b"\xff\xfe", b"", &[b'1'; 9000]] {
        for texts in [[sheet, beside], [beside, sheet]] {
            let found = read(&texts, Some(&pack())).unwrap();
            assert_eq!(found.contests, twice.contests);
            assert_eq!(found.doubts, [Doubt::OtherCodes]);
        }
    }
    let several = Err(NotATally::SeveralTexts { found: 2 });
    assert_eq!(read(&[sheet, TRINIDAD.as_bytes()], None), several);
}

proptest! {
    #[test]
    fn whatever_is_written_in_the_form_is_read_back(
        votes in proptest::collection::vec(0u32..1000, 38), nulls in 0u32..1000, centre in 0u32..999_999_999, table in 1u8..99
    ) {
        let list = votes.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let text = format!("{centre:09}.{table:02}.1.0001!{list}!{nulls}!0");
        let tally = tally(&text);
        let slots: Vec<u32> = tally.contests[0].slots.iter().map(|slot| slot.votes).collect();
        prop_assert_eq!(slots, votes);
        prop_assert_eq!(tally.null_votes(), Some(nulls));
        prop_assert_eq!(tally.table.as_str(), format!("{centre:09}.{table:02}"));
    }

    #[test]
    fn no_text_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&[&bytes], Some(&pack()));
    }

    #[test]
    fn no_mutation_makes_it_panic(at in 0usize..100, byte: u8) {
        let mut bytes = YUMARE.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = read(&[&bytes], Some(&pack()));
    }
}
