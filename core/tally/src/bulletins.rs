//! What arithmetic says of a series of partial official totals, and of one beside records that are held.
//!
//! Only what follows from the figures themselves: nothing here says which figures are true, and every assumption stands
//! in the sentence that needs it.

use testigo_wire::Language;

/// A share in millionths: 968,700 is 96.87 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self(1_000_000);

    /// From a percentage with at most four decimals, such as `96.87`; `None` for anything else, and above 100.
    pub fn from_percent(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 4 {
            return None;
        }
        let decimals = format!("{decimals:0<4}");
        let millionths = whole.parse::<u32>().ok()? * 10_000 + decimals.parse::<u32>().ok()?;
        (millionths <= Self::WHOLE.0).then_some(Self(millionths))
    }

    /// From a part of one; less than nothing is nothing.
    pub fn of(part: f64) -> Self {
        // A saturating cast makes harmless whatever is no such part.
        Self((part * 1e6).round() as u32)
    }

    /// As a part of one.
    pub fn part(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// As a percentage rounded to two decimals, as it is written in this language.
    pub fn percent(self, language: Language) -> String {
        let hundredths = self.0.saturating_add(50) / 100;
        let (whole, decimals) = (hundredths / 100, hundredths % 100);
        let point = language.pick(',', '.');
        format!("{whole}{point}{decimals:02} %")
    }
}

/// One partial total, as its publisher gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulletin {
    /// When it was published, or what it is called.
    pub name: String,
    /// Which part of all records it counts.
    pub counted: Share,
    /// Votes by candidate, in the order of [`Bulletins::candidates`]; `None` where none were published.
    pub votes: Vec<Option<u64>>,
}

impl Bulletin {
    /// All votes, where every candidate's were published.
    pub fn total(&self) -> Option<u64> {
        self.votes.iter().copied().sum()
    }
}

/// Partial totals in the order of their publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulletins {
    /// What the columns are: candidates, and perhaps one for all others.
    pub candidates: Vec<String>,
    /// One or more.
    pub list: Vec<Bulletin>,
}

/// What follows from the figures.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// What was counted has become less: one of the two is wrong.
    CountedFalls {
        /// The earlier one.
        from: String,
        /// The later one.
        to: String,
    },
    /// A candidate's votes have become fewer: one of the two is wrong.
    VotesFall {
        /// The earlier one.
        from: String,
        /// The later one.
        to: String,
        /// Whose.
        candidate: String,
        /// Before.
        before: u64,
        /// After.
        after: u64,
    },
    /// What came between two of them, which is possible: nobody's votes fall.
    Added {
        /// The earlier one.
        from: String,
        /// The later one.
        to: String,
        /// Votes by candidate.
        added: Vec<(String, u64)>,
        /// Which part of all records came.
        counted: Share,
        /// Votes for each percent of the records, in the earlier one and in what came.
        a_percent: (u64, u64),
    },
    /// More votes without one record more.
    NoRecords {
        /// The earlier one.
        from: String,
        /// The later one.
        to: String,
        /// How many more.
        votes: u64,
    },
    /// Fewer votes than the held records have already: impossible if those are authentic.
    BelowHeld {
        /// The bulletin.
        bulletin: String,
        /// Whose votes.
        candidate: String,
        /// Published.
        published: u64,
        /// On the records that are held.
        held: u64,
    },
    /// What the second needs of the records that are left to draw level, were they as large as those before.
    Lead {
        /// The bulletin.
        bulletin: String,
        /// Who leads.
        first: String,
        /// Who follows.
        second: String,
        /// The lead, as a part of the votes counted.
        lead: Share,
        /// Of the rest; `None` where all of it would not do.
        needed: Option<Share>,
        /// What others have, and keep in the rest.
        others: Share,
        /// What is left to count.
        rest: Share,
    },
    /// Every published number is exactly a percentage with one decimal of the total.
    Rounded {
        /// The bulletin.
        bulletin: String,
        /// The percentages, by candidate.
        percentages: Vec<(String, Share)>,
        /// That this happens by chance is one in so many.
        one_in: f64,
    },
}

/// Whether a column is that of all others, who cannot lead together.
pub fn is_all_others(name: &str) -> bool {
    ["others", "other", "otros", "outros"]
        .iter()
        .any(|others| same_name(others, name))
}

/// Whether two headings name the same candidate: capitals or not is the same.
pub fn same_name(a: &str, b: &str) -> bool {
    a.to_uppercase() == b.to_uppercase()
}

/// The longest odds that are told as a number.
const LONGEST: f64 = 1e15;
/// Chances better than one in so many are not worth a word: small totals are often exact.
const WORTH_A_WORD: f64 = 1000.0;

impl Bulletins {
    /// All that follows; `held` are the sums of records in hand, by candidate.
    pub fn findings(&self, held: &[(String, u64)]) -> Vec<Finding> {
        let mut findings = Vec::new();
        // The last numbers that were published of each candidate, and where.
        let mut last: Vec<Option<(&Bulletin, u64)>> = vec![None; self.candidates.len()];
        let mut before: Option<&Bulletin> = None;
        for bulletin in &self.list {
            let mut falls = Vec::new();
            for ((candidate, votes), last) in self.of(bulletin).zip(&mut last) {
                let Some(after) = votes else { continue };
                if let Some((from, before)) = *last
                    && after < before
                {
                    falls.push(Finding::VotesFall {
                        from: from.name.clone(),
                        to: bulletin.name.clone(),
                        candidate: candidate.clone(),
                        before,
                        after,
                    });
                }
                *last = Some((bulletin, after));
            }
            let fell = !falls.is_empty();
            findings.extend(falls);
            if let Some(before) = before {
                findings.extend(self.between(before, bulletin, fell));
            }
            findings.extend(self.below_held(bulletin, held));
            findings.extend(self.lead(bulletin));
            findings.extend(self.rounded(bulletin));
            before = Some(bulletin);
        }
        findings
    }

    fn of<'a>(&'a self, bulletin: &'a Bulletin) -> impl Iterator<Item = (&'a String, Option<u64>)> {
        self.candidates.iter().zip(bulletin.votes.iter().copied())
    }

    fn between(&self, before: &Bulletin, after: &Bulletin, fell: bool) -> Option<Finding> {
        let (from, to) = (before.name.clone(), after.name.clone());
        if after.counted < before.counted {
            return Some(Finding::CountedFalls { from, to });
        }
        let both: Vec<(String, u64, u64)> = (self.of(before).zip(self.of(after)))
            .filter_map(|((candidate, before), (_, after))| {
                Some((candidate.clone(), before?, after?))
            })
            .collect();
        if fell || both.is_empty() {
            return None;
        }
        let counted = Share(after.counted.0 - before.counted.0);
        let sum = |votes: fn(&(String, u64, u64)) -> u64| {
            both.iter()
                .fold(0u64, |sum, one| sum.saturating_add(votes(one)))
        };
        let came = sum(|(_, before, after)| after.saturating_sub(*before));
        if counted.0 == 0 {
            let votes = came;
            return (votes > 0).then_some(Finding::NoRecords { from, to, votes });
        }
        let a_percent = |votes: u64, share: Share| match share.0 {
            0 => 0,
            share => {
                u64::try_from(u128::from(votes) * 10_000 / u128::from(share)).unwrap_or(u64::MAX)
            }
        };
        let a_percent = (
            a_percent(sum(|(_, before, _)| *before), before.counted),
            a_percent(came, counted),
        );
        let added = (both.into_iter())
            .map(|(candidate, before, after)| (candidate, after - before))
            .collect();
        Some(Finding::Added {
            from,
            to,
            added,
            counted,
            a_percent,
        })
    }

    fn below_held(&self, bulletin: &Bulletin, held: &[(String, u64)]) -> Vec<Finding> {
        (self.of(bulletin))
            .filter_map(|(candidate, published)| {
                let published = published?;
                let held = held.iter().find(|(of, _)| same_name(of, candidate))?.1;
                (published < held).then(|| Finding::BelowHeld {
                    bulletin: bulletin.name.clone(),
                    candidate: candidate.clone(),
                    published,
                    held,
                })
            })
            .collect()
    }

    fn lead(&self, bulletin: &Bulletin) -> Option<Finding> {
        let total = bulletin.total().filter(|total| *total > 0)? as f64;
        let rest = Share(Share::WHOLE.0.checked_sub(bulletin.counted.0)?);
        let mut votes: Vec<(&String, u64)> = (self.of(bulletin))
            .filter(|(candidate, _)| !is_all_others(candidate))
            .filter_map(|(candidate, votes)| Some((candidate, votes?)))
            .collect();
        votes.sort_by_key(|(_, votes)| std::cmp::Reverse(*votes));
        let [(first, most), (second, next), ..] = *votes.as_slice() else {
            return None;
        };
        if bulletin.counted.0 == 0 || rest.0 == 0 || most == next {
            return None;
        }
        let lead = (most - next) as f64 / total;
        let others = 1.0 - (most + next) as f64 / total;
        let needed = needed_share(lead, bulletin.counted.part(), rest.part(), others, 0.0);
        Some(Finding::Lead {
            bulletin: bulletin.name.clone(),
            first: first.clone(),
            second: second.clone(),
            lead: Share::of(lead),
            needed: (needed + others <= 1.0).then(|| Share::of(needed)),
            others: Share::of(others),
            rest,
        })
    }

    fn rounded(&self, bulletin: &Bulletin) -> Option<Finding> {
        let total = u128::from(bulletin.total().filter(|total| *total > 0)?);
        let mut percentages = Vec::new();
        for (candidate, votes) in self.of(bulletin) {
            let thousandfold = u128::from(votes?) * 1000;
            let thousandths = (thousandfold + total / 2) / total;
            // The number of votes that is nearest to so many thousandths of the total.
            if thousandfold.abs_diff(thousandths * total) > 500 {
                return None;
            }
            percentages.push((candidate.clone(), Share(thousandths as u32 * 1000)));
        }
        // Nobody's vote is exact by nature, and the last number follows from the total and the others.
        let exact = percentages.iter().filter(|(_, share)| share.0 > 0).count();
        let one_in = (total as f64 / 1000.0).powi(i32::try_from(exact.checked_sub(1)?).ok()?);
        (one_in >= WORTH_A_WORD).then(|| Finding::Rounded {
            bulletin: bulletin.name.clone(),
            percentages,
            one_in,
        })
    }
}

/// Which part of the next votes the second candidate needs. After `counted` of all records the first leads by `lead`;
/// once another `next` of all are counted the second is to lead by `ahead` (0: they are level). Others have
/// `others` of those. All are parts of one, and each record is taken to have as many votes as any other.
///
/// With leads and shares as votes of all: `lead * counted + ahead * (counted + next) = next * (x - (1 - others - x))`.
pub fn needed_share(lead: f64, counted: f64, next: f64, others: f64, ahead: f64) -> f64 {
    ((lead * counted + ahead * (counted + next)) / next + 1.0 - others) / 2.0
}

impl Finding {
    /// Whether the figures cannot all be true.
    pub fn is_impossible(&self) -> bool {
        matches!(
            self,
            Self::CountedFalls { .. }
                | Self::VotesFall { .. }
                | Self::NoRecords { .. }
                | Self::BelowHeld { .. }
        )
    }

    /// A stable name, for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CountedFalls { .. } => "counted-falls",
            Self::VotesFall { .. } => "votes-fall",
            Self::Added { .. } => "added",
            Self::NoRecords { .. } => "no-records",
            Self::BelowHeld { .. } => "below-held",
            Self::Lead { .. } => "lead",
            Self::Rounded { .. } => "rounded",
        }
    }

    /// What a person is told, with the assumption that it rests on.
    pub fn sentence(&self, language: Language) -> String {
        match self {
            Self::CountedFalls { from, to } => language.pick(
                format!("IMPOSIBLE: «{to}» cuenta menos actas que «{from}»."),
                format!("IMPOSSIBLE: {to:?} counts fewer records than {from:?}."),
            ),
            Self::VotesFall {
                from,
                to,
                candidate,
                before,
                after,
            } => {
                let (before, after) = (language.thousands(*before), language.thousands(*after));
                language.pick(
                    format!("IMPOSIBLE: {candidate} tiene {before} votos en «{from}» y menos en «{to}»: {after}."),
                    format!("IMPOSSIBLE: {candidate} has {before} votes in {from:?} and fewer in {to:?}: {after}."),
                )
            }
            Self::Added {
                from,
                to,
                added,
                counted,
                a_percent,
            } => {
                let counted = counted.percent(language);
                let list = listed(
                    added
                        .iter()
                        .map(|(name, votes)| (name, language.thousands(*votes))),
                );
                let (before, came) = *a_percent;
                let (before, came) = (language.thousands(before), language.thousands(came));
                language.pick(
                    format!("De «{from}» a «{to}», con {counted} de las actas, se suman {list}: posible, a nadie se le restan votos ({came} votos por cada 1 % de las actas; antes {before})."),
                    format!("From {from:?} to {to:?}, with {counted} of the records, come {list}: possible, nobody's votes fall ({came} votes for each percent of the records; {before} before)."),
                )
            }
            Self::NoRecords { from, to, votes } => {
                let votes = language.thousands(*votes);
                language.pick(
                    format!("IMPOSIBLE: de «{from}» a «{to}» se suman {votes} votos sin un acta más."),
                    format!("IMPOSSIBLE: from {from:?} to {to:?} come {votes} votes without one record more."),
                )
            }
            Self::BelowHeld {
                bulletin,
                candidate,
                published,
                held,
            } => {
                let (published, held) = (language.thousands(*published), language.thousands(*held));
                language.pick(
                    format!("IMPOSIBLE si las actas en mano son auténticas: «{bulletin}» da a {candidate} {published} votos, y ellas solas tienen {held}."),
                    format!("IMPOSSIBLE if the records in hand are authentic: {bulletin:?} gives {candidate} {published} votes, and they alone have {held}."),
                )
            }
            Self::Lead {
                bulletin,
                first,
                second,
                lead,
                needed,
                others,
                rest,
            } => {
                let [lead, others, rest] =
                    [lead, others, rest].map(|share| share.percent(language));
                match needed.map(|needed| needed.percent(language)) {
                Some(needed) => language.pick(
                    format!("«{bulletin}»: {first} aventaja a {second} por {lead}. Para igualar, {second} necesita {needed} del {rest} que falta (si todas las actas pesan igual y los demás siguen en {others})."),
                    format!("{bulletin:?}: {first} leads {second} by {lead}. To draw level {second} needs {needed} of the {rest} that is left (if all records weigh the same and others stay at {others})."),
                ),
                None => language.pick(
                    format!("«{bulletin}»: {first} aventaja a {second} por {lead}, y el {rest} que falta no alcanza para igualar (si todas las actas pesan igual y los demás siguen en {others})."),
                    format!("{bulletin:?}: {first} leads {second} by {lead}, and the {rest} that is left is not enough to draw level (if all records weigh the same and others stay at {others})."),
                ),
            }
            }
            Self::Rounded {
                bulletin,
                percentages,
                one_in,
            } => {
                let list =
                    (percentages.iter()).map(|(name, share)| (name, share.percent(language)));
                let list = listed(list);
                let odds = language.thousands(one_in.min(LONGEST) as u64);
                let odds = match *one_in > LONGEST {
                    true => language.pick(format!("más de {odds}"), format!("more than {odds}")),
                    false => odds,
                };
                language.pick(
                    format!("SOSPECHOSO: en «{bulletin}» cada número es exactamente un porcentaje con un decimal del total ({list}). Por azar ocurre una vez en {odds} (si los votos de cada cual, salvo los del último, caen con igual probabilidad en cualquier número)."),
                    format!("SUSPECT: in {bulletin:?} each number is exactly a percentage with one decimal of the total ({list}). By chance that happens once in {odds} (if everyone's votes, but for the last one's, are as likely to be any number as the next)."),
                )
            }
        }
    }
}

fn listed<'a>(parts: impl Iterator<Item = (&'a String, String)>) -> String {
    let parts: Vec<String> = parts
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    parts.join(", ")
}
