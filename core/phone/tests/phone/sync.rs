//! Delivery over a network that does anything: once each, and nothing counts before its receipt.

use crate::support::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use testigo_phone::sync::{NetworkFault, Response, Selection, Step, SyncFailure, SyncPass};
use testigo_phone::{Delivery, Phone, ReportInput};
use testigo_wire::{Code, Deferral, Lane, Language, ReceiptCode, Reply, padding};

fn report(phone: &mut Phone, code: u16) {
    let input = ReportInput {
        code,
        ..ReportInput::default()
    };
    phone.report(&input).unwrap();
}

#[test]
fn everything_arrives_once_and_a_second_pass_sends_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    for _ in 0..150 {
        report(&mut phone, 11);
    }
    let first = deliver(&mut phone, &mut hq);
    assert_eq!(
        (first.delivered, first.remaining, first.requests),
        (150, 0, 3)
    );
    let sequences: Vec<u64> = hq.kept.iter().map(|(_, body)| body.sequence).collect();
    assert_eq!(sequences, (1..=150).collect::<Vec<_>>());
    let second = deliver(&mut phone, &mut hq);
    // It asks what the desk has to say.
    assert_eq!(
        (second.requests, second.delivered, second.confirmed),
        (1, 0, 0)
    );
    assert_eq!(second.bytes_sent, padding::REQUEST_FLOOR as u64);
    let again = run(&mut phone, Selection::Everything, |r| Ok(hq.answer(r)));
    assert_eq!((again.delivered, again.confirmed), (0, 150));
    assert_eq!(hq.kept.len(), 150);
    assert!(phone.outbox().unwrap().last_contact.is_some());
}

#[test]
fn a_witness_in_danger_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    for code in [90, 11, 35] {
        report(&mut phone, code);
    }
    deliver(&mut phone, &mut hq);
    let lanes: Vec<Lane> = hq.kept.iter().map(|(_, body)| body.lane).collect();
    assert_eq!(lanes, [Lane::DANGER, Lane::INCIDENT, Lane::CHECK_IN]);
    assert_eq!(Code(35).lane(), Lane::DANGER);
}

#[test]
fn danger_that_is_saved_while_a_request_is_under_way_goes_in_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    for _ in 0..150 {
        report(&mut phone, 90);
    }
    let mut pass = SyncPass::new(Selection::Queued);
    let mut requests = 0;
    let outcome = loop {
        match pass.step(&mut phone).unwrap() {
            Step::Done(outcome) => break outcome,
            Step::Send(request) => {
                requests += 1;
                if requests == 1 {
                    report(&mut phone, 35);
                }
                pass.reply(&mut phone, Ok(hq.answer(&request))).unwrap();
            }
        }
    };
    assert_eq!((outcome.delivered, outcome.remaining), (151, 0));
    assert_eq!(outcome, *pass.report());
    let (_, danger) = &hq.kept[64];
    assert_eq!((danger.sequence, danger.lane), (151, Lane::DANGER));
}

#[test]
fn a_lost_reply_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 11);
    let lost = run(&mut phone, Selection::Queued, |request| {
        hq.answer(request);
        Err(NetworkFault::Interrupted)
    });
    assert_eq!((lost.delivered, lost.remaining), (0, 1));
    let next = deliver(&mut phone, &mut hq);
    assert_eq!((next.delivered, next.remaining), (1, 0));
    assert_eq!(hq.kept.len(), 1);
}

#[test]
fn whoever_cannot_sign_delivers_nothing_and_says_why() {
    let html = Response {
        status: 200,
        media_type: "text/html".into(),
        body: b"<html>Accept the terms".to_vec(),
        ..Response::default()
    };
    let liar = Response {
        media_type: Reply::MEDIA_TYPE.into(),
        ..html.clone()
    };
    let busy = Response {
        status: 503,
        retry_after_s: Some(86_400),
        ..html.clone()
    };
    let fault = Response {
        status: 500,
        ..html.clone()
    };
    let moved = Response {
        status: 302,
        ..html.clone()
    };
    let cases = [
        (Ok(html), SyncFailure::Portal { status: 200 }),
        (Ok(moved), SyncFailure::Portal { status: 302 }),
        (Ok(liar), SyncFailure::NotHeadquarters),
        (Ok(busy), SyncFailure::Busy { retry_after_s: 300 }),
        (Ok(fault), SyncFailure::Headquarters { status: 500 }),
        (
            Err(NetworkFault::Unreachable),
            SyncFailure::NoNetwork(NetworkFault::Unreachable),
        ),
        (
            Err(NetworkFault::Tls),
            SyncFailure::NoNetwork(NetworkFault::Tls),
        ),
    ];
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 11);
    for (outcome, failure) in cases {
        let pass = run(&mut phone, Selection::Queued, |_| outcome.clone());
        assert_eq!((pass.delivered, pass.remaining), (0, 1));
        assert_ne!(
            failure.sentence(Language::Es),
            failure.sentence(Language::En)
        );
        assert_eq!(pass.failure, Some(failure));
    }
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 1);
}

#[test]
fn receipts_of_another_headquarters_or_phone_count_for_nothing() {
    let (dir, dir2) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    let mut neighbour = hq.phone(dir2.path());
    report(&mut phone, 11);
    let mut forger = FakeHq::new(1);
    forger.receipt = testigo_wire::SigningKey::from_seed(&[99; 32]);
    let forged = run(&mut phone, Selection::Queued, |r| Ok(forger.answer(r)));
    assert_eq!(forged.failure, Some(SyncFailure::NotHeadquarters));
    assert_eq!(forged.remaining, 1);

    let mut others = None;
    report(&mut neighbour, 11);
    run(&mut neighbour, Selection::Queued, |r| {
        let response = hq.answer(r);
        others = Some(response.clone());
        Ok(response)
    });
    let swapped = run(&mut phone, Selection::Queued, |_| {
        Ok(others.clone().unwrap())
    });
    assert_eq!(swapped.failure, Some(SyncFailure::NotHeadquarters));
    assert_eq!(phone.outbox().unwrap().delivered, 0);
}

#[test]
fn a_headquarters_that_forgot_the_phone_is_introduced_to_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 11);
    deliver(&mut phone, &mut hq);
    hq.device = None;
    report(&mut phone, 10);
    let pass = deliver(&mut phone, &mut hq);
    assert_eq!(pass.deferrals, [Deferral::UNKNOWN_DEVICE]);
    assert_eq!((pass.delivered, pass.remaining), (1, 0));
}

#[test]
fn only_a_signed_refusal_parks_and_it_blocks_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = hq.phone(dir.path());
    report(&mut phone, 11);
    hq.answer_code = ReceiptCode::WRONG_ELECTION;
    let pass = deliver(&mut phone, &mut hq);
    assert_eq!((pass.parked, pass.delivered, pass.remaining), (1, 0, 0));
    hq.answer_code = ReceiptCode::ACCEPTED;
    report(&mut phone, 10);
    assert_eq!(deliver(&mut phone, &mut hq).delivered, 1);
    let history = phone.history().unwrap();
    assert!(matches!(history[0].delivery, Delivery::Delivered { .. }));
    assert_eq!(
        history[1].delivery,
        Delivery::Parked {
            code: ReceiptCode::WRONG_ELECTION
        }
    );
}

#[test]
fn the_next_address_is_tried_where_one_does_not_answer() {
    let dir = tempfile::tempdir().unwrap();
    let mut hq = FakeHq::new(1);
    let mut phone = Phone::create(dir.path(), &key(), clock()).unwrap();
    let keyset = hq.keyset(&["http://127.0.0.1:1/", "http://127.0.0.1:2"]);
    phone.enrol(&hq.invitation(), &keyset, None).unwrap();
    report(&mut phone, 11);
    let mut asked = Vec::new();
    let pass = run(&mut phone, Selection::Queued, |request| {
        asked.push(request.url.clone());
        match asked.len() {
            1 => Err(NetworkFault::Unreachable),
            _ => Ok(hq.answer(request)),
        }
    });
    assert_eq!(pass.delivered, 1);
    assert_eq!(asked[0], "http://127.0.0.1:1/v1/envelopes");
    assert_eq!(asked[1], "http://127.0.0.1:2/v1/envelopes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    /// Whatever the network does with each request, in the end each record is there exactly once.
    #[test]
    fn nothing_lost_nothing_doubled(
        saves in proptest::collection::vec(1usize..6, 1..6),
        faults in proptest::collection::vec(0u8..6, 30),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut hq = FakeHq::new(1);
        let mut phone = hq.phone(dir.path());
        let mut faults = faults.into_iter();
        let mut total = 0;
        for n in saves {
            (0..n).for_each(|_| report(&mut phone, 11));
            total += n;
            run(&mut phone, Selection::Queued, |request| match faults.next() {
                Some(0) => Err(NetworkFault::Timeout),
                Some(1) => {
                    hq.answer(request);
                    Err(NetworkFault::Interrupted)
                }
                Some(2) => {
                    let mut response = hq.answer(request);
                    let half = response.body.len() / 2;
                    response.body.truncate(half);
                    Ok(response)
                }
                Some(3) => {
                    let mut response = hq.answer(request);
                    let at = response.body.len() / 3;
                    response.body[at] ^= 4;
                    Ok(response)
                }
                Some(4) => {
                    hq.device = None;
                    Ok(hq.answer(request))
                }
                _ => Ok(hq.answer(request)),
            });
        }
        deliver(&mut phone, &mut hq);
        let seen: BTreeSet<u64> = hq.kept.iter().map(|(_, body)| body.sequence).collect();
        prop_assert_eq!(hq.kept.len(), total);
        prop_assert_eq!(seen, (1..=total as u64).collect());
        let outbox = phone.outbox().unwrap();
        prop_assert_eq!((outbox.queued, outbox.delivered), (0, total as u64));
    }
}
