//! Brazil's Boletim de Urna: real bulletins of 2016 and 2022, the manuals' of 2018 and 2026, and what is wrong with others.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use sha2::{Digest, Sha512};
use std::sync::OnceLock;
use testigo_tally::{Contest, Doubt, NotATally, Tally, VotesField, Vouch, Wants, read};
use testigo_wire::{
    Candidate, ElectionId, ElectionPack, Format, Language, NamedKey, PollingTable, Slot, TableId,
    VerifyingKey, Warning,
};

const PE_2016: &str = "QRBU:1:1 VRQR:1.4 ORIG:VOTA PROC:185 DTPL:20161030 PLEI:188 TURN:2 FASE:O UNFE:PE MUNI:24570 ZONA:101 SECA:1 IDUE:1186497 IDCA:370757488588388650453081 VERS:5.25.0.1 LOCA:1015 APTO:394 COMP:295 FALT:99 DTAB:20161030 HRAB:080000 DTFC:20161030 HRFC:170047 IDEL:221 CARG:11 TIPO:0 VERC:201610061907 12:112 22:130 NOMI:242 BRAN:17 NULO:36 TOTC:295 HASH:CF20FE84112DE58617D7711C6B7E1DAB658C47C0536F53EE77E1477CD9CE70C43AF6FBFBD4964B85B5BAE4C6AB47713A65754192CDE193E340C3DAB69D21155D ASSI:7206F91EEAD3F194CB46FFEA1A82073033ADEAB5CCBFB16B9E305FDACB48F6B5F8595F723CB5754028E02125E60C52E8AFA0237F60BF3CE16CB96AF7047F6F06";
const AC_2018: [&str; 2] = [
    "QRBU:1:2 VRQR:1.5 VRCH:20180618 ORIG:VOTA ORLC:LEG PROC:15000 DTPL:20181007 PLEI:15100 TURN:1 FASE:S UNFE:AC MUNI:1392 ZONA:9 SECA:16 AGRE:17.18.19.100 IDUE:1333898 IDCA:610860347874160324266426 VERS:6.28.2.1 LOCA:4 APTO:51 COMP:30 FALT:21 HBMA:0 DTAB:20181007 HRAB:173122 DTFC:20181007 HRFC:180755 IDEL:15103 CARG:6 TIPO:1 VERC:201807111207 PART:91 9101:1 9102:1 9103:1 9104:1 9105:1 LEGP:1 TOTP:6 PART:92 9201:1 9202:1 9203:1 9204:1 9205:1 LEGP:1 TOTP:6 PART:93 9301:1 9302:1 9303:1 9304:1 9305:1 LEGP:1 TOTP:6 PART:94 9401:1 9402:1 9403:1 9404:1 9405:1 LEGP:1 TOTP:6 PART:95 9501:1 9502:1 9503:1 9504:2 LEGP:1 TOTP:6 APTA:51 NOMI:25 LEGC:5 BRAN:0 NULO:0 TOTC:30 CARG:7 TIPO:1 VERC:201807111207 PART:91 91001:1 91002:1 91003:1 LEGP:3 TOTP:6 PART:92 92001:1 92002:1 92003:1 LEGP:3 TOTP:6 PART:93 93001:1 93002:1 93003:1 LEGP:3 TOTP:6 PART:94 94001:1 HASH:153DD1E96C876F062459DC9ACDF640D38BEBC4490C794826D8E7EB3CF4761BD39AFC560BAEF3895A9D3C59F16CDE61028DF07FED861234A0F91C7005AD94F797",
    "QRBU:2:2 VRQR:1.5 VRCH:20180618 94002:1 94003:1 LEGP:4 TOTP:7 APTA:51 NOMI:12 LEGC:13 BRAN:0 NULO:5 TOTC:30 CARG:5 TIPO:0 VERC:201807111207 911:8 921:3 931:3 941:5 951:7 APTA:51 NOMI:26 BRAN:0 NULO:34 TOTC:60 CARG:3 TIPO:0 VERC:201807111207 91:5 92:8 93:2 94:4 95:6 APTA:51 NOMI:25 BRAN:3 NULO:2 TOTC:30 IDEL:15101 CARG:1 TIPO:0 VERC:201807111207 91:7 92:6 93:3 94:6 95:5 APTA:51 NOMI:27 BRAN:2 NULO:1 TOTC:30 HASH:266788CFBB06EE77DB520DB89C2E60C51F60574E6E322C5F620FE71E691DCBA1E33DB16E2397683E18FE89B7D6F9F9252E6DD318735902EFC109F2E1F61015BF ASSI:0DFEC66ECE3848066CA83EDAA7B9C70CA84D7F40279FD3D44742BCB5BB360D233A89B94686E11C50D363D182A2800BFA6748A8B66BE888394E533F77E9B9B50B",
];
/// Of the simulation of August 2018, signed under its key.
const SIMULATED_2018: [&str; 2] = [
    "QRBU:1:2 VRQR:1.5 VRCH:20180830 ORIG:VOTA ORLC:LEG PROC:3081 DTPL:20181007 PLEI:3113 TURN:1 FASE:S UNFE:AC MUNI:1392 ZONA:1 SECA:477 IDUE:1600868 IDCA:863719863196273714381507 VERS:6.32.0.4 LOCA:2488 APTO:325 COMP:6 FALT:319 HBMA:6 DTAB:20181007 HRAB:171042 DTFC:20181007 HRFC:174454 IDEL:3191 CARG:6 TIPO:1 VERC:201808301320 PART:10 1001:2 LEGP:1 TOTP:3 PART:20 LEGP:1 TOTP:1 APTA:325 NOMI:2 LEGC:2 BRAN:1 NULO:1 TOTC:6 CARG:7 TIPO:1 VERC:201808301320 PART:10 10001:2 LEGP:0 TOTP:2 PART:13 13001:1 LEGP:0 TOTP:1 PART:17 LEGP:1 TOTP:1 PART:20 LEGP:1 TOTP:1 APTA:325 NOMI:3 LEGC:2 BRAN:1 NULO:0 TOTC:6 CARG:5 TIPO:0 VERC:201808301320 130:1 140:2 APTA:325 NOMI:3 BRAN:2 NULO:7 TOTC:12 CARG:3 TIPO:0 VERC:201808301320 10:1 13:1 APTA:325 NOMI:2 BRAN:1 NULO:3 TOTC:6 IDEL:3189 CARG:1 TIPO:0 VERC:201808301239 10:1 13:1 14:1 APTA:325 NOMI:3 BRAN:1 NULO:2 HASH:0F359E1F33AF7E9DDED25EB73ADB6960FC96B2C95237A4C9B5CDCAFC12F8E331DE73DF2C34DC1765BEDD511083B0AF18E9F2EA59EF4CF69FDF982F699603A630",
    "QRBU:2:2 VRQR:1.5 VRCH:20180830 TOTC:6 HASH:8E89D7D01FE60BFEE818266183C26916E313160327287DDAF9852209CCCD8CA010A1AF4E908BF78422D170B56CDEBFD18BF2B592F6497A9B02077249C948E177 ASSI:BA44B0AF61CBAC90D91D1FA9345EA0D2ADF19E0BDBB56A4A4CAC4287593E817FCABB47BC9152A18A540F97CAC6A31B05E5B81DBB0683F0574385D19B37EA6905",
];
const SP_2022: &str = "QRBU:1:1 VRQR:1.5 VRCH:20220829 ORIG:VOTA ORLC:LEG PROC:395 DTPL:20221030 PLEI:407 TURN:2 FASE:O UNFE:SP MUNI:63452 ZONA:75 SECA:182 IDUE:1787323 IDCA:666070534576779579335458 VERS:8.26.0.0 LOCA:1015 APTO:325 COMP:278 FALT:47 HBMA:12 DTAB:20221030 HRAB:080001 DTFC:20221030 HRFC:170236 IDEL:547 CARG:3 TIPO:0 VERC:202210071317 10:223 13:40 APTA:325 NOMI:263 BRAN:7 NULO:8 TOTC:278 IDEL:545 CARG:1 TIPO:0 VERC:202210071331 13:45 22:225 APTA:325 NOMI:270 BRAN:5 NULO:3 TOTC:278 HASH:C8AADFD1D832BFECE45D288BD42171DD1A140EFDEED9A03EDB84B4C6839FEE3D5DAA15DDF59934B0C76914DFA9EAE34873286F1D14CF748B8EE37CEE06B47410 ASSI:434ABDE4D60C4601209F0C5B3957BEE6ED306497B4B27DDC7C36553CCB3A6F4F995BF9117464A2BAF47897CADE53098D5515C6DB219ACE2E83CCAA4D2054D903";
const AC_2026: [&str; 2] = [
    "QRBU:1:2 VRQR:6.0 ORIG:VOTA ORLC:LEG PROC:2000 DTPL:20261004 PLEI:2100 TURN:1 FASE:S UNFE:AC MUNI:1392 ZONA:9 SECA:16 AGRE:17.18.19 IDUE:2250280 IDCA:802779536993017420567657 HIQT:1 HICA:1:802779536993017420567657 VERS:10.17.1.0 LOCA:15 APTO:50 APTS:50 APTT:0 COMP:4 FALT:46 HBBM:3 HBBG:1 HBSB:0 DTAB:20261004 HRAB:171253 DTFC:20261004 HRFC:172431 IDEL:2102 CARG:6 TIPO:1 VERC:202606161209 PART:92 LEGP:1 TOTP:1 PART:95 9501:1 9502:1 LEGP:0 TOTP:2 APTA:50 APTS:50 APTT:0 NOMI:2 LEGC:1 BRAN:1 NULO:0 TOTC:4 CARG:7 TIPO:1 VERC:202606161209 PART:93 93002:1 93003:1 LEGP:1 TOTP:3 APTA:50 APTS:50 APTT:0 NOMI:2 LEGC:1 BRAN:0 NULO:1 TOTC:4 CARG:5 TIPO:0 VERC:202606161209 921:1 931:1 941:1 951:2 APTA:50 APTS:50 APTT:0 NOMI:5 BRAN:1 NULO:2 TOTC:8 CARG:3 TIPO:0 VERC:202606161209 92:2 95:1 APTA:50 APTS:50 APTT:0 NOMI:3 BRAN:1 NULO:0 TOTC:4 HASH:8491284FCFDDF33D0464C5F967561F32330BCF87359DF33F78F6B3F6928476EFBFF5BC6376862887E93B1AE68E602F513FB637D3EBC4D1F0174C8583B264BAD0",
    "QRBU:2:2 VRQR:6.0 IDEL:2101 CARG:1 TIPO:0 VERC:202606161209 92:1 93:3 APTA:50 APTS:50 APTT:0 NOMI:4 BRAN:0 NULO:0 TOTC:4 HASH:A90F2993F895C9F384AF030767FC4F4B44AA4537E6BB66CA1783E6E77FD5DF446200D56F1899F997FC7729B2996F900BB3BF6C12B5BE6C1E88C269BEB5FE21A0 ASSI:564DD933E602B15582E2692C2FC8746270380D129E5C0B0896484E30F9CFD65DAB95C5CDE7D3D0B43546DA012A48FD8BCC069F7116CA967EF793B74DC14A72C91C00C760BB0C6556B0C5BA03BA7D348E59AC42F8E77E4F031E21D3430B10EEB0FA6E8975F0260ED2A6D936F9F35183D60D021635B743220F01D4CF66183DD71BF6734300",
];
/// The key of Pernambuco of 2016, as the Tribunal published it, and that of the simulation of 2018.
const PE_KEY: &str = "a025b8b3ba96a85672cd9f2d5062bad2eb59fc128f06689c339178270b91c661";
const SIMULATION_KEY: &str = "bad3aac9fe39db71633c473cb67c40c7d36b3bb56c61b04419b0e76d110ea2da";

fn key(hex: &str) -> VerifyingKey {
    let byte = |n: usize| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap();
    VerifyingKey::from_bytes(&std::array::from_fn(byte)).unwrap()
}

/// A pack of the runoff of 2016 in which the two candidates of Olinda stand.
fn pack(office: &str, keys: &[(&str, VerifyingKey)]) -> ElectionPack {
    let candidates = ["12", "22"].map(|number| Candidate {
        code: format!("C{number}"),
        name: format!("Candidate {number}"),
    });
    ElectionPack {
        date: "2016-10-30".into(),
        time_zone: "America/Recife".into(),
        slots: ["12", "22"]
            .map(|number| Slot {
                party: number.into(),
                candidate: format!("C{number}"),
            })
            .to_vec(),
        candidates: candidates.to_vec(),
        tables: vec![PollingTable::in_areas(
            TableId::new("PE.24570.101.1").unwrap(),
            394,
            ["PE", "24570", ""],
        )],
        formats: vec![Format {
            office: Some(office.into()),
            keys: (keys.iter())
                .map(|(name, key)| NamedKey {
                    name: (*name).into(),
                    key: *key,
                })
                .collect(),
            ..Format::boletim_de_urna()
        }],
        ..ElectionPack::new(ElectionId([0; 8]), "Brazil")
    }
}

fn pernambuco() -> &'static ElectionPack {
    static PACK: OnceLock<ElectionPack> = OnceLock::new();
    PACK.get_or_init(|| pack("11", &[("PE", key(PE_KEY))]))
}

fn all(texts: &[&str], pack: Option<&ElectionPack>) -> Result<Tally, NotATally> {
    let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    read(&texts, pack)
}

fn votes<'a>(contest: &'a Contest, slot: &str) -> Option<&'a u32> {
    let mut slots = contest.slots.iter();
    slots
        .find(|s| s.name.as_deref() == Some(slot))
        .map(|s| &s.votes)
}

/// Writes a bulletin of these pieces, with the chain and a signature of this key.
fn written(version: &str, pieces: &[&str], signer: &SigningKey) -> Vec<String> {
    let (mut so_far, mut codes) = (String::new(), Vec::new());
    for (n, piece) in pieces.iter().enumerate() {
        so_far += piece;
        let digest = Sha512::digest(&so_far);
        let hash: String = digest.iter().map(|b| format!("{b:02X}")).collect();
        let mut code = format!(
            "QRBU:{}:{} VRQR:{version} {piece} HASH:{hash}",
            n + 1,
            pieces.len()
        );
        if n + 1 == pieces.len() {
            let signature = signer.sign(&digest).to_bytes();
            code += " ASSI:";
            code.extend(signature.iter().map(|b| format!("{b:02X}")));
        }
        codes.push(code);
        so_far += &format!(" HASH:{hash} ");
    }
    codes
}

#[test]
fn a_real_bulletin_is_read_and_its_signature_verified() {
    let tally = all(&[PE_2016], Some(pernambuco())).unwrap();
    assert_eq!(tally.table.as_str(), "PE.24570.101.1");
    assert_eq!(tally.vouch, Vouch::SIGNATURE);
    assert_eq!(tally.doubts, []);
    let contest = tally.contest().unwrap();
    assert_eq!(contest.title(Language::En).unwrap(), "Mayor (11)");
    assert_eq!(
        (contest.blank, contest.null, contest.total),
        (Some(17), Some(36), Some(295))
    );
    let folded: Vec<u64> = tally.candidates.iter().map(|c| c.votes).collect();
    assert_eq!(folded, [112, 130]);
    for (field, text) in [
        ("VRQR", "1.4"),
        ("COMP", "295"),
        ("IDEL", "221"),
        ("11.TIPO", "0"),
    ] {
        assert_eq!(tally.field(field), Some(text));
    }
}

#[test]
fn without_its_key_a_bulletin_is_never_called_signed() {
    let without = pack("11", &[("SP", key(PE_KEY))]);
    for (pack, doubts) in [
        (Some(&without), vec![Doubt::NoKey("PE".into())]),
        (None, vec![Doubt::NoKey("PE".into()), Doubt::NoElectionPack]),
    ] {
        let tally = all(&[PE_2016], pack).unwrap();
        assert_eq!(tally.vouch, Vouch::HASH);
        assert_eq!(tally.doubts, doubts);
        assert_eq!(tally.doubts[0].warning(), Warning::SIGNATURE_NOT_CHECKED);
        let said = tally.doubts[0].sentence(Language::En);
        assert!(said.contains("not checked: no key"), "{said}");
    }
    // Another's key makes it a forgery.
    let wrong = pack("11", &[("PE", key(SIMULATION_KEY))]);
    assert_eq!(all(&[PE_2016], Some(&wrong)), Err(NotATally::Signature));
    let tally = all(&[SP_2022], None).unwrap();
    assert_eq!(tally.vouch, Vouch::HASH);
    assert_eq!(tally.doubts[0], Doubt::NoKey("SP.20220829".into()));
    assert_eq!(votes(&tally.contests[1], "22"), Some(&225));
}

#[test]
fn a_bulletin_of_two_codes_has_all_its_offices_in_any_order() {
    let [first, second] = SIMULATED_2018;
    let signed = pack("1", &[("AC.20180830", key(SIMULATION_KEY))]);
    let tally = all(&[second, first], Some(&signed)).unwrap();
    assert_eq!((tally.vouch, tally.contests.len()), (Vouch::SIGNATURE, 5));
    // Nothing but what the other election's pack does not know.
    let known = |doubt: &Doubt| matches!(doubt, Doubt::SlotUnknown(_) | Doubt::TableUnknown(_));
    assert!(tally.doubts.iter().all(known), "{:?}", tally.doubts);
}

#[test]
fn a_version_without_a_key_does_not_get_around_the_states_key() {
    let wants = |field: &str, found: &str| NotATally::Field {
        field: field.into(),
        found: found.into(),
        wants: Wants::KnownKey,
    };
    let [first, second] = SIMULATED_2018;
    let changed = [first, second].map(|code| code.replace("VRCH:20180830", "VRCH:20180831"));
    let signed = pack("1", &[("AC.20180830", key(SIMULATION_KEY))]);
    let plain = pack("1", &[("AC", key(SIMULATION_KEY))]);
    for (texts, pack, wrong) in [
        (
            [&*changed[0], &changed[1]],
            &signed,
            wants("VRCH", "20180831"),
        ),
        ([first, second], &plain, wants("VRCH", "20180830")),
        (AC_2018, &signed, wants("VRCH", "20180618")),
        (AC_2026, &signed, wants("VRQR", "6.0")),
    ] {
        let found = all(&texts, Some(pack)).unwrap_err();
        assert_eq!(found, wrong);
        assert_ne!(found.sentence(Language::Es), found.sentence(Language::En));
    }
    // Where the pack has no key of the state at all it is read, and never called signed.
    let tally = all(&[&*changed[0], &changed[1]], Some(pernambuco())).unwrap();
    assert_eq!(tally.vouch, Vouch::HASH);
    assert_eq!(tally.doubts[0], Doubt::NoKey("AC.20180831".into()));
}

#[test]
fn all_offices_are_kept_and_one_is_counted() {
    // The manual's pair is under a key of another version, which nobody published.
    let pack = pack("5", &[]);
    let [first, second] = AC_2018;
    let tally = all(&[second, first, second], Some(&pack)).unwrap();
    assert_eq!(tally, all(&[first, second], Some(&pack)).unwrap());
    assert_eq!(tally.table.as_str(), "AC.1392.9.16");
    assert_eq!(tally.field("AGRE"), Some("17.18.19.100"));
    let offices: Vec<&str> = tally.contests.iter().map(|c| c.office.as_str()).collect();
    assert_eq!(offices, ["6", "7", "5", "3", "1"]);
    let [federal, state, senate, _, president] = tally.contests.as_slice() else {
        panic!("five offices");
    };
    // A vote for a list alone is one for the party's number.
    assert_eq!(
        (votes(federal, "91"), votes(state, "94")),
        (Some(&1), Some(&4))
    );
    // The party goes on in the second code.
    assert_eq!(votes(state, "94002"), Some(&1));
    // Two seats: each voter has two votes.
    assert_eq!(
        (senate.choices, senate.total, senate.all_votes()),
        (2, Some(60), 60)
    );
    assert_eq!((president.choices, votes(president, "91")), (1, Some(&7)));
    assert_eq!(tally.contest(), Some(senate));
    assert_eq!(tally.vouch, Vouch::HASH);
    assert_eq!(
        tally.doubts,
        [
            Doubt::NoKey("AC.20180618".into()),
            Doubt::SlotUnknown("911".into()),
            Doubt::TableUnknown(TableId::new("AC.1392.9.16").unwrap()),
        ]
    );
}

#[test]
fn version_6_has_its_hashes_checked_and_its_signature_named_as_not_verifiable() {
    let [first, second] = AC_2026;
    let tally = all(&[second, "QRCE:1:1 a certificate", first], None).unwrap();
    assert_eq!(tally.vouch, Vouch::HASH);
    assert_eq!(tally.contests.len(), 5);
    assert_eq!(tally.contests[2].choices, 2);
    assert!(matches!(
        tally.doubts.as_slice(),
        [Doubt::SignatureNotVerifiable(_), Doubt::NoElectionPack]
    ));
    let said = tally.doubts[0].sentence(Language::En);
    assert!(said.contains("not verifiable here"), "{said}");
}

#[test]
fn what_is_wrong_is_named_with_its_code() {
    let [first, second] = AC_2018;
    let elsewhere = AC_2026[1].replace("VRQR:6.0", "VRQR:1.5 VRCH:20180618");
    let mixed = elsewhere.split_once(" ASSI:").unwrap().0;
    let signature = second.split_once(" ASSI:").unwrap().1;
    let mixed = format!("{mixed} ASSI:{signature}");
    let missing = |field: &str| NotATally::FieldMissing {
        field: field.into(),
    };
    for (texts, wrong) in [
        (vec![first], NotATally::CodeMissing { code: 2, of: 2 }),
        (vec![second], NotATally::CodeMissing { code: 1, of: 2 }),
        (vec![first, &mixed], NotATally::Hash { code: Some(2) }),
        (
            vec![first, second, &mixed],
            NotATally::CodeTwice { code: 2 },
        ),
        (
            vec![first, AC_2026[1]],
            NotATally::HeaderDiffers {
                code: 2,
                field: "VRQR".into(),
            },
        ),
        (
            vec![&first.replace("VRCH:20180618", "VRCH:20180619"), second],
            NotATally::HeaderDiffers {
                code: 2,
                field: "VRCH".into(),
            },
        ),
        (
            vec![&first.replace("QRBU:1:2", "QRBU:1:3"), second],
            NotATally::HeaderDiffers {
                code: 2,
                field: "parts".into(),
            },
        ),
        (
            vec![&first.replace("APTO:51", "APTO:52"), second],
            NotATally::Hash { code: Some(1) },
        ),
        (
            vec![&PE_2016.replace("12:112", "12:-12")],
            NotATally::Hash { code: Some(1) },
        ),
        (
            vec![&PE_2016[..PE_2016.find(" ASSI").unwrap()]],
            missing("ASSI"),
        ),
        (vec![PE_2016, SP_2022], NotATally::CodeTwice { code: 1 }),
    ] {
        let found = all(&texts, None).unwrap_err();
        assert_eq!(found, wrong);
        assert_ne!(found.sentence(Language::Es), found.sentence(Language::En));
    }
    let version = PE_2016.replace("VRQR:1.4", "VRQR:1.6");
    assert!(matches!(
        all(&[&version], None),
        Err(NotATally::Field { field, wants: Wants::OneOf(_), .. }) if field == "VRQR"
    ));
    let latin_1: Vec<u8> = PE_2016.bytes().chain([0xe7]).collect();
    assert_eq!(read(&[&latin_1], None), Err(NotATally::NotText));
}

#[test]
fn what_a_signed_bulletin_itself_says_wrongly_is_named() {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let pack = pack(
        "11",
        &[("PE", key(&hex(&signer.verifying_key().to_bytes())))],
    );
    let begin = PE_2016.find("ORIG").unwrap();
    let body = &PE_2016[begin..PE_2016.find(" HASH").unwrap()];
    let with = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        let codes = written("1.4", &[&body.replacen(from, to, 1)], &signer);
        all(&[&codes[0]], Some(&pack))
    };
    assert_eq!(with("12:112", "12:112").unwrap().vouch, Vouch::SIGNATURE);
    // No table has 10^30 votes, and none less than none.
    for vote in [
        format!("12:1{}", "0".repeat(30)),
        "12:-112".into(),
        "12:".into(),
    ] {
        assert!(matches!(
            with("12:112", &vote),
            Err(NotATally::Votes { field: VotesField::Named(field), .. }) if field == "11.12"
        ));
    }
    for (from, to, field) in [
        ("NULO:36", "NULO:36 NULO:36", "11.NULO"),
        ("22:130", "12:130", "11.12"),
        ("TURN:2", "TURN:2 TURN:2", "TURN"),
    ] {
        assert_eq!(
            with(from, to),
            Err(NotATally::FieldTwice {
                field: field.into()
            })
        );
    }
    for (from, to, field) in [
        (" NULO:36", "", "11.NULO"),
        (" TOTC:295", "", "11.TOTC"),
        ("ZONA:101 ", "", "ZONA"),
        ("12:112", "LEGP:112", "11.PART"),
    ] {
        assert_eq!(
            with(from, to),
            Err(NotATally::FieldMissing {
                field: field.into()
            })
        );
    }
    assert!(matches!(
        with("22:130", "22"),
        Err(NotATally::Literal { .. })
    ));
    assert!(matches!(with("IDEL:221 ", ""), Err(NotATally::Field { field, .. }) if field == "12"));
    assert!(matches!(with("BRAN", "bran"), Err(NotATally::Field { .. })));
    // Sums that differ are doubts, for the bulletin says so under its signature.
    for (from, to, differ) in [
        ("12:112", "12:113", 2),
        ("TOTC:295", "TOTC:296", 2),
        ("NOMI:242", "NOMI:243", 1),
        ("COMP:295", "COMP:296", 1),
        ("12:112", "PART:12 12:112 TOTP:113", 1),
        ("NULO:36", "LEGC:1 NULO:36", 1),
    ] {
        let tally = with(from, to).unwrap();
        let sums = tally
            .doubts
            .iter()
            .filter(|d| d.warning() == Warning::SUMS_DIFFER);
        assert_eq!((sums.count(), tally.doubts.len()), (differ, differ), "{to}");
    }
    let tally = with("12:112", "12:400").unwrap();
    assert!(tally.doubts.contains(&Doubt::ExceedsRegistered {
        votes: 583,
        registered: 394
    }));
    let tally = with("CARG:11", "CARG:13").unwrap();
    assert!(tally.doubts.contains(&Doubt::ContestMissing {
        office: Some("11".into())
    }));
    assert_eq!(tally.candidates, []);
    let tally = with("22:130", "23:130").unwrap();
    assert_eq!(tally.doubts, [Doubt::SlotUnknown("23".into())]);
    assert_eq!(tally.candidates, []);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn every_change_of_a_character_is_refused() {
    let pack = pernambuco();
    for at in 0..PE_2016.len() {
        for byte in [
            b'0', b'1', b'9', b'A', b'F', b'f', b'a', b' ', b':', b'\n', 0x80,
        ] {
            let mut bytes = PE_2016.as_bytes().to_vec();
            if std::mem::replace(&mut bytes[at], byte) != byte {
                assert!(read(&[&bytes], Some(pack)).is_err(), "{at} {byte}");
            }
        }
        let mut bytes = PE_2016.as_bytes().to_vec();
        bytes.remove(at);
        assert!(read(&[&bytes], Some(pack)).is_err(), "without {at}");
        let mut bytes = PE_2016.as_bytes().to_vec();
        bytes.insert(at, b'0');
        assert!(read(&[&bytes], Some(pack)).is_err(), "one more at {at}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        candidates in proptest::collection::btree_map(10u32..99, 0u32..400, 1..12),
        blank in 0u32..99, null in 0u32..99, cuts in proptest::collection::vec(0usize..2000, 0..4),
    ) {
        let nominal: u32 = candidates.values().sum();
        let total = nominal + blank + null;
        let list: Vec<String> = candidates.iter().map(|(n, v)| format!("{n}:{v}")).collect();
        let body = format!(
            "ORIG:VOTA UNFE:PE MUNI:24570 ZONA:101 SECA:1 COMP:{total} IDEL:221 CARG:11 TIPO:0 {} NOMI:{nominal} BRAN:{blank} NULO:{null} TOTC:{total}",
            list.join(" ")
        );
        let tokens: Vec<&str> = body.split(' ').collect();
        let mut at: Vec<usize> = cuts.iter().map(|cut| 1 + cut % (tokens.len() - 1)).collect();
        at.extend([0, tokens.len()]);
        at.sort_unstable();
        at.dedup();
        let pieces: Vec<String> = at.windows(2).map(|w| tokens[w[0]..w[1]].join(" ")).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let signer = SigningKey::from_bytes(&[7; 32]);
        let mut codes = written("1.4", &pieces, &signer);
        codes.reverse();
        let pack = pack("11", &[("PE", key(&hex(&signer.verifying_key().to_bytes())))]);
        let texts: Vec<&str> = codes.iter().map(String::as_str).collect();
        let tally = all(&texts, Some(&pack)).unwrap();
        prop_assert_eq!(tally.vouch, Vouch::SIGNATURE);
        let contest = &tally.contests[0];
        for (number, count) in &candidates {
            prop_assert_eq!(votes(contest, &number.to_string()), Some(count));
        }
        prop_assert_eq!((contest.blank, contest.null, contest.total), (Some(blank), Some(null), Some(total)));
        prop_assert!(!tally.doubts.iter().any(|d| d.warning() == Warning::SUMS_DIFFER));
    }

    #[test]
    fn no_mutation_makes_it_panic(at in 0usize..1500, byte: u8, which in 0usize..2) {
        let mut codes = AC_2018.map(|code| code.as_bytes().to_vec());
        let at = at % codes[which].len();
        codes[which][at] = byte;
        let _ = read(&[&codes[0], &codes[1]], None);
        let _ = read(&[&codes[which]], None);
    }
}
