//! The official bulletins of Venezuela, 28 July and 2 August 2024, and what else figures can say.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use testigo_tally::bulletins::{Bulletin, Bulletins, Finding, Share, needed_share};
use testigo_wire::Language;

fn bulletin(name: &str, percent: &str, votes: &[Option<u64>]) -> Bulletin {
    Bulletin {
        name: name.into(),
        counted: Share::from_percent(percent).unwrap(),
        votes: votes.to_vec(),
    }
}

fn of_2024() -> Bulletins {
    Bulletins {
        candidates: vec!["NM".into(), "EG".into(), "others".into()],
        list: vec![
            bulletin(
                "28 July",
                "80",
                &[Some(5_150_092), Some(4_445_978), Some(462_704)],
            ),
            bulletin(
                "2 August",
                "96.87",
                &[Some(6_408_844), Some(5_326_104), None],
            ),
        ],
    }
}

#[test]
fn from_the_first_bulletin_to_the_second_is_possible() {
    let findings = of_2024().findings(&[]);
    let added = Finding::Added {
        from: "28 July".into(),
        to: "2 August".into(),
        added: vec![("NM".into(), 1_258_752), ("EG".into(), 880_126)],
        counted: Share(168_700),
        a_percent: (119_950, 126_785),
    };
    assert!(findings.contains(&added), "{findings:#?}");
    assert!(!findings.iter().any(Finding::is_impossible));
}

#[test]
fn the_second_bulletin_is_impossible_beside_authentic_records() {
    // Sums of the records that the opposition published.
    let held = [("EG".to_owned(), 7_156_462), ("NM".to_owned(), 3_241_461)];
    let findings = of_2024().findings(&held);
    let impossible: Vec<_> = findings.iter().filter(|f| f.is_impossible()).collect();
    let below = |bulletin: &str, published| Finding::BelowHeld {
        bulletin: bulletin.into(),
        candidate: "EG".into(),
        published,
        held: 7_156_462,
    };
    assert_eq!(
        impossible,
        [&below("28 July", 4_445_978), &below("2 August", 5_326_104)]
    );
    let said = impossible[1].sentence(Language::En);
    assert!(said.contains("5,326,104") && said.contains("7,156,462") && said.contains("authentic"));
}

#[test]
fn totals_that_are_exact_percentages_are_flagged_with_their_chance() {
    let findings = of_2024().findings(&[]);
    let rounded: Vec<_> = (findings.iter())
        .filter(|finding| matches!(finding, Finding::Rounded { .. }))
        .collect();
    let [
        Finding::Rounded {
            bulletin: name,
            percentages,
            one_in,
        },
    ] = rounded.as_slice()
    else {
        panic!("{rounded:?}");
    };
    assert_eq!(name, "28 July");
    let shares: Vec<u32> = percentages.iter().map(|(_, share)| share.0).collect();
    assert_eq!(shares, [512_000, 442_000, 46_000]);
    // Two free numbers, each one of 1,000 among 10,058,774.
    let total: f64 = 10_058_774.0;
    assert!((one_in - (total / 1000.0).powi(2)).abs() < 1.0, "{one_in}");
    assert!(rounded[0].sentence(Language::En).contains("101,178,93"));
    // One vote moved from one to another, and nothing is said any more.
    let mut moved = of_2024();
    moved.list[0].votes[0] = Some(5_150_093);
    moved.list[0].votes[1] = Some(4_445_977);
    let said = moved.findings(&[]);
    assert!(!said.iter().any(|f| matches!(f, Finding::Rounded { .. })));
    // Small totals are often exact.
    let small = Bulletins {
        candidates: vec!["A".into(), "B".into()],
        list: vec![bulletin("a village", "100", &[Some(51), Some(49)])],
    };
    assert!(small.findings(&[]).is_empty());
    // Nobody's vote is exact by nature.
    let zeros = Bulletins {
        candidates: ["A", "B", "C", "D"].map(str::to_owned).to_vec(),
        list: vec![bulletin(
            "x",
            "100",
            &[Some(1500), Some(1500), Some(0), Some(0)],
        )],
    };
    assert!(zeros.findings(&[]).is_empty());
}

#[test]
fn a_lead_and_what_the_rest_must_say_to_undo_it() {
    // Thirty points at 40 %: evened out within the next 45 % by about 61 % of it; by about 68 % it becomes 51.20 to 44.20.
    let even = needed_share(0.30, 0.40, 0.45, 0.046, 0.0);
    assert!((even - 0.6103).abs() < 5e-5, "{even}");
    let ahead = needed_share(0.30, 0.40, 0.45, 0.046, 0.07);
    assert!((ahead - 0.6764).abs() < 5e-5, "{ahead}");
    // And counted forward again.
    let first = 0.40 * (0.954 + 0.30) / 2.0 + 0.45 * (0.954 - ahead);
    let second = 0.40 * (0.954 - 0.30) / 2.0 + 0.45 * ahead;
    assert!((second / 0.85 - 0.5120).abs() < 1e-9 && (first / 0.85 - 0.4420).abs() < 1e-9);

    let findings = of_2024().findings(&[]);
    let Some(Finding::Lead {
        first,
        second,
        lead,
        needed,
        others,
        rest,
        ..
    }) = findings.first()
    else {
        panic!("{findings:?}");
    };
    assert_eq!((first.as_str(), second.as_str()), ("NM", "EG"));
    assert_eq!(
        (lead.percent(Language::En), others.percent(Language::Es)),
        ("7.00 %".into(), "4,60 %".into())
    );
    assert_eq!(
        (
            needed.unwrap().percent(Language::En),
            rest.percent(Language::En)
        ),
        ("61.70 %".into(), "20.00 %".into())
    );

    // All others together lead nobody, and equals do not lead each other.
    let others = Bulletins {
        candidates: vec!["A".into(), "Others".into(), "B".into()],
        list: vec![bulletin("x", "50", &[Some(400), Some(500), Some(101)])],
    };
    let Finding::Lead { first, second, .. } = &others.findings(&[])[0] else {
        panic!("somebody leads");
    };
    assert_eq!((first.as_str(), second.as_str()), ("A", "B"));
    let level = Bulletins {
        candidates: vec!["A".into(), "B".into()],
        list: vec![bulletin("x", "50", &[Some(400), Some(400)])],
    };
    assert!(level.findings(&[]).is_empty());
    let late = Bulletins {
        candidates: vec!["A".into(), "B".into()],
        list: vec![bulletin("late", "95", &[Some(60_000), Some(40_001)])],
    };
    let Finding::Lead { needed: None, .. } = &late.findings(&[])[0] else {
        panic!("five points cannot undo twenty");
    };
}

#[test]
fn what_becomes_less_is_impossible() {
    let mut series = of_2024();
    series.list.push(bulletin(
        "3 August",
        "96.5",
        &[Some(6_400_000), Some(5_400_000), None],
    ));
    let impossible: Vec<_> = (series.findings(&[]).into_iter())
        .filter(Finding::is_impossible)
        .map(|finding| finding.code())
        .collect();
    assert_eq!(impossible, ["votes-fall", "counted-falls"]);
    // Also where a bulletin between gave no number; and votes need records.
    let series = Bulletins {
        candidates: vec!["A".into(), "B".into()],
        list: vec![
            bulletin("x", "50", &[Some(1000), Some(900)]),
            bulletin("y", "60", &[None, None]),
            bulletin("z", "70", &[Some(500), Some(950)]),
            bulletin("z again", "70", &[Some(5_000_000), Some(950)]),
        ],
    };
    let said: Vec<_> = (series.findings(&[]).into_iter())
        .filter(|finding| !matches!(finding, Finding::Lead { .. }))
        .map(|finding| finding.code())
        .collect();
    assert_eq!(said, ["votes-fall", "no-records"]);
}

#[test]
fn percentages_are_read_and_anything_else_is_not() {
    for (text, share) in [
        ("96.87", 968_700),
        ("80 %", 800_000),
        ("100", 1_000_000),
        ("0,5", 5_000),
        ("33.3333", 333_333),
    ] {
        assert_eq!(Share::from_percent(text), Some(Share(share)), "{text}");
    }
    for text in [
        "", "100.1", "-1", "1e3", "33.33333", ".5", "5.", "1000", "eighty",
    ] {
        assert_eq!(Share::from_percent(text), None, "{text}");
    }
    assert_eq!(Share(666_667).percent(Language::En), "66.67 %");
    assert_eq!(Share(676_449).percent(Language::Es), "67,64 %");
    assert_eq!(Language::En.thousands(1_234_567), "1,234,567");
    assert_eq!(Language::Es.thousands(0), "0");
    assert_eq!(Language::Es.thousands(12_999), "12.999");
}

proptest::proptest! {
    #[test]
    fn any_figures_are_taken(
        votes in proptest::collection::vec(proptest::collection::vec(proptest::option::of(0..u64::MAX / 64), 3), 1..5),
        counted in proptest::collection::vec(0..=1_000_000u32, 5),
        held in 0u64..,
    ) {
        let list = votes.into_iter().zip(counted).enumerate().map(|(n, (votes, counted))| Bulletin {
            name: n.to_string(),
            counted: Share(counted),
            votes,
        });
        let series = Bulletins {
            candidates: vec!["A".into(), "B".into(), "C".into()],
            list: list.collect(),
        };
        for finding in series.findings(&[("A".into(), held)]) {
            for language in [Language::Es, Language::En, Language::Pt] {
                assert!(!finding.sentence(language).is_empty());
            }
        }
    }
}
