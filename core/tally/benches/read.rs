//! What it costs to read one acta, and one bulletin of four codes with its signature.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha512};
use std::hint::black_box;
use testigo_tally::{Vouch, read};
use testigo_wire::{
    Candidate, ElectionId, ElectionPack, Format, NamedKey, PollingTable, Slot, TableId,
    VerifyingKey,
};

const ACTA: &str = "201301006.01.1.0001!140,7,10,8,1,7,1,0,2,3,0,1,8,1,0,1,0,3,1,1,0,1,0,0,0,0,0,0,1,2,0,0,0,5,7,155,1,1!0!0";
/// Characters a code holds at most, heading and hash included.
const CODE: usize = 1100;

fn pack(formats: Vec<Format>) -> ElectionPack {
    let code = |n: usize| format!("C{}", n % 10);
    ElectionPack {
        date: "2024-07-28".into(),
        time_zone: "UTC".into(),
        candidates: (0..10)
            .map(|n| Candidate {
                code: code(n),
                name: code(n),
            })
            .collect(),
        slots: (0..38)
            .map(|n| Slot {
                party: (10 + n).to_string(),
                candidate: code(n),
            })
            .collect(),
        tables: vec![PollingTable::in_areas(
            TableId::new("201301006.01").unwrap(),
            535,
            ["", "", ""],
        )],
        formats,
        ..ElectionPack::new(ElectionId([0; 8]), "")
    }
}

/// A bulletin of five offices in four codes.
fn bulletin(signer: &SigningKey) -> Vec<String> {
    let mut body = String::from(
        "ORIG:VOTA ORLC:LEG PROC:3081 DTPL:20181007 PLEI:3113 TURN:1 FASE:S UNFE:AC MUNI:1031 ZONA:3 SECA:72 COMP:400 IDEL:3191",
    );
    let office = |body: &mut String, code: u32, numbers: std::ops::Range<u32>| {
        let count = numbers.end - numbers.start;
        *body += &format!(" CARG:{code} TIPO:0");
        for number in numbers {
            *body += &format!(" {number}:1");
        }
        *body += &format!(" NOMI:{count} BRAN:0 NULO:{} TOTC:400", 400 - count);
    };
    office(&mut body, 6, 1001..1180);
    office(&mut body, 7, 10_001..10_180);
    office(&mut body, 3, 10..21);
    office(&mut body, 1, 30..43);
    let mut pieces: Vec<String> = vec![String::new()];
    for token in body.split(' ') {
        let room = CODE - 220;
        if pieces.last().unwrap().len() + token.len() > room {
            pieces.push(String::new());
        }
        let piece = pieces.last_mut().unwrap();
        if !piece.is_empty() {
            piece.push(' ');
        }
        piece.push_str(token);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
    let (mut so_far, mut codes) = (String::new(), Vec::new());
    for (n, piece) in pieces.iter().enumerate() {
        so_far += piece;
        let digest = Sha512::digest(&so_far);
        let mut code = format!(
            "QRBU:{}:{} VRQR:1.4 {piece} HASH:{}",
            n + 1,
            pieces.len(),
            hex(&digest)
        );
        if n + 1 == pieces.len() {
            code += &format!(" ASSI:{}", hex(&signer.sign(&digest).to_bytes()));
        }
        so_far += &format!(" HASH:{} ", hex(&digest));
        codes.push(code);
    }
    assert_eq!(codes.len(), 4);
    codes
}

fn reading(criterion: &mut Criterion) {
    let venezuela = pack(vec![]);
    assert!(
        read(&[ACTA.as_bytes()], Some(&venezuela))
            .unwrap()
            .doubts
            .is_empty()
    );
    criterion.bench_function("an acta", |bencher| {
        bencher.iter(|| read(&[black_box(ACTA.as_bytes())], Some(&venezuela)));
    });

    let signer = SigningKey::from_bytes(&[7; 32]);
    let key = VerifyingKey::from_bytes(&signer.verifying_key().to_bytes()).unwrap();
    let brazil = pack(vec![Format {
        office: Some("1".into()),
        keys: vec![NamedKey {
            name: "AC".into(),
            key,
        }],
        ..Format::boletim_de_urna()
    }]);
    let codes = bulletin(&signer);
    let texts: Vec<&[u8]> = codes.iter().map(String::as_bytes).collect();
    assert_eq!(read(&texts, Some(&brazil)).unwrap().vouch, Vouch::SIGNATURE);
    criterion.bench_function("a bulletin of four codes, signed", |bencher| {
        bencher.iter(|| read(black_box(&texts), Some(&brazil)));
    });
}

/// What of it is the signature.
fn signature(criterion: &mut Criterion) {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let key = VerifyingKey::from_bytes(&signer.verifying_key().to_bytes()).unwrap();
    let message = [7; 64];
    let signature = signer.sign(&message).to_bytes();
    criterion.bench_function("a signature alone", |bencher| {
        bencher.iter(|| key.verifies(black_box(&message), &signature));
    });
}

criterion_group!(benches, reading, signature);
criterion_main!(benches);
