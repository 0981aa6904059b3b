use crate::headquarters::{KEY, Stage, TABLE};
use crate::scenarios::{assert_explained, deliver, power_cut, runtime, sheet};
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::os::fd::AsRawFd;
use testigo_bindings::{
    AttachmentKind, Budget, DeliveryView, NextStep, Phone, ReportInput, SyncOutcome, TallyInput,
    TestigoError,
};

/// A file of no known form: it must arrive as it is.
const RECORDING: &[u8] = b"a recording of a form that nobody knows";

/// A JPEG picture of this side, and the same with a place in it, as a camera writes it.
fn photo(stage: &Stage, side: u32) -> (Vec<u8>, Vec<u8>) {
    let path = stage.path("plain.jpg");
    RgbImage::from_fn(side, side, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]))
        .save(&path)
        .unwrap();
    let plain = std::fs::read(path).unwrap();
    let place = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\0 10.4806 N 66.9036 W";
    let mut segment = vec![0xff, 0xe1];
    segment.extend((place.len() as u16 + 2).to_be_bytes());
    segment.extend(place);
    let mut taken = plain.clone();
    taken.splice(2..2, segment);
    (plain, taken)
}

/// The files of what headquarters hold, the thumbnail first.
fn files(of: &Value) -> Vec<Value> {
    let mut files = of["attachments"]["files"].as_array().unwrap().clone();
    files.sort_by_key(|file| file["thumbnail"] == false);
    files
}

fn held(files: &[Value]) -> Vec<bool> {
    files.iter().map(|file| file["held"] == true).collect()
}

pub fn photograph() {
    let mut stage = Stage::new();
    let (plain, taken) = photo(&stage, 640);
    let (plain_small, small) = photo(&stage, 64);
    let [photo, thumbnail, recording] = ["photo.jpg", "small.jpg", "recording.bin"];
    for (name, bytes) in [
        (photo, &taken[..]),
        (thumbnail, &small),
        (recording, RECORDING),
    ] {
        std::fs::write(stage.path(name), bytes).unwrap();
    }
    let fresh = Phone::create(stage.path("fresh"), KEY.to_vec()).unwrap();
    let Err(TestigoError::Enrolment { explanation }) =
        fresh.seal_file(stage.path(photo), AttachmentKind::Whole)
    else {
        panic!("sealed before there are keys to send it to");
    };
    assert_explained(&explanation, "not-enrolled", NextStep::Enrol);

    let phone = stage.phone("phone");
    for refused in [
        phone.seal_file(stage.path("no such file"), AttachmentKind::Whole),
        phone.seal_file(stage.path("phone"), AttachmentKind::Whole),
        phone.seal_descriptor(-1, AttachmentKind::Whole),
    ] {
        let Err(TestigoError::Input { explanation }) = refused else {
            panic!("{refused:?}");
        };
        assert_explained(&explanation, "file-unreadable", NextStep::CorrectInput);
    }
    let whole = phone
        .seal_file(stage.path(photo), AttachmentKind::Whole)
        .unwrap();
    let open = std::fs::File::open(stage.path(thumbnail)).unwrap();
    let little = phone
        .seal_descriptor(open.as_raw_fd(), AttachmentKind::Thumbnail)
        .unwrap();
    assert!(open.metadata().is_ok(), "the app's own descriptor stays");
    let other = phone
        .seal_file(stage.path(recording), AttachmentKind::Whole)
        .unwrap();
    assert!(whole.warnings().is_empty() && little.warnings().is_empty());
    let warned = other.warnings();
    assert_eq!(warned.len(), 1);
    for name in [photo, thumbnail, recording] {
        std::fs::remove_file(stage.path(name)).unwrap();
    }

    let saved = phone
        .report(ReportInput {
            attachments: vec![whole, little],
            ..power_cut("seen")
        })
        .unwrap();
    assert!(saved.warnings.is_empty(), "{saved:?}");
    let tally = phone
        .tally(TallyInput {
            attachments: vec![other],
            ..sheet()
        })
        .unwrap();
    assert_eq!(tally.saved.warnings, warned);
    assert_eq!(phone.status().unwrap().attachments_queued, 3);

    assert!(phone.budget().unwrap().photos_on_metered);
    let budget = Budget {
        bytes_a_day: None,
        photos_on_metered: false,
    };
    phone.set_budget(budget).unwrap();
    assert_eq!(phone.budget().unwrap(), budget);

    stage.serve();
    let dear = runtime().block_on(phone.sync(None, true)).unwrap();
    assert_eq!(dear.outcome, SyncOutcome::Done);
    assert_eq!((dear.remaining, dear.attachments_delivered), (0, 1));
    assert_eq!((dear.attachments_remaining, dear.held_for_cost), (2, 2));
    for item in phone.history().unwrap() {
        let DeliveryView::Received {
            attachments_left, ..
        } = item.delivery
        else {
            panic!("{item:?}");
        };
        assert_eq!(attachments_left, 1);
    }
    assert_eq!(phone.status().unwrap().delivered, 0);
    let desk = stage.held();
    assert_eq!(
        held(&files(&desk["incidents"]["incidents"][0])),
        [true, false]
    );

    let cheap = deliver(&phone);
    assert_eq!(
        (cheap.attachments_delivered, cheap.attachments_remaining),
        (2, 0)
    );
    assert!(
        (phone.history().unwrap().iter())
            .all(|item| matches!(item.delivery, DeliveryView::Delivered { .. }))
    );
    let status = phone.status().unwrap();
    assert_eq!((status.delivered, status.attachments_queued), (2, 0));
    let desk = stage.held();
    let of_report = files(&desk["incidents"]["incidents"][0]);
    let row = (desk["results"]["rows"].as_array().unwrap().iter())
        .find(|row| row["table"] == TABLE)
        .unwrap();
    let of_sheet = files(row);
    assert_eq!(
        (held(&of_report), held(&of_sheet)),
        (vec![true; 2], vec![true])
    );
    let arrived = |file: &Value| stage.opened(&file["id"]);
    assert!(arrived(&of_report[0]) == plain_small, "the thumbnail");
    assert!(arrived(&of_report[1]) == plain, "without the place");
    assert!(arrived(&of_sheet[0]) == RECORDING, "as it was");
}
