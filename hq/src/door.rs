//! Who sends: signatures are checked before anything waits for the writer, so that nobody can fill another's
//! place in its queue.

use crate::problem::Problem;
use crate::serve::Shared;
use crate::store::Keys;
use crate::writer::Item;
use std::sync::Arc;
use testigo_wire::{
    Ask, Deferral, ElectionId, Enrolment, Envelope, KeyId, UnverifiedAsk, UnverifiedEnrolment,
    UnverifiedEnvelope,
};

/// How many requests are verified at a time; a signature is a twentieth of a millisecond of a processor.
pub(crate) const AT_ONCE: usize = 4;

/// One item of a request, its form checked.
pub(crate) enum Brought {
    Enrolment(Box<UnverifiedEnrolment>),
    Envelope(Box<UnverifiedEnvelope>),
    Ask(Box<UnverifiedAsk>),
    Malformed,
}

impl Brought {
    pub(crate) fn read(item: &[u8]) -> Self {
        if let Ok(envelope) = Envelope::parse(item) {
            return Self::Envelope(Box::new(envelope));
        }
        if let Ok(enrolment) = Enrolment::parse(item) {
            return Self::Enrolment(Box::new(enrolment));
        }
        match Ask::parse(item) {
            Ok(ask) => Self::Ask(Box::new(ask)),
            Err(_) => Self::Malformed,
        }
    }

    fn signer(&self) -> Option<KeyId> {
        match self {
            Self::Enrolment(enrolment) => Some(enrolment.capability()),
            Self::Envelope(envelope) => Some(envelope.device()),
            Self::Ask(ask) => Some(ask.device()),
            Self::Malformed => None,
        }
    }
}

/// A request whose signatures were checked.
pub(crate) struct Entered {
    /// The capability that it came under; `None` where nothing in it is of anyone known.
    pub sender: Option<KeyId>,
    /// Its items with their bytes.
    pub items: Vec<(Vec<u8>, Item)>,
}

/// Checks the signatures of a request.
pub(crate) async fn enter(
    shared: &Arc<Shared>,
    brought: Vec<(Vec<u8>, Brought)>,
) -> Result<Entered, Problem> {
    let signers = signers(&brought);
    let keys = shared.read(move |reader| reader.keys(&signers)).await?;
    let election = shared.identity.election;
    let turn = shared.verifying.acquire().await;
    let entered = tokio::task::spawn_blocking(move || check(brought, keys, election)).await;
    drop(turn);
    entered.map_err(|_| Problem::STORE)
}

/// Who is said to have signed.
pub(crate) fn signers(brought: &[(Vec<u8>, Brought)]) -> Vec<KeyId> {
    brought
        .iter()
        .filter_map(|(_, item)| item.signer())
        .collect()
}

pub(crate) fn check(
    brought: Vec<(Vec<u8>, Brought)>,
    mut keys: Keys,
    election: ElectionId,
) -> Entered {
    let mut sender = None;
    // Enrolments first: they may stand behind the envelopes that need them.
    let (enrolments, others): (Vec<_>, Vec<_>) = brought
        .into_iter()
        .partition(|(_, item)| matches!(item, Brought::Enrolment(_)));
    let items = enrolments
        .into_iter()
        .chain(others)
        .map(|(bytes, item)| {
            let (item, capability) = one(item, &mut keys, election);
            sender = sender.or(capability);
            (bytes, item)
        })
        .collect();
    Entered { sender, items }
}

/// The item, and the capability that it came under where its signature is right.
fn one(item: Brought, keys: &mut Keys, election: ElectionId) -> (Item, Option<KeyId>) {
    let not_yet = |deferral| (Item::NotYet(deferral), None);
    match item {
        Brought::Malformed => not_yet(Deferral::MALFORMED),
        Brought::Enrolment(enrolment) => {
            let kid = enrolment.capability();
            let Some(key) = keys.capabilities.get(&kid) else {
                // Where it is for another election that is the better reason.
                return not_yet(match enrolment.election() == election {
                    true => Deferral::UNKNOWN_CAPABILITY,
                    false => Deferral::OTHER_ELECTION,
                });
            };
            let Ok(enrolment) = enrolment.verify(key) else {
                return not_yet(Deferral::SIGNATURE);
            };
            let device = enrolment.device;
            // What was enrolled first stays.
            keys.devices.entry(device.key_id()).or_insert((device, kid));
            (Item::Enrolment(Box::new(enrolment), kid), Some(kid))
        }
        Brought::Envelope(envelope) => {
            let Some((key, capability)) = keys.devices.get(&envelope.device()) else {
                return not_yet(Deferral::UNKNOWN_DEVICE);
            };
            match envelope.verify(key) {
                Ok(envelope) => (Item::Envelope(Box::new(envelope), *key), Some(*capability)),
                Err(_) => not_yet(Deferral::SIGNATURE),
            }
        }
        Brought::Ask(ask) => {
            let Some((key, capability)) = keys.devices.get(&ask.device()) else {
                return not_yet(Deferral::UNKNOWN_DEVICE);
            };
            match ask.verify(key) {
                Ok(verified) => (Item::Ask(verified, *key), Some(*capability)),
                Err(_) => not_yet(Deferral::SIGNATURE),
            }
        }
    }
}
