#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use super::*;
use crate::{Certificates, PackSource, init_for_root, install};
use testigo_wire::Succession;

/// Cheap, for what is opened often.
const CHEAP: Cost = Cost {
    memory_kib: 32,
    passes: 1,
    lanes: 1,
};

fn passphrase() -> Passphrase {
    Passphrase::new("seis palabras al azar")
}

fn at(minute: i64) -> Time {
    Time::from_millis(1_722_160_800_000 + minute * 60_000, 0).unwrap()
}

#[test]
fn a_wrapped_secret_comes_back_only_whole_and_under_its_passphrase() {
    let file =
        Wrapped::seal_with("p", b"secret", &passphrase(), CHEAP, ([1; 16], [2; 12])).unwrap();
    insta::assert_snapshot!(data_encoding::HEXLOWER.encode(&file));
    let open = |bytes: &[u8], purpose: &str, typed: &str| {
        Wrapped::open(purpose, bytes, &Passphrase::new(typed))
    };
    let right = "seis palabras al azar";
    assert_eq!(
        **open(&file, "p", " seis palabras al azar\n").unwrap(),
        *b"secret"
    );
    assert!(matches!(
        open(&file, "p", "otra"),
        Err(RootError::Passphrase)
    ));
    assert!(matches!(open(&file, "q", right), Err(RootError::KeyFile)));
    for at in 0..file.len() {
        let mut bad = file.clone();
        bad[at] ^= 1;
        assert!(open(&bad, "p", right).is_err(), "byte {at}");
        assert!(open(&file[..at], "p", right).is_err(), "cut at {at}");
    }
    // A file cannot ask for all the memory of the machine.
    let costly = Cost {
        memory_kib: 2 * 1024 * 1024,
        ..CHEAP
    };
    let forged = Wrapped::seal_with("p", b"", &passphrase(), CHEAP, ([1; 16], [2; 12])).unwrap();
    let text = String::from_utf8_lossy(&forged).len();
    assert!(text > 0);
    let mut changed = forged;
    let memory = changed.windows(2).position(|w| w == [0x18, 32]).unwrap();
    changed.splice(memory..memory + 2, [0x1a, 0, 0x20, 0, 0]);
    // The header is one byte string: its length follows.
    changed[2] += 3;
    assert_eq!(costly.memory_kib, 0x20_0000);
    assert!(matches!(
        open(&changed, "p", right),
        Err(RootError::KeyFile)
    ));
    assert_eq!(format!("{:?}", passphrase()), "Passphrase(..)");
    assert!(matches!(
        Passphrase::new("  short   ").check(),
        Err(RootError::ShortPassphrase)
    ));
}

fn read(papers: &[&PaperKey]) -> PaperReader {
    let mut reader = PaperReader::default();
    for paper in papers {
        for line in paper.lines().lines() {
            reader.line(line).unwrap();
        }
    }
    reader
}

#[test]
fn a_paper_is_typed_back_in_any_case_and_spacing_and_a_wrong_letter_is_named_by_its_line() {
    let secret = Zeroizing::new([7; 32]);
    let paper = PaperKey::make(Kind::Root, &secret, Sharing::Whole).unwrap();
    assert_eq!(paper.len(), 1);
    let lines: Vec<&str> = paper[0].lines().lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.len() == 24), "{lines:?}");
    let mut reader = PaperReader::default();
    reader.line("# Testigo").unwrap();
    for (n, line) in lines.iter().enumerate() {
        assert_eq!(reader.next_line(), n + 1);
        assert!(!reader.is_complete());
        for at in 0..line.len() {
            let mut wrong = line.as_bytes().to_vec();
            if wrong[at] == b' ' {
                continue;
            }
            wrong[at] = if wrong[at] == b'A' { b'C' } else { b'A' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(reader.line(&wrong), Err(PaperError::Line(n + 1)), "{wrong}");
        }
        for wrong in [
            "x",
            "ñ",
            &line[..23],
            &format!("{line}A"),
            &"A".repeat(10_000),
        ] {
            assert_eq!(reader.line(wrong), Err(PaperError::Line(n + 1)), "{wrong}");
        }
        let typed = line.to_lowercase().replace(' ', "-  ").replace('o', "0");
        reader
            .line(&typed.replace('i', "1").replace('b', "8"))
            .unwrap();
    }
    assert!(reader.is_complete());
    assert_eq!(reader.secret(Kind::Root).unwrap(), secret);
    assert_eq!(
        read(&[&paper[0]]).secret(Kind::Keys).unwrap_err(),
        PaperError::OtherKind
    );
    // Lines in another order are another paper's.
    let mut swapped = PaperReader::default();
    assert_eq!(swapped.line(lines[1]), Err(PaperError::Line(1)));
    assert_eq!(
        PaperReader::default().secret(Kind::Root).unwrap_err(),
        PaperError::Unfinished
    );
    let mut half = PaperReader::default();
    half.line(lines[0]).unwrap();
    assert_eq!(half.secret(Kind::Root).unwrap_err(), PaperError::Unfinished);
    assert_eq!(format!("{:?}", paper[0]), "PaperKey(..)");
}

#[test]
fn any_shares_that_are_enough_bring_the_key_back_and_others_are_told() {
    let secret = Zeroizing::new([9; 32]);
    let sharing = Sharing::Shares { made: 5, needed: 3 };
    let papers = PaperKey::make(Kind::Root, &secret, sharing).unwrap();
    assert_eq!(papers.len(), 5);
    for (a, b, c) in [(0, 1, 2), (4, 2, 0), (1, 3, 4)] {
        let reader = read(&[&papers[a], &papers[b], &papers[c]]);
        assert!(reader.is_complete());
        assert_eq!(reader.secret(Kind::Root).unwrap(), secret);
    }
    let all: Vec<&PaperKey> = papers.iter().collect();
    assert_eq!(read(&all).secret(Kind::Root).unwrap(), secret);
    // One twice is one, and is told.
    let mut twice = read(&[&papers[0], &papers[1]]);
    let lines: Vec<&str> = papers[1].lines().lines().collect();
    let told: Vec<_> = lines.iter().map(|line| twice.line(line)).collect();
    assert_eq!(told[..3], [Ok(()), Ok(()), Ok(())]);
    assert!(matches!(told[3], Err(PaperError::Again(_))));
    assert!(!twice.is_complete());
    let too_few = PaperError::TooFew {
        found: 2,
        needed: 3,
    };
    for line in papers[2].lines().lines() {
        twice.line(line).unwrap();
    }
    assert_eq!(twice.secret(Kind::Root).unwrap(), secret);
    assert_eq!(
        read(&[&papers[0], &papers[1]])
            .secret(Kind::Root)
            .unwrap_err(),
        too_few
    );
    // Of another making of the same key.
    let others = PaperKey::make(Kind::Root, &secret, sharing).unwrap();
    assert_eq!(
        read(&[&papers[0], &papers[1], &others[2]])
            .secret(Kind::Root)
            .unwrap_err(),
        PaperError::Mixed
    );
    for (made, needed) in [(1, 1), (2, 3), (0, 0), (5, 0)] {
        let refused = PaperKey::make(Kind::Root, &secret, Sharing::Shares { made, needed });
        assert!(
            matches!(refused, Err(RootError::Sharing)),
            "{made} {needed}"
        );
    }
}

#[test]
fn a_root_signs_what_rises_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let root = Root::create(&path("root"), &passphrase()).unwrap();
    assert!(matches!(
        Root::create(&path("root"), &passphrase()),
        Err(RootError::NotEmpty(_))
    ));
    assert!(matches!(
        Root::open(&path("nothing")),
        Err(RootError::NoRoot(_))
    ));
    let public = Root::read_public(&root.public_file()).unwrap();
    let source = PackSource::venezuela_2024().unwrap();
    let endpoint = ["https://hq.example".to_owned()];
    let hq = path("hq");
    let request = init_for_root(
        &hq,
        &source,
        &endpoint,
        Certificates::Web,
        &[[3; 32]],
        &public,
    )
    .unwrap();
    assert!(matches!(
        crate::tables(&hq),
        Err(crate::HqError::NotSigned(_))
    ));

    let review = root.review(&request.to_bytes(), at(0)).unwrap();
    assert_eq!((review.version, review.signed_before), (1, false));
    assert_eq!(review.changes[0], Change::First);
    assert_eq!(review.changes.len(), 7, "{:?}", review.changes);
    let wrong = root.sign(&review, &Passphrase::new("another one"), at(0), &path("x"));
    assert!(matches!(wrong, Err(RootError::Passphrase)));
    assert!(!path("x").exists());
    let first = root
        .sign(&review, &passphrase(), at(0), &path("one"))
        .unwrap();
    // Lost on the way: the very same bytes.
    let again = root.review(&request.to_bytes(), at(5)).unwrap();
    assert!(again.signed_before);
    let lost = root
        .sign(&again, &passphrase(), at(5), &path("again"))
        .unwrap();
    assert_eq!(lost.keyset, first.keyset);
    assert_eq!(install(&hq, &path("one")).unwrap().version, 1);
    assert!(install(&hq, &path("again")).unwrap().known);
    crate::tables(&hq).unwrap();

    // The next one, and the one before it is no longer signed.
    let change = |endpoint: &str| {
        let rotation = crate::Rotation {
            endpoints: vec![endpoint.to_owned()],
            ..crate::Rotation::default()
        };
        crate::rotate(&hq, &rotation).unwrap().request
    };
    let second = change("https://two.example");
    let review = root.review(&second.to_bytes(), at(10)).unwrap();
    assert_eq!(
        review.changes,
        [
            Change::Address("https://two.example".into()),
            Change::NoAddress("https://hq.example".into())
        ]
    );
    assert!(matches!(
        root.review(&second.to_bytes(), at(-1)),
        Err(RootError::Clock)
    ));
    root.sign(&review, &passphrase(), at(10), &path("two"))
        .unwrap();
    let other = change("https://other.example");
    assert!(matches!(
        root.review(&other.to_bytes(), at(20)),
        Err(RootError::Outdated {
            made_from: 1,
            signed: 2
        })
    ));
    // A root that came back from paper has no memory: the request brings the keyset that it changes.
    let paper = root.paper(&passphrase(), Sharing::Whole).unwrap();
    let new = Passphrase::new("otra frase de paso");
    let restored = Root::restore(&path("restored"), read(&[&paper[0]]), &new).unwrap();
    assert_eq!(restored.id(), root.id());
    let review = restored.review(&second.to_bytes(), at(30)).unwrap();
    assert_eq!(review.version, 2);
    assert_eq!(
        root.review(b"no request", at(0))
            .map_err(|e| matches!(e, RootError::Request(_))),
        Err(true)
    );
    let foreign = Root::create(&path("foreign"), &passphrase()).unwrap();
    assert!(matches!(
        foreign.review(&second.to_bytes(), at(20)),
        Err(RootError::OtherRoot)
    ));

    // Headquarters take what rises, of their root, and the secret keys of which they hold.
    let refusal = |from: &Path| match install(&hq, from) {
        Err(crate::HqError::Keyset { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(install(&hq, &path("two")).unwrap().version, 2);
    assert_eq!(
        refusal(&path("one")),
        crate::KeysetRefusal::Older { found: 1, held: 2 }
    );
    let held = std::fs::read(hq.join("public/keyset.cose")).unwrap();
    let keyset = Keyset::verify(&held, root.id()).unwrap();
    let mut conflict = keyset.clone();
    conflict.endpoints.clear();
    let key = root.unlock(&passphrase()).unwrap();
    let write = |name: &str, keyset: &Keyset| {
        let file = path(name);
        std::fs::write(&file, keyset.sign(&key).unwrap()).unwrap();
        file
    };
    assert_eq!(
        refusal(&write("conflict", &conflict)),
        crate::KeysetRefusal::Conflict
    );
    let mut elsewhere = keyset.clone();
    (elsewhere.version, elsewhere.election) = (3, ElectionId([7; 8]));
    assert_eq!(
        refusal(&write("elsewhere", &elsewhere)),
        crate::KeysetRefusal::OtherElection
    );
    let mut unheld = keyset.clone();
    (unheld.version, unheld.receipt) = (3, vec![key.verifying_key()]);
    let refused = install(&hq, &write("unheld", &unheld));
    assert!(
        matches!(refused, Err(crate::HqError::Key(_))),
        "{refused:?}"
    );
    std::fs::write(path("junk"), b"junk").unwrap();
    assert_eq!(refusal(&path("junk")), crate::KeysetRefusal::Damaged);
    assert_eq!(std::fs::read(hq.join("public/keyset.cose")).unwrap(), held);
    assert_eq!(keyset.succession(&held, &held).unwrap(), Succession::Same);
}
