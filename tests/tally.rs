//! `testigo tally`: one record's codes in, a checked result out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::process::Command;
use support::{run, run_with_input};
use testigo_wire::{ElectionId, ElectionPack, Format, NamedKey, SigningKey, VerifyingKey};

/// A bulletin of 30 October 2016, as it was published, and the key of its state.
const BULLETIN: &str = "QRBU:1:1 VRQR:1.4 ORIG:VOTA PROC:185 DTPL:20161030 PLEI:188 TURN:2 FASE:O UNFE:PE MUNI:24570 ZONA:101 SECA:1 IDUE:1186497 IDCA:370757488588388650453081 VERS:5.25.0.1 LOCA:1015 APTO:394 COMP:295 FALT:99 DTAB:20161030 HRAB:080000 DTFC:20161030 HRFC:170047 IDEL:221 CARG:11 TIPO:0 VERC:201610061907 12:112 22:130 NOMI:242 BRAN:17 NULO:36 TOTC:295 HASH:CF20FE84112DE58617D7711C6B7E1DAB658C47C0536F53EE77E1477CD9CE70C43AF6FBFBD4964B85B5BAE4C6AB47713A65754192CDE193E340C3DAB69D21155D ASSI:7206F91EEAD3F194CB46FFEA1A82073033ADEAB5CCBFB16B9E305FDACB48F6B5F8595F723CB5754028E02125E60C52E8AFA0237F60BF3CE16CB96AF7047F6F06";
const KEY: [u8; 32] = [
    160, 37, 184, 179, 186, 150, 168, 86, 114, 205, 159, 45, 80, 98, 186, 210, 235, 89, 252, 18,
    143, 6, 104, 156, 51, 145, 120, 39, 11, 145, 198, 97,
];
/// The two codes of the manual's example of 2018.
const PAIR: [&str; 2] = [
    "QRBU:1:2 VRQR:1.5 VRCH:20180618 ORIG:VOTA ORLC:LEG PROC:15000 DTPL:20181007 PLEI:15100 TURN:1 FASE:S UNFE:AC MUNI:1392 ZONA:9 SECA:16 AGRE:17.18.19.100 IDUE:1333898 IDCA:610860347874160324266426 VERS:6.28.2.1 LOCA:4 APTO:51 COMP:30 FALT:21 HBMA:0 DTAB:20181007 HRAB:173122 DTFC:20181007 HRFC:180755 IDEL:15103 CARG:6 TIPO:1 VERC:201807111207 PART:91 9101:1 9102:1 9103:1 9104:1 9105:1 LEGP:1 TOTP:6 PART:92 9201:1 9202:1 9203:1 9204:1 9205:1 LEGP:1 TOTP:6 PART:93 9301:1 9302:1 9303:1 9304:1 9305:1 LEGP:1 TOTP:6 PART:94 9401:1 9402:1 9403:1 9404:1 9405:1 LEGP:1 TOTP:6 PART:95 9501:1 9502:1 9503:1 9504:2 LEGP:1 TOTP:6 APTA:51 NOMI:25 LEGC:5 BRAN:0 NULO:0 TOTC:30 CARG:7 TIPO:1 VERC:201807111207 PART:91 91001:1 91002:1 91003:1 LEGP:3 TOTP:6 PART:92 92001:1 92002:1 92003:1 LEGP:3 TOTP:6 PART:93 93001:1 93002:1 93003:1 LEGP:3 TOTP:6 PART:94 94001:1 HASH:153DD1E96C876F062459DC9ACDF640D38BEBC4490C794826D8E7EB3CF4761BD39AFC560BAEF3895A9D3C59F16CDE61028DF07FED861234A0F91C7005AD94F797",
    "QRBU:2:2 VRQR:1.5 VRCH:20180618 94002:1 94003:1 LEGP:4 TOTP:7 APTA:51 NOMI:12 LEGC:13 BRAN:0 NULO:5 TOTC:30 CARG:5 TIPO:0 VERC:201807111207 911:8 921:3 931:3 941:5 951:7 APTA:51 NOMI:26 BRAN:0 NULO:34 TOTC:60 CARG:3 TIPO:0 VERC:201807111207 91:5 92:8 93:2 94:4 95:6 APTA:51 NOMI:25 BRAN:3 NULO:2 TOTC:30 IDEL:15101 CARG:1 TIPO:0 VERC:201807111207 91:7 92:6 93:3 94:6 95:5 APTA:51 NOMI:27 BRAN:2 NULO:1 TOTC:30 HASH:266788CFBB06EE77DB520DB89C2E60C51F60574E6E322C5F620FE71E691DCBA1E33DB16E2397683E18FE89B7D6F9F9252E6DD318735902EFC109F2E1F61015BF ASSI:0DFEC66ECE3848066CA83EDAA7B9C70CA84D7F40279FD3D44742BCB5BB360D233A89B94686E11C50D363D182A2800BFA6748A8B66BE888394E533F77E9B9B50B",
];
const ACTA: &str = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0";

/// A pack with the key of Pernambuco, in a file.
fn pack(folder: &std::path::Path) -> String {
    let pack = ElectionPack {
        date: "2016-10-30".into(),
        time_zone: "America/Recife".into(),
        formats: vec![Format {
            keys: vec![NamedKey {
                name: "PE".into(),
                key: VerifyingKey::from_bytes(&KEY).unwrap(),
            }],
            ..Format::boletim_de_urna()
        }],
        ..ElectionPack::new(ElectionId([1; 8]), "2016")
    };
    let path = folder.join("pack.cose");
    std::fs::write(&path, pack.sign(&SigningKey::from_seed(&[1; 32])).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_bulletin_is_read_office_by_office_and_its_signature_verified_with_a_pack() {
    let read = run_with_input(&["tally", "-"], format!("{BULLETIN}\n").as_bytes())
        .done()
        .json();
    assert_eq!(
        (&read["table"], &read["vouch"]),
        (&"PE.24570.101.1".into(), &"hash".into())
    );
    assert_eq!(read["contests"][0]["title"], "Mayor (11)");
    assert_eq!(read["contests"][0]["slots"][1]["votes"], 130);
    assert_eq!(read["warnings"], serde_json::json!([16, 7]));
    let folder = tempfile::tempdir().unwrap();
    let pack = pack(folder.path());
    let with = ["tally", "-", "--election", pack.as_str()];
    let read = run_with_input(&with, BULLETIN.as_bytes()).done().json();
    assert_eq!(read["vouch"], "signature");

    let changed = BULLETIN.replace("22:130", "22:131");
    for arguments in [&with[..], &["tally", "-"]] {
        let refused = run_with_input(arguments, changed.as_bytes())
            .exited(1)
            .json();
        assert_eq!(refused["altered"], true, "{refused}");
        assert!(
            refused["not_a_tally"]
                .as_str()
                .unwrap()
                .contains("hash wrong in code 1")
        );
    }
}

#[test]
fn codes_of_one_record_come_as_lines_or_as_arguments_in_any_order() {
    let [first, second] = PAIR;
    let lines = format!("{second}\r\n\r\n{first}\n");
    let read = run_with_input(&["tally", "-"], lines.as_bytes())
        .done()
        .json();
    assert_eq!(read["contests"].as_array().unwrap().len(), 5);
    assert_eq!(run(&["tally", first, second]).done().json(), read);
    let missing = run(&["tally", second]).exited(1).json();
    assert_eq!(missing["altered"], false);
    assert!(
        missing["not_a_tally"]
            .as_str()
            .unwrap()
            .contains("code 1 of 2 is missing")
    );
    // For a person, office by office.
    let said = Command::new(env!("CARGO_BIN_EXE_testigo"))
        .args(["--lang", "en", "tally", first, second])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    for line in [
        "Table AC.1392.9.16:",
        "  Senator (5)",
        "  President (1)",
        "    91: 7  92: 6",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(said.contains("Signature not checked: no key"), "{said}");
}

#[test]
fn an_acta_is_folded_to_the_candidates_and_what_is_no_sheet_ends_with_1() {
    let read = run(&["tally", ACTA]).done().json();
    assert_eq!(
        (&read["format"], &read["vouch"]),
        (&"ve-2024".into(), &"plain-code".into())
    );
    assert_eq!(read["candidates"][0]["votes"], 188);
    assert_eq!(read["warnings"], serde_json::json!([]));
    for text in ["", "x", "QRBU:1:1 VRQR:1.4 x"] {
        let refused = run_with_input(&["tally", "-"], text.as_bytes())
            .exited(1)
            .json();
        assert!(refused["not_a_tally"].is_string(), "{refused}");
    }
}

#[test]
fn bulletins_and_published_tables_are_held_against_records_in_hand() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let bulletins = file(
        "bulletins.csv",
        "bulletin,records,A,B\nfirst,50,300,200\nsecond,90,550,390\n",
    );
    run(&["tally", "bulletins", &bulletins]).done();
    let heading = "EDO,MUN,PAR,CENTRO,MESA,RE,VOTOS_VALIDOS,VOTOS_NULOS,A,B";
    let rows = [
        "S,M,P,1001,1,900,700,1,250,450",
        "S,M,P,1001,2,300,40,0,30,10",
    ];
    let held = file(
        "held.csv",
        &format!("{heading}\n{}\n{}\n", rows[0], rows[1]),
    );
    let said = run(&["tally", "bulletins", &bulletins, "--held", &held]).exited(1);
    let findings = said.json()["findings"].as_array().unwrap().clone();
    let impossible: Vec<_> = (findings.iter())
        .filter(|finding| finding["impossible"] == true)
        .collect();
    assert_eq!(impossible.len(), 2, "{findings:?}");
    assert!(impossible[1]["sentence"].as_str().unwrap().contains("460"));

    run(&["tally", "tables", &held, &held]).done();
    let altered = rows[0].replace("250,450", "260,440");
    let other = "S,M,P,1001,3,300,5,0,5,0";
    let published = file("published.csv", &format!("{heading}\n{altered}\n{other}\n"));
    let said = run(&["tally", "tables", &published, &held])
        .exited(1)
        .json();
    assert_eq!((&said["same"], &said["differ"]), (&0.into(), &1.into()));
    assert_eq!(
        (&said["unpublished"], &said["not_in_hand"]),
        (&1.into(), &1.into())
    );
    assert_eq!(said["tables"][0]["table"], "000001001.01");

    // Columns of other names are told, not passed over as agreement.
    let renamed = file(
        "renamed.csv",
        &format!("{}\n{}\n", heading.replace("A,B", "C,D"), rows[0]),
    );
    run(&["tally", "tables", &renamed, &held]).exited(2);
    run(&["tally", "bulletins", &bulletins, "--held", &renamed]).exited(2);
    let lower = file(
        "lower.csv",
        &format!(
            "{}\n{}\n{}\n",
            heading.replace("A,B", "a,b"),
            rows[0],
            rows[1]
        ),
    );
    assert_eq!(
        run(&["tally", "tables", &lower, &held]).done().json()["same"],
        2
    );
    // Testigo's own files: what has no result, and readings that differ, count nowhere; a table twice counts once.
    let own = file(
        "own.csv",
        &format!(
            "{heading},ESTADO_MESA\n{},reported\nS,M,P,1001,2,300,,,,,expected\nS,M,P,1001,3,,9,0,9,0,conflict\nS,M,P,1001,3,,8,0,8,0,conflict\n",
            rows[0]
        ),
    );
    let said = run(&["tally", "tables", &held, &own]).done().json();
    assert_eq!(
        (&said["same"], &said["passed_over"]),
        (&1.into(), &3.into())
    );
    let twice = file(
        "twice.csv",
        &format!("{heading}\n{}\n{}\n", rows[0], rows[0]),
    );
    let said = run(&["tally", "bulletins", &bulletins, "--held", &twice])
        .exited(1)
        .json();
    assert!(
        said["faults"][0]
            .as_str()
            .unwrap()
            .contains("twice.csv, line 3"),
        "{said}"
    );

    // What is wrong is named by file, line and column, and the rest goes on.
    let bad = file(
        "bad.csv",
        &format!("{heading}\n{}\nS,M,P,1001,2,300,-1,0,-1,0\n", rows[0]),
    );
    let said = run(&["tally", "bulletins", &bulletins, "--held", &bad])
        .exited(1)
        .json();
    assert!(
        said["faults"][0]
            .as_str()
            .unwrap()
            .contains("bad.csv, line 3"),
        "{said}"
    );
    for wrong in [
        "records,bulletin,A\n",
        "bulletin,records,A,a\n",
        "bulletin,records,A,\n",
        "",
    ] {
        let wrong = file("wrong.csv", wrong);
        let said = run(&["tally", "bulletins", &wrong]).exited(2);
        assert!(said.err.contains("wrong.csv"), "{said:?}");
    }
    for wrong in [
        "x,eighty,5",
        "x,80,-5",
        "x,80",
        "x,80,1000000000000000000000000000000",
    ] {
        let wrong = file(
            "wrong.csv",
            &format!("bulletin;records;A\n{}\ny;80;5\n", wrong.replace(',', ";")),
        );
        let said = run(&["tally", "bulletins", &wrong]).exited(1).json();
        assert!(
            said["faults"][0]
                .as_str()
                .unwrap()
                .contains("wrong.csv, line 2"),
            "{said}"
        );
        assert_eq!(said["bulletins"], 1);
    }
    run(&[
        "tally", "lead", "--by", "99", "--at", "40", "--others", "90",
    ])
    .exited(2);
    let far = run(&["tally", "lead", "--by", "90", "--at", "90"])
        .done()
        .json();
    assert_eq!(
        (&far["enough"], &far["needed_percent"]),
        (&false.into(), &serde_json::Value::Null)
    );
}
