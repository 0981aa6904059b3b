//! The body of a bulletin: elections, offices, parties and numbers, token by token.

use super::{field_fault, literal};
use crate::not_a_tally::Wants;
use crate::number::{self, quote};
use crate::{Contest, Doubt, NotATally, SlotVotes, VotesField};
use std::collections::BTreeSet;
use testigo_wire::{MAX_VOTES, TableId};

/// Sums of one office, as they are said and as they come out.
#[derive(Default)]
struct Office {
    contest: Contest,
    seen: BTreeSet<String>,
    /// The party that is open, and its votes so far.
    party: Option<(String, u64)>,
    nominal: u64,
    legends: u64,
    says_nominal: Option<u32>,
    says_legends: Option<u32>,
}

/// Goes through the body token by token.
pub(super) struct Body {
    pub(super) fields: Vec<(String, String)>,
    headings: BTreeSet<String>,
    pub(super) contests: Vec<Contest>,
    office: Option<Office>,
    elections: bool,
    pub(super) doubts: Vec<Doubt>,
}

impl Body {
    pub(super) fn new(version: &str, key_version: Option<&str>) -> Self {
        let keep = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut fields = vec![keep("VRQR", version)];
        fields.extend(key_version.map(|key| keep("VRCH", key)));
        Self {
            fields,
            headings: BTreeSet::new(),
            contests: Vec::new(),
            office: None,
            elections: false,
            doubts: Vec::new(),
        }
    }

    pub(super) fn field(&self, name: &str) -> Result<&str, NotATally> {
        let mut fields = self.fields.iter();
        let field = fields.find(|field| field.0 == name);
        field
            .map(|field| field.1.as_str())
            .ok_or_else(|| NotATally::FieldMissing {
                field: name.to_owned(),
            })
    }

    /// `UF.MUNI.ZONA.SECA`; sections that were joined to it are in the field `AGRE`.
    pub(super) fn table(&self) -> Result<TableId, NotATally> {
        let mut parts = Vec::new();
        for name in ["UNFE", "MUNI", "ZONA", "SECA"] {
            parts.push(self.field(name)?);
        }
        let id = parts.join(".");
        TableId::new(&id).map_err(|_| field_fault("SECA", &id, Wants::Table))
    }

    pub(super) fn token(&mut self, token: &str) -> Result<(), NotATally> {
        let (key, value) =
            (token.split_once(':')).ok_or_else(|| literal(Some(&quote(token)), ":"))?;
        match key {
            "IDEL" => {
                self.close_office()?;
                self.elections = true;
                self.keep(key, value);
                Ok(())
            }
            "CARG" if self.elections => {
                self.close_office()?;
                if self.contests.iter().any(|contest| contest.office == value) {
                    return Err(NotATally::FieldTwice {
                        field: quote(token),
                    });
                }
                let contest = Contest {
                    office: value.to_owned(),
                    names: names(value),
                    choices: 1,
                    ..Contest::default()
                };
                self.office = Some(Office {
                    contest,
                    ..Office::default()
                });
                Ok(())
            }
            _ => match &mut self.office {
                Some(office) => {
                    if let Some(kept) = office.token(key, value, &mut self.doubts)? {
                        self.fields.push((kept, value.to_owned()));
                    }
                    Ok(())
                }
                None if !self.elections && !self.headings.insert(key.to_owned()) => {
                    Err(NotATally::FieldTwice { field: quote(key) })
                }
                None if key.bytes().all(|b| b.is_ascii_uppercase()) => {
                    self.keep(key, value);
                    Ok(())
                }
                None => Err(field_fault(key, value, Wants::OneOf("A-Z"))),
            },
        }
    }

    fn keep(&mut self, key: &str, value: &str) {
        self.fields.push((key.to_owned(), value.to_owned()));
    }

    /// Holds an office's sums against each other: what differs is a doubt, for the bulletin says so under its hash.
    pub(super) fn close_office(&mut self) -> Result<(), NotATally> {
        let Some(mut office) = self.office.take() else {
            return Ok(());
        };
        office.close_party(None, &mut self.doubts);
        let contest = &mut office.contest;
        let code = contest.office.clone();
        let missing = |key: &str| NotATally::FieldMissing {
            field: format!("{code}.{key}"),
        };
        let total = contest.total.ok_or_else(|| missing("TOTC"))?;
        contest.blank.ok_or_else(|| missing("BRAN"))?;
        contest.null.ok_or_else(|| missing("NULO"))?;
        // A bulletin that was typed in by an electoral board has no COMP.
        let turnout = (self.fields.iter().find(|field| field.0 == "COMP"))
            .map(|(_, text)| {
                number::votes(|| VotesField::Named("COMP".to_owned()), text, MAX_VOTES)
            })
            .transpose()?;
        if code == "5" && turnout.is_some_and(|voters| total > voters) {
            contest.choices = 2;
        }
        let named = |key: &str| format!("{code}.{key}");
        let mut differ = |of: String, sum: u64, is: String, says: Option<u64>| {
            if let Some(says) = says
                && says != sum
            {
                self.doubts.push(Doubt::SumDiffers { of, sum, is, says });
            }
        };
        differ(
            format!("{code}: candidates"),
            office.nominal,
            named("NOMI"),
            office.says_nominal.map(u64::from),
        );
        differ(
            format!("{code}: LEGP"),
            office.legends,
            named("LEGC"),
            office.says_legends.map(u64::from),
        );
        differ(
            format!("{code}: candidates + LEGC + BRAN + NULO"),
            contest.all_votes(),
            named("TOTC"),
            Some(u64::from(total)),
        );
        differ(
            format!("{} x COMP", contest.choices),
            turnout.map_or(0, |voters| u64::from(contest.choices) * u64::from(voters)),
            named("TOTC"),
            turnout.map(|_| u64::from(total)),
        );
        self.contests.push(office.contest);
        Ok(())
    }
}

impl Office {
    /// Takes one token; returns the name under which its value is to be kept word for word, where it is.
    fn token(
        &mut self,
        key: &str,
        value: &str,
        doubts: &mut Vec<Doubt>,
    ) -> Result<Option<String>, NotATally> {
        let office = &self.contest.office;
        let name = format!("{office}.{key}");
        let votes = |role| number::votes(|| role, value, MAX_VOTES);
        if !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()) {
            let votes = votes(VotesField::Named(quote(&name)))?;
            self.nominal += u64::from(votes);
            return self.slot(key, votes).map(|()| None);
        }
        match key {
            "PART" => {
                self.close_party(None, doubts);
                self.party = Some((value.to_owned(), 0));
                return self.once(format!("{name}:{value}")).map(|()| None);
            }
            "LEGP" => {
                let votes = votes(VotesField::Named(name.clone()))?;
                let Some((party, _)) = &self.party else {
                    return Err(NotATally::FieldMissing {
                        field: format!("{office}.PART"),
                    });
                };
                let party = party.clone();
                self.legends += u64::from(votes);
                return self.slot(&party, votes).map(|()| None);
            }
            "TOTP" => {
                let says = votes(VotesField::Named(name))?;
                self.close_party(Some(says), doubts);
                return Ok(None);
            }
            _ => {}
        }
        self.once(name.clone())?;
        let place = match key {
            "BRAN" => &mut self.contest.blank,
            "NULO" => &mut self.contest.null,
            "TOTC" => &mut self.contest.total,
            "NOMI" => &mut self.says_nominal,
            "LEGC" => &mut self.says_legends,
            key if !key.is_empty() && key.bytes().all(|b| b.is_ascii_uppercase()) => {
                return Ok(Some(name));
            }
            key => return Err(field_fault(key, value, Wants::OneOf("A-Z | 0-9"))),
        };
        *place = Some(votes(VotesField::Named(name))?);
        Ok(None)
    }

    fn once(&mut self, name: String) -> Result<(), NotATally> {
        match self.seen.insert(name.clone()) {
            true => Ok(()),
            false => Err(NotATally::FieldTwice {
                field: quote(&name),
            }),
        }
    }

    /// A candidate's number; a vote for a party's list alone is one for the party's.
    fn slot(&mut self, name: &str, votes: u32) -> Result<(), NotATally> {
        self.once(name.to_owned())?;
        if let Some((_, sum)) = &mut self.party {
            *sum += u64::from(votes);
        }
        self.contest.slots.push(SlotVotes {
            name: Some(name.to_owned()),
            votes,
        });
        Ok(())
    }

    /// Ends the open party, whose votes must be what `TOTP` says.
    fn close_party(&mut self, says: Option<u32>, doubts: &mut Vec<Doubt>) {
        if let (Some((party, sum)), Some(says)) = (self.party.take(), says)
            && sum != u64::from(says)
        {
            doubts.push(Doubt::SumDiffers {
                of: format!("{}: PART {}", self.contest.office, quote(&party)),
                sum,
                is: "TOTP".to_owned(),
                says: u64::from(says),
            });
        }
    }
}

/// The offices of the Tribunal's codes in Spanish and in English.
fn names(office: &str) -> Option<(&'static str, &'static str)> {
    Some(match office {
        "1" => ("Presidente", "President"),
        "3" => ("Gobernador", "Governor"),
        "5" => ("Senador", "Senator"),
        "6" => ("Diputado federal", "Federal deputy"),
        "7" => ("Diputado estadal", "State deputy"),
        "8" => ("Diputado distrital", "District deputy"),
        "11" => ("Alcalde", "Mayor"),
        "13" => ("Concejal", "Councillor"),
        _ => return None,
    })
}
