//! What becomes of a request on its way.

use crate::faults::Fault;
use crate::phone::SimulatedPhone;
use data_encoding::{BASE64, HEXLOWER};
use fastrand::Rng;
use testigo_phone::sync::{Link, Method, NetworkFault, Request, Response};
use testigo_wire::{
    Answer, BlobReceipt, BlobRef, Deferral, Eid, Epoch, Lane, MAX_ENVELOPE, Notice, NoticeStatus,
    Receipt, ReceiptCode, Reply, SigningKey, StoreId, Time, cbor, padding,
};

/// The lane of whole photographs, films and recordings.
const WHOLE: Lane = Lane(5);

/// What becomes of a request.
pub enum Fate {
    /// It arrives and is answered.
    Answered {
        /// So much later than usual.
        after_ms: u64,
    },
    /// It arrives, is answered, and arrives again.
    Twice {
        /// So much later.
        again_ms: u64,
    },
    /// It arrives, perhaps late, and its phone hears nothing.
    Unanswered {
        /// So much later than usual.
        after_ms: u64,
    },
    /// Its body breaks off.
    Broken {
        /// Behind so many bytes.
        at: usize,
        /// When headquarters see it, and the phone gives up.
        after_ms: u64,
    },
    /// It does not reach headquarters, and this is what its phone hears.
    Told(Result<Response, NetworkFault>),
}

/// The fate of a request under a fault.
pub fn fate(
    fault: Option<Fault>,
    phone: &SimulatedPhone,
    request: &Request,
    rng: &mut Rng,
) -> Fate {
    match fault {
        Some(Fault::RequestLost) => Fate::Told(Err(NetworkFault::Timeout)),
        Some(Fault::ReplyLost) => Fate::Unanswered { after_ms: 0 },
        Some(Fault::Duplicated) => Fate::Twice {
            again_ms: rng.u64(0..60_000),
        },
        Some(Fault::Reordered) => Fate::Unanswered {
            after_ms: rng.u64(30_000..120_000),
        },
        Some(Fault::Reset) => Fate::Broken {
            at: rng.usize(0..=request.body.len()),
            after_ms: 0,
        },
        Some(Fault::HalfOpen) => Fate::Broken {
            at: rng.usize(0..=request.body.len()),
            after_ms: 30_000,
        },
        Some(Fault::Slow) => Fate::Answered {
            after_ms: rng.u64(2_000..25_000),
        },
        Some(Fault::Partition) => Fate::Told(Err(NetworkFault::Unreachable)),
        Some(Fault::Portal) => Fate::Told(Ok(portal(rng))),
        Some(Fault::Impostor) => Fate::Told(Ok(impostor(phone, request, rng))),
        Some(Fault::Gateway) => Fate::Told(Ok(gateway(rng))),
        Some(Fault::Deferred) => Fate::Told(Ok(deferred(phone, request, rng))),
        _ => Fate::Answered { after_ms: 0 },
    }
}

fn portal(rng: &mut Rng) -> Response {
    Response {
        status: [200, 204, 302, 511, 404][rng.usize(..5)],
        media_type: "text/html".to_owned(),
        location: Some("http://portal.example/login".to_owned()),
        upload_offset: rng.bool().then(|| rng.u64(..1_000_000)),
        body: b"<html>Welcome to the Wi-Fi</html>".to_vec(),
        ..Response::default()
    }
}

fn gateway(rng: &mut Rng) -> Response {
    Response {
        status: [500, 502, 503, 504, 429][rng.usize(..5)],
        media_type: "text/html".to_owned(),
        retry_after_s: rng.bool().then(|| rng.u32(..100_000)),
        ..Response::default()
    }
}

/// An answer in the right form by somebody who knows everything but headquarters' keys.
fn impostor(phone: &SimulatedPhone, request: &Request, rng: &mut Rng) -> Response {
    let store_id = phone.store_id().unwrap_or(StoreId([0; 16]));
    let key = SigningKey::from_seed(&[rng.u8(..); 32]);
    let at = Time::from_millis(1_722_204_000_000, 0).expect("a year of four digits");
    let answers = eids(&request.body).into_iter().map(|eid| {
        let receipt = Receipt::new(store_id, eid, at, ReceiptCode::ACCEPTED);
        Answer::Receipt(receipt.sign(&key).expect("a receipt"))
    });
    if is_file(request) {
        return Response {
            status: 204,
            blob_receipt: phone.due_files().first().map(|(blob, _)| {
                let receipt = BlobReceipt::new(*blob).sign(&key);
                BASE64.encode(&receipt.expect("a receipt"))
            }),
            ..Response::default()
        };
    }
    // Later than any of the desk's.
    let at = Time::from_millis(1_900_000_000_000, 0).expect("a year of four digits");
    let notices = phone.delivered().into_iter().map(|eid| {
        let notice = Notice::new(eid, NoticeStatus::COUNTED, true, at).sign(&key);
        Answer::Notice {
            number: 1 << 40,
            notice: notice.expect("a notice"),
        }
    });
    // A receipt that does not verify ends the reading of the reply.
    let answers = match rng.bool() {
        true => answers.collect(),
        false => notices.collect(),
    };
    replied(phone.epoch().unwrap_or(Epoch([rng.u8(..); 16])), answers)
}

/// Headquarters take nothing for now.
fn deferred(phone: &SimulatedPhone, request: &Request, rng: &mut Rng) -> Response {
    if is_file(request) {
        return Response {
            status: 429,
            retry_after_s: Some(rng.u32(1..300)),
            ..Response::default()
        };
    }
    let deferral = [
        Deferral::OVER_QUOTA,
        Deferral::UNKNOWN_CAPABILITY,
        Deferral::UNKNOWN_DEVICE,
    ][rng.usize(..3)];
    let answers = (eids(&request.body).into_iter())
        .map(|eid| Answer::Deferred { eid, deferral })
        .collect();
    replied(phone.epoch().unwrap_or(Epoch([7; 16])), answers)
}

fn replied(epoch: Epoch, answers: Vec<Answer>) -> Response {
    Response {
        status: 200,
        media_type: Reply::MEDIA_TYPE.to_owned(),
        body: Reply {
            epoch,
            keyset: 0,
            answers,
        }
        .to_bytes(),
        ..Response::default()
    }
}

/// The identities of what a request carries.
pub fn eids(body: &[u8]) -> Vec<Eid> {
    let mut eids = Vec::new();
    let mut rest = body;
    // Padding stands behind all else.
    while let Ok(None) = padding::skip(rest)
        && let Ok((item, behind)) = cbor::first("item", rest, MAX_ENVELOPE)
    {
        eids.push(Eid::of(item));
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    eids
}

/// Whether it asks for a place for this file.
fn begins(request: &Request, blob: &BlobRef) -> bool {
    let name = BASE64.encode(HEXLOWER.encode(&blob.sha256).as_bytes());
    let metadata =
        |(header, value): &(&str, String)| *header == "Upload-Metadata" && value.contains(&name);
    request.method == Method::Post && request.headers.iter().any(metadata)
}

/// Whether it is for an attachment.
fn is_file(request: &Request) -> bool {
    request.method != Method::Get
        && !(request.method == Method::Post && request.url.ends_with("/v1/envelopes"))
}

/// Whether a request keeps to the lanes: among what never left the phone, nothing more urgent may stay
/// behind, files wait for records, and a file is begun when none that is more urgent may go. A witness in danger
/// is in each pass, whatever happened before, and photographs keep to the link that they were allowed.
pub fn check_lanes(phone: &mut SimulatedPhone, request: &Request) -> Result<(), String> {
    let waiting = phone.never_sent();
    if is_file(request) {
        if !waiting.is_empty() {
            return Err(format!("a file goes before {} records", waiting.len()));
        }
        let due = phone.due_files();
        let begun = due.iter().find(|(blob, _)| begins(request, blob));
        if let (Some((_, WHOLE)), Some(Link::Metered)) = (begun, phone.link)
            && !phone.photos_on_metered()
        {
            return Err("a photograph is begun over mobile data".to_owned());
        }
        return match (begun, due.first()) {
            (Some((_, lane)), Some((_, first))) if first < lane => {
                Err(format!("a file of lane {lane:?} is begun before {first:?}"))
            }
            _ => Ok(()),
        };
    }
    let eids = eids(&request.body);
    let lanes: Vec<Lane> = eids.iter().filter_map(|eid| phone.lane(eid)).collect();
    if !lanes.is_sorted() {
        return Err(format!("lanes out of order in a request: {lanes:?}"));
    }
    let left = waiting
        .iter()
        .filter(|(eid, _)| !eids.contains(eid))
        .map(|(_, lane)| *lane)
        .min();
    if let (Some(left), Some(last)) = (left, lanes.last())
        && left < *last
    {
        return Err(format!("lane {left:?} stays behind lane {last:?}"));
    }
    phone.sent.extend(&eids);
    phone.tried.extend(eids);
    match lanes.last() {
        Some(&Lane::DANGER) | None => Ok(()),
        Some(_) => check_danger(phone),
    }
}

/// Whether this pass has tried every record of a witness in danger.
pub fn check_danger(phone: &SimulatedPhone) -> Result<(), String> {
    let waiting = phone.in_danger();
    match waiting.iter().all(|eid| phone.tried.contains(eid)) {
        true => Ok(()),
        false => Err("a witness in danger is held back".to_owned()),
    }
}

/// Whether a pass over mobile data that met no fault has tried every record.
pub fn check_cost(phone: &SimulatedPhone) -> Result<(), String> {
    match phone.never_sent().is_empty() {
        true => Ok(()),
        false => Err("records are held back for their cost".to_owned()),
    }
}
