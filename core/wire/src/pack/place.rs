//! Where polling tables are: areas within areas, centres in areas, tables in centres.

use crate::{TableId, Texts, WireError, cbor};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use miniz_oxide::{deflate, inflate};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const WHAT: &str = "election pack's places";
/// The most bytes of places before they are deflated.
const MAX_INFLATED: usize = 8 * 1024 * 1024;
/// How many levels of areas a pack may have.
pub const MAX_LEVELS: usize = 6;
/// The hardest that DEFLATE tries: a pack is made once.
const EFFORT: u8 = 10;

/// An area of the country, such as a state, a municipality or a parish. Which it is, the pack's levels say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Area {
    /// Its name for people.
    pub name: String,
    /// The larger area that it lies in.
    pub within: Option<Arc<Area>>,
}

impl Area {
    /// The area whose path from the largest down these names are; none for no names.
    pub fn nested<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Arc<Self>> {
        names.into_iter().fold(None, |within, name| {
            Some(Arc::new(Self {
                name: name.to_owned(),
                within,
            }))
        })
    }

    /// The names from the largest area down to this one.
    pub fn path(&self) -> Vec<&str> {
        let mut path = vec![self.name.as_str()];
        let mut area = self;
        while let Some(within) = &area.within {
            path.push(&within.name);
            area = within;
        }
        path.reverse();
        path
    }
}

/// A voting centre: a building with one or more polling tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Centre {
    /// The electoral authority's code of it; empty where the pack knows none.
    pub code: String,
    /// Its name for people.
    pub name: String,
    /// Where it is, for people.
    pub address: String,
    /// The smallest area that it lies in.
    pub area: Option<Arc<Area>>,
}

/// A polling table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollingTable {
    /// Its identifier.
    pub id: TableId,
    /// Registered voters.
    pub registered: u32,
    /// Where it stands; tables of one centre share it.
    pub centre: Arc<Centre>,
}

impl PollingTable {
    /// One of which no more is known than its areas, the largest first.
    pub fn in_areas<'a>(
        id: TableId,
        registered: u32,
        areas: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let area = Area::nested(areas);
        let centre = Arc::new(Centre {
            area,
            ..Centre::default()
        });
        Self {
            id,
            registered,
            centre,
        }
    }

    /// The names of its areas, the largest first.
    pub fn areas(&self) -> Vec<&str> {
        self.centre.area.as_ref().map_or(Vec::new(), |a| a.path())
    }

    /// The name of its area of a level, the largest being 0; empty where it has none.
    pub fn area(&self, level: usize) -> &str {
        self.areas().get(level).copied().unwrap_or_default()
    }

    /// Its areas from the largest down and its centre's name, for a person: what is empty is left out.
    pub fn place(&self) -> String {
        let mut parts = self.areas();
        parts.push(&self.centre.name);
        parts.retain(|part| !part.is_empty());
        parts.join(", ")
    }
}

/// A table as packs without levels write it.
#[derive(Encode, Decode)]
pub(super) struct FlatTable {
    #[n(0)]
    id: TableId,
    #[n(1)]
    registered: u32,
    #[n(2)]
    state: String,
    #[n(3)]
    municipality: String,
    #[n(4)]
    parish: String,
}

impl FlatTable {
    pub(super) fn of(table: &PollingTable) -> Self {
        Self {
            id: table.id.clone(),
            registered: table.registered,
            state: table.area(0).to_owned(),
            municipality: table.area(1).to_owned(),
            parish: table.area(2).to_owned(),
        }
    }
}

/// Tables of the form of packs without levels; those of one parish share it.
pub(super) fn tables_of(flat: Vec<FlatTable>) -> Vec<PollingTable> {
    let mut centres: HashMap<[String; 3], Arc<Centre>> = HashMap::new();
    flat.into_iter()
        .map(|table| {
            let areas = [table.state, table.municipality, table.parish];
            let centre = centres.entry(areas).or_insert_with_key(|areas| {
                Arc::new(Centre {
                    area: Area::nested(areas.iter().map(String::as_str)),
                    ..Centre::default()
                })
            });
            PollingTable {
                id: table.id,
                registered: table.registered,
                centre: centre.clone(),
            }
        })
        .collect()
}

/// All places of an election as one: names stand once, and neighbours look alike, so that it deflates well.
#[derive(Encode, Decode)]
struct PlacesForm {
    /// What the levels of areas are called, the largest first.
    #[n(0)]
    levels: Vec<Texts>,
    /// Depth, from 0, and name: an area lies in the last one before it that is one less deep.
    #[n(1)]
    areas: Vec<(u8, String)>,
    #[n(2)]
    centres: Vec<CentreForm>,
}

#[derive(Encode, Decode)]
struct CentreForm {
    #[n(0)]
    code: String,
    #[n(1)]
    name: String,
    #[n(2)]
    address: String,
    /// The area's place in the list, from 1; 0 for none.
    #[n(3)]
    area: u32,
    /// What the identifiers of all its tables begin with.
    #[n(4)]
    prefix: String,
    /// The rest of each identifier, and registered voters.
    #[n(5)]
    tables: Vec<(String, u32)>,
}

/// The places as a raw DEFLATE stream (RFC 1951) of their CBOR.
pub(super) fn deflated(levels: &[Texts], tables: &[PollingTable]) -> ByteVec {
    let paths: BTreeSet<Vec<&str>> = (tables.iter())
        .flat_map(|table| {
            let path = table.areas();
            (1..=path.len()).map(move |depth| path.iter().copied().take(depth).collect())
        })
        .collect();
    let numbers: HashMap<&Vec<&str>, u32> = paths.iter().zip(1..).collect();
    let mut centres: Vec<(&Centre, Vec<&PollingTable>)> = Vec::new();
    let mut known: HashMap<&Centre, usize> = HashMap::new();
    for table in tables {
        let at = *known.entry(&table.centre).or_insert_with(|| {
            centres.push((&table.centre, Vec::new()));
            centres.len() - 1
        });
        if let Some((_, of_centre)) = centres.get_mut(at) {
            of_centre.push(table);
        }
    }
    let form = PlacesForm {
        levels: levels.to_vec(),
        areas: (paths.iter())
            .map(|path| {
                let depth = u8::try_from(path.len().saturating_sub(1)).unwrap_or(u8::MAX);
                let name = path.last().copied().unwrap_or_default();
                (depth, name.to_owned())
            })
            .collect(),
        centres: (centres.into_iter())
            .map(|(centre, tables)| {
                let prefix = common_prefix(tables.iter().map(|table| table.id.as_str()));
                CentreForm {
                    code: centre.code.clone(),
                    name: centre.name.clone(),
                    address: centre.address.clone(),
                    area: (centre.area.as_ref())
                        .and_then(|area| numbers.get(&area.path()).copied())
                        .unwrap_or(0),
                    prefix: prefix.to_owned(),
                    tables: (tables.iter())
                        .map(|table| {
                            let rest = table.id.as_str().strip_prefix(prefix);
                            (rest.unwrap_or_default().to_owned(), table.registered)
                        })
                        .collect(),
                }
            })
            .collect(),
    };
    deflate::compress_to_vec(&cbor::to_vec(&form), EFFORT).into()
}

fn common_prefix<'a>(mut texts: impl Iterator<Item = &'a str>) -> &'a str {
    let first = texts.next().unwrap_or_default();
    texts.fold(first, |prefix, text| {
        let common = prefix.char_indices().zip(text.chars());
        let end = common
            .take_while(|((_, a), b)| a == b)
            .map(|((at, a), _)| at + a.len_utf8())
            .last();
        prefix.get(..end.unwrap_or(0)).unwrap_or_default()
    })
}

/// Reads such a stream: the levels, and the tables by identifier.
///
/// # Errors
/// [`WireError`] where it is none, or an area or centre is not there.
pub(super) fn inflated(bytes: &[u8]) -> Result<(Vec<Texts>, Vec<PollingTable>), WireError> {
    let fault = |reason: &str| WireError::malformed(WHAT, reason);
    let bytes = inflate::decompress_to_vec_with_limit(bytes, MAX_INFLATED)
        .map_err(|_| fault("no DEFLATE stream, or too much in it"))?;
    let form: PlacesForm = cbor::from_slice(WHAT, &bytes, MAX_INFLATED)?;
    let mut areas: Vec<Arc<Area>> = Vec::new();
    let mut path: Vec<Arc<Area>> = Vec::new();
    for (depth, name) in form.areas {
        let depth = usize::from(depth);
        if depth > path.len() || depth >= form.levels.len() {
            return Err(fault("an area within none"));
        }
        path.truncate(depth);
        let area = Arc::new(Area {
            name,
            within: path.last().cloned(),
        });
        path.push(area.clone());
        areas.push(area);
    }
    let mut tables = Vec::new();
    for centre in form.centres {
        let area = match centre.area.checked_sub(1) {
            None => None,
            Some(at) => {
                let area = usize::try_from(at).ok().and_then(|at| areas.get(at));
                Some(area.ok_or_else(|| fault("a centre in no area"))?.clone())
            }
        };
        let shared = Arc::new(Centre {
            code: centre.code,
            name: centre.name,
            address: centre.address,
            area,
        });
        if tables.len() + centre.tables.len() > cbor::MAX_COUNT {
            return Err(fault("too many tables"));
        }
        for (rest, registered) in centre.tables {
            tables.push(PollingTable {
                id: TableId::new(&(centre.prefix.clone() + &rest))?,
                registered,
                centre: shared.clone(),
            });
        }
    }
    tables.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((form.levels, tables))
}
