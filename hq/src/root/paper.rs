//! A key on paper: four lines of letters and digits, whole or as shares of which some bring it back (Shamir's
//! scheme over GF(256)). The form is described in `docs/key-file-format.md`.

use super::RootError;
use blahaj::{Share, Sharks};
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use std::fmt;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of what a paper holds: kind, shares needed, number, mark of the set, 32 bytes of key or share.
const HELD: usize = 40;
/// Lines of a paper.
const LINES: usize = 4;
/// Bytes of it in a line, before two and a half bytes of check.
const IN_LINE: usize = HELD / LINES;
/// Letters in a line: 16 for what is held and 4 for the check.
const LETTERS: usize = 20;

/// What a paper key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The root's key itself.
    Root = 1,
    /// A file with headquarters' keys.
    Keys = 2,
}

/// How a key goes onto paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// One paper that holds it whole.
    Whole,
    /// So many papers, of which some are needed.
    Shares {
        /// How many are made.
        made: u8,
        /// How many bring it back.
        needed: u8,
    },
}

/// A paper: what is written on it is secret, wholly or in part. Erased from memory when dropped; cannot be printed
/// by accident.
#[derive(Clone)]
pub struct PaperKey {
    lines: Zeroizing<String>,
    /// Number and how many are needed; `None` where it is the whole.
    pub share: Option<(u8, u8)>,
    /// Papers of one making have one mark.
    pub mark: String,
}

impl fmt::Debug for PaperKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaperKey(..)")
    }
}

impl PaperKey {
    /// The four lines.
    pub fn lines(&self) -> &str {
        &self.lines
    }

    pub(crate) fn make(
        kind: Kind,
        secret: &Zeroizing<[u8; 32]>,
        sharing: Sharing,
    ) -> Result<Vec<Self>, RootError> {
        let mut salt = [0; 2];
        getrandom::fill(&mut salt)?;
        match sharing {
            Sharing::Whole => {
                let mark = mark(kind, 0, salt, secret);
                Ok(vec![Self::of(kind, 0, 0, mark, &**secret)])
            }
            Sharing::Shares { made, needed } => {
                if needed < 2 || made < needed {
                    return Err(RootError::Sharing);
                }
                let mark = mark(kind, needed, salt, secret);
                Ok(Sharks(needed)
                    .dealer(&**secret)
                    .take(usize::from(made))
                    .map(|share| {
                        let bytes = Zeroizing::new(Vec::from(&share));
                        let (number, part) = bytes.split_first().unwrap_or((&0, &[]));
                        Self::of(kind, needed, *number, mark, part)
                    })
                    .collect())
            }
        }
    }

    fn of(kind: Kind, needed: u8, number: u8, mark: [u8; 5], part: &[u8]) -> Self {
        let mut held = Zeroizing::new(vec![kind as u8, needed, number]);
        held.extend_from_slice(&mark);
        held.extend_from_slice(part);
        let mut lines = Zeroizing::new(String::with_capacity(LINES * (LETTERS + 5)));
        for (n, part) in held.chunks(IN_LINE).enumerate() {
            let letters = Zeroizing::new(BASE32_NOPAD.encode(part) + &check(n, part));
            for (at, letter) in letters.chars().enumerate() {
                if at > 0 && at % 4 == 0 {
                    lines.push(' ');
                }
                lines.push(letter);
            }
            lines.push('\n');
        }
        Self {
            lines,
            share: (needed > 0).then_some((number, needed)),
            mark: BASE32_NOPAD.encode(&mark),
        }
    }
}

/// Tells one making from another, and a key that was brought back right from one that was not: two random bytes, and
/// three of a hash over the key.
fn mark(kind: Kind, needed: u8, salt: [u8; 2], secret: &[u8; 32]) -> [u8; 5] {
    let mut hash = Sha256::new_with_prefix(b"testigo/1/paper-mark");
    hash.update([kind as u8, needed]);
    hash.update(salt);
    hash.update(secret);
    let hash = hash.finalize();
    let mut mark = [0; 5];
    let bytes = salt.iter().chain(hash.iter());
    mark.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    mark
}

/// Four letters, 20 bits of a hash over the line and its number.
fn check(line: usize, part: &[u8]) -> String {
    let mut hash = Sha256::new_with_prefix(b"testigo/1/paper-line");
    hash.update([line as u8]);
    hash.update(part);
    let mut letters = BASE32_NOPAD.encode(&hash.finalize());
    letters.truncate(LETTERS - BASE32_NOPAD.encode_len(IN_LINE));
    letters
}

/// Why what was typed from paper is not right. The papers themselves stay as good as they were.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PaperError {
    /// A line has a wrong, missing or superfluous letter.
    #[error("line {0} is mistyped")]
    Line(usize),
    /// The same share was read before: it counts once.
    #[error("share {0} was read before")]
    Again(u8),
    /// Fewer lines than a paper has.
    #[error("lines are missing")]
    Unfinished,
    /// Fewer shares than are needed.
    #[error("{found} of {needed} shares")]
    TooFew {
        /// So many different ones were read.
        found: usize,
        /// So many are needed.
        needed: usize,
    },
    /// Papers of different makings, or of different keys.
    #[error("the papers are not of one set")]
    Mixed,
    /// The papers open something else: the root's where headquarters' are asked for, or the other way round.
    #[error("the papers are of another kind of key")]
    OtherKind,
    /// The shares fit together and give another key: at least one is forged.
    #[error("the shares do not give the key that they were made of")]
    Wrong,
}

/// Reads papers as they are typed, line by line.
#[derive(Default)]
pub struct PaperReader {
    /// Bytes of the paper under way.
    held: Zeroizing<Vec<u8>>,
    papers: Vec<Held>,
}

struct Held {
    kind: u8,
    needed: u8,
    number: u8,
    mark: [u8; 5],
    part: Zeroizing<[u8; 32]>,
}

impl Held {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, part) = bytes.split_at_checked(8)?;
        let &[kind, needed, number, a, b, c, d, e] = head else {
            return None;
        };
        Some(Self {
            kind,
            needed,
            number,
            mark: [a, b, c, d, e],
            part: Zeroizing::new(part.try_into().ok()?),
        })
    }

    /// All that papers of one set have in common.
    fn set(&self) -> (u8, u8, [u8; 5]) {
        (self.kind, self.needed, self.mark)
    }
}

impl PaperReader {
    /// How many whole papers were read.
    pub fn papers(&self) -> usize {
        self.papers.len()
    }

    /// The number, from one, of the line of its paper that comes next.
    pub fn next_line(&self) -> usize {
        self.held.len() / IN_LINE + 1
    }

    /// Whether all is there that is needed.
    pub fn is_complete(&self) -> bool {
        let needed = self.papers.first().map(|paper| usize::from(paper.needed));
        needed.is_some_and(|needed| self.papers.len() >= needed.max(1))
    }

    /// Takes a line as it was typed: small letters, spaces and dashes are forgiven, and 0, 1 and 8, which no paper
    /// has, count as O, I and B. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// [`PaperError::Line`]: the same line may be typed again. [`PaperError::Again`]: another share is typed next.
    pub fn line(&mut self, typed: &str) -> Result<(), PaperError> {
        if typed.trim().is_empty() || typed.trim_start().starts_with('#') {
            return Ok(());
        }
        let n = self.next_line();
        let fault = || PaperError::Line(n);
        let letters: Zeroizing<String> = Zeroizing::new(
            typed
                .chars()
                .filter(|letter| !letter.is_whitespace() && *letter != '-')
                .map(|letter| match letter.to_ascii_uppercase() {
                    '0' => 'O',
                    '1' => 'I',
                    '8' => 'B',
                    letter => letter,
                })
                .take(LETTERS + 1)
                .collect(),
        );
        let (part, said) = letters
            .split_at_checked(BASE32_NOPAD.encode_len(IN_LINE))
            .ok_or_else(fault)?;
        let part = BASE32_NOPAD.decode(part.as_bytes()).map(Zeroizing::new);
        let part = part.map_err(|_| fault())?;
        if check(n - 1, &part) != said {
            return Err(fault());
        }
        self.held.extend_from_slice(&part);
        if self.held.len() == HELD {
            let read = Held::read(&self.held);
            self.held.zeroize();
            let Some(paper) = read else { return Ok(()) };
            let (set, number) = (paper.set(), paper.number);
            if (self.papers.iter()).any(|held| held.set() == set && held.number == number) {
                return Err(PaperError::Again(number));
            }
            self.papers.push(paper);
        }
        Ok(())
    }

    /// The key.
    pub(crate) fn secret(self, kind: Kind) -> Result<Zeroizing<[u8; 32]>, PaperError> {
        if !self.held.is_empty() {
            return Err(PaperError::Unfinished);
        }
        let first = self.papers.first().ok_or(PaperError::Unfinished)?;
        if self.papers.iter().any(|paper| paper.set() != first.set()) {
            return Err(PaperError::Mixed);
        }
        if first.kind != kind as u8 {
            return Err(PaperError::OtherKind);
        }
        let (needed, found) = (usize::from(first.needed), self.papers.len());
        if found < needed {
            return Err(PaperError::TooFew { found, needed });
        }
        let mut secret = Zeroizing::new([0; 32]);
        if needed == 0 {
            secret.copy_from_slice(&*first.part);
        } else {
            let mut shares: Vec<Share> = Vec::with_capacity(self.papers.len());
            for paper in &self.papers {
                let mut bytes = Zeroizing::new(vec![paper.number]);
                bytes.extend_from_slice(&*paper.part);
                shares.extend(Share::try_from(bytes.as_slice()));
            }
            let scheme = Sharks(first.needed);
            let recovered = scheme.recover(&shares).map(Zeroizing::new);
            let recovered = recovered.map_err(|_| PaperError::Wrong)?;
            if recovered.len() != secret.len() {
                return Err(PaperError::Wrong);
            }
            secret.copy_from_slice(&recovered);
        }
        let [a, b, ..] = first.mark;
        match mark(kind, first.needed, [a, b], &secret) == first.mark {
            true => Ok(secret),
            false => Err(PaperError::Wrong),
        }
    }
}
