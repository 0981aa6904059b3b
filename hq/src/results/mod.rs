//! What leaves headquarters: results by candidate and table, and the list of incidents. Never an eid or
//! a device beside a table.

mod view;

pub use view::{
    AttachmentView, AttachmentsView, CandidateView, CandidateVotesView, ElectionView, PrintedView,
    ResultsView, StandingView, TableState, TableView, TablesView, UnreadSheetView, VersionView,
    WarningView,
};

use crate::places::{CentreView, areas};
use crate::store::{DeviceState, ReadingRow, Snapshot};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use testigo_tally::{Standing, Vouch, Who};
use testigo_wire::{ElectionPack, Lane, Language, PollingTable, Time, Warning};

impl ResultsView {
    pub(crate) fn new(pack: &ElectionPack, snapshot: &Snapshot) -> Self {
        let mut by_table: BTreeMap<&str, Vec<&ReadingRow>> = BTreeMap::new();
        for reading in &snapshot.readings {
            if let Some(table) = &reading.table {
                by_table.entry(table).or_default().push(reading);
            }
        }
        let rows: Vec<TableView> = pack
            .tables
            .iter()
            .map(|table| {
                let readings = by_table.remove(table.id.as_str()).unwrap_or_default();
                table_view(table.id.as_str(), Some(table), pack, &readings, snapshot)
            })
            .collect();
        let outside_pack: Vec<TableView> = by_table
            .iter()
            .map(|(table, readings)| table_view(table, None, pack, readings, snapshot))
            .collect();

        let count = |state| rows.iter().filter(|row| row.state == state).count() as u64;
        let candidates: Vec<CandidateView> = pack
            .candidates
            .iter()
            .map(|candidate| CandidateView {
                code: candidate.code.clone(),
                name: candidate.name.clone(),
                votes: rows
                    .iter()
                    .flat_map(|row| &row.votes)
                    .filter(|votes| votes.code == candidate.code)
                    .map(|votes| votes.votes)
                    .sum(),
            })
            .collect();
        Self {
            election: ElectionView {
                name: pack.name.clone(),
                date: pack.date.clone(),
                time_zone: pack.time_zone.clone(),
                utc_offset: pack.utc_offset,
                practice: pack.is_practice(),
            },
            areas: areas(pack, &rows),
            tables: TablesView {
                expected: rows.len() as u64,
                reported: count(TableState::Reported),
                conflict: count(TableState::Conflict),
                review: count(TableState::Review),
                outside_pack: outside_pack.len() as u64,
            },
            valid_votes: candidates.iter().map(|candidate| candidate.votes).sum(),
            null_votes: rows
                .iter()
                .filter(|row| row.state == TableState::Reported)
                .filter_map(|row| row.null_votes)
                .sum(),
            doubtful: rows
                .iter()
                .filter(|row| row.state == TableState::Reported && !row.warnings.is_empty())
                .count() as u64,
            candidates,
            rows,
            outside_pack,
            unread_sheets: snapshot
                .readings
                .iter()
                .filter(|reading| reading.table.is_none())
                .map(|reading| unread_sheet(reading, snapshot))
                .collect(),
            unopened: snapshot.counts.unopened,
            unreadable: snapshot.counts.unreadable,
            unknown_kinds: snapshot.counts.unknown_kinds,
        }
    }
}

/// Sorts a table's readings: equal ones count once, differing ones are a conflict, and those that wait are in none
/// of it.
fn table_view(
    id: &str,
    table: Option<&PollingTable>,
    pack: &ElectionPack,
    readings: &[&ReadingRow],
    snapshot: &Snapshot,
) -> TableView {
    let (waiting, counting): (Vec<&ReadingRow>, Vec<&ReadingRow>) =
        readings.iter().partition(|reading| reading.waits);
    let records = |rows: &[&ReadingRow]| -> u64 {
        let records: BTreeSet<_> = rows.iter().map(|reading| &reading.record).collect();
        records.len() as u64
    };
    let mut by_votes: BTreeMap<(&str, u64), Vec<&ReadingRow>> = BTreeMap::new();
    for reading in &counting {
        let votes = (reading.slots.as_str(), reading.null_votes);
        by_votes.entry(votes).or_default().push(reading);
    }
    let mut versions: Vec<(Standing, VersionView)> = by_votes
        .iter()
        .map(|((_, null_votes), rows)| {
            let standing = standing(rows);
            let version = VersionView {
                votes: rows
                    .first()
                    .map_or(Vec::new(), |row| votes(row, pack, snapshot)),
                null_votes: *null_votes,
                readings: records(rows),
                numbers: rows.iter().map(|reading| reading.arrival).collect(),
                standing: standing.into(),
            };
            (standing, version)
        })
        .collect();
    versions.sort_by_key(|(standing, _)| Reverse(*standing));
    let mut versions: Vec<VersionView> = versions.into_iter().map(|(_, one)| one).collect();
    let state = match versions.as_slice() {
        [] => TableState::Expected,
        [version] if version.votes.is_empty() => TableState::Review,
        [_] => TableState::Reported,
        _ => TableState::Conflict,
    };
    let agreed = match state {
        TableState::Reported | TableState::Review => versions.pop(),
        TableState::Expected | TableState::Conflict => None,
    };
    TableView {
        table: id.to_owned(),
        place: table.map_or_else(String::new, PollingTable::place),
        centre: table.and_then(CentreView::of),
        registered: table.map(|table| table.registered),
        state,
        provisional: !counting.is_empty()
            && counting
                .iter()
                .all(|reading| reading.device != DeviceState::Confirmed),
        null_votes: agreed.as_ref().map(|version| version.null_votes),
        standing: agreed.as_ref().map(|version| version.standing.clone()),
        votes: agreed.map(|version| version.votes).unwrap_or_default(),
        readings: records(&counting),
        waiting: records(&waiting),
        versions,
        printed: printed(readings, snapshot),
        warnings: warnings(readings.iter().map(|reading| reading.arrival), snapshot),
        attachments: attachments(readings.iter().map(|reading| reading.arrival), snapshot),
    }
}

/// The same words once.
fn printed(readings: &[&ReadingRow], snapshot: &Snapshot) -> Vec<PrintedView> {
    let typed = (readings.iter()).filter_map(|reading| snapshot.typed.get(&reading.arrival));
    let printed: BTreeSet<PrintedView> = typed
        .map(|typed| PrintedView {
            hash: typed.printed_hash.clone(),
            machine_code: typed.machine_code.clone(),
        })
        .filter(|printed| printed.hash.is_some() || printed.machine_code.is_some())
        .collect();
    printed.into_iter().collect()
}

/// How far readings that say the same are to be believed together.
fn standing(readings: &[&ReadingRow]) -> Standing {
    let confirmed = (readings.iter()).any(|reading| reading.device == DeviceState::Confirmed);
    let capabilities: BTreeSet<&[u8]> = (readings.iter())
        .map(|reading| reading.capability.as_slice())
        .collect();
    let under_review = (readings.iter()).all(|reading| {
        !matches!(
            reading.device,
            DeviceState::Confirmed | DeviceState::Unconfirmed
        )
    });
    let who = if readings.iter().any(|reading| reading.by_staff) {
        Who::STAFF
    } else if confirmed && capabilities.len() > 1 {
        Who::SECOND_CAPABILITY
    } else if confirmed {
        Who::CONFIRMED_DEVICE
    } else if under_review {
        Who::UNDER_REVIEW
    } else {
        Who::UNCONFIRMED_DEVICE
    };
    Standing {
        vouch: (readings.iter().map(|reading| reading.vouch).max()).unwrap_or(Vouch::PLAIN_CODE),
        who,
    }
}

/// In the pack's order; empty where the ballot is not the election's.
fn votes(
    reading: &ReadingRow,
    pack: &ElectionPack,
    snapshot: &Snapshot,
) -> Vec<CandidateVotesView> {
    let Some(votes) = snapshot.votes.get(&reading.arrival) else {
        return Vec::new();
    };
    pack.candidates
        .iter()
        .filter_map(|candidate| {
            Some(CandidateVotesView {
                code: candidate.code.clone(),
                votes: *votes.get(&candidate.code)?,
            })
        })
        .collect()
}

pub(crate) fn warnings(
    arrivals: impl Iterator<Item = i64>,
    snapshot: &Snapshot,
) -> Vec<WarningView> {
    let codes: BTreeSet<Warning> = arrivals
        .filter_map(|arrival| snapshot.flags.get(&arrival))
        .flatten()
        .copied()
        .collect();
    codes
        .into_iter()
        .map(|warning| WarningView {
            code: warning.0,
            es: warning.sentence(Language::Es),
            en: warning.sentence(Language::En),
        })
        .collect()
}

pub(crate) fn attachments(
    arrivals: impl Iterator<Item = i64>,
    snapshot: &Snapshot,
) -> AttachmentsView {
    let files: Vec<AttachmentView> = arrivals
        .filter_map(|arrival| snapshot.attachments.get(&arrival))
        .flatten()
        .map(|file| AttachmentView {
            id: file.id,
            media_type: file.media_type.clone(),
            size: file.size,
            thumbnail: Lane(file.lane) == Lane::THUMBNAIL,
            held: file.held,
        })
        .collect();
    AttachmentsView {
        named: files.len() as u64,
        held: files.iter().filter(|file| file.held).count() as u64,
        files,
    }
}

fn unread_sheet(reading: &ReadingRow, snapshot: &Snapshot) -> UnreadSheetView {
    let texts = snapshot.unread_texts.get(&reading.arrival);
    UnreadSheetView {
        number: reading.arrival,
        table: reading.filed_under.clone(),
        received_at: received_at(reading.received_at, &reading.saved_at),
        texts: texts
            .into_iter()
            .flatten()
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect(),
        hex: texts.into_iter().flatten().map(|text| hex(text)).collect(),
        device: reading.device,
        warnings: warnings(std::iter::once(reading.arrival), snapshot),
        attachments: attachments(std::iter::once(reading.arrival), snapshot),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// In the offset of the phone's clock, so that the two times can be compared at a glance.
pub(crate) fn received_at(millis: i64, saved_at: &str) -> String {
    let offset = Time::from_rfc3339(saved_at).map_or(0, Time::offset_minutes);
    Time::from_millis(millis, offset).map_or_else(String::new, |time| time.to_string())
}
