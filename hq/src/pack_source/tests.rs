#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use super::*;
use std::collections::BTreeMap;
use std::path::Path;
use testigo_wire::catalogue::Severity;
use testigo_wire::{Code, DetailKind, Language, TableId};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/example-election");
const NAMES: [&str; 8] = [
    "pack.toml",
    "areas.csv",
    "centres.csv",
    "tables.csv",
    "candidates.csv",
    "slots.csv",
    "catalogue.csv",
    "fields.csv",
];

type Files = BTreeMap<&'static str, Vec<u8>>;

/// The example's files, to be changed.
fn example() -> Files {
    let read = |name| (name, std::fs::read(Path::new(EXAMPLE).join(name)).unwrap());
    NAMES.map(read).into_iter().collect()
}

fn parse(files: &Files) -> Result<PackSource, PackSourceError> {
    PackSource::from_bytes(&files["pack.toml"], |name| files.get(name).cloned())
}

/// The example with a text of a file in another form.
fn changed(file: &'static str, from: &str, to: &str) -> Files {
    let mut files = example();
    let text = String::from_utf8(files[file].clone()).unwrap();
    assert!(text.contains(from), "{file}: {from}");
    files.insert(file, text.replacen(from, to, 1).into_bytes());
    files
}

fn faults(files: &Files) -> Vec<String> {
    let Err(error) = parse(files) else {
        panic!("accepted");
    };
    let sentences = |language| -> Vec<String> {
        (error.faults().iter())
            .map(|fault| fault.sentence(language))
            .collect()
    };
    assert_eq!(sentences(Language::Es).len(), sentences(Language::En).len());
    sentences(Language::En)
}

#[test]
fn venezuela_has_ten_candidates_38_slots_and_the_tables_of_known_sheets() {
    let pack = PackSource::venezuela_2024()
        .unwrap()
        .into_pack(ElectionId([1; 8]));
    assert_eq!(pack.candidates.len(), 10);
    assert_eq!(pack.slots.len(), 38);
    assert_eq!(pack.tables.len(), 12);
    for (table, registered) in [
        ("201301006.01", 535),
        ("110601011.04", 903),
        ("150702005.02", 710),
    ] {
        let table = pack.table(&TableId::new(table).unwrap()).unwrap();
        assert_eq!(table.registered, registered);
        assert_eq!(table.areas().len(), 3);
    }
}

#[test]
fn the_example_election_has_all_that_its_files_say() {
    let source = PackSource::from_file(&Path::new(EXAMPLE).join("pack.toml")).unwrap();
    assert_eq!(source, parse(&example()).unwrap());
    let pack = source.into_pack(ElectionId([1; 8]));
    assert_eq!(
        (pack.date.as_str(), pack.utc_offset),
        ("2026-12-06", Some(-240))
    );
    assert_eq!(pack.language(), Some(Language::Es));
    assert_eq!(pack.levels[2].pick(Language::Pt), "Paróquia");
    assert_eq!(pack.tables.len(), 7);
    let table = pack.table(&TableId::new("01001.02").unwrap()).unwrap();
    assert_eq!(
        table.place(),
        "Estado Norte, Municipio del Río, Parroquia Puerto, Escuela Básica Puerto Viejo"
    );
    assert_eq!(table.centre.address, "Calle del Muelle, frente a la plaza");
    let catalogue = pack.catalogue();
    // What is empty in the file stays as it is built in.
    let power = catalogue.entry(Code(21)).unwrap();
    assert_eq!(power.severity, Severity::High);
    assert_eq!(power.label(Language::Es), "corte de luz");
    assert!(power.advice(Language::Es).contains("generador"));
    let river = catalogue.entry(Code(60)).unwrap();
    let depth = river.field("depth").unwrap();
    assert_eq!(depth.kind, DetailKind::Choice);
    assert_eq!(depth.shown("knee", Language::Pt), "ao joelho");
    assert!(river.field("waiting").unwrap().required);
    assert_eq!(pack.formats.len(), 1);
    // It is a pack that a root signs.
    let root = testigo_wire::SigningKey::from_seed(&[1; 32]);
    pack.sign(&root).unwrap();
}

#[test]
fn the_same_can_stand_in_pack_toml_itself() {
    let toml = "name = 'x'\ndate = 2026-12-06\ntime_zone = '-04:00'\nslots = 's.csv'\n\
        candidate = [{ code = 'A', name = 'Ana' }]\n\
        level = [{ es = 'Estado' }]\n\
        area = [{ area = '1', name = 'Norte' }]\n\
        centre = [{ centre = '7', name = 'Escuela', area = '1' }]\n\
        table = [{ table = '7.1', centre = '7', registered = 10 }]\n\
        irregularity = [{ code = 60, phase = 'count', severity = 'low', en = 'x', photo = false }]\n\
        field = [{ code = 60, field = 'n', kind = 'number', en = 'y', required = true }]\n";
    let parse = |toml: &str| {
        PackSource::from_bytes(toml.as_bytes(), |name| {
            (name == "s.csv").then(|| b"slot,party,candidate\n1,P,A\n".to_vec())
        })
    };
    let pack = parse(toml).unwrap().into_pack(ElectionId([1; 8]));
    assert_eq!(pack.utc_offset, Some(-240));
    assert_eq!(pack.date, "2026-12-06");
    assert_eq!(pack.tables[0].place(), "Norte, Escuela");
    assert!(pack.entries[0].no_photo && pack.entries[0].fields[0].required);
    let error = parse(&toml.replace("registered = 10", "registered = '10'")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pack.toml, line 9, column 54 (registered): it must be a whole number"
    );
}

#[test]
fn each_fault_is_named_by_file_line_and_column() {
    let mut wrong = Vec::new();
    for (file, from, to, says) in [
        (
            "pack.toml",
            "name = \"Ejemplo, ",
            "nombre = \"Ejemplo, ",
            "pack.toml, line 2, column 1 (nombre): there is no such key",
        ),
        (
            "pack.toml",
            "date = \"2026-12-06\"",
            "date = \"6/12\"",
            "pack.toml, line 3, column 8 (date): \"6/12\" is no day",
        ),
        (
            "pack.toml",
            "date = \"2026-12-06\"",
            "date = 7",
            "pack.toml, line 3, column 8 (date): it must be a text",
        ),
        (
            "pack.toml",
            "America/Caracas",
            "hora de Caracas",
            "line 4, column 13 (time_zone): \"hora de Caracas\" is no time zone",
        ),
        (
            "pack.toml",
            "-04:00",
            "-4",
            "line 5, column 14 (utc_offset): \"-4\" is no offset",
        ),
        (
            "pack.toml",
            "\"en\"]",
            "3]",
            "line 6, column 29 (languages): it must be a list of texts",
        ),
        (
            "pack.toml",
            "\"en\"]",
            "\"es\"]",
            "line 6, column 29 (languages): \"es\" is there twice",
        ),
        (
            "pack.toml",
            "tables = \"tables.csv\"",
            "tables = 5",
            "line 10, column 10 (tables): it must be a text",
        ),
        (
            "pack.toml",
            "\"tables.csv\"",
            "\"mesas.csv\"",
            "line 10, column 10 (tables): it cannot be read (mesas.csv: not found)",
        ),
        (
            "pack.toml",
            "[[level]]",
            "[[level",
            "pack.toml, line 16, column ",
        ),
        (
            "pack.toml",
            "count = 4",
            "cuenta = 4",
            "pack.toml, line 40, column 35 (format): ",
        ),
        (
            "pack.toml",
            "digits = 5",
            "digits = 0",
            "pack.toml, line 38, column 5: ",
        ),
        (
            "areas.csv",
            "area,name,within",
            "area,nombre,within",
            "areas.csv, line 1, column 2 (nombre): there is no such column",
        ),
        (
            "areas.csv",
            "area,name,within",
            "area,nombre,within",
            "areas.csv, line 1, column 4: \"name\" is missing",
        ),
        (
            "areas.csv",
            "N1,Municipio",
            "N,Municipio",
            "areas.csv, line 4, column 1 (area): \"N\" is there twice",
        ),
        (
            "areas.csv",
            "Valle,S\n",
            "Valle,X\n",
            "areas.csv, line 5, column 3 (within): no area has the code \"X\"",
        ),
        (
            "areas.csv",
            "S,Estado Sur,",
            "S,Estado Sur,S11",
            "area \"S11\" lies within itself",
        ),
        (
            "areas.csv",
            "S11,Parroquia Centro,S1",
            "S11,Parroquia Centro,N11",
            "line 8, column 3 (within): area \"S11\" is deeper",
        ),
        (
            "areas.csv",
            "Parroquia Sierra",
            "Parroquia Puerto",
            "line 7, column 2 (name): \"Parroquia Puerto\" is there twice",
        ),
        (
            "areas.csv",
            "Parroquia Sierra",
            "",
            "areas.csv, line 7, column 2 (name): it is empty",
        ),
        (
            "centres.csv",
            "14,N11",
            "14,N99",
            "centres.csv, line 3, column 4 (area): no area has the code \"N99\"",
        ),
        (
            "centres.csv",
            "01003,",
            "01002,",
            "centres.csv, line 4, column 1 (centre): \"01002\" is there twice",
        ),
        (
            "centres.csv",
            "\"Calle Real, n.º 3\"",
            "Calle Real, n.º 3",
            "centres.csv, line 5, column 5: 5 fields where the heading has 4",
        ),
        (
            "tables.csv",
            "01002.01,01002,634",
            "\n\n01002.01,01002,many",
            "tables.csv, line 6, column 3 (registered): \"many\" is no whole number",
        ),
        (
            "tables.csv",
            ",634",
            ",-634",
            "tables.csv, line 4, column 3 (registered): \"-634\" is no whole number",
        ),
        (
            "tables.csv",
            ",634",
            ",4294967296",
            "(registered): \"4294967296\" is no whole number",
        ),
        (
            "tables.csv",
            ",634",
            "",
            "tables.csv, line 4, column 3: 2 fields where the heading has 3",
        ),
        (
            "tables.csv",
            ",634",
            ",",
            "tables.csv, line 4, column 3 (registered): it is empty",
        ),
        (
            "tables.csv",
            "01002.01,",
            "01001.02,",
            "tables.csv, line 4, column 1 (table): \"01001.02\" is there twice",
        ),
        (
            "tables.csv",
            "01002.01,",
            "mesa 1,",
            "tables.csv, line 4, column 1 (table): \"mesa 1\" is no polling table",
        ),
        (
            "tables.csv",
            ",01002,",
            ",01009,",
            "tables.csv, line 4, column 2 (centre): no centre has the code \"01009\"",
        ),
        (
            "tables.csv",
            "centre,registered",
            "centre,centre",
            "tables.csv, line 1, column 3 (centre): the column is there twice",
        ),
        (
            "candidates.csv",
            "BL,",
            "Mesa,",
            "candidates.csv, line 3, column 1 (code): \"Mesa\" cannot be a candidate's code",
        ),
        (
            "candidates.csv",
            "BL,",
            "=BL(),",
            "candidates.csv, line 3, column 1 (code): \"=BL()\" cannot be",
        ),
        (
            "candidates.csv",
            "BL,",
            "AR,",
            "candidates.csv, line 3, column 1 (code): \"AR\" is there twice",
        ),
        (
            "slots.csv",
            "\n2,",
            "\n3,",
            "slots.csv, line 3, column 1 (slot): slot 3 where 2 is next",
        ),
        (
            "slots.csv",
            "Valle,BL",
            "Valle,XX",
            "slots.csv, line 3, column 3 (candidate): no candidate has the code \"XX\"",
        ),
        (
            "catalogue.csv",
            "60,voting,",
            "60,noon,",
            "catalogue.csv, line 3, column 2 (phase): \"noon\" is none of: opening, voting",
        ),
        (
            "catalogue.csv",
            "60,voting,high",
            "60,,",
            "catalogue.csv, line 3, column 2 (phase): it is empty",
        ),
        (
            "catalogue.csv",
            "60,voting",
            "70000,voting",
            "catalogue.csv, line 3, column 1 (code): \"70000\" is none of: 0 to 65535",
        ),
        (
            "catalogue.csv",
            "esperam.,yes",
            "esperam.,maybe",
            "catalogue.csv, line 3, column 10 (photo): \"maybe\" is none of",
        ),
        (
            "fields.csv",
            "60,since",
            "61,since",
            "fields.csv, line 3, column 1 (code): \"61\" is not there",
        ),
        (
            "fields.csv",
            "depth,ankle",
            "deep,ankle",
            "fields.csv, line 5, column 2 (field): \"deep\" is not there",
        ),
        (
            "fields.csv",
            "since,,time",
            "since,,clock",
            "fields.csv, line 3, column 4 (kind): \"clock\" is none of: number, time, text, choice",
        ),
        (
            "fields.csv",
            "60,since",
            "60,Since",
            "fields.csv, line 6, column 2 (field): field \"Since\"",
        ),
    ] {
        let found = faults(&changed(file, from, to));
        if !found.iter().any(|fault| fault.contains(says)) {
            wrong.push((says, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn all_faults_of_all_files_are_told_at_once_and_none_twice() {
    let mut files = changed("tables.csv", "01001.01,01001,512", "01001.01,01009,many");
    files.insert(
        "slots.csv",
        b"slot,party,candidate\n1,P,AR\n5,Q,ZZ\n".to_vec(),
    );
    let toml = String::from_utf8(files["pack.toml"].clone()).unwrap();
    let toml =
        "extra = 1\n".to_owned() + &toml.replace("2026-12-06", "soon") + "\n[[format]]\nname = 3\n";
    files.insert(
        "pack.toml",
        toml.replace("digits = 2", "digits = 0").into_bytes(),
    );
    let found = faults(&files);
    assert_eq!(found.len(), 8, "{found:#?}");
    let distinct: HashSet<&String> = found.iter().collect();
    assert_eq!(distinct.len(), found.len());
}

#[test]
fn other_encodings_are_named_and_a_mark_is_none() {
    let mut files = example();
    let mut latin = files["centres.csv"].clone();
    let at = latin
        .windows(2)
        .position(|two| two == "á".as_bytes())
        .unwrap();
    latin.splice(at..at + 2, [0xe1]);
    files.insert("centres.csv", latin);
    assert_eq!(
        faults(&files)[0],
        "centres.csv, line 2, column 2 (name): it is not UTF-8; save the file as CSV UTF-8"
    );
    files.insert("centres.csv", b"\xff\xfec\0e\0".to_vec());
    assert_eq!(
        faults(&files)[0],
        "centres.csv: it is not UTF-8; save the file as CSV UTF-8"
    );
    let mut files = example();
    for name in NAMES {
        let marked = [b"\xef\xbb\xbf", &files[name][..]].concat();
        let text = String::from_utf8(marked).unwrap().replace('\n', "\r\n");
        files.insert(name, text.into_bytes());
    }
    assert_eq!(parse(&files).unwrap(), parse(&example()).unwrap());
}

#[test]
fn a_hundred_faults_are_enough() {
    let rows: String = (0..5000).map(|n| format!("{n}.01,nowhere,-1\n")).collect();
    let mut files = example();
    files.insert(
        "tables.csv",
        format!("table,centre,registered\n{rows}").into_bytes(),
    );
    let error = parse(&files).unwrap_err();
    assert_eq!(error.faults().len(), 100);
    assert!(
        error
            .to_string()
            .ends_with("There are more; correct these and try again.")
    );
}

#[test]
fn any_bytes_are_read_to_their_end() {
    let whole = example();
    for name in NAMES {
        for cut in (0..whole[name].len()).step_by(7) {
            let mut files = whole.clone();
            let bytes = &whole[name][..cut];
            files.insert(name, bytes.to_vec());
            let _ = parse(&files);
            files.insert(name, [bytes, b"\"\xff\0[[", &whole[name][cut..]].concat());
            let _ = parse(&files);
        }
    }
}

#[test]
fn every_format_of_the_documentation_reads_the_sheet_beside_it() {
    let document = include_str!("../../../docs/formats.md");
    let blocks: Vec<(&str, &str)> = (document.split("```").skip(1).step_by(2))
        .filter_map(|block| block.split_once('\n'))
        .collect();
    let formats: Vec<&str> = (blocks.iter())
        .filter(|(kind, _)| *kind == "toml")
        .map(|(_, text)| *text)
        .collect();
    assert_eq!(formats.len(), 6);
    let mut read = 0;
    for (n, (kind, block)) in blocks.iter().enumerate() {
        if *kind != "toml" {
            continue;
        }
        let toml = format!(
            "name = \"x\"\ndate = \"2026-01-01\"\ntime_zone = \"UTC\"\n\
             candidate = [{{ code = \"A\", name = \"A\" }}, {{ code = \"B\", name = \"B\" }}]\n\
             slot = [{{ slot = 1, party = \"Roja\", candidate = \"A\" }}, {{ slot = 2, party = \"Azul\", candidate = \"B\" }}]\n\
             table = [{{ table = \"7\", registered = 100, state = \"x\", municipality = \"x\", parish = \"x\" }}]\n{block}"
        );
        let source = PackSource::from_bytes(toml.as_bytes(), |_| None);
        let pack = source
            .unwrap_or_else(|error| panic!("{block}: {error}"))
            .into_pack(ElectionId([1; 8]));
        let Some(("text", sheet)) = blocks.get(n + 1) else {
            continue;
        };
        let texts: Vec<&[u8]> = sheet.lines().map(str::as_bytes).collect();
        let tally = testigo_tally::read(&texts, Some(&pack))
            .unwrap_or_else(|error| panic!("{block}: {error}"));
        let votes: Vec<u64> = tally.candidates.iter().map(|one| one.votes).collect();
        assert_eq!(
            (votes, tally.null_votes()),
            (vec![1, 2], Some(4)),
            "{block}"
        );
        read += 1;
    }
    assert_eq!(read, 5);
}
