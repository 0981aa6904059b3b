#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use testigo_wire::Language;

const HEAD: &str =
    "COD_EDO,EDO,COD_MUN,MUN,COD_PAR,PAR,CENTRO,MESA,RE,VOTOS_VALIDOS,VOTOS_NULOS,EG,NM\n";

fn read(bytes: &[u8], layout: &Layout) -> (Vec<String>, Vec<ResultRow>, Vec<RowFault>) {
    let file = ResultsFile::new(bytes, Wanted::Tables, layout).unwrap();
    let candidates = file.candidates().to_vec();
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for row in file {
        match row {
            Ok(row) => rows.push(row),
            Err(fault) => faults.push(fault),
        }
    }
    (candidates, rows, faults)
}

fn row(centre: &str, numbers: &str) -> String {
    format!("1,S,1,M,1,P,{centre},2,{numbers}\n")
}

#[test]
fn a_row_is_read_with_the_zeros_that_the_file_has_lost() {
    let text = format!("{HEAD}{}\r\n", row("10113019", "872,448,1,284,164").trim());
    let (candidates, rows, faults) = read(text.as_bytes(), &Layout::default());
    assert_eq!(candidates, ["EG", "NM"]);
    assert_eq!(faults, []);
    assert_eq!(
        rows,
        [ResultRow {
            line: 2,
            state: "S".into(),
            municipality: "M".into(),
            parish: "P".into(),
            table: Some(TableId::new("010113019.02").unwrap()),
            registered: Some(872),
            null: Some(1),
            votes: vec![284, 164],
        }]
    );
    assert_eq!(rows[0].over_registered(), None);
}

#[test]
fn each_fault_is_named_with_line_and_field_and_the_rest_goes_on() {
    let good = row("9", "9,3,0,2,1");
    let huge = "9".repeat(30);
    let cases: Vec<(Vec<u8>, Option<&str>, Fault)> = vec![
        (
            b"1,S,1,M\n".to_vec(),
            None,
            Fault::Ragged {
                found: 4,
                expected: 13,
            },
        ),
        (
            row("1", "9,3,0,-2,5").into(),
            Some("EG"),
            Fault::Negative("-2".into()),
        ),
        (
            row("1", &format!("9,3,0,{huge},1")).into(),
            Some("EG"),
            Fault::TooLarge(huge.clone()),
        ),
        (
            row("1", "9,3,0,two,1").into(),
            Some("EG"),
            Fault::NotANumber("two".into()),
        ),
        (
            row("1", "9,3,0,2.0,1").into(),
            Some("EG"),
            Fault::NotANumber("2.0".into()),
        ),
        (
            row("1", "9,3,0,+2,1").into(),
            Some("EG"),
            Fault::NotANumber("+2".into()),
        ),
        (
            row("1", "9,3,,2,1").into(),
            Some("VOTOS_NULOS"),
            Fault::Missing,
        ),
        (
            row("1", "many,3,0,2,1").into(),
            Some("RE"),
            Fault::NotANumber("many".into()),
        ),
        (
            row("", "9,3,0,2,1").into(),
            Some("CENTRO"),
            Fault::Table(String::new()),
        ),
        (
            row("a b", "9,3,0,2,1").into(),
            Some("CENTRO"),
            Fault::Table("a b".into()),
        ),
        (
            row("9", "9,4,0,2,2").into(),
            None,
            Fault::Twice {
                table: "000000009.02".into(),
                first: 2,
            },
        ),
        (
            row("1", "9,4,0,2,1").into(),
            Some("VOTOS_VALIDOS"),
            Fault::Sum { sum: 3, valid: 4 },
        ),
        (
            b"1,\"S,1,M,1,P,1,2,9,3,0,2,1\n".to_vec(),
            None,
            Fault::Quote,
        ),
        (
            b"1,S,1,M,1,P,1,2,9,3,0,2,1\r1,S,1,M,1,P,2,2,9,3,0,2,1\n".to_vec(),
            None,
            Fault::LineEnd,
        ),
        (
            [&vec![b'1'; 100_000][..], b"\n"].concat(),
            None,
            Fault::LongLine,
        ),
        (
            b"1,\xc3\xb1,1,M,1,\xf1,1,2,9,3,0,2,1\n".to_vec(),
            Some("PAR"),
            Fault::Encoding,
        ),
    ];
    for (bad, field, fault) in cases {
        let after = row("8", "9,3,0,2,1");
        let text = [HEAD.as_bytes(), good.as_bytes(), &bad, after.as_bytes()].concat();
        let (_, rows, faults) = read(&text, &Layout::default());
        let field = field.map(str::to_owned);
        assert_eq!(
            faults,
            [RowFault {
                line: 3,
                field,
                fault
            }]
        );
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
        let said = faults[0].sentence("r.csv", Language::Es);
        assert!(said.starts_with("r.csv, línea 3"), "{said}");
        let said = faults[0].sentence("r.csv", Language::En);
        assert!(said.starts_with("r.csv, line 3"), "{said}");
    }
}

#[test]
fn more_votes_than_voters_is_a_doubt_and_counts() {
    let text = format!("{HEAD}{}", row("1", "3,3,1,2,1"));
    let (_, rows, faults) = read(text.as_bytes(), &Layout::default());
    assert_eq!((rows[0].over_registered(), faults.len()), (Some((4, 3)), 0));
}

#[test]
fn latin_1_utf_8_with_a_mark_and_semicolons_are_recognised() {
    let text = format!("{HEAD}{}", row("1", "9,3,0,2,1")).replace("M,", "PEÑALVER,");
    let text = text
        .replace("PEÑALVER,VOTOS", "M,VOTOS")
        .replace("NPEÑALVER", "NM");
    let text = text.replace(',', ";");
    let latin_1: Vec<u8> = text
        .chars()
        .map(|c| u32::from(c).to_le_bytes()[0])
        .collect();
    for bytes in [
        text.clone().into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        latin_1,
    ] {
        let (_, rows, faults) = read(&bytes, &Layout::default());
        assert_eq!(faults, []);
        assert_eq!(rows[0].municipality, "PEÑALVER");
    }
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let fault = ResultsFile::new(&*utf_16, Wanted::Tables, &Layout::default())
        .err()
        .unwrap();
    assert_eq!(fault.fault, Fault::Encoding);
}

#[test]
fn other_spellings_and_candidates_are_told() {
    let text = "state;C;T;INSCRITOS;V;N;A;B;remark\nS;1;2;9;3;0;2;1;fine\n";
    let names = [
        "state=state",
        "centre=C",
        "table=t",
        "registered=INSCRITOS",
        "valid=V",
        "null=N",
    ];
    let layout = Layout {
        columns: names.iter().map(|name| name.parse().unwrap()).collect(),
        candidates: vec!["B".into(), "A".into()],
    };
    let (candidates, rows, faults) = read(text.as_bytes(), &layout);
    assert_eq!(
        (candidates, faults),
        (vec!["B".to_owned(), "A".to_owned()], vec![])
    );
    assert_eq!(rows[0].votes, [1, 2]);
    assert!("voters=X".parse::<ColumnName>().is_err());
    assert!("registered".parse::<ColumnName>().is_err());
}

#[test]
fn a_heading_that_does_not_do_says_what_to_do() {
    let without = |what: &str| HEAD.replace(what, "");
    for (text, fault) in [
        (String::new(), Fault::EmptyFile),
        (
            without(",RE"),
            Fault::NoColumn {
                column: Column::Registered,
                usual: "RE",
            },
        ),
        (without(",EG,NM"), Fault::NoCandidates),
        (HEAD.replace("NM", "EG"), Fault::ColumnTwice("EG".into())),
        (
            HEAD.replace("NM", "MESA"),
            Fault::ColumnTwice("MESA".into()),
        ),
    ] {
        let found = ResultsFile::new(text.as_bytes(), Wanted::Tables, &Layout::default());
        let found = found.err().unwrap();
        assert_eq!((found.line, found.fault), (1, fault));
    }
    let layout = Layout {
        candidates: vec!["X".into()],
        ..Layout::default()
    };
    let found = ResultsFile::new(HEAD.as_bytes(), Wanted::Tables, &layout)
        .err()
        .unwrap();
    assert_eq!(found.fault, Fault::ColumnMissing("X".into()));
}

#[test]
fn totals_of_states_are_added_up_by_candidate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("totals.csv");
    let text = "cod,estado,actas,VOTOS_VALIDOS,VOTOS_NULOS,EG,NM\n1,A,10,30,1,20,10\n2,B,10,9,2,5,5\n3,A,1,3,0,1,2\n";
    std::fs::write(&path, text).unwrap();
    let mut told = Vec::new();
    let sums = sums(&path, &Layout::default(), |fault| told.push(fault.clone())).unwrap();
    assert_eq!(
        sums.candidates,
        [("EG".to_owned(), 21), ("NM".to_owned(), 12)]
    );
    assert_eq!((sums.null, sums.rows, sums.faulty), (Some(1), 2, 1));
    assert_eq!(told[0].fault, Fault::Sum { sum: 10, valid: 9 });
}

#[test]
fn any_bytes_are_read_to_their_end() {
    proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600))| {
        let text = [HEAD.as_bytes(), &bytes].concat();
        let _ = read(&text, &Layout::default());
        let _ = ResultsFile::new(&*bytes, Wanted::Sums, &Layout::default()).map(Iterator::count);
    });
}
