use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// In all.
    pub all: usize,
    /// Of one sender: a phone waits for each answer, so a few are many.
    pub sender: usize,
}

/// Why something may not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Too much of this sender's waits.
    Sender,
    /// Too much waits.
    All,
    /// Nothing is taken any more.
    Closed,
}

/// A queue with a line for each sender, served in turn: whoever floods it waits behind himself alone.
pub(crate) struct Queue<S, T> {
    room: Room,
    lines: Mutex<Lines<S, T>>,
    bell: Condvar,
}

struct Lines<S, T> {
    by_sender: HashMap<S, VecDeque<T>>,
    /// Senders whose line is not empty, the next one first.
    turns: VecDeque<S>,
    waiting: usize,
    closed: bool,
}

impl<S: Copy + Eq + Hash, T> Queue<S, T> {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            room,
            lines: Mutex::new(Lines {
                by_sender: HashMap::new(),
                turns: VecDeque::new(),
                waiting: 0,
                closed: false,
            }),
            bell: Condvar::new(),
        }
    }

    /// Puts something at the end of its sender's line.
    pub(crate) fn push(&self, sender: S, what: T) -> Result<(), Full> {
        let mut lines = self.lines();
        if lines.closed {
            return Err(Full::Closed);
        }
        let own = lines.by_sender.get(&sender).map_or(0, VecDeque::len);
        if own >= self.room.sender {
            return Err(Full::Sender);
        }
        if lines.waiting >= self.room.all {
            return Err(Full::All);
        }
        if own == 0 {
            lines.turns.push_back(sender);
        }
        lines.by_sender.entry(sender).or_default().push_back(what);
        lines.waiting += 1;
        drop(lines);
        self.bell.notify_one();
        Ok(())
    }

    /// Waits until something waits and takes up to `limit`, one of each sender in turn. `None` once the
    /// queue is closed and empty.
    pub(crate) fn take(&self, limit: usize) -> Option<Vec<T>> {
        let mut lines = self.lines();
        while lines.waiting == 0 {
            if lines.closed {
                return None;
            }
            lines = self
                .bell
                .wait(lines)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = Vec::new();
        while taken.len() < limit {
            let Some(sender) = lines.turns.pop_front() else {
                break;
            };
            let Some(line) = lines.by_sender.get_mut(&sender) else {
                continue;
            };
            taken.extend(line.pop_front());
            if line.is_empty() {
                lines.by_sender.remove(&sender);
            } else {
                lines.turns.push_back(sender);
            }
        }
        lines.waiting = lines.waiting.saturating_sub(taken.len());
        Some(taken)
    }

    /// Takes no more; what waits is still given out.
    pub(crate) fn close(&self) {
        self.lines().closed = true;
        self.bell.notify_all();
    }

    fn lines(&self) -> MutexGuard<'_, Lines<S, T>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const ROOM: Room = Room { all: 10, sender: 4 };

    #[test]
    fn whoever_floods_waits_behind_himself_alone() {
        let queue = Queue::new(ROOM);
        for n in 0..4 {
            queue.push('a', ('a', n)).unwrap();
        }
        assert_eq!(queue.push('a', ('a', 4)), Err(Full::Sender));
        queue.push('b', ('b', 0)).unwrap();
        queue.push('c', ('c', 0)).unwrap();
        queue.push('c', ('c', 1)).unwrap();
        // The third in line of 'a' is behind what came after it.
        let taken = queue.take(5).unwrap();
        assert_eq!(taken, [('a', 0), ('b', 0), ('c', 0), ('a', 1), ('c', 1)]);
        queue.push('a', ('a', 5)).unwrap();
        assert_eq!(queue.take(9).unwrap(), [('a', 2), ('a', 3), ('a', 5)]);
    }

    #[test]
    fn the_whole_is_bounded_and_closing_gives_out_what_waits() {
        let queue = Queue::new(ROOM);
        for n in 0..10 {
            queue.push(n, n).unwrap();
        }
        assert_eq!(queue.push(11, 11), Err(Full::All));
        queue.close();
        assert_eq!(queue.push(12, 12), Err(Full::Closed));
        assert_eq!(queue.take(100).unwrap().len(), 10);
        assert_eq!(queue.take(100), None);
    }
}
