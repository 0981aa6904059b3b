//! Brazil's Boletim de Urna in QR codes, as the Tribunal Superior Eleitoral's manuals for VRQR 1.4, 1.5 and 6.0 describe it.
//!
//! It is code and not a declaration, for its body is a sequence with a state (party within office within election) in which
//! the same keys come again; `docs/adr/0005-declared-formats.md` says more. The heading of a code is outside hash and
//! signature, so that it is held to exactly the forms that are known.

mod body;

use crate::chain::Chain;
use crate::declared::{in_order, numbered};
use crate::not_a_tally::Wants;
use crate::number::{hex, quote};
use crate::read::Fault;
use crate::{Doubt, NotATally, Tally, Vouch};
use body::Body;
use testigo_wire::{CheckKind, Format};

/// What every code begins with.
const BEGIN: &str = "QRBU:";
/// Codes that carry the certificate of VRQR 6.0, which has no votes.
const CERTIFICATE: &str = "QRCE:";
/// Hexadecimal digits of a SHA-512 hash, and of an Ed25519 signature.
const DIGITS: usize = 128;

/// One code, taken apart.
struct Code<'t> {
    version: &'t str,
    key_version: Option<&'t str>,
    data: &'t str,
    hash: &'t str,
    signature: Option<&'t str>,
}

/// Reads a bulletin from its codes in any order. A hash or signature that is wrong is an error.
pub(crate) fn read(texts: &[&str], format: &Format) -> Result<Tally, Fault> {
    let (codes, others): (Vec<&str>, Vec<&str>) =
        texts.iter().partition(|text| text.starts_with(BEGIN));
    if codes.is_empty() {
        return Err(Fault::elsewhere(NotATally::Literal {
            after: None,
            literal: BEGIN.to_owned(),
        }));
    }
    let mut tally = bulletin(&codes, format).map_err(Fault::here)?;
    if others.iter().any(|text| !text.starts_with(CERTIFICATE)) {
        tally.doubts.push(Doubt::OtherCodes);
    }
    Ok(tally)
}

fn bulletin(texts: &[&str], format: &Format) -> Result<Tally, NotATally> {
    let mut parts = Vec::with_capacity(texts.len());
    for text in texts {
        parts.push(take_apart(text)?);
    }
    let codes = in_order(parts.into_iter())?;
    let (version, key_version) = one_heading(&codes)?;
    let (text, hash) = verify_chain(&codes)?;
    let last = codes.last().map(|(_, code)| code);
    let signature = last.and_then(|code| code.signature).unwrap_or_default();
    let mut body = Body::new(version, key_version);
    for token in text.split(' ') {
        body.token(token)?;
    }
    body.close_office()?;
    if body.contests.is_empty() {
        return Err(NotATally::FieldMissing {
            field: "CARG".to_owned(),
        });
    }
    let table = body.table()?;
    let vouch = vouch(version, key_version, hash, signature, format, &mut body)?;
    Ok(Tally {
        format: format.name.clone(),
        table,
        contests: body.contests,
        counted: None,
        candidates: Vec::new(),
        fields: body.fields,
        vouch,
        doubts: body.doubts,
    })
}

/// Verifies the signature under the state's key, which is named `UF`, or `UF.VRCH` where bulletins name its version.
///
/// A pack that has a key of a state has all of them: what is under another is refused, so that no forger gets around the
/// key with a version that nobody can check.
fn vouch(
    version: &str,
    key_version: Option<&str>,
    hash: &str,
    signature: &str,
    format: &Format,
    body: &mut Body<'_>,
) -> Result<Vouch, NotATally> {
    let state = body.field("UNFE")?;
    let name = match key_version {
        Some(version) => format!("{state}.{version}"),
        None => state.to_owned(),
    };
    let verifiable = version != "6.0";
    if let Some(key) = format.key(&name).filter(|_| verifiable) {
        let bytes = |text| hex(text).ok_or(NotATally::Signature);
        return match key.verifies(&bytes(hash)?, &bytes(signature)?) {
            true => Ok(Vouch::SIGNATURE),
            false => Err(NotATally::Signature),
        };
    }
    let of_state = |key: &str| key.split('.').next() == Some(state);
    if format.keys.iter().any(|key| of_state(&key.name)) {
        return Err(field_fault(
            if verifiable { "VRCH" } else { "VRQR" },
            if verifiable {
                key_version.unwrap_or_default()
            } else {
                version
            },
            Wants::KnownKey,
        ));
    }
    body.doubts.push(match verifiable {
        true => Doubt::NoKey(quote(&name)),
        false => Doubt::SignatureNotVerifiable("ECDSA P-521 / Ed-E521".to_owned()),
    });
    Ok(Vouch::HASH)
}

fn literal(after: Option<&str>, literal: &str) -> NotATally {
    NotATally::Literal {
        after: after.map(str::to_owned),
        literal: literal.to_owned(),
    }
}

fn field_fault(field: &str, found: &str, wants: Wants) -> NotATally {
    NotATally::Field {
        field: field.to_owned(),
        found: quote(found),
        wants,
    }
}

/// Takes one code apart: `QRBU:n:x VRQR:v [VRCH:key version] data HASH:hash [ASSI:signature]`.
fn take_apart(text: &str) -> Result<(u32, u32, Code<'_>), NotATally> {
    let rest = text.strip_prefix(BEGIN).unwrap_or(text);
    let (number, rest) = rest
        .split_once(' ')
        .ok_or_else(|| literal(Some("QRBU"), " "))?;
    let (part, parts) = (number.split_once(':'))
        .and_then(|(part, parts)| numbered(part, parts))
        .ok_or_else(|| field_fault("QRBU", number, Wants::OneOf("1:1 ... 64:64")))?;
    let rest = rest.strip_prefix("VRQR:");
    let rest = rest.ok_or_else(|| literal(Some("QRBU"), "VRQR:"))?;
    let (version, rest) = rest
        .split_once(' ')
        .ok_or_else(|| literal(Some("VRQR"), " "))?;
    let (key_version, rest) = match rest.strip_prefix("VRCH:") {
        Some(rest) => {
            let (key, rest) = rest
                .split_once(' ')
                .ok_or_else(|| literal(Some("VRCH"), " "))?;
            (Some(key), rest)
        }
        None => (None, rest),
    };
    let digits = |key: &str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
    // The hash is not over the heading: 1.4 never has a key version and 1.5 always has.
    match (version, key_version) {
        ("1.4" | "6.0", None) => {}
        ("1.5" | "6.0", Some(key)) if digits(key) => {}
        ("1.4" | "1.5", key) => {
            return Err(field_fault(
                "VRCH",
                key.unwrap_or_default(),
                Wants::OneOf(if version == "1.4" { "\"\"" } else { "20180830" }),
            ));
        }
        _ => {
            return Err(field_fault(
                "VRQR",
                version,
                Wants::OneOf("1.4 | 1.5 | 6.0"),
            ));
        }
    }
    let (data, rest) = rest
        .split_once(" HASH:")
        .ok_or_else(|| literal(None, " HASH:"))?;
    let (hash, signature) = match rest.split_once(" ASSI:") {
        Some((hash, signature)) => (hash, Some(signature)),
        None => (rest, None),
    };
    let capitals = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    if hash.len() != DIGITS || !capitals(hash) {
        return Err(field_fault("HASH", hash, Wants::Hex(Some(DIGITS))));
    }
    let length = (version != "6.0").then_some(DIGITS);
    match (signature, part == parts) {
        (Some(text), true) if !capitals(text) || length.is_some_and(|len| text.len() != len) => {
            return Err(field_fault("ASSI", text, Wants::Hex(length)));
        }
        (Some(text), false) => {
            return Err(field_fault("ASSI", text, Wants::OneOf("\"\"")));
        }
        (None, true) => {
            return Err(NotATally::FieldMissing {
                field: "ASSI".to_owned(),
            });
        }
        _ => {}
    }
    let code = Code {
        version,
        key_version,
        data,
        hash,
        signature,
    };
    Ok((part, parts, code))
}

/// The version and key version, which all codes must have in common.
fn one_heading<'t>(codes: &[(u32, Code<'t>)]) -> Result<(&'t str, Option<&'t str>), NotATally> {
    let heading = |code: &Code<'t>| (code.version, code.key_version);
    let first = codes.first().map(|(_, code)| heading(code));
    let first = first.ok_or(NotATally::Empty)?;
    for (number, code) in codes {
        let field = match heading(code) {
            (version, _) if version != first.0 => "VRQR",
            (_, key) if key != first.1 => "VRCH",
            _ => continue,
        };
        return Err(NotATally::HeaderDiffers {
            code: *number,
            field: field.to_owned(),
        });
    }
    Ok(first)
}

/// Checks each code's hash and returns the whole body with the last hash.
fn verify_chain<'t>(codes: &[(u32, Code<'t>)]) -> Result<(String, &'t str), NotATally> {
    let mut body = String::new();
    let mut last = "";
    let mut chain = Chain::new(CheckKind::Sha512).ok_or(NotATally::Empty)?;
    for (number, code) in codes {
        if *number > 1 {
            for text in [" HASH:", last, " "] {
                chain.update(text);
            }
            body.push(' ');
        }
        chain.update(code.data);
        if !chain.is(code.hash) {
            return Err(NotATally::Hash {
                code: Some(*number),
            });
        }
        body.push_str(code.data);
        last = code.hash;
    }
    Ok((body, last))
}
