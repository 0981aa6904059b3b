//! Processes that die, disks without power, and what is started again.

use super::{Event, World};
use crate::disk::{Disk, Image, Kept, Model};
use crate::faults::Fault;
use fastrand::Rng;

impl World {
    /// Whether a phone has died; then it is gone until it is started again.
    pub(super) fn see_phone(&mut self, n: usize) {
        if !self.phones[n].disk.is_dead() {
            return;
        }
        self.phones[n].stop();
        let power = self.power_on_phone[n];
        let fault = if power {
            Fault::PhonePower
        } else {
            Fault::PhoneKilled
        };
        self.counts.add(fault, 1);
        self.say(format!("phone {n} dies: {fault}"));
        if power {
            self.phones[n].clock = self.phones[n].clock.rebooted();
        }
        fall(&self.phones[n].disk, power, &mut self.rng);
        self.soon(500..60_000, Event::StartPhone(n));
    }

    pub(super) fn see_hq(&mut self) {
        if !self.hq.disk.is_dead() {
            return;
        }
        self.hq.stop();
        let power = self.power_on_hq;
        let fault = if power {
            Fault::HqPower
        } else {
            Fault::HqKilled
        };
        self.counts.add(fault, 1);
        self.say(format!("headquarters die: {fault}"));
        fall(&self.hq.disk, power, &mut self.rng);
        self.soon(500..60_000, Event::StartHq);
    }

    pub(super) fn start_phone(&mut self, n: usize) {
        if self.phones[n].phone.is_some() {
            return;
        }
        if let Err(error) = self.phones[n].start() {
            self.say(format!("phone {n} does not start: {error}"));
            self.phones[n].stop();
            if !self.phones[n].disk.is_dead() {
                self.soon(5_000..30_000, Event::StartPhone(n));
            }
        }
        self.see_phone(n);
    }

    pub(super) fn start_hq(&mut self) {
        if self.hq.is_up() {
            return;
        }
        if let Err(error) = self.hq.start() {
            self.say(format!("headquarters do not start: {error}"));
            if !self.hq.disk.is_dead() {
                self.soon(5_000..30_000, Event::StartHq);
            }
        }
        self.see_hq();
    }
}

/// What a death leaves on a disk.
fn fall(disk: &Disk, power: bool, rng: &mut Rng) {
    if power {
        disk.cut_power(|model| some_state(model, rng));
    }
    disk.restart();
}

/// One of the states that a power cut may leave.
fn some_state(model: &Model, rng: &mut Rng) -> Image {
    let names = model
        .pending()
        .iter()
        .filter(|change| change.is_name())
        .count();
    let count = model.pending().len();
    let names = rng.usize(0..=names);
    let (how, upto, torn) = (rng.u8(0..4), rng.usize(0..=count), rng.usize(0..=count));
    model.after_power_cut(names, |n, _| match how {
        0 => Kept::Not,
        1 => Kept::Whole,
        2 if n == torn => Kept::Sectors(rng.usize(0..9)),
        2 if rng.bool() => Kept::Whole,
        3 if n < upto => Kept::Whole,
        _ => Kept::Not,
    })
}
