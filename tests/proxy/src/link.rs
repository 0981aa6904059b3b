use std::fmt;
use std::time::Duration;

/// How a link treats what passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// How long each byte takes, one way; a connection takes a round trip before its first byte.
    pub latency: Duration,
    /// Bits a second, each way; 0 for as fast as it goes.
    pub rate: u64,
    /// Cuts each connection off behind so many bytes in both directions together.
    pub cut_after: Option<u64>,
    /// The same with a reset in place of an end.
    pub reset_after: Option<u64>,
    /// Takes connections and everything that comes, and answers nothing.
    pub black_hole: bool,
    /// Of a hundred connections, how many get a fault of these kinds by chance, behind up to `random_within`
    /// bytes.
    pub random_percent: u8,
    /// The most bytes that pass before a fault by chance.
    pub random_within: u64,
}

/// What befalls a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is reset at once.
    Refused,
    /// It ends behind so many bytes.
    Cut(u64),
    /// It is reset behind so many bytes.
    Reset(u64),
    /// It stays silent.
    BlackHole,
}

/// How often what really happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections taken.
    pub connections: u64,
    /// Bytes from the near side to the far side.
    pub up: u64,
    /// Bytes from the far side to the near side.
    pub down: u64,
    /// How often the near side began to speak: each is a round trip of its own.
    pub turns: u64,
    /// Connections reset at once.
    pub refused: u64,
    /// Connections cut off.
    pub cut: u64,
    /// Connections reset on their way.
    pub reset: u64,
    /// Connections swallowed.
    pub black_hole: u64,
    /// Connections for which the other side was not there.
    pub unreachable: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Refused => self.refused += 1,
            Fault::Cut(_) => self.cut += 1,
            Fault::Reset(_) => self.reset += 1,
            Fault::BlackHole => self.black_hole += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} connections: {} refused, {} cut off, {} reset, {} swallowed, {} without the other side; \
             {} bytes up, {} down",
            self.connections,
            self.refused,
            self.cut,
            self.reset,
            self.black_hole,
            self.unreachable,
            self.up,
            self.down
        )
    }
}

impl Link {
    /// What befalls the next connection.
    pub(crate) fn fault(&self, chance: &mut fastrand::Rng) -> Option<Fault> {
        if self.black_hole {
            return Some(Fault::BlackHole);
        }
        if let Some(bytes) = self.reset_after {
            return Some(Fault::Reset(bytes));
        }
        if let Some(bytes) = self.cut_after {
            return Some(Fault::Cut(bytes));
        }
        if chance.u8(0..100) >= self.random_percent {
            return None;
        }
        let bytes = chance.u64(0..=self.random_within);
        Some(match chance.u8(0..8) {
            0 => Fault::Refused,
            1..=4 => Fault::Cut(bytes),
            _ => Fault::Reset(bytes),
        })
    }
}
