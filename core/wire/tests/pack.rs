//! Packs with areas, centres, a catalogue and languages: their bytes, their size, and what keeps one from being read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use std::collections::HashSet;
use std::sync::Arc;
use testigo_wire::catalogue::{Choice, Phase, Severity};
use testigo_wire::{
    Area, Candidate, Centre, Code, DetailField, DetailKind, ElectionId, ElectionPack, Entry,
    Language, PollingTable, SigningKey, Slot, TableId, Texts, WireError, cbor,
};

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

fn levels() -> Vec<Texts> {
    vec![
        Texts::new("Estado", "State", "Estado"),
        Texts::new("Municipio", "Municipality", "Município"),
        Texts::new("Parroquia", "Parish", "Paróquia"),
    ]
}

fn centre(code: &str, name: &str, areas: &[&str]) -> Arc<Centre> {
    Arc::new(Centre {
        code: code.into(),
        name: name.into(),
        address: format!("Calle {code}"),
        area: Area::nested(areas.iter().copied()),
    })
}

fn table(id: &str, registered: u32, centre: &Arc<Centre>) -> PollingTable {
    PollingTable {
        id: TableId::new(id).unwrap(),
        registered,
        centre: centre.clone(),
    }
}

fn entry(code: u16) -> Entry {
    Entry {
        code: Code(code),
        phase: Phase::Voting,
        severity: Severity::High,
        label: Texts::new("apagón", "blackout", "apagão"),
        advice: Texts::new("Anote la hora.", "Note the time.", "Anote a hora."),
        fields: vec![
            DetailField {
                name: "voters".into(),
                kind: DetailKind::Number,
                required: true,
                label: Texts::new("electores", "voters", "eleitores"),
                choices: vec![],
            },
            DetailField {
                name: "extent".into(),
                kind: DetailKind::Choice,
                required: false,
                label: Texts::new("alcance", "extent", "alcance"),
                choices: vec![Choice {
                    value: "street".into(),
                    label: Texts::new("la calle", "the street", "a rua"),
                }],
            },
        ],
        no_photo: true,
    }
}

fn pack() -> ElectionPack {
    let school = centre("0101", "Escuela Uno", &["Miranda", "Sucre", "Petare"]);
    let college = centre("0102", "Liceo Dos", &["Miranda", "Chacao", "Chacao"]);
    let embassy = centre("9901", "Embajada", &["Exterior"]);
    ElectionPack {
        date: "2026-12-06".into(),
        time_zone: "America/Caracas".into(),
        utc_offset: Some(-240),
        languages: vec!["pt-BR".into(), "es".into()],
        candidates: vec![Candidate {
            code: "A".into(),
            name: "Ana".into(),
        }],
        slots: vec![Slot {
            party: "P".into(),
            candidate: "A".into(),
        }],
        levels: levels(),
        tables: vec![
            table("0101.01", 500, &school),
            table("0101.02", 499, &school),
            table("0102.01", 12, &college),
            table("9901.1", 70_000, &embassy),
        ],
        entries: vec![entry(60)],
        ..ElectionPack::new(ElectionId([4; 8]), "Ejemplo")
    }
}

#[test]
fn a_pack_with_places_and_a_catalogue_comes_back_as_it_went() {
    let pack = pack();
    let bytes = pack.sign(&key(1)).unwrap();
    let back = ElectionPack::verify(&bytes, &key(1).verifying_key()).unwrap();
    assert_eq!(back, pack);
    assert_eq!(back.language(), Some(Language::Pt));
    let known = back.table(&TableId::new("0101.02").unwrap()).unwrap();
    assert_eq!(known.place(), "Miranda, Sucre, Petare, Escuela Uno");
    assert!(Arc::ptr_eq(&known.centre, &back.tables[0].centre));
    assert_eq!(back.catalogue().label(Code(60), Language::Pt), "apagão");
    // The places are deflated; what is in them is told apart from the rest.
    let text = minicbor::display(&cbor::to_vec(&pack)).to_string();
    let (from, to) = (text.find("10: h'").unwrap(), text.find(", 11: ").unwrap());
    let hex = text[from + 6..to - 1].replace(' ', "");
    let deflated: Vec<u8> = (0..hex.len() / 2)
        .map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let places = miniz_oxide::inflate::decompress_to_vec(&deflated).unwrap();
    let rest = format!("{}10: (places){}", &text[..from], &text[to..]);
    insta::assert_snapshot!(format!("{rest}\n\nplaces: {}", minicbor::display(&places)));
}

/// Names of a length as real ones have it, by a generator that repeats itself only after 2^32.
struct Names(u32);

impl Names {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % below
    }

    /// A word of three to five syllables, out of some millions.
    fn word(&mut self) -> String {
        const SYLLABLES: [&str; 40] = [
            "BA", "CA", "DO", "FE", "GUA", "JI", "LA", "MA", "NA", "ÑO", "PA", "QUI", "RA", "SA",
            "TA", "VE", "YA", "ZU", "BRI", "CRU", "DRO", "FLO", "GRE", "LLA", "PRE", "TRI", "CHA",
            "RI", "LO", "ME", "NI", "PO", "RO", "SI", "TO", "VI", "CO", "DE", "LU", "MO",
        ];
        let syllables = 3 + self.next(3);
        (0..syllables).map(|_| SYLLABLES[self.next(40)]).collect()
    }

    fn centre(&mut self) -> String {
        const KINDS: [&str; 12] = [
            "ESCUELA BÁSICA NACIONAL",
            "UNIDAD EDUCATIVA",
            "UNIDAD EDUCATIVA NACIONAL",
            "LICEO BOLIVARIANO",
            "PREESCOLAR",
            "CENTRO DE EDUCACIÓN INICIAL",
            "ESCUELA TÉCNICA INDUSTRIAL",
            "COLEGIO",
            "CASA COMUNAL",
            "AMBULATORIO RURAL",
            "CANCHA TECHADA",
            "ESCUELA CONCENTRADA",
        ];
        let (kind, first, second) = (KINDS[self.next(12)], self.word(), self.word());
        format!("{kind} {first} {second}")
    }

    fn address(&mut self) -> String {
        const KINDS: [&str; 6] = [
            "CALLE",
            "AVENIDA",
            "SECTOR",
            "CASERÍO",
            "URBANIZACIÓN",
            "BARRIO",
        ];
        let (a, b) = (KINDS[self.next(6)], KINDS[self.next(6)]);
        let (street, other, number) = (self.word(), self.word(), self.next(200));
        format!("{a} {street} CON {b} {other} N° {number}")
    }
}

/// As many tables in as many centres, parishes, municipalities and states as Venezuela had in 2024, nearly.
fn country() -> ElectionPack {
    let mut names = Names(7);
    let mut tables = Vec::new();
    let (mut centre_of_country, mut parishes) = (0, 0);
    for _ in 0..24 {
        let state = format!("EDO. {}", names.word());
        for _ in 0..12 {
            let municipality = format!("MP. {}", names.word());
            for _ in 0..3 + parishes % 2 {
                let parish = format!("PQ. {} {}", names.word(), names.word());
                parishes += 1;
                for _ in 0..13 + parishes % 2 {
                    centre_of_country += 1;
                    let code = format!("{:09}", 10_101_001 + 13 * centre_of_country);
                    let centre = Arc::new(Centre {
                        name: names.centre(),
                        address: names.address(),
                        area: Area::nested([state.as_str(), &municipality, &parish]),
                        code,
                    });
                    for n in 1..=1 + centre_of_country % 3 {
                        let registered = 150 + names.next(700) as u32;
                        tables.push(table(
                            &format!("{}.{n:02}", centre.code),
                            registered,
                            &centre,
                        ));
                    }
                }
            }
        }
    }
    ElectionPack {
        levels: levels(),
        tables,
        utc_offset: Some(-240),
        entries: vec![entry(60)],
        ..ElectionPack::new(ElectionId([4; 8]), "Ejemplo")
    }
}

#[test]
fn thirty_thousand_tables_with_centres_and_addresses_fit_into_a_mebibyte() {
    let pack = country();
    assert!(pack.tables.len() >= 30_000, "{}", pack.tables.len());
    let bytes = pack.sign(&key(1)).unwrap();
    let centres: HashSet<&Centre> = pack.tables.iter().map(|table| &*table.centre).collect();
    let names: usize = (centres.iter())
        .map(|centre| centre.name.len() + centre.address.len())
        .sum();
    println!(
        "{} tables in {} centres with {names} bytes of names and addresses: {} bytes",
        pack.tables.len(),
        centres.len(),
        bytes.len()
    );
    assert!(bytes.len() <= 1 << 20, "{}", bytes.len());
    let back = ElectionPack::verify(&bytes, &key(1).verifying_key()).unwrap();
    assert_eq!(back, pack);
    for table in back.tables.iter().step_by(997) {
        assert_eq!(back.table(&table.id), Some(table));
    }
}

#[test]
fn a_pack_that_contradicts_itself_is_neither_signed_nor_read() {
    let changed = |change: fn(&mut ElectionPack)| {
        let mut pack = pack();
        change(&mut pack);
        pack.sign(&key(1))
    };
    assert!(changed(|_| {}).is_ok());
    for change in [
        (|p| p.tables.swap(0, 1)) as fn(&mut ElectionPack),
        |p| p.levels.truncate(2),
        |p| p.levels.clear(),
        |p| p.levels = vec![Texts::default(); 7],
        |p| p.utc_offset = Some(900),
        |p| p.languages = vec!["es".into(); 17],
        |p| p.entries = vec![entry(61), entry(60)],
        |p| p.entries = vec![entry(60), entry(60)],
        |p| p.entries[0].label = Texts::default(),
        |p| p.entries[0].advice.en = "x".repeat(301),
        |p| p.entries[0].fields[0].name = "Voters".into(),
        |p| p.entries[0].fields[1].name = "voters".into(),
        |p| p.entries[0].fields[1].choices.clear(),
        |p| p.entries[0].fields[0].choices = p.entries[0].fields[1].choices.clone(),
        |p| p.entries[0].fields = vec![p.entries[0].fields[0].clone(); 17],
    ] {
        assert!(matches!(changed(change), Err(WireError::Malformed { .. })));
    }
}

#[test]
fn a_deflate_bomb_and_areas_within_none_are_refused() {
    let with_places = |places: Vec<u8>| {
        let mut bytes = cbor::to_vec(&ElectionPack::new(ElectionId([4; 8]), "x"));
        // One more entry of the map, behind the last.
        assert_eq!(bytes[0], 0xa8);
        bytes[0] = 0xa9;
        bytes.push(10);
        bytes.extend(cbor::to_vec(&minicbor::bytes::ByteVec::from(places)));
        cbor::from_slice::<ElectionPack>("pack", &bytes, 1 << 22)
    };
    let deflated = |bytes: &[u8]| miniz_oxide::deflate::compress_to_vec(bytes, 6);
    let places = |areas: &[(u8, &str)], area: u32| {
        let centre = ("1", "n", "a", area, "1.", vec![("1", 5u32)]);
        let levels = vec![("a", "b", "c"); 2];
        deflated(&minicbor::to_vec((levels, areas, vec![centre])).unwrap())
    };
    assert_eq!(
        with_places(places(&[(0, "S"), (1, "M")], 2))
            .unwrap()
            .tables
            .len(),
        1
    );
    assert!(with_places(places(&[(1, "M")], 1)).is_err());
    assert!(with_places(places(&[(0, "S"), (1, "M"), (2, "P")], 1)).is_err());
    assert!(with_places(places(&[(0, "S")], 2)).is_err());
    assert!(with_places(deflated(&vec![0; 64 << 20])).is_err());
    assert!(with_places(b"\xff\xff".to_vec()).is_err());
}

#[test]
fn practice_has_identities_of_its_own() {
    for _ in 0..1000 {
        assert!(!ElectionId::draw().unwrap().is_practice());
        assert!(ElectionId::draw_practice().unwrap().is_practice());
    }
    assert_ne!(
        ElectionId::draw_practice().unwrap(),
        ElectionId::draw_practice().unwrap()
    );
}
