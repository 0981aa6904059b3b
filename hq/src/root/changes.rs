//! What a request changes, told to who signs it.

use super::RootError;
use testigo_wire::{KeyId, Keyset, KeysetRequest, Language};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The first keyset of this election.
    First,
    /// The election pack is signed, too.
    Pack {
        /// The election's name.
        name: String,
        /// How many polling tables it has.
        tables: usize,
    },
    /// Records are sealed to another key.
    Seal(KeyId),
    /// Receipts are signed by another key.
    Receipt(KeyId),
    /// Notices are signed by another key.
    Desk(KeyId),
    /// The ledger is signed by another key.
    Log(KeyId),
    /// A key is not listed any more: what it signed is believed no more.
    Dropped(KeyId),
    /// Phones send to this address, too.
    Address(String),
    /// Phones do not send to this address any more.
    NoAddress(String),
    /// The addresses are tried in another order.
    Order,
    /// SHA-256 of a TLS key that the addresses may show.
    Pin([u8; 32]),
    /// They may not show this one any more.
    NoPin([u8; 32]),
    /// Ordinary web certificates are believed again.
    NoPins,
    /// A device or capability is no longer believed.
    Revoked(KeyId),
    /// It is believed again.
    Believed(KeyId),
}

/// Whether a keyset says what the request asks for.
pub(super) fn is_the_same(request: &KeysetRequest, keyset: &Keyset) -> bool {
    request.seal == keyset.seal
        && request.receipt == keyset.receipt
        && request.desk == keyset.desk
        && request.log == keyset.log
        && request.revoked == keyset.revoked
        && request.endpoints == keyset.endpoints
        && request.pins == keyset.pins
}

/// Keys of one kind that sign, before and after, and what is said of a new one.
type Signing = (Vec<KeyId>, Vec<KeyId>, fn(KeyId) -> Change);

pub(super) fn between(
    before: Option<&Keyset>,
    request: &KeysetRequest,
) -> Result<Vec<Change>, RootError> {
    let mut changes = Vec::new();
    if before.is_none() {
        changes.push(Change::First);
    }
    let pack = request.pack().map_err(RootError::Request)?;
    changes.extend(pack.map(|pack| Change::Pack {
        tables: pack.tables.len(),
        name: pack.name,
    }));
    let seal = |keys: &[testigo_wire::SealPublicKey]| -> Vec<KeyId> {
        keys.iter().map(|key| key.key_id()).collect()
    };
    let kids = |keys: &[testigo_wire::VerifyingKey]| -> Vec<KeyId> {
        keys.iter().map(|key| key.key_id()).collect()
    };
    let of = |list: fn(&Keyset) -> &Vec<testigo_wire::VerifyingKey>| {
        before.map_or_else(Vec::new, |keyset| kids(list(keyset)))
    };
    let old_seal = before.map_or_else(Vec::new, |keyset| seal(&keyset.seal));
    let new_seal = seal(&request.seal);
    // An earlier seal key that falls out of the list takes nothing away: it signs nothing.
    if new_seal.first() != old_seal.first() {
        changes.extend(new_seal.first().map(|kid| Change::Seal(*kid)));
    }
    let lists: [Signing; 3] = [
        (of(|k| &k.receipt), kids(&request.receipt), Change::Receipt),
        (of(|k| &k.desk), kids(&request.desk), Change::Desk),
        (of(|k| &k.log), kids(&request.log), Change::Log),
    ];
    for (old, new, change) in lists {
        // Every key that is new, whatever its place; and the first, which signs from now on.
        changes.extend(added(&old, &new).map(|kid| change(*kid)));
        match new.first() {
            Some(first) if old.contains(first) && old.first() != Some(first) => {
                changes.push(change(*first));
            }
            _ => {}
        }
        changes.extend(added(&new, &old).map(|kid| Change::Dropped(*kid)));
    }
    let none = Vec::new();
    let old = before.map_or(&none, |keyset| &keyset.endpoints);
    let (new, count) = (&request.endpoints, changes.len());
    changes.extend(added(old, new).map(|address| Change::Address(address.clone())));
    changes.extend(added(new, old).map(|address| Change::NoAddress(address.clone())));
    if changes.len() == count && old != new {
        changes.push(Change::Order);
    }
    let none = Vec::new();
    let old = before.map_or(&none, |keyset| &keyset.pins);
    changes.extend(added(old, &request.pins).map(|pin| Change::Pin(**pin)));
    changes.extend(added(&request.pins, old).map(|pin| Change::NoPin(**pin)));
    if request.pins.is_empty() && !old.is_empty() {
        changes.push(Change::NoPins);
    }
    let none = Vec::new();
    let old = before.map_or(&none, |keyset| &keyset.revoked);
    changes.extend(added(old, &request.revoked).map(|kid| Change::Revoked(*kid)));
    changes.extend(added(&request.revoked, old).map(|kid| Change::Believed(*kid)));
    Ok(changes)
}

/// What is in `new` and not in `old`.
fn added<'a, T: PartialEq>(old: &'a [T], new: &'a [T]) -> impl Iterator<Item = &'a T> {
    new.iter().filter(|item| !old.contains(item))
}

impl Change {
    /// What who signs is told.
    pub fn sentence(&self, language: Language) -> String {
        let hex = |pin: &[u8; 32]| data_encoding::HEXLOWER.encode(pin);
        match self {
            Self::First => language.pick(
                "Es el primer juego de llaves de esta elección.".to_owned(),
                "This is the first keyset of this election.".to_owned(),
            ),
            Self::Pack { name, tables } => language.pick(
                format!("También se firma la elección «{name}», con {tables} mesas."),
                format!("The election {name:?} is signed, too, with {tables} tables."),
            ),
            Self::Seal(kid) => language.pick(
                format!("Los registros se sellarán para una llave nueva: {kid}."),
                format!("Records will be sealed to a new key: {kid}."),
            ),
            Self::Receipt(kid) => language.pick(
                format!("Esta llave firmará los acuses: {kid}."),
                format!("This key will sign receipts: {kid}."),
            ),
            Self::Desk(kid) => language.pick(
                format!("Esta llave firmará los avisos de la mesa de trabajo: {kid}."),
                format!("This key will sign the desk's notices: {kid}."),
            ),
            Self::Log(kid) => language.pick(
                format!("Esta llave firmará el registro público: {kid}."),
                format!("This key will sign the public ledger: {kid}."),
            ),
            Self::Dropped(kid) => language.pick(
                format!("Deja de valer lo que firme la llave {kid}."),
                format!("What the key {kid} signs is not believed any more."),
            ),
            Self::Address(address) => language.pick(
                format!("Los teléfonos enviarán también a {address}"),
                format!("Phones will also send to {address}"),
            ),
            Self::NoAddress(address) => language.pick(
                format!("Los teléfonos ya no enviarán a {address}"),
                format!("Phones will no longer send to {address}"),
            ),
            Self::Order => language.pick(
                "Las direcciones se probarán en otro orden.".to_owned(),
                "The addresses will be tried in another order.".to_owned(),
            ),
            Self::Pin(pin) => language.pick(
                format!("Las direcciones podrán mostrar la llave TLS {}.", hex(pin)),
                format!("The addresses may show the TLS key {}.", hex(pin)),
            ),
            Self::NoPin(pin) => language.pick(
                format!("Ya no podrán mostrar la llave TLS {}.", hex(pin)),
                format!("They may no longer show the TLS key {}.", hex(pin)),
            ),
            Self::NoPins => language.pick(
                "Volverán a valer los certificados web ordinarios.".to_owned(),
                "Ordinary web certificates will be believed again.".to_owned(),
            ),
            Self::Revoked(kid) => language.pick(
                format!("Se deja de creer en el teléfono o código {kid}."),
                format!("The phone or code {kid} is no longer believed."),
            ),
            Self::Believed(kid) => language.pick(
                format!("Se vuelve a creer en el teléfono o código {kid}."),
                format!("The phone or code {kid} is believed again."),
            ),
        }
    }
}
