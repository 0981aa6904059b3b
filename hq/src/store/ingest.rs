use super::schema::{ENROLMENT, ENVELOPE};
use super::{Reader, Store};
use rusqlite::{
    Connection, OptionalExtension, Savepoint, Transaction, TransactionBehavior, params,
};
use std::collections::HashMap;
use testigo_wire::{BlobRef, Eid, Enrolment, Epoch, KeyId, ReceiptCode, StoreId, VerifyingKey};

/// Up to so many devices of one capability are believed until a coordinator has looked.
const DEVICES_PER_CAPABILITY: i64 = 3;

/// A known device, as far as ingest needs it.
pub(crate) struct Device {
    pub key: VerifyingKey,
    pub store_id: StoreId,
    pub capability: KeyId,
    /// Neither quarantined nor revoked.
    pub believed: bool,
}

/// Public keys, by their short names.
#[derive(Default)]
pub(crate) struct Keys {
    pub capabilities: HashMap<KeyId, VerifyingKey>,
    /// With the capability that each was enrolled under.
    pub devices: HashMap<KeyId, (VerifyingKey, KeyId)>,
}

impl Reader {
    /// The keys of those that are known here, as capabilities and as devices.
    pub(crate) fn keys(&self, signers: &[KeyId]) -> rusqlite::Result<Keys> {
        keys(&self.0, signers)
    }
}

fn keys(db: &Connection, signers: &[KeyId]) -> rusqlite::Result<Keys> {
    let mut keys = Keys::default();
    for kid in signers {
        if let Some(device) = device(db, *kid)? {
            keys.devices.insert(*kid, (device.key, device.capability));
        } else if let Some(key) = capability(db, *kid)? {
            keys.capabilities.insert(*kid, key);
        }
    }
    Ok(keys)
}

/// What is about to be kept, with the receipt that says so.
pub(crate) struct Incoming<'a> {
    pub eid: Eid,
    pub received_at: i64,
    pub code: ReceiptCode,
    pub bytes: &'a [u8],
    pub receipt: &'a [u8],
}

impl Store {
    /// As [`Reader::keys`].
    pub(crate) fn keys(&self, signers: &[KeyId]) -> rusqlite::Result<Keys> {
        keys(&self.0, signers)
    }

    /// Where the desk knows an arrival that ingest never gave a number to, a damaged disk or an older copy of the file has lost
    /// ingest's latest transactions and not the desk's. No other gets those numbers, for it would be taken for opened; and a
    /// new run of the store begins, so that phones send again what is missing.
    pub(super) fn number_behind(
        &mut self,
        desk: &Connection,
        epoch: Epoch,
    ) -> rusqlite::Result<()> {
        let known: i64 = desk.query_row(
            "SELECT max(coalesce((SELECT max(arrival) FROM opened), 0),
                        coalesce((SELECT max(arrival) FROM decision WHERE arrival IS NOT NULL), 0))",
            [],
            |row| row.get(0),
        )?;
        let given = "SELECT seq FROM sqlite_sequence WHERE name = 'arrival'";
        let given: Option<i64> = (self.0).query_row(given, [], |row| row.get(0)).optional()?;
        if known <= given.unwrap_or(0) {
            return Ok(());
        }
        let tx = self.begin()?;
        let sql = match given {
            Some(_) => "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'arrival'",
            None => "INSERT INTO sqlite_sequence (name, seq) VALUES ('arrival', ?1)",
        };
        tx.execute(sql, [known])?;
        tx.execute("UPDATE identity SET epoch = ?1", [epoch.0])?;
        tx.execute("DELETE FROM upload", [])?;
        tx.commit()?;
        tracing::error!(
            "ingest's database is older than the desk's: what came last is missing in it. Phones are asked for it again"
        );
        Ok(())
    }

    /// A transaction that holds the write lock from its beginning.
    pub(crate) fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.0
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }
}

/// The public key of a capability.
fn capability(db: &Connection, kid: KeyId) -> rusqlite::Result<Option<VerifyingKey>> {
    let key = db
        .prepare_cached("SELECT public_key FROM capability WHERE kid = ?1")?
        .query_row([kid.0], |row| row.get::<_, [u8; 32]>(0))
        .optional()?;
    Ok(key.and_then(|key| VerifyingKey::from_bytes(&key).ok()))
}

/// A known device.
pub(crate) fn device(db: &Connection, kid: KeyId) -> rusqlite::Result<Option<Device>> {
    type Row = ([u8; 32], [u8; 16], [u8; 8], bool);
    let device: Option<Row> = db
        .prepare_cached(
            "SELECT d.public_key, d.store_id, d.capability,
                    coalesce((SELECT believed FROM belief WHERE kid = d.kid),
                             (SELECT believed FROM belief WHERE kid = d.capability),
                             d.state <> 'quarantined')
             FROM device d WHERE d.kid = ?1",
        )?
        .query_row([kid.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    Ok(device.and_then(|(key, store_id, capability, believed)| {
        Some(Device {
            key: VerifyingKey::from_bytes(&key).ok()?,
            store_id: StoreId(store_id),
            capability: KeyId(capability),
            believed,
        })
    }))
}

/// Keeps an enrolment and its device; returns the receipt that holds for these bytes for ever.
pub(crate) fn keep_enrolment(
    db: &Savepoint<'_>,
    incoming: &Incoming<'_>,
    enrolment: &Enrolment,
    capability: KeyId,
) -> rusqlite::Result<Vec<u8>> {
    let Some(arrival) = keep(db, incoming, ENROLMENT, None)? else {
        return kept_receipt(db, incoming.eid);
    };
    if !incoming.code.is_refusal() {
        keep_device(db, enrolment, capability, arrival)?;
    }
    Ok(incoming.receipt.to_vec())
}

/// Keeps the device of the enrolment that arrived as number `arrival`. The first enrolment of a key names its
/// capability and store; a later one changes nothing.
pub(super) fn keep_device(
    db: &Connection,
    enrolment: &Enrolment,
    capability: KeyId,
    arrival: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO device (kid, public_key, store_id, capability, enrolment, state)
         SELECT ?1, ?2, ?3, ?4, ?5,
                iif(count(*) < ?6, 'unconfirmed', 'quarantined')
         FROM (SELECT 1 FROM device WHERE capability = ?4 LIMIT ?6) WHERE true
         ON CONFLICT (kid) DO NOTHING",
    )?
    .execute(params![
        enrolment.device.key_id().0,
        enrolment.device.to_bytes(),
        enrolment.store_id.0,
        capability.0,
        arrival,
        DEVICES_PER_CAPABILITY,
    ])?;
    Ok(())
}

/// Keeps an envelope and the names of its attachments; returns the receipt that holds for these bytes for ever.
pub(crate) fn keep_envelope(
    db: &Savepoint<'_>,
    incoming: &Incoming<'_>,
    device: KeyId,
    blobs: &[BlobRef],
) -> rusqlite::Result<Vec<u8>> {
    match keep(db, incoming, ENVELOPE, Some(device))? {
        Some(arrival) => {
            if !incoming.code.is_refusal() {
                super::blobs::keep_names(db, arrival, blobs)?;
            }
            Ok(incoming.receipt.to_vec())
        }
        None => kept_receipt(db, incoming.eid),
    }
}

/// `UNIQUE (eid)` decides who was first: the row's id, or `None` where the bytes are kept already.
fn keep(
    db: &Savepoint<'_>,
    incoming: &Incoming<'_>,
    kind: i64,
    device: Option<KeyId>,
) -> rusqlite::Result<Option<i64>> {
    let kept = (!incoming.code.is_refusal()).then_some(incoming.bytes);
    db.prepare_cached(
        "INSERT INTO arrival (eid, kind, device, received_at, code, bytes, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (eid) DO NOTHING RETURNING id",
    )?
    .query_row(
        params![
            incoming.eid.0,
            kind,
            device.map(|kid| kid.0),
            incoming.received_at,
            incoming.code.0,
            kept,
            incoming.receipt,
        ],
        |row| row.get(0),
    )
    .optional()
}

/// The receipt that was given for these bytes.
pub(crate) fn receipt(db: &Connection, eid: Eid) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT receipt FROM arrival WHERE eid = ?1")?
        .query_row([eid.0], |row| row.get(0))
        .optional()
}

fn kept_receipt(db: &Connection, eid: Eid) -> rusqlite::Result<Vec<u8>> {
    receipt(db, eid)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}
