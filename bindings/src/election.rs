use crate::TextsView;
use testigo_wire::{ElectionPack, PollingTable};

/// The election, as its pack says.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ElectionView {
    /// Its name.
    pub name: String,
    /// The day of the vote, `YYYY-MM-DD`.
    pub date: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// What clocks there show on that day, in minutes east of UTC.
    pub utc_offset: Option<i16>,
    /// Its languages as tags (BCP 47), the one for who chose none first.
    pub languages: Vec<String>,
    /// It is for practice: nothing in it counts. Say so wherever it is shown.
    pub practice: bool,
}

/// A polling table of the election.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TableView {
    /// Its identifier.
    pub table: String,
    /// Registered voters.
    pub registered: u32,
    /// Its areas, the largest first.
    pub areas: Vec<String>,
    /// What the levels of areas are called; as many as `areas`, or none where the pack does not say.
    pub levels: Vec<TextsView>,
    /// The electoral authority's code of its centre; empty where the pack has no centres.
    pub centre: String,
    /// The centre's name; may be empty.
    pub centre_name: String,
    /// Where the centre is; may be empty.
    pub address: String,
}

impl ElectionView {
    pub(crate) fn of(pack: &ElectionPack) -> Self {
        Self {
            name: pack.name.clone(),
            date: pack.date.clone(),
            time_zone: pack.time_zone.clone(),
            utc_offset: pack.utc_offset,
            languages: pack.languages.clone(),
            practice: pack.is_practice(),
        }
    }
}

impl TableView {
    pub(crate) fn of(table: &PollingTable, pack: &ElectionPack) -> Self {
        Self {
            table: table.id.to_string(),
            registered: table.registered,
            areas: table.areas().into_iter().map(str::to_owned).collect(),
            levels: pack.levels.iter().map(TextsView::from).collect(),
            centre: table.centre.code.clone(),
            centre_name: table.centre.name.clone(),
            address: table.centre.address.clone(),
        }
    }
}
