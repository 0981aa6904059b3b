//! Election packs with places and a catalogue, and the files that they are made of.

use testigo_hq::PackSource;
use testigo_wire::catalogue::{Phase, Severity};
use testigo_wire::{
    Area, Centre, Code, DetailField, DetailKind, ElectionId, ElectionPack, Entry, Language,
    PollingTable, TableId, Texts, cbor,
};

/// What stands between files.
const BETWEEN: u8 = 0;
const FILES: [&str; 7] = [
    "areas.csv",
    "centres.csv",
    "tables.csv",
    "candidates.csv",
    "slots.csv",
    "catalogue.csv",
    "fields.csv",
];

/// A pack, or, behind a byte 0, places that are deflated for it: a damaged stream hides all that is in it.
pub fn packs(bytes: &[u8]) {
    let pack = match bytes.split_first() {
        Some((0, places)) => {
            let deflated = miniz_oxide::deflate::compress_to_vec(places, 1);
            let mut pack = cbor::to_vec(&ElectionPack::new(ElectionId([4; 8]), "x"));
            // One more entry of the map, behind the last.
            if let Some(first) = pack.first_mut() {
                *first += 1;
            }
            pack.push(10);
            pack.extend(cbor::to_vec(&minicbor::bytes::ByteVec::from(deflated)));
            cbor::from_slice::<ElectionPack>("pack", &pack, 1 << 17)
        }
        _ => cbor::from_slice("pack", bytes, 1 << 17),
    };
    let Ok(pack) = pack else { return };
    for table in &pack.tables {
        let _ = (table.place(), pack.table(&table.id));
    }
    if pack.entries.iter().all(|entry| entry.check().is_ok()) {
        let catalogue = pack.catalogue();
        for entry in &pack.entries {
            let _ = catalogue.label(entry.code, Language::Pt);
            for field in &entry.fields {
                let _ = (field.accepts("212"), field.shown("212", Language::En));
            }
        }
    }
    // What was read is written, and read again as the same.
    let again = cbor::to_vec(&pack);
    let again: Result<ElectionPack, _> = cbor::from_slice("pack", &again, 1 << 23);
    let sorted = pack.tables.is_sorted_by(|a, b| a.id < b.id);
    let deep = pack
        .tables
        .iter()
        .any(|table| table.areas().len() > pack.levels.len());
    if sorted && !deep && !pack.levels.is_empty() {
        assert_eq!(again.unwrap(), pack);
    }
}

/// `pack.toml` and, each behind a byte 0, the CSV files.
pub fn elections(bytes: &[u8]) {
    let mut files = bytes.split(|byte| *byte == BETWEEN);
    let toml = files.next().unwrap_or_default();
    let beside: Vec<&[u8]> = files.collect();
    let found = PackSource::from_bytes(toml, |name| {
        let at = FILES.iter().position(|file| *file == name)?;
        beside.get(at).map(|file| file.to_vec())
    });
    match found {
        // Whatever was accepted without a fault is a pack.
        Ok(source) => {
            let _ = cbor::to_vec(&source.into_pack(ElectionId([4; 8])));
        }
        Err(error) => {
            assert!(!error.faults().is_empty());
            let _ = (error.sentence(Language::Es), error.to_string());
        }
    }
}

/// A small pack of every kind of part, and its places as they are before they are deflated.
pub(crate) fn pack_seeds() -> Vec<Vec<u8>> {
    let centre = std::sync::Arc::new(Centre {
        code: "01".into(),
        name: "Escuela".into(),
        address: "Calle 1".into(),
        area: Area::nested(["Norte", "Puerto"]),
    });
    let table = |id: &str| PollingTable {
        id: TableId::new(id).unwrap(),
        registered: 500,
        centre: centre.clone(),
    };
    let pack = ElectionPack {
        levels: vec![Texts::new("a", "b", "c"); 2],
        tables: vec![table("01.1"), table("01.2")],
        languages: vec!["es".into()],
        utc_offset: Some(-240),
        entries: vec![Entry {
            code: Code(60),
            phase: Phase::Voting,
            severity: Severity::High,
            label: Texts::new("a", "b", "c"),
            advice: Texts::default(),
            fields: vec![DetailField {
                name: "voters".into(),
                kind: DetailKind::Number,
                required: true,
                label: Texts::new("a", "b", "c"),
                choices: vec![],
            }],
            no_photo: true,
        }],
        ..ElectionPack::new(ElectionId([4; 8]), "Ejemplo")
    };
    let levels = [("a", "b", "c"); 2];
    let areas = [(0u8, "Norte"), (1, "Puerto"), (0, "Sur")];
    let centres = [(
        "01",
        "Escuela",
        "Calle 1",
        2u32,
        "01.",
        [("1", 500u32), ("2", 400)],
    )];
    let places = minicbor::to_vec((levels, areas, centres)).unwrap();
    vec![cbor::to_vec(&pack), [&[0][..], &places].concat()]
}

/// The example election's files, and one in which all stands in `pack.toml`.
pub(crate) fn election_seeds() -> Vec<Vec<u8>> {
    macro_rules! example {
        ($($name:literal)*) => {
            [$(&include_bytes!(concat!("../../../docs/example-election/", $name))[..]),*]
        };
    }
    let files = example!("pack.toml" "areas.csv" "centres.csv" "tables.csv" "candidates.csv" "slots.csv" "catalogue.csv" "fields.csv");
    let inline = "name = 'x'\ndate = 2026-12-06\ntime_zone = '-04:00'\n\
        candidate = [{ code = 'A', name = 'Ana' }]\nslot = [{ slot = 1, party = 'P', candidate = 'A' }]\n\
        level = [{ es = 'E' }]\narea = [{ area = '1', name = 'N' }]\n\
        centre = [{ centre = '7', name = 'S', area = '1' }]\n\
        table = [{ table = '7.1', centre = '7', registered = 10 }]\n";
    vec![files.join(&BETWEEN), inline.as_bytes().to_vec()]
}
