use crate::headquarters::{Stage, run};
use crate::scenarios::{assert_explained, deliver, power_cut};
use testigo_bindings::{
    AttachmentKind, DeliveryView, HandoverInput, NextStep, Phone, RecordView, ReportInput,
    TestigoError, missing_codes,
};

/// The latest one, while it can be read.
fn record(phone: &Phone) -> RecordView {
    let latest = phone.history().unwrap().swap_remove(0);
    latest.content.unwrap().record
}

fn delivered(phone: &Phone) -> bool {
    (phone.history().unwrap().iter())
        .all(|item| matches!(item.delivery, DeliveryView::Delivered { .. }))
}

pub fn by_hand() {
    let mut stage = Stage::new();
    let [witness, carrier, other] = ["witness", "carrier", "other"].map(|name| stage.phone(name));
    let path = stage.path("photo.jpg");
    std::fs::write(&path, b"a photograph of a form that nobody knows").unwrap();
    let photo = witness.seal_file(path, AttachmentKind::Whole).unwrap();
    witness
        .report(ReportInput {
            attachments: vec![photo],
            ..power_cut("by hand")
        })
        .unwrap();
    let [bundle, again] = ["bundle.bin", "again.bin"].map(|name| stage.path(name));
    let made = witness.bundle(bundle.clone()).unwrap().unwrap();
    assert_eq!(
        (
            made.records,
            made.files,
            made.records_left_out,
            made.files_left_out
        ),
        (1, 1, 0, 0)
    );
    assert_eq!(made.bytes, std::fs::metadata(&bundle).unwrap().len());
    let Err(TestigoError::Input { explanation }) = witness.bundle(bundle.clone()) else {
        panic!("written over another");
    };
    assert_explained(&explanation, "file-unreadable", NextStep::CorrectInput);
    assert_eq!(witness.status().unwrap().queued, 1);

    // One carrier has the file, the other reads codes from the witness's screen.
    carrier.carry(bundle.clone()).unwrap();
    assert!(matches!(
        record(&carrier),
        RecordView::Handover { bundle: true, .. }
    ));
    let codes = witness.bundle_codes().unwrap().unwrap();
    assert_eq!((codes.bundle.records, codes.bundle.files_left_out), (1, 1));
    let mut texts: Vec<Vec<u8>> = codes
        .codes
        .iter()
        .map(|code| code.clone().into_bytes())
        .collect();
    let first = texts.remove(0);
    assert_eq!(missing_codes(texts.clone()), [1]);
    assert!(other.carry_codes(texts.clone()).is_err());
    texts.push(first);
    assert!(missing_codes(texts.clone()).is_empty());
    other.carry_codes(texts).unwrap();
    assert!(
        other.carry(stage.path("photo.jpg")).is_err(),
        "it is no bundle"
    );

    stage.serve();
    for phone in [&carrier, &other] {
        deliver(phone);
        assert!(delivered(phone));
    }
    assert_eq!(stage.incidents(), 1);

    let receipts = stage.path("receipts.bin");
    run(&[
        "hq",
        "--data",
        &stage.path("hq"),
        "import",
        &bundle,
        "--receipts",
        &receipts,
    ]);
    let not_own = carrier.import_receipts(receipts.clone()).unwrap();
    assert!(!not_own.for_this_phone);
    let taken = witness.import_receipts(receipts).unwrap();
    assert_eq!((taken.received, taken.files, taken.parked), (1, 1, 0));
    assert!(delivered(&witness));
    assert_eq!(witness.bundle(again.clone()).unwrap(), None);
    assert!(!std::path::Path::new(&again).exists());

    let sheet = |from: &str| HandoverInput {
        from: from.to_owned(),
        to: "boat-2".to_owned(),
        place: Some("the jetty".to_owned()),
        ..HandoverInput::default()
    };
    let Err(TestigoError::Input { explanation }) = witness.hand_over(sheet("04141234567")) else {
        panic!("a telephone number");
    };
    assert_eq!(explanation.field.as_deref(), Some("from"));
    witness.hand_over(sheet("witness-7")).unwrap();
    let RecordView::Handover {
        bundle, from, to, ..
    } = record(&witness)
    else {
        panic!("no hand-over");
    };
    assert_eq!(
        (bundle, from.as_deref(), to.as_deref()),
        (false, Some("witness-7"), Some("boat-2"))
    );
}
