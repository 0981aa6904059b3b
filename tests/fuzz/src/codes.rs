//! Texts of QR codes and what people type.

use crate::objects::key;
use std::sync::OnceLock;
use testigo_hq::{PackSource, PaperReader};
use testigo_tally::bulletins::Share;
use testigo_wire::{
    Check, CheckKind, Codes, Cut, Declaration, ElectionId, ElectionPack, Field, Format, Invitation,
    Language, NamedKey, Pseudonym, Series, Sum, TableId, Template, Time, cbor,
};

fn pack() -> &'static ElectionPack {
    static PACK: OnceLock<ElectionPack> = OnceLock::new();
    PACK.get_or_init(|| {
        let source = PackSource::venezuela_2024().expect("the pack that is built in");
        source.into_pack(ElectionId([4; 8]))
    })
}

/// Enrolment codes, series of a bundle's codes, identifiers, names, times.
pub fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Invitation::from_text(&text);
    let _ = TableId::new(&text);
    let _ = Pseudonym::new(&text);
    let _ = Time::from_rfc3339(&text);
    let _ = Share::from_percent(&text);
    let mut series = Series::default();
    let mut papers = PaperReader::default();
    for line in text.lines() {
        let _ = papers.line(line);
    }
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = series.add(line);
    }
    let _ = (series.missing(), series.finish());
}

/// The texts of a sheet's codes, one a line, by all formats that are built in and some that are declared.
pub fn tally(bytes: &[u8]) {
    let texts: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for pack in [None, Some(pack()), Some(declaring())] {
        read(&texts, pack);
    }
}

/// A pack that somebody made, and behind its CBOR the texts of a sheet: a declaration is outside bytes as well.
pub fn formats(bytes: &[u8]) {
    let Ok((pack, texts)) = cbor::first("pack", bytes, 1 << 16) else {
        return;
    };
    let Ok(pack) = cbor::from_slice::<ElectionPack>("pack", pack, 1 << 16) else {
        return;
    };
    let texts: Vec<&[u8]> = texts.split(|byte| *byte == b'\n').collect();
    // A pack whose formats do not pass is never opened.
    if pack.formats.iter().all(|format| format.check().is_ok()) {
        read(&texts, Some(&pack));
    }
}

fn read(texts: &[&[u8]], pack: Option<&ElectionPack>) {
    match testigo_tally::read(texts, pack) {
        Ok(tally) => {
            let _: Vec<_> = tally
                .doubts
                .iter()
                .map(|d| d.sentence(Language::Es))
                .collect();
            for format in pack.iter().flat_map(|pack| &pack.formats) {
                let _ = testigo_tally::write(&tally, format);
            }
        }
        Err(error) => drop(error.sentence(Language::En)),
    }
}

/// One format of each cut, with every kind of check, and Brazil's.
pub fn declaring() -> &'static ElectionPack {
    static PACK: OnceLock<ElectionPack> = OnceLock::new();
    PACK.get_or_init(|| {
        let (mut pack, key) = (pack().clone(), key().verifying_key());
        let template = |text: &str| Template::new(text).expect("a template");
        let check = |kind, over: &str, field: &str| Check {
            kind,
            over: template(over),
            field: field.into(),
            key: None,
        };
        let list = Field {
            name: "votes".into(),
            list: Some(",".into()),
            pair: Some(":".into()),
            ..Field::default()
        };
        let declared = |name: &str, cut, checks, codes| {
            let declaration = Declaration {
                cut,
                table: template("{table}"),
                votes: vec!["votes".into()],
                blank: Some("blank".into()),
                null: None,
                total: Some("total".into()),
                fields: vec![list.clone()],
                checks,
                sums: vec![Sum {
                    of: vec!["votes".into(), "blank".into()],
                    is: "total".into(),
                }],
                codes,
            };
            Format {
                keys: vec![NamedKey {
                    name: String::new(),
                    key,
                }],
                ..Format::declared(name, declaration)
            }
        };
        pack.formats = vec![
            declared(
                "csv",
                Cut::Template(template("{table};{digit};{votes};{blank};{total};{x}")),
                vec![
                    check(CheckKind::Luhn, "{table}", "digit"),
                    check(CheckKind::Mod11, "{table}{digit}", "x"),
                ],
                None,
            ),
            declared(
                "json",
                Cut::Json,
                vec![
                    check(CheckKind::Sha256, "{table}|{votes}", "hash"),
                    check(CheckKind::Ed25519, "{hash}", "signature"),
                ],
                None,
            ),
            declared(
                "codes",
                Cut::Pairs {
                    between: " ".into(),
                    of: "=".into(),
                },
                vec![],
                Some(Codes {
                    text: template("P{part}/{parts} {data} #{hash}"),
                    join: " ".into(),
                    hash: Some(CheckKind::Sha512),
                }),
            ),
            Format {
                keys: vec![NamedKey {
                    name: "PE".into(),
                    key,
                }],
                ..Format::boletim_de_urna()
            },
        ];
        pack
    })
}
