//! The order of standings, row by row, and their codes.
#![allow(clippy::unwrap_used, reason = "tests")]

use testigo_tally::{Standing, Vouch, Who};
use testigo_wire::{Language, cbor};

fn standing(text: &str) -> Standing {
    text.parse().unwrap()
}

#[test]
fn the_order_is_the_documented_one() {
    for (more, less) in [
        // 1: a signature, whoever brought it.
        ("signature/under-review", "hash/staff"),
        ("signature/unconfirmed-device", "plain-code/staff"),
        ("signature/staff", "signature/confirmed-device"),
        // 2: who comes before what; nothing in a plain code protects it, and anybody can compute a hash.
        ("plain-code/confirmed-device", "hash/unconfirmed-device"),
        (
            "typed-twice/second-capability",
            "plain-code/confirmed-device",
        ),
        ("photo/staff", "plain-code/second-capability"),
        ("photo/confirmed-device", "plain-code/unconfirmed-device"),
        ("photo/unconfirmed-device", "hash/under-review"),
        // 3: what.
        ("hash/confirmed-device", "plain-code/confirmed-device"),
        ("plain-code/staff", "typed-twice/staff"),
        ("typed-twice/confirmed-device", "photo/confirmed-device"),
    ] {
        assert!(standing(more) > standing(less), "{more} > {less}");
        assert!(standing(less) < standing(more), "{less} < {more}");
    }
}

#[test]
fn each_has_its_own_codes_and_sentences() {
    let mut seen = std::collections::BTreeSet::new();
    for vouch in Vouch::ALL {
        for who in Who::ALL {
            let standing = Standing {
                vouch: *vouch,
                who: *who,
            };
            assert_eq!(standing.to_string().parse(), Ok(standing));
            let bytes = cbor::to_vec(&standing);
            assert_eq!(cbor::from_slice("standing", &bytes, 16), Ok(standing));
            for language in [Language::Es, Language::En] {
                assert!(seen.insert(standing.sentence(language)));
            }
        }
    }
    assert_eq!(seen.len(), 2 * Vouch::ALL.len() * Who::ALL.len());
    // The bytes never change their meaning.
    assert_eq!(
        cbor::to_vec(&standing("signature/staff")),
        [0x82, 0x18, 50, 0x18, 50]
    );
    assert_eq!(
        cbor::to_vec(&standing("photo/under-review")),
        [0x82, 10, 10]
    );
}

#[test]
fn a_code_of_a_newer_version_keeps_its_rank() {
    let newer = standing("35/25");
    assert_eq!(newer.to_string(), "35/25");
    assert!(newer > standing("hash/unconfirmed-device"));
    assert!(newer < standing("photo/confirmed-device"));
    assert!(newer.sentence(Language::En).contains("35"));
    for wrong in [
        "",
        "hash",
        "hash/",
        "nothing/staff",
        "hash/staff/",
        "300/10",
    ] {
        assert!(wrong.parse::<Standing>().is_err(), "{wrong}");
    }
}
