//! What people at headquarters see of devices and of records that wait, and what they decide. Everything works beside
//! a server: the next look at the results has it.

use crate::HqError;
use crate::api::rfc3339;
use crate::init::Headquarters;
use crate::store::{Decided, DecisionRow, DeskStore, DeviceRow, DeviceState, Note, WaitingRow};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use std::path::Path;
use testigo_wire::{Confirmation, KeyId, TableId, Time};

/// Who decides and why, for the history of decisions: a sign of the person's own, and no name.
#[derive(Debug, Clone, Copy, Default)]
pub struct DecisionNote<'a> {
    /// A sign.
    pub by: Option<&'a str>,
    /// The reason.
    pub why: Option<&'a str>,
}

impl<'a> DecisionNote<'a> {
    fn now(self) -> Note<'a> {
        Note {
            at: Utc::now().timestamp_millis(),
            by: self.by,
            why: self.why,
        }
    }
}

/// A device under an enrolment code. What its owner reads out to confirm it is not in here: it must be heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Its short name, in hexadecimal.
    pub device: String,
    /// The short name of the code that it was enrolled under; devices under one code share it.
    pub code: String,
    /// The table that its witness is sent to.
    pub table: Option<String>,
    /// How far it is believed.
    pub state: DeviceState,
    /// From when on it is not believed any more (RFC 3339).
    pub revoked_since: Option<String>,
    /// When headquarters first heard of it (RFC 3339).
    pub enrolled_at: String,
    /// Records that came from it.
    pub records: u64,
    /// How many of them wait for review.
    pub waiting: u64,
}

impl From<DeviceRow> for DeviceView {
    fn from(row: DeviceRow) -> Self {
        Self {
            device: row.kid.to_string(),
            code: row.capability.to_string(),
            table: row.table,
            state: row.state,
            revoked_since: row.revoked_since.map(rfc3339),
            enrolled_at: rfc3339(row.enrolled_at),
            records: row.records,
            waiting: row.waiting,
        }
    }
}

/// A record that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingView {
    /// Headquarters' number of it.
    pub arrival: i64,
    /// `sheet` or `report`.
    pub kind: String,
    /// The table that it is about.
    pub table: Option<String>,
    /// When it arrived (RFC 3339).
    pub received_at: String,
    /// The short name of its device.
    pub device: String,
    /// How far that was believed when the record arrived.
    pub state: DeviceState,
}

impl From<WaitingRow> for WaitingView {
    fn from(row: WaitingRow) -> Self {
        Self {
            arrival: row.arrival,
            kind: if row.is_sheet { "sheet" } else { "report" }.to_owned(),
            table: row.table,
            received_at: rfc3339(row.received_at),
            device: row.device.to_string(),
            state: row.state,
        }
    }
}

/// A decision as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// Its number.
    pub id: i64,
    /// When it was made (RFC 3339).
    pub decided_at: String,
    /// `confirm`, `revoke`, `trust`, `reassign`, `count`, `set aside`, `unconfirmed count` or `unconfirmed wait`.
    pub what: String,
    /// About which device.
    pub device: Option<String>,
    /// About all devices under which code.
    pub code: Option<String>,
    /// About which record.
    pub arrival: Option<i64>,
    /// From when on (RFC 3339).
    pub since: Option<String>,
    /// The table that the witness is sent to.
    pub table: Option<String>,
    /// The sign of who decided.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
}

impl From<DecisionRow> for DecisionView {
    fn from(row: DecisionRow) -> Self {
        let name = |kid: Option<[u8; 8]>| kid.map(|kid| KeyId(kid).to_string());
        Self {
            id: row.id,
            decided_at: rfc3339(row.decided_at),
            what: row.what,
            device: name(row.device),
            code: name(row.capability),
            arrival: row.arrival,
            since: row.since.map(rfc3339),
            table: row.table,
            by: row.by,
            why: row.why,
        }
    }
}

/// The devices of the headquarters in `data_dir`, in the order of their enrolment.
///
/// # Errors
/// [`HqError`] where the folder holds no headquarters, or its database cannot be read.
pub fn devices(data_dir: &Path) -> Result<Vec<DeviceView>, HqError> {
    let rows = rows(&Headquarters::open(data_dir)?)?;
    Ok(rows.into_iter().map(DeviceView::from).collect())
}

/// Every decision, the oldest first.
///
/// # Errors
/// As [`devices`].
pub fn decisions(data_dir: &Path) -> Result<Vec<DecisionView>, HqError> {
    let rows = Headquarters::open(data_dir)?.reader.decisions()?;
    Ok(rows.into_iter().map(DecisionView::from).collect())
}

/// Confirms the device whose characters were heard. From then on other devices under its code wait, unless they are
/// confirmed, too.
///
/// # Errors
/// [`HqError::ConfirmationUnknown`] where no device has them, [`HqError::DeviceRevoked`] where it was revoked: nothing
/// was decided then.
pub fn confirm_device(
    data_dir: &Path,
    heard: Confirmation,
    note: DecisionNote<'_>,
) -> Result<DeviceView, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let device = headquarters.reader.confirmed_by(heard)?;
    let device = device.ok_or(HqError::ConfirmationUnknown)?;
    if is_revoked(&found(&headquarters, device)?) {
        return Err(HqError::DeviceRevoked(device));
    }
    decide(&headquarters, &[Decided::Confirm(device)], note)?;
    found(&headquarters, device).map(DeviceView::from)
}

/// Takes back the trust in a device, or in all devices under its code: what arrives from `from` on waits for review.
/// What had arrived before stays as it was. It goes by headquarters' clock, for a phone's may be set.
///
/// # Errors
/// [`HqError::DeviceUnknown`]; [`HqError::ToCome`] for a time in the future.
pub fn revoke_device(
    data_dir: &Path,
    device: KeyId,
    from: Option<Time>,
    whole_code: bool,
    note: DecisionNote<'_>,
) -> Result<DeviceView, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let capability = found(&headquarters, device)?.capability;
    let from = moment(from)?;
    let decided = match whole_code {
        true => Decided::RevokeCapability(capability, from),
        false => Decided::Revoke(device, from),
    };
    decide(&headquarters, &[decided], note)?;
    found(&headquarters, device).map(DeviceView::from)
}

/// Takes a revocation of headquarters' own back. What comes back says so where the root has revoked the device, too.
///
/// # Errors
/// [`HqError::DeviceUnknown`]; [`HqError::RevokedByRoot`] where the root alone has: nothing was decided then.
pub fn trust_device(
    data_dir: &Path,
    device: KeyId,
    note: DecisionNote<'_>,
) -> Result<DeviceView, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let row = found(&headquarters, device)?;
    if row.revoked_since.is_none() && row.state == DeviceState::RevokedByRoot {
        return Err(HqError::RevokedByRoot(device));
    }
    decide(&headquarters, &[Decided::Trust(device)], note)?;
    found(&headquarters, device).map(DeviceView::from)
}

/// A witness has another phone: the one whose characters were heard is confirmed, and the old one revoked from `from`
/// on. Returns the new one.
///
/// # Errors
/// [`HqError::DeviceUnknown`], [`HqError::ToCome`], and those of [`confirm_device`].
pub fn replace_device(
    data_dir: &Path,
    old: KeyId,
    heard: Confirmation,
    from: Option<Time>,
    note: DecisionNote<'_>,
) -> Result<DeviceView, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    found(&headquarters, old)?;
    let new = headquarters.reader.confirmed_by(heard)?;
    let new = new.ok_or(HqError::ConfirmationUnknown)?;
    if new == old || is_revoked(&found(&headquarters, new)?) {
        return Err(HqError::DeviceRevoked(new));
    }
    let decided = [Decided::Confirm(new), Decided::Revoke(old, moment(from)?)];
    decide(&headquarters, &decided, note)?;
    found(&headquarters, new).map(DeviceView::from)
}

/// A device's witness is sent to another table. Records that come from now on are held against that; the phone itself
/// is not told.
///
/// # Errors
/// [`HqError::DeviceUnknown`], [`HqError::TableUnknown`].
pub fn reassign_device(
    data_dir: &Path,
    device: KeyId,
    table: &TableId,
    note: DecisionNote<'_>,
) -> Result<DeviceView, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    found(&headquarters, device)?;
    if headquarters.pack.table(table).is_none() {
        return Err(HqError::TableUnknown(table.clone()));
    }
    decide(&headquarters, &[Decided::Reassign(device, table)], note)?;
    found(&headquarters, device).map(DeviceView::from)
}

/// Whether records of devices that nobody has confirmed wait, or count provisionally, as they do unless this says
/// otherwise.
///
/// # Errors
/// As [`devices`].
pub fn let_unconfirmed_wait(
    data_dir: &Path,
    wait: bool,
    note: DecisionNote<'_>,
) -> Result<(), HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    decide(&headquarters, &[Decided::UnconfirmedWait(wait)], note)
}

/// The records that wait for a person, in the order of their arrival.
///
/// # Errors
/// As [`devices`].
pub fn waiting(data_dir: &Path) -> Result<Vec<WaitingView>, HqError> {
    let rows = Headquarters::open(data_dir)?.reader.waiting()?;
    Ok(rows.into_iter().map(WaitingView::from).collect())
}

/// A person has looked at a record: it counts, or it is set aside, whatever its device is.
///
/// # Errors
/// [`HqError::RecordUnknown`] where the desk has filed no record under this number.
pub fn review(
    data_dir: &Path,
    arrival: i64,
    counts: bool,
    note: DecisionNote<'_>,
) -> Result<(), HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    if !headquarters.reader.is_filed(arrival)? {
        return Err(HqError::RecordUnknown(arrival));
    }
    let decided = match counts {
        true => Decided::Count(arrival),
        false => Decided::SetAside(arrival),
    };
    decide(&headquarters, &[decided], note)
}

/// A person has compared the versions of a table, with photographs or the paper: the one of this record counts, and the
/// records that say otherwise are set aside. Returns these, in the order of their arrival. All of it stays; another
/// decision about a record takes it back, and a reading that arrives later and differs is a conflict again.
///
/// # Errors
/// [`HqError::NoReading`] where the record is no sheet that a format reads.
pub fn choose_version(
    data_dir: &Path,
    arrival: i64,
    note: DecisionNote<'_>,
) -> Result<Vec<i64>, HqError> {
    let headquarters = Headquarters::open(data_dir)?;
    let versions = headquarters.reader.versions(arrival)?;
    if versions.is_empty() {
        return Err(HqError::NoReading(arrival));
    }
    let others: Vec<i64> = (versions.iter())
        .filter(|(_, same)| !same)
        .map(|(other, _)| *other)
        .collect();
    let aside = others.iter().map(|other| Decided::SetAside(*other));
    let decided: Vec<Decided<'_>> = std::iter::once(Decided::Count(arrival))
        .chain(aside)
        .collect();
    decide(&headquarters, &decided, note)?;
    Ok(others)
}

/// All devices, with what the keyset says of them.
fn rows(headquarters: &Headquarters) -> Result<Vec<DeviceRow>, HqError> {
    let mut rows = headquarters.reader.devices()?;
    let revoked = &headquarters.keyset.revoked;
    for row in &mut rows {
        if revoked.contains(&row.kid) || revoked.contains(&row.capability) {
            row.state = DeviceState::RevokedByRoot;
        }
    }
    Ok(rows)
}

fn is_revoked(row: &DeviceRow) -> bool {
    row.revoked_since.is_some() || row.state == DeviceState::RevokedByRoot
}

fn found(headquarters: &Headquarters, device: KeyId) -> Result<DeviceRow, HqError> {
    let found = (rows(headquarters)?.into_iter()).find(|row| row.kid == device);
    found.ok_or(HqError::DeviceUnknown(device))
}

fn decide(
    headquarters: &Headquarters,
    decided: &[Decided<'_>],
    note: DecisionNote<'_>,
) -> Result<(), HqError> {
    let mut store = DeskStore::open(&headquarters.folder)?;
    Ok(store.decide(decided, &note.now())?)
}

/// From when on a revocation holds, in milliseconds since the Unix epoch.
fn moment(from: Option<Time>) -> Result<i64, HqError> {
    let now = Utc::now().timestamp_millis();
    match from.map_or(now, Time::millis) {
        at if at > now => Err(HqError::ToCome),
        at => Ok(at),
    }
}
