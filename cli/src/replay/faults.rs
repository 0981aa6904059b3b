//! What goes wrong on purpose, and how often it really did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use testigo_wire::Language;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A phone's process ends between capture and sync as a power cut ends it, and is opened again.
    PhoneCut,
    /// A request never leaves.
    RequestLost,
    /// Headquarters answer, and the answer is lost.
    ReplyLost,
    /// A request arrives twice.
    Doubled,
    /// Headquarters are killed while phones deliver, and started again.
    HqKilled,
}

impl Fault {
    const ALL: [Self; 5] = [
        Self::PhoneCut,
        Self::RequestLost,
        Self::ReplyLost,
        Self::Doubled,
        Self::HqKilled,
    ];

    /// For a person.
    pub fn label(self, language: Language) -> &'static str {
        let (es, en) = match self {
            Self::PhoneCut => ("teléfonos cortados", "phones cut off"),
            Self::RequestLost => ("peticiones perdidas", "requests lost"),
            Self::ReplyLost => ("respuestas perdidas", "replies lost"),
            Self::Doubled => ("peticiones dobles", "requests doubled"),
            Self::HqKilled => ("central matada", "headquarters killed"),
        };
        language.pick(es, en)
    }

    /// For a program.
    pub fn code(self) -> &'static str {
        match self {
            Self::PhoneCut => "phone_cut",
            Self::RequestLost => "request_lost",
            Self::ReplyLost => "reply_lost",
            Self::Doubled => "request_doubled",
            Self::HqKilled => "headquarters_killed",
        }
    }
}

/// How often each happened.
#[derive(Default)]
pub struct Faults([AtomicU64; 5]);

impl Faults {
    /// One more.
    pub fn add(&self, fault: Fault) {
        if let Some(count) = self.0.get(fault as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<(Fault, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        Fault::ALL.into_iter().zip(counts).collect()
    }
}

/// What a thread that panicked has left is whole: nothing is changed in two steps.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
