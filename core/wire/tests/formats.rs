//! Formats in a pack: a snapshot of their bytes, and faults that keep a pack from being signed or read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use testigo_wire::*;

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn template(text: &str) -> Template {
    Template::new(text).unwrap()
}

fn pack(formats: Vec<Format>) -> ElectionPack {
    ElectionPack {
        date: "2024-07-28".into(),
        time_zone: "UTC".into(),
        formats,
        ..ElectionPack::new(ElectionId([4; 8]), "Ejemplo")
    }
}

/// A format that uses each part of a declaration.
fn declared() -> Format {
    Format::declared(
        "declared",
        Declaration {
            cut: Cut::Template(template(
                "{table};{votes};{blank};{null};{sum};{hash};{sig}",
            )),
            table: template("{table}"),
            votes: vec!["votes".into()],
            blank: Some("blank".into()),
            null: Some("null".into()),
            total: Some("sum".into()),
            fields: vec![
                Field {
                    name: "table".into(),
                    digits: Some(5),
                    pad: true,
                    expect: Some("00001".into()),
                    ..Field::default()
                },
                Field {
                    name: "votes".into(),
                    list: Some(",".into()),
                    pair: Some(":".into()),
                    count: Some(2),
                    max: Some(900),
                    ..Field::default()
                },
            ],
            checks: vec![
                Check {
                    kind: CheckKind::Sha512,
                    over: template("{table}"),
                    field: "hash".into(),
                    key: None,
                },
                Check {
                    kind: CheckKind::Ed25519,
                    over: template("{hash}"),
                    field: "sig".into(),
                    key: Some(template("{table}")),
                },
            ],
            sums: vec![Sum {
                of: vec!["votes".into()],
                is: "sum".into(),
            }],
            codes: Some(Codes {
                text: template("{part}/{parts} {data}#{hash}"),
                join: " ".into(),
                hash: Some(CheckKind::Sha256),
            }),
        },
    )
}

fn cut_by(cut: Cut) -> Format {
    let mut format = declared();
    let declaration = format.declaration.as_mut().unwrap();
    declaration.cut = cut;
    declaration.fields.clear();
    declaration.checks.clear();
    declaration.sums.clear();
    declaration.codes = None;
    format
}

#[test]
fn a_pack_with_formats_comes_back_as_it_went() {
    let pack = pack(vec![
        Format::venezuela_2024().unwrap(),
        declared(),
        cut_by(Cut::Json),
        cut_by(Cut::Pairs {
            between: " ".into(),
            of: ":".into(),
        }),
        Format {
            office: Some("11".into()),
            keys: vec![NamedKey {
                name: "PE".into(),
                key: key(2).verifying_key(),
            }],
            ..Format::boletim_de_urna()
        },
        Format {
            kind: FormatKind(900),
            ..Format::boletim_de_urna()
        },
    ]);
    let bytes = pack.sign(&key(1)).unwrap();
    let back = ElectionPack::verify(&bytes, &key(1).verifying_key()).unwrap();
    assert_eq!(back, pack);
    insta::assert_snapshot!(minicbor::display(&cbor::to_vec(&pack)));
}

#[test]
fn a_pack_without_formats_is_the_same_bytes_as_before_there_were_any() {
    let bytes = cbor::to_vec(&pack(vec![]));
    assert_eq!(bytes[0], 0xa8, "a map of eight keys");
}

#[test]
fn a_fault_is_named_by_its_place_and_such_a_pack_is_neither_signed_nor_read() {
    type Change = fn(&mut Declaration);
    let faults: [(&str, Change); 21] = [
        ("text: \"table\" is there twice", |d| {
            d.cut = Cut::Template(template("{table};{table}"));
        }),
        ("text: nothing says where \"a\" ends", |d| {
            d.cut = Cut::Template(template("{a}{b}"));
        }),
        ("pairs: it is empty", |d| {
            d.cut = Cut::Pairs {
                between: String::new(),
                of: ":".into(),
            };
        }),
        ("table: the text has no field \"x\"", |d| {
            d.table = template("{x}")
        }),
        ("votes: it is empty", |d| d.votes.clear()),
        ("votes: \"null\" is there twice", |d| {
            d.votes.push("null".into())
        }),
        ("votes: it has no meaning there", |d| {
            d.votes.push("table".into())
        }),
        ("votes: the text has no field \"x\"", |d| {
            d.null = Some("x".into())
        }),
        ("votes: it is too much", |d| {
            d.votes = vec![String::new(); 300]
        }),
        ("field \"table\": digits: it is too much", |d| {
            d.fields[0].digits = Some(65)
        }),
        ("field \"table\": pad: it needs \"digits\"", |d| {
            d.fields[0].digits = None
        }),
        ("field \"votes\": list: it is empty", |d| {
            d.fields[1].list = Some(String::new())
        }),
        ("field \"votes\": pair, count: it needs \"list\"", |d| {
            d.fields[1].list = None
        }),
        ("field \"votes\": count: it is too much", |d| {
            d.fields[1].count = Some(513)
        }),
        ("field: \"a b\" is no name", |d| {
            d.fields[0].name = "a b".into()
        }),
        ("field: \"votes\" is there twice", |d| {
            d.fields[0].name = "votes".into()
        }),
        ("check 1: over: it has no meaning there", |d| {
            d.checks[0].over = template("{hash}")
        }),
        ("check 1: key: it has no meaning there", |d| {
            d.checks[0].key = Some(template("{table}"));
        }),
        ("sum 1: the text has no field \"x\"", |d| {
            d.sums[0].of.push("x".into())
        }),
        ("codes: text: it needs \"data\"", |d| {
            d.codes.as_mut().unwrap().text = template("{part}/{parts} {x}");
        }),
        ("codes: text: it needs \"{data}...{hash}\"", |d| {
            d.codes.as_mut().unwrap().text = template("{hash} {part}/{parts} {data}");
        }),
    ];
    for (says, change) in faults {
        let mut format = declared();
        change(format.declaration.as_mut().unwrap());
        let fault = format.check().unwrap_err();
        assert!(fault.to_string().starts_with(says), "{fault}, not {says}");
        assert_ne!(
            fault.mistake.sentence(Language::Es),
            fault.mistake.sentence(Language::En)
        );
        assert!(pack(vec![format]).sign(&key(1)).is_err());
    }
    assert!(pack(vec![declared(); 17]).sign(&key(1)).is_err());
    let mut nothing = declared();
    nothing.declaration = None;
    assert!(nothing.check().is_err());
    let mut both = Format::boletim_de_urna();
    both.declaration = declared().declaration;
    assert!(both.check().is_err());
    let twice = NamedKey {
        name: "PE".into(),
        key: key(2).verifying_key(),
    };
    both = Format::boletim_de_urna();
    both.keys = vec![twice.clone(), twice];
    assert!(both.check().is_err());
}
