//! `POST /v1/envelopes`: a CBOR sequence (RFC 8742) of enrolments, envelopes and an ask in any order.

use crate::connections::Seat;
use crate::door::{self, Brought};
use crate::problem::Problem;
use crate::serve::Shared;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use testigo_wire::{Answer, Deferral, MAX_ENVELOPE, Reply, cbor, padding};

/// The largest request, in bytes.
const MAX_REQUEST: usize = 1024 * 1024;
/// The most items in one request, padding included.
const MAX_ITEMS: usize = 256;
/// When what was too much may be sent again, in seconds: the reserve gives one a minute.
const QUOTA_RETRY: &str = "60";

pub(crate) async fn post_envelopes(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    if declared_length(&head.headers) > MAX_REQUEST as u64 {
        return Err(Problem::TOO_LARGE);
    }
    if !is_sequence(&head.headers) {
        return Err(Problem::MEDIA_TYPE);
    }
    let bytes = to_bytes(body, MAX_REQUEST).await.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            if error.to_string() == "length limit exceeded" {
                return Problem::TOO_LARGE;
            }
            cause = error.source();
        }
        Problem::BODY
    })?;
    // It is all here: what is slow from now on is headquarters' own.
    let _working = head.extensions.get::<Arc<Seat>>().map(Seat::work);
    let items = split(&bytes)?;
    let sent = items.len();
    let entered = door::enter(&shared, items).await?;
    let answers = shared.writer.write(entered).await?;
    let over_quota = answers.iter().any(|answer| {
        matches!(answer, Answer::Deferred { deferral, .. } if *deferral == Deferral::OVER_QUOTA)
    });
    let receipts = answers.iter().filter(|a| matches!(a, Answer::Receipt(_)));
    tracing::info!(sent, receipts = receipts.count(), "envelopes");
    let reply = Reply {
        epoch: shared.identity.epoch,
        keyset: shared.keyset_version,
        answers,
    };
    let mut body = reply.to_bytes();
    padding::pad(&mut body, padding::REPLY_FLOOR);
    let kind = [(header::CONTENT_TYPE, Reply::MEDIA_TYPE)];
    let mut response = (kind, body).into_response();
    if over_quota {
        let seconds = HeaderValue::from_static(QUOTA_RETRY);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    Ok(response)
}

fn declared_length(headers: &HeaderMap) -> u64 {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or_default()
}

fn is_sequence(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(Reply::MEDIA_TYPE))
}

/// Takes a request apart; padding is none of its items. What follows behind a damaged item cannot be told apart and
/// is one item.
fn split(bytes: &[u8]) -> Result<Vec<(Vec<u8>, Brought)>, Problem> {
    let mut items = Vec::new();
    let mut rest = bytes;
    let mut steps = 0;
    while !rest.is_empty() {
        if steps == MAX_ITEMS {
            return Err(Problem::TOO_LARGE);
        }
        steps += 1;
        if let Ok(Some(behind)) = padding::skip(rest) {
            rest = behind;
            continue;
        }
        match cbor::first("item", rest, MAX_ENVELOPE) {
            Ok((item, behind)) => {
                items.push((item.to_vec(), Brought::read(item)));
                rest = behind;
            }
            Err(_) if items.is_empty() => return Err(Problem::NO_SEQUENCE),
            Err(_) => {
                items.push((rest.to_vec(), Brought::Malformed));
                rest = &[];
            }
        }
    }
    if items.is_empty() {
        return Err(Problem::NO_SEQUENCE);
    }
    Ok(items)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn damage_behind_the_first_item_is_one_malformed_item() {
        let items = split(b"\x01\x62ab\xff\xff\xff").unwrap();
        let bytes: Vec<&[u8]> = items.iter().map(|(bytes, _)| bytes.as_slice()).collect();
        assert_eq!(bytes, [&b"\x01"[..], b"\x62ab", b"\xff\xff\xff"]);
        assert!(
            items
                .iter()
                .all(|(_, item)| matches!(item, Brought::Malformed))
        );
    }

    #[test]
    fn padding_is_no_item_and_is_bounded() {
        assert_eq!(split(b"\x01\x42\0\0\x02\x40").unwrap().len(), 2);
        assert!(matches!(split(b"\x42\0\0"), Err(p) if p.code() == "no_sequence"));
        assert!(matches!(split(&[0x40; MAX_ITEMS + 1]), Err(p) if p.code() == "too_large"));
        // More than any class needs is damage as any other.
        let long = [&b"\x01\x5a\0\x01\0\0"[..], &[0; 1 << 16]].concat();
        assert!(matches!(
            split(&long).unwrap()[..],
            [_, (_, Brought::Malformed)]
        ));
    }

    #[test]
    fn no_first_item_is_no_sequence_and_too_many_are_too_large() {
        assert!(matches!(split(b""), Err(p) if p.code() == "no_sequence"));
        assert!(matches!(split(b"\xff"), Err(p) if p.code() == "no_sequence"));
        assert!(matches!(split(&[0x81; 100_000]), Err(p) if p.code() == "no_sequence"));
        assert_eq!(split(&[0; MAX_ITEMS]).unwrap().len(), MAX_ITEMS);
        assert!(matches!(split(&[0; MAX_ITEMS + 1]), Err(p) if p.code() == "too_large"));
    }
}
