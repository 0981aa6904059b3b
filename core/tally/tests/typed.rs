//! Numbers typed from the paper: folded, doubted and compared as a code's are.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use testigo_tally::{Doubt, Tally, TypingForm, Vouch, read, read_typed};
use testigo_wire::*;

fn slot(party: &str, candidate: &str) -> Slot {
    Slot {
        party: party.into(),
        candidate: candidate.into(),
    }
}

/// Two candidates, three slots, sheets whose codes name their slots.
fn pack(formats: Vec<Format>) -> ElectionPack {
    let candidate = |code: &str, name: &str| Candidate {
        code: code.into(),
        name: name.into(),
    };
    ElectionPack {
        candidates: vec![candidate("A", "Ana"), candidate("B", "Berta")],
        slots: vec![slot("red", "A"), slot("blue", "B"), slot("green", "A")],
        tables: vec![PollingTable::in_areas(
            TableId::new("7").unwrap(),
            100,
            ["", "", ""],
        )],
        formats,
        ..ElectionPack::new(ElectionId([1; 8]), "Example")
    }
}

fn named() -> Format {
    let field = |name: &str, list: bool| Field {
        name: name.into(),
        list: list.then(|| ",".into()),
        pair: list.then(|| ":".into()),
        ..Field::default()
    };
    Format::declared(
        "named",
        Declaration {
            cut: Cut::Template(Template::new("{table};{votes};{blank};{null}").unwrap()),
            table: Template::new("{table}").unwrap(),
            votes: vec!["votes".into()],
            blank: Some("blank".into()),
            null: Some("null".into()),
            total: None,
            fields: vec![field("votes", true)],
            checks: vec![],
            sums: vec![],
            codes: None,
        },
    )
}

fn typed() -> TypedTally {
    TypedTally {
        table: TableId::new("7").unwrap(),
        votes: vec![10, 0, 5],
        blank: Some(2),
        null: Some(3),
        total: None,
        printed_hash: Some("ab12".into()),
        machine_code: None,
    }
}

fn votes(tally: &Tally) -> Vec<u64> {
    tally.candidates.iter().map(|c| c.votes).collect()
}

#[test]
fn what_was_typed_equals_what_the_code_says_whatever_its_order_and_its_empty_slots() {
    let pack = pack(vec![named()]);
    let by_hand = read_typed(&typed(), Some(&pack));
    let by_code = read(&[b"7;green:5,red:10;2;3"], Some(&pack)).unwrap();
    assert_eq!(votes(&by_hand), [15, 0]);
    assert_eq!(votes(&by_hand), votes(&by_code));
    let text = |tally: &Tally| tally.contest().unwrap().to_string();
    assert_eq!(text(&by_hand), "green:5,red:10,blank:2");
    assert_eq!(text(&by_hand), text(&by_code));
    assert_eq!(by_hand.null_votes(), by_code.null_votes());
    assert_eq!(by_hand.vouch, Vouch::TYPED_TWICE);
    assert!(by_hand.vouch < by_code.vouch);
    assert_eq!(by_hand.field("printed_hash"), Some("ab12"));
    assert_eq!(by_hand.doubts, []);
}

#[test]
fn the_form_asks_for_what_sheets_of_the_election_tell() {
    let form = TypingForm::new(&pack(vec![named()]));
    assert_eq!((form.blank, form.null, form.total), (true, true, false));
    let slots: Vec<_> = (form.slots.iter())
        .map(|slot| (slot.party.as_str(), slot.candidate.as_str()))
        .collect();
    assert_eq!(slots, [("red", "Ana"), ("blue", "Berta"), ("green", "Ana")]);
    // Venezuela's, where the pack declares none: neither blank votes nor a total.
    let form = TypingForm::new(&pack(vec![]));
    assert_eq!((form.blank, form.null, form.total), (false, true, false));
    let form = TypingForm::new(&pack(vec![Format::boletim_de_urna()]));
    assert_eq!((form.blank, form.null, form.total), (true, true, true));
}

#[test]
fn nothing_typed_is_refused() {
    let pack = pack(vec![]);
    let doubts = |change: fn(&mut TypedTally)| {
        let mut sheet = typed();
        change(&mut sheet);
        read_typed(&sheet, Some(&pack)).doubts
    };
    assert_eq!(
        doubts(|sheet| sheet.total = Some(21)),
        [Doubt::SumDiffers {
            of: "votes + blank + null".into(),
            sum: 20,
            is: "total".into(),
            says: 21
        }]
    );
    assert_eq!(doubts(|sheet| sheet.total = Some(20)), []);
    assert_eq!(
        doubts(|sheet| sheet.votes = vec![1]),
        [Doubt::SlotsDiffer { sheet: 1, pack: 3 }]
    );
    assert_eq!(
        doubts(|sheet| sheet.votes = vec![u32::MAX; 3]),
        [Doubt::ExceedsRegistered {
            votes: 3 * u64::from(u32::MAX) + 5,
            registered: 100
        }]
    );
    let elsewhere = TableId::new("8").unwrap();
    assert_eq!(
        doubts(|sheet| sheet.table = TableId::new("8").unwrap()),
        [Doubt::TableUnknown(elsewhere)]
    );
    let alone = read_typed(&typed(), None);
    assert_eq!(
        (alone.doubts, alone.candidates),
        (vec![Doubt::NoElectionPack], vec![])
    );
}
