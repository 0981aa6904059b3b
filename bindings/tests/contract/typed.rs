use crate::headquarters::{SHEET, Stage, TABLE};
use crate::scenarios::{assert_explained, deliver, sheet};
use testigo_bindings::{
    NextStep, RecordView, TallyReading, TestigoError, TypedInput, TypedSheet, typed_differences,
};

/// What stands on the paper.
fn paper() -> TypedSheet {
    let votes = SHEET.split('!').nth(1).unwrap().split(',');
    TypedSheet {
        table: TABLE.to_owned(),
        votes: votes.map(|votes| votes.parse().unwrap()).collect(),
        null_votes: Some(0),
        machine_code: Some("9f86d081-884c-4d65".to_owned()),
        ..TypedSheet::default()
    }
}

pub fn typed_sheet() {
    let mut stage = Stage::new();
    let phone = stage.phone("phone");
    let form = phone.typing_form().unwrap().unwrap();
    assert_eq!(form.slots.len(), paper().votes.len());
    assert!(
        form.slots
            .iter()
            .all(|slot| !slot.party.is_empty() && !slot.candidate.is_empty())
    );
    assert_eq!(
        (form.blank, form.null_votes, form.total),
        (false, true, false)
    );

    let mut slipped = paper();
    slipped.votes[2] += 1;
    slipped.null_votes = Some(9);
    let differences = typed_differences(paper(), slipped.clone());
    let fields: Vec<&str> = differences.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["votes.3", "null"]);
    assert!(
        differences
            .iter()
            .all(|one| !one.es.is_empty() && !one.en.is_empty())
    );
    let typed = |second| TypedInput {
        first: paper(),
        second,
        attachments: Vec::new(),
    };
    let Err(TestigoError::Input { explanation }) = phone.typed(typed(slipped)) else {
        panic!("saved although the two times differ");
    };
    assert_explained(&explanation, "input", NextStep::CorrectInput);
    assert_eq!(explanation.field.as_deref(), Some("second"));
    assert!(phone.history().unwrap().is_empty());

    let saved = phone.typed(typed(paper())).unwrap();
    assert_eq!(saved.saved.table.as_deref(), Some(TABLE));
    let warnings: Vec<u16> = saved.saved.warnings.iter().map(|one| one.code).collect();
    assert_eq!(warnings, [18], "no photograph");
    let TallyReading::Read { tally } = &saved.reading else {
        panic!("{saved:?}");
    };
    assert_eq!(
        (tally.vouch.as_str(), tally.valid_votes),
        ("typed-twice", 368)
    );
    let content = phone.history().unwrap().swap_remove(0).content.unwrap();
    assert!(matches!(content.record, RecordView::Tally { reading } if reading == saved.reading));

    stage.serve();
    deliver(&phone);
    let row = |held: &serde_json::Value| {
        let rows = held["results"]["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["table"] == TABLE);
        row.unwrap().clone()
    };
    let first = row(&stage.held());
    assert_eq!(first["state"], "reported", "{first}");
    assert_eq!(first["standing"]["code"], "typed-twice/unconfirmed-device");
    assert_eq!(first["printed"][0]["machine_code"], "9f86d081-884c-4d65");

    phone.tally(sheet()).unwrap();
    deliver(&phone);
    let both = row(&stage.held());
    assert_eq!(
        (&both["state"], &both["readings"]),
        (&"reported".into(), &2.into())
    );
    assert_eq!(both["standing"]["code"], "plain-code/unconfirmed-device");
}
