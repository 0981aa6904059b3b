//! The body of a bulletin: elections, offices, parties and numbers, token by token.

use super::{field_fault, literal};
use crate::not_a_tally::Wants;
use crate::number::{self, quote};
use crate::{Contest, Doubt, NotATally, SlotVotes, VotesField};
use std::collections::HashSet;
use testigo_wire::{MAX_VOTES, TableId};

/// Sums of one office, as they are said and as they come out.
#[derive(Default)]
struct Office<'t> {
    contest: Contest,
    seen: HashSet<&'t str>,
    parties: HashSet<&'t str>,
    /// The party that is open, and its votes so far.
    party: Option<(&'t str, u64)>,
    nominal: u64,
    legends: u64,
    says_nominal: Option<u32>,
    says_legends: Option<u32>,
}

/// Goes through the body token by token.
pub(super) struct Body<'t> {
    pub(super) fields: Vec<(String, String)>,
    headings: HashSet<&'t str>,
    pub(super) contests: Vec<Contest>,
    office: Option<Office<'t>>,
    elections: bool,
    pub(super) doubts: Vec<Doubt>,
}

impl<'t> Body<'t> {
    pub(super) fn new(version: &str, key_version: Option<&str>) -> Self {
        let keep = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut fields = vec![keep("VRQR", version)];
        fields.extend(key_version.map(|key| keep("VRCH", key)));
        Self {
            fields,
            headings: HashSet::new(),
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

    pub(super) fn token(&mut self, token: &'t str) -> Result<(), NotATally> {
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
                    // A race for deputies has hundreds of numbers.
                    seen: HashSet::with_capacity(512),
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
                None if !self.elections && !self.headings.insert(key) => {
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

impl<'t> Office<'t> {
    /// The name of a field of this office, for errors and for what is kept.
    fn name(&self, key: &str) -> String {
        format!("{}.{}", self.contest.office, quote(key))
    }

    /// Takes one token; returns the name under which its value is to be kept word for word, where it is.
    fn token(
        &mut self,
        key: &'t str,
        value: &'t str,
        doubts: &mut Vec<Doubt>,
    ) -> Result<Option<String>, NotATally> {
        let all = |letter: fn(&u8) -> bool| !key.is_empty() && key.as_bytes().iter().all(letter);
        if all(u8::is_ascii_digit) {
            let votes = self.votes(key, value)?;
            self.nominal += u64::from(votes);
            return self.slot(key, votes).map(|()| None);
        }
        match key {
            "PART" => {
                self.close_party(None, doubts);
                self.party = Some((value, 0));
                return match self.parties.insert(value) {
                    true => Ok(None),
                    false => Err(self.twice(&format!("PART:{value}"))),
                };
            }
            "LEGP" => {
                let votes = self.votes(key, value)?;
                let Some((party, _)) = self.party else {
                    return Err(NotATally::FieldMissing {
                        field: self.name("PART"),
                    });
                };
                self.legends += u64::from(votes);
                return self.slot(party, votes).map(|()| None);
            }
            "TOTP" => {
                let says = self.votes(key, value)?;
                self.close_party(Some(says), doubts);
                return Ok(None);
            }
            _ => {}
        }
        self.once(key)?;
        match key {
            "BRAN" => self.contest.blank = Some(self.votes(key, value)?),
            "NULO" => self.contest.null = Some(self.votes(key, value)?),
            "TOTC" => self.contest.total = Some(self.votes(key, value)?),
            "NOMI" => self.says_nominal = Some(self.votes(key, value)?),
            "LEGC" => self.says_legends = Some(self.votes(key, value)?),
            key if all(u8::is_ascii_uppercase) => return Ok(Some(self.name(key))),
            key => return Err(field_fault(key, value, Wants::OneOf("A-Z | 0-9"))),
        }
        Ok(None)
    }

    fn votes(&self, key: &str, value: &str) -> Result<u32, NotATally> {
        number::votes(|| VotesField::Named(self.name(key)), value, MAX_VOTES)
    }

    fn once(&mut self, key: &'t str) -> Result<(), NotATally> {
        match self.seen.insert(key) {
            true => Ok(()),
            false => Err(self.twice(key)),
        }
    }

    fn twice(&self, key: &str) -> NotATally {
        NotATally::FieldTwice {
            field: self.name(key),
        }
    }

    /// A candidate's number; a vote for a party's list alone is one for the party's.
    fn slot(&mut self, name: &'t str, votes: u32) -> Result<(), NotATally> {
        self.once(name)?;
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
                of: format!("{}: PART {}", self.contest.office, quote(party)),
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
