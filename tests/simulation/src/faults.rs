//! What can go wrong, and how often it really did.

use std::collections::BTreeMap;
use std::fmt;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A request is lost.
    RequestLost,
    /// Headquarters answer, and the answer is lost.
    ReplyLost,
    /// A request arrives twice.
    Duplicated,
    /// A request arrives long after its phone has given it up, behind later ones.
    Reordered,
    /// The connection is reset in the middle of a request's body.
    Reset,
    /// The connection hangs in the middle of a request's body until the phone gives up.
    HalfOpen,
    /// The answer takes long, but not too long.
    Slow,
    /// A phone has no network for a while.
    Partition,
    /// A log-in page answers in headquarters' place for a while.
    Portal,
    /// Somebody answers with receipts and notices that headquarters did not sign.
    Impostor,
    /// A proxy before headquarters answers with a status of its own.
    Gateway,
    /// Headquarters put off everything for a while: it is over a quota, or they do not know the phone.
    Deferred,
    /// A phone's clock jumps.
    PhoneClock,
    /// Headquarters' clock jumps.
    HqClock,
    /// A phone's process is killed at some change of its disk.
    PhoneKilled,
    /// A phone loses power at some change of its disk.
    PhonePower,
    /// Headquarters' process is killed at some change of its disk.
    HqKilled,
    /// Headquarters lose power at some change of their disk.
    HqPower,
    /// A phone's disk is full for a while.
    PhoneFull,
    /// Headquarters' disk is full for a while.
    HqFull,
    /// Headquarters' machine is gone, and they come back from a backup.
    HqRestored,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 21] = [
        Self::RequestLost,
        Self::ReplyLost,
        Self::Duplicated,
        Self::Reordered,
        Self::Reset,
        Self::HalfOpen,
        Self::Slow,
        Self::Partition,
        Self::Portal,
        Self::Impostor,
        Self::Gateway,
        Self::Deferred,
        Self::PhoneClock,
        Self::HqClock,
        Self::PhoneKilled,
        Self::PhonePower,
        Self::HqKilled,
        Self::HqPower,
        Self::PhoneFull,
        Self::HqFull,
        Self::HqRestored,
    ];

    /// Whether it befalls one request.
    pub fn is_of_a_request(self) -> bool {
        self <= Self::Slow
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RequestLost => "request lost",
            Self::ReplyLost => "reply lost",
            Self::Duplicated => "request duplicated",
            Self::Reordered => "request late, out of order",
            Self::Reset => "reset in mid-body",
            Self::HalfOpen => "half-open connection",
            Self::Slow => "slow answer",
            Self::Partition => "request during a partition",
            Self::Portal => "captive portal answered",
            Self::Impostor => "impostor answered",
            Self::Gateway => "5xx or 429 of a gateway",
            Self::Deferred => "headquarters put it off",
            Self::PhoneClock => "phone's clock jumped",
            Self::HqClock => "headquarters' clock jumped",
            Self::PhoneKilled => "phone killed",
            Self::PhonePower => "phone without power",
            Self::HqKilled => "headquarters killed",
            Self::HqPower => "headquarters without power",
            Self::PhoneFull => "phone's disk refused a write",
            Self::HqFull => "headquarters' disk refused a write",
            Self::HqRestored => "headquarters back from a backup",
        })
    }
}

/// How often each kind really happened.
#[derive(Debug, Clone, Default)]
pub struct Counts(pub BTreeMap<Fault, u64>);

impl Counts {
    /// One more.
    pub fn add(&mut self, fault: Fault, n: u64) {
        if n > 0 {
            *self.0.entry(fault).or_default() += n;
        }
    }

    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Takes in another's.
    pub fn merge(&mut self, other: &Self) {
        for (fault, n) in &other.0 {
            self.add(*fault, *n);
        }
    }
}
