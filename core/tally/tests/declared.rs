//! Formats that a pack declares: a CSV-like one with check digits, JSON with hash and signature, keys with values over
//! several codes with a chain of hashes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use sha2::{Digest, Sha256, Sha512};
use testigo_tally::{
    Contest, Doubt, NotATally, SlotVotes, Tally, VotesField, Vouch, Wants, read, write,
};
use testigo_wire::{
    Candidate, Check, CheckKind, Codes, Cut, Declaration, ElectionId, ElectionPack, Field, Format,
    Language, NamedKey, PollingTable, Slot, Sum, TableId, Template, VerifyingKey, Warning,
};

fn template(text: &str) -> Template {
    Template::new(text).unwrap()
}

fn field(name: &str) -> Field {
    Field {
        name: name.into(),
        ..Field::default()
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `centre;table;check;A;B;blank;null;total`: numbers of the table filled up with zeros, a check digit over them.
fn csv() -> Format {
    Format::declared(
        "csv",
        Declaration {
            cut: Cut::Template(template(
                "{centre};{table};{digit};{A};{B};{blank};{null};{total}",
            )),
            table: template("{centre}-{table}"),
            votes: names(&["A", "B"]),
            blank: Some("blank".into()),
            null: Some("null".into()),
            total: Some("total".into()),
            fields: vec![
                Field {
                    digits: Some(5),
                    pad: true,
                    ..field("centre")
                },
                Field {
                    digits: Some(2),
                    ..field("table")
                },
                Field {
                    max: Some(600),
                    ..field("A")
                },
                Field {
                    digits: Some(3),
                    ..field("null")
                },
            ],
            checks: vec![Check {
                kind: CheckKind::Luhn,
                over: template("{centre}{table}"),
                field: "digit".into(),
                key: None,
            }],
            sums: vec![Sum {
                of: names(&["A", "B", "blank", "null"]),
                is: "total".into(),
            }],
            codes: None,
        },
    )
}

fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn key(name: &str) -> NamedKey {
    NamedKey {
        name: name.into(),
        key: VerifyingKey::from_bytes(&signer().verifying_key().to_bytes()).unwrap(),
    }
}

/// `{"v":1,"at":{"centre":..,"table":..},"votes":{..},"null":..,"hash":"..","signature":".."}`.
fn json() -> Format {
    let over = template("{v}|{at.centre}|{at.table}|{votes}|{null}");
    Format {
        keys: vec![key("N")],
        ..Format::declared(
            "json",
            Declaration {
                cut: Cut::Json,
                table: template("{at.centre}.{at.table}"),
                votes: names(&["votes"]),
                blank: None,
                null: Some("null".into()),
                total: None,
                fields: vec![
                    Field {
                        expect: Some("1".into()),
                        ..field("v")
                    },
                    Field {
                        list: Some(",".into()),
                        pair: Some(":".into()),
                        ..field("votes")
                    },
                ],
                checks: vec![
                    Check {
                        kind: CheckKind::Sha256,
                        over,
                        field: "hash".into(),
                        key: None,
                    },
                    Check {
                        kind: CheckKind::Ed25519,
                        over: template("{hash}"),
                        field: "signature".into(),
                        key: Some(template("{at.centre}")),
                    },
                ],
                sums: vec![],
                codes: None,
            },
        )
    }
}

/// `T 1/2 A:1 B:2 #hash`, in several codes, each with the chain's hash.
fn chained() -> Format {
    Format::declared(
        "chained",
        Declaration {
            cut: Cut::Pairs {
                between: " ".into(),
                of: ":".into(),
            },
            table: template("{T}"),
            votes: names(&["A", "B"]),
            blank: None,
            null: None,
            total: Some("SUM".into()),
            fields: vec![],
            checks: vec![],
            sums: vec![Sum {
                of: names(&["A", "B"]),
                is: "SUM".into(),
            }],
            codes: Some(Codes {
                text: template("T{version} {part}/{parts} {data} #{hash}"),
                join: " ".into(),
                hash: Some(CheckKind::Sha512),
            }),
        },
    )
}

fn pack(formats: Vec<Format>) -> ElectionPack {
    let pack = ElectionPack {
        date: "2026-01-01".into(),
        time_zone: "UTC".into(),
        candidates: ["A", "B"]
            .map(|code| Candidate {
                code: code.into(),
                name: code.into(),
            })
            .to_vec(),
        slots: ["A", "B"]
            .map(|code| Slot {
                party: code.into(),
                candidate: code.into(),
            })
            .to_vec(),
        tables: ["00012-03", "N.7"]
            .map(|id| PollingTable::in_areas(TableId::new(id).unwrap(), 500, ["", "", ""]))
            .to_vec(),
        formats,
        ..ElectionPack::new(ElectionId([0; 8]), "Example")
    };
    // What is declared is what a pack carries.
    let root = testigo_wire::SigningKey::from_seed(&[1; 32]);
    let bytes = pack.sign(&root).unwrap();
    assert_eq!(
        ElectionPack::verify(&bytes, &root.verifying_key()).unwrap(),
        pack
    );
    pack
}

fn every() -> ElectionPack {
    pack(vec![csv(), json(), chained()])
}

fn all<T: AsRef<[u8]>>(texts: &[T], pack: &ElectionPack) -> Result<Tally, NotATally> {
    let texts: Vec<&[u8]> = texts.iter().map(AsRef::as_ref).collect();
    read(&texts, Some(pack))
}

fn folded(tally: &Tally) -> Vec<u64> {
    tally.candidates.iter().map(|c| c.votes).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn signed_json(centre: &str, a: u32, b: u32, null: u32) -> String {
    let over = format!("1|{centre}|7|A:{a},B:{b}|{null}");
    let hash = hex(&Sha256::digest(over));
    let signature = hex(&signer().sign(hash.as_bytes()).to_bytes());
    format!(
        "{{\"v\":1,\"at\":{{\"centre\":\"{centre}\",\"table\":7}},\"votes\":{{\"A\":{a},\"B\":{b}}},\"null\":{null},\"hash\":\"{hash}\",\"signature\":\"{signature}\"}}"
    )
}

fn in_codes(pieces: &[&str]) -> Vec<String> {
    let mut so_far = String::new();
    let parts = pieces.len();
    (pieces.iter().enumerate())
        .map(|(n, piece)| {
            so_far += piece;
            let hash = hex(&Sha512::digest(&so_far));
            so_far += &format!(" #{hash} ");
            format!("T1 {}/{parts} {piece} #{hash}", n + 1)
        })
        .collect()
}

#[test]
fn a_csv_line_is_read_with_its_check_digit_and_sum() {
    let pack = every();
    let read = |text: &str| all(&[text], &pack);
    let tally = read("12;03;9;200;120;5;002;327").unwrap();
    assert_eq!(
        (tally.format.as_str(), tally.table.as_str()),
        ("csv", "00012-03")
    );
    assert_eq!(folded(&tally), [200, 120]);
    assert_eq!(
        (tally.vouch, tally.doubts.as_slice()),
        (Vouch::PLAIN_CODE, &[][..])
    );
    let contest = &tally.contests[0];
    assert_eq!(
        (contest.blank, contest.null, contest.total),
        (Some(5), Some(2), Some(327))
    );
    assert_eq!(tally.field("centre"), Some("12"), "word for word");

    let named = |name: &str| VotesField::Named(name.into());
    let votes = |field, found: &str| NotATally::Votes {
        field,
        found: found.into(),
    };
    let wants = |field: &str, found: &str, wants| NotATally::Field {
        field: field.into(),
        found: found.into(),
        wants,
    };
    for (text, wrong) in [
        (
            "13;03;9;200;120;5;002;327",
            NotATally::CheckDigit {
                field: "digit".into(),
            },
        ),
        (
            "12;3;9;200;120;5;002;327",
            wants("table", "3", Wants::Digits(2)),
        ),
        (
            "123456;03;9;200;120;5;002;327",
            wants("centre", "123456", Wants::Digits(5)),
        ),
        ("12;03;9;601;120;5;002;327", votes(named("A"), "601")),
        ("12;03;9;-1;120;5;002;327", votes(named("A"), "-1")),
        ("12;03;9;200;120;5;2;327", votes(VotesField::Null, "2")),
        ("12;03;9;200;120;x;002;327", votes(VotesField::Blank, "x")),
        ("12;03;9;200;120;5;002;", votes(VotesField::Total, "")),
        (
            "12;03;9;200;120;5;002;327;1",
            wants("total", "327;1", Wants::Without(";".into())),
        ),
        (
            "12;03;9;200;120;5;002",
            NotATally::Literal {
                after: Some("null".into()),
                literal: ";".into(),
            },
        ),
    ] {
        let found = read(text).unwrap_err();
        assert_eq!(found, wrong, "{text}");
        assert_ne!(found.sentence(Language::Es), found.sentence(Language::En));
    }
    let tally = read("12;03;9;200;0120;5;002;328").unwrap();
    let warnings: Vec<Warning> = tally.doubts.iter().map(Doubt::warning).collect();
    assert_eq!(warnings, [Warning::FORM_UNUSUAL, Warning::SUMS_DIFFER]);
    let said = tally.doubts[1].sentence(Language::En);
    assert!(said.contains("A + B + blank + null sum to 327"), "{said}");
}

#[test]
fn json_is_read_with_its_hash_and_signature() {
    let pack = every();
    let text = signed_json("N", 12, 130, 4);
    let tally = all(&[&text], &pack).unwrap();
    assert_eq!(
        (tally.format.as_str(), tally.table.as_str()),
        ("json", "N.7")
    );
    assert_eq!(
        (tally.vouch, tally.doubts.as_slice()),
        (Vouch::SIGNATURE, &[][..])
    );
    assert_eq!(folded(&tally), [12, 130]);
    // Another order and spaces are the same sheet; a key twice, or a word in place of a number, is none.
    let spaced = text
        .replace(',', " ,\n ")
        .replace("\"null\":4", "\"null\" : 4");
    assert_eq!(all(&[spaced], &pack).unwrap().contests, tally.contests);
    for (from, to, wrong) in [
        ("\"A\":12", "\"A\":13", NotATally::Hash { code: None }),
        (
            "\"null\":4",
            "\"null\":4,\"null\":4",
            NotATally::FieldTwice {
                field: "null".into(),
            },
        ),
        (
            "\"null\":4,",
            "",
            NotATally::FieldMissing {
                field: "null".into(),
            },
        ),
        (
            "\"A\":12",
            "\"A\":1e30",
            NotATally::Votes {
                field: VotesField::Named("A".into()),
                found: "1e30".into(),
            },
        ),
        (
            "\"A\":12,\"B\"",
            "\"A\":12,\"A\"",
            NotATally::FieldTwice { field: "A".into() },
        ),
        (
            "\"A\":12",
            "\"A\":\"12,5\"",
            NotATally::Field {
                field: "votes".into(),
                found: "12,5".into(),
                wants: Wants::Without(",".into()),
            },
        ),
    ] {
        assert_eq!(
            all(&[text.replacen(from, to, 1)], &pack),
            Err(wrong),
            "{to}"
        );
    }
    let cut = all(&[&text[..40]], &pack).unwrap_err();
    assert!(!matches!(cut, NotATally::Hash { .. }), "{cut}");
    // A right hash under a wrong signature, and without the key.
    let other = signed_json("N", 12, 131, 4);
    let stolen = other.split("\"signature\"").next().unwrap().to_owned()
        + &format!(
            "\"signature\"{}",
            text.split("\"signature\"").nth(1).unwrap()
        );
    assert_eq!(all(&[stolen], &pack), Err(NotATally::Signature));
    let south = all(&[signed_json("S", 12, 130, 4)], &pack).unwrap();
    assert_eq!(south.vouch, Vouch::HASH);
    assert_eq!(south.doubts[0], Doubt::NoKey("S".into()));
    // What it says of its version is doubtful, not wrong; here the hash covers it.
    let text = text.replace("\"v\":1", "\"v\":2");
    assert_eq!(all(&[text], &pack), Err(NotATally::Hash { code: None }));
}

#[test]
fn a_hash_that_is_not_over_all_that_is_counted_vouches_for_no_number() {
    for (over, text, vouch) in [
        ("{centre}", "12", Vouch::PLAIN_CODE),
        ("{A}{B}{blank}{null}", "2001205002", Vouch::PLAIN_CODE),
        (
            "{centre}{table}{A}{B}{blank}",
            "12032001205",
            Vouch::PLAIN_CODE,
        ),
        (
            "{centre}{table}{A}{B}{blank}{null}",
            "12032001205002",
            Vouch::HASH,
        ),
    ] {
        let mut format = csv();
        let declaration = format.declaration.as_mut().unwrap();
        declaration.checks = vec![Check {
            kind: CheckKind::Sha256,
            over: template(over),
            field: "digit".into(),
            key: None,
        }];
        let sheet = format!("12;03;{};200;120;5;002;327", hex(&Sha256::digest(text)));
        let tally = all(&[&sheet], &pack(vec![format])).unwrap();
        assert_eq!(tally.vouch, vouch, "{over}");
    }
}

#[test]
fn codes_are_put_together_and_their_chain_is_checked() {
    let pack = every();
    let codes = in_codes(&["T:N.7 A:1", "B:2", "SUM:3 X:kept"]);
    let mut turned = codes.clone();
    turned.reverse();
    turned.push(codes[0].clone());
    let tally = all(&turned, &pack).unwrap();
    assert_eq!(
        (tally.format.as_str(), tally.table.as_str()),
        ("chained", "N.7")
    );
    assert_eq!(
        (tally.vouch, tally.doubts.as_slice()),
        (Vouch::HASH, &[][..])
    );
    assert_eq!(folded(&tally), [1, 2]);
    assert_eq!(
        (tally.field("X"), tally.field("version")),
        (Some("kept"), Some("1"))
    );

    let with = |n: usize, code: &str| {
        let mut changed = codes.clone();
        changed[n] = code.to_owned();
        all(&changed, &pack)
    };
    let other = in_codes(&["T:N.7 A:1", "B:4", "SUM:5"]);
    let hash = |code| Err(NotATally::Hash { code: Some(code) });
    assert_eq!(with(1, &codes[1].replace("B:2", "B:3")), hash(2));
    assert_eq!(with(2, &other[2]), hash(3));
    assert_eq!(
        with(2, &codes[1]),
        Err(NotATally::CodeMissing { code: 3, of: 3 })
    );
    assert_eq!(with(2, &other[1]), Err(NotATally::CodeTwice { code: 2 }));
    let differs = |field: &str| {
        Err(NotATally::HeaderDiffers {
            code: 2,
            field: field.into(),
        })
    };
    assert_eq!(with(1, &codes[1].replace("2/3", "2/4")), differs("parts"));
    assert_eq!(with(1, &codes[1].replace("T1", "T2")), differs("version"));
    assert!(matches!(
        with(0, &codes[0].replace("1/3", "0/3")),
        Err(NotATally::Field { .. })
    ));
    let beside = [codes.clone(), vec!["https://example.org".into()]].concat();
    assert_eq!(all(&beside, &pack).unwrap().doubts, [Doubt::OtherCodes]);
}

#[test]
fn a_format_of_a_newer_version_is_skipped_and_named() {
    let mut newer = csv();
    newer.kind = testigo_wire::FormatKind(900);
    let text = "12;03;9;200;120;5;002;327";
    let only = pack(vec![newer.clone()]);
    assert_eq!(
        all(&[text], &only),
        Err(NotATally::Newer {
            format: "csv".into()
        })
    );
    assert!(all(&[text], &pack(vec![newer, csv()])).is_ok());
}

/// Changed at one place, a text that a hash or signature covers is never read.
fn never_read(codes: &[String], pack: &ElectionPack) -> usize {
    let mut tried = 0;
    for n in 0..codes.len() {
        for at in 0..codes[n].len() {
            for byte in (0x20..0x7f).chain([0, b'\n', 0xff]) {
                let mut changed: Vec<Vec<u8>> =
                    codes.iter().map(|c| c.clone().into_bytes()).collect();
                if std::mem::replace(&mut changed[n][at], byte) == byte {
                    continue;
                }
                assert!(all(&changed, pack).is_err(), "{n} {at} {byte}");
                tried += 1;
            }
        }
    }
    tried
}

#[test]
fn every_change_of_a_character_is_refused() {
    let tried = never_read(&[signed_json("N", 12, 130, 4)], &pack(vec![json()]));
    assert!(tried > 20_000);
    // The heading's version is not under the hash, and one code alone has none to compare it with.
    let mut codes = in_codes(&["T:N.7 A:1", "B:2 SUM:3"]);
    let tried = never_read(&codes, &pack(vec![chained()]));
    assert!(tried > 20_000);
    codes.truncate(1);
    assert!(all(&codes, &every()).is_err());
}

proptest! {
    #[test]
    fn a_tally_is_written_and_read_back(
        a in 0u32..250, b in 0u32..250, blank in 0u32..50, null in 0u32..50, centre in 0u32..99_999,
    ) {
        let slot = |name: &str, votes| SlotVotes { name: Some(name.into()), votes };
        let fields = |fields: &[(&str, String)]| {
            fields.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect::<Vec<_>>()
        };
        let mut no_checks = csv();
        no_checks.declaration.as_mut().unwrap().checks.clear();
        let mut pairs = chained();
        pairs.declaration.as_mut().unwrap().codes = None;
        let mut plain = json();
        plain.declaration.as_mut().unwrap().checks.clear();
        for (format, kept, table, contest) in [
            (
                no_checks,
                fields(&[("centre", centre.to_string()), ("table", "07".into()), ("digit", "0".into())]),
                format!("{centre:05}-07"),
                Contest { blank: Some(blank), null: Some(null), total: Some(a + b + blank + null), ..Contest::default() },
            ),
            (
                pairs,
                fields(&[("T", format!("N.{centre}"))]),
                format!("N.{centre}"),
                Contest { total: Some(a + b), ..Contest::default() },
            ),
            (
                plain,
                fields(&[("v", "1".into()), ("at.centre", "N".into()), ("at.table", centre.to_string())]),
                format!("N.{centre}"),
                Contest { null: Some(null), ..Contest::default() },
            ),
        ] {
            let tally = Tally {
                format: format.name.clone(),
                table: TableId::new(&table).unwrap(),
                contests: vec![Contest { slots: vec![slot("A", a), slot("B", b)], choices: 1, ..contest }],
                counted: Some(0),
                candidates: vec![],
                fields: kept,
                vouch: Vouch::PLAIN_CODE,
                doubts: vec![],
            };
            let text = write(&tally, &format).unwrap();
            let mut back = all(&[&text], &pack(vec![format])).unwrap();
            prop_assert_eq!(folded(&back), [u64::from(a), u64::from(b)]);
            back.candidates.clear();
            back.doubts.retain(|doubt| !matches!(doubt, Doubt::TableUnknown(_)));
            prop_assert_eq!(back, tally, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = all(&[bytes], &every());
    }

    #[test]
    fn no_text_of_its_letters_makes_it_panic(text in "[T0-9/ :#;{}\",\\[\\]a-c.]{0,60}") {
        let _ = all(&[&text, "T1 1/2 A:1 #0"], &every());
    }
}
