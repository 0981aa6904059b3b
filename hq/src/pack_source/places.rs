//! Areas, centres and polling tables.

use super::fault::{Expected, Faults, Mistake};
use super::rows::{Column, Row, Rows, may, must};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use testigo_wire::{Area, Centre, PollingTable, TableId};

pub(super) const AREAS: &[Column] = &[
    must("area", Expected::Text),
    must("name", Expected::Text),
    may("within", Expected::Text),
];
pub(super) const CENTRES: &[Column] = &[
    must("centre", Expected::Text),
    must("name", Expected::Text),
    may("address", Expected::Text),
    must("area", Expected::Text),
];
pub(super) const TABLES: &[Column] = &[
    must("table", Expected::Text),
    must("centre", Expected::Text),
    must("registered", Expected::Number),
];
/// Of an election that says no more of its tables than three areas of each.
pub(super) const FLAT_TABLES: &[Column] = &[
    must("table", Expected::Text),
    must("registered", Expected::Number),
    may("state", Expected::Text),
    may("municipality", Expected::Text),
    may("parish", Expected::Text),
];

/// Areas by code, however they are ordered in the file; those with faults are left out.
pub(super) fn areas(rows: &Rows, levels: usize, faults: &mut Faults) -> HashMap<String, Arc<Area>> {
    let mut by_code: HashMap<&str, &Row> = HashMap::new();
    for row in &rows.rows {
        let code = row.text("area");
        if by_code.insert(code, row).is_some() {
            rows.fault(row, "area", Mistake::Twice(code.to_owned()), faults);
        }
    }
    let mut areas = HashMap::new();
    let mut named: HashMap<Arc<Area>, &str> = HashMap::new();
    for row in &rows.rows {
        let code = row.text("area");
        // From this area outwards; a way longer than there are levels leads nowhere.
        let mut way = vec![row];
        let mut sound = true;
        while let Some(last) = way
            .last()
            .map(|row| row.text("within"))
            .filter(|w| !w.is_empty())
        {
            let mistake = match by_code.get(last) {
                None if way.len() == 1 => Mistake::Area(last.to_owned()),
                // It is told of the area that names it.
                None => {
                    sound = false;
                    break;
                }
                Some(next) if way.iter().any(|row| row.text("area") == next.text("area")) => {
                    Mistake::Circle(code.to_owned())
                }
                Some(_) if way.len() >= levels => Mistake::Deep(code.to_owned()),
                Some(next) => {
                    way.push(next);
                    continue;
                }
            };
            rows.fault(row, "within", mistake, faults);
            sound = false;
            break;
        }
        if !sound {
            continue;
        }
        let names = way.iter().rev().map(|row| row.text("name"));
        if let Some(area) = Area::nested(names) {
            match named.get(&area) {
                Some(other) if *other != code => {
                    rows.fault(row, "name", Mistake::Twice(area.name.clone()), faults);
                }
                _ => drop(named.insert(area.clone(), code)),
            }
            areas.insert(code.to_owned(), area);
        }
    }
    areas
}

/// Centres by code; those with faults are left out.
pub(super) fn centres(
    rows: &Rows,
    areas: &HashMap<String, Arc<Area>>,
    known: &Rows,
    faults: &mut Faults,
) -> HashMap<String, Arc<Centre>> {
    let mut centres = HashMap::new();
    for row in &rows.rows {
        let (code, of) = (row.text("centre"), row.text("area"));
        let area = areas.get(of).cloned();
        // One that is in the file and has a fault was told there.
        if area.is_none() && !known.rows.iter().any(|row| row.text("area") == of) {
            rows.fault(row, "area", Mistake::Area(of.to_owned()), faults);
        }
        let centre = Centre {
            code: code.to_owned(),
            name: row.text("name").to_owned(),
            address: row.text("address").to_owned(),
            area,
        };
        if centres.insert(code.to_owned(), Arc::new(centre)).is_some() {
            rows.fault(row, "centre", Mistake::Twice(code.to_owned()), faults);
        }
    }
    centres
}

/// Polling tables in their order: in centres, or with three areas of their own.
pub(super) fn tables(
    rows: &Rows,
    centres: Option<&HashMap<String, Arc<Centre>>>,
    faults: &mut Faults,
) -> Vec<PollingTable> {
    let mut flat: HashMap<[&str; 3], Arc<Centre>> = HashMap::new();
    let mut tables: BTreeMap<TableId, PollingTable> = BTreeMap::new();
    for row in &rows.rows {
        let text = row.text("table");
        let id = TableId::new(text);
        if id.is_err() {
            rows.fault(row, "table", Mistake::Table(text.to_owned()), faults);
        }
        let registered = rows.number(row, "registered", faults);
        let centre = match centres {
            Some(centres) => {
                let code = row.text("centre");
                let centre = centres.get(code);
                if centre.is_none() {
                    rows.fault(row, "centre", Mistake::Centre(code.to_owned()), faults);
                }
                centre.cloned()
            }
            None => {
                let areas = ["state", "municipality", "parish"].map(|level| row.text(level));
                let bare = || {
                    Arc::new(Centre {
                        area: Area::nested(areas),
                        ..Centre::default()
                    })
                };
                Some(flat.entry(areas).or_insert_with(bare).clone())
            }
        };
        let Ok(id) = id else { continue };
        let table = PollingTable {
            id: id.clone(),
            registered: registered.unwrap_or_default(),
            centre: centre.unwrap_or_default(),
        };
        if tables.insert(id, table).is_some() {
            rows.fault(row, "table", Mistake::Twice(text.to_owned()), faults);
        }
    }
    tables.into_values().collect()
}
