//! Which faults a night has, and when they begin and end.

use super::{Event, NIGHT_MS, World};
use crate::faults::Fault;
use fastrand::Rng;

/// A fault of the plan: what, on whom, and for how long.
pub(super) struct Planned {
    fault: Fault,
    phone: usize,
    lasts_ms: u64,
    /// Changes of the disk until it strikes, or bytes of room.
    amount: u64,
}

impl World {
    pub(super) fn make_plan(&mut self, rng: &mut Rng) {
        self.at(0, Event::StartHq);
        for phone in 0..self.phones.len() {
            self.at(0, Event::StartPhone(phone));
            for _ in 0..rng.usize(4..=10) {
                let when = rng.u64(1000..NIGHT_MS);
                self.at(when, Event::Capture(phone));
            }
            let when = rng.u64(1000..90_000);
            self.at(when, Event::Sync(phone));
        }
        for n in 0..rng.usize(4..=12) {
            let fault = Fault::ALL[rng.usize(..Fault::ALL.len())];
            self.plan.push(Planned {
                fault,
                phone: rng.usize(..self.phones.len()),
                lasts_ms: match fault.is_of_a_request() {
                    true => NIGHT_MS,
                    false => rng.u64(10_000..180_000),
                },
                amount: match fault {
                    Fault::PhoneFull | Fault::HqFull => rng.u64(0..60_000),
                    _ => rng.u64(0..40),
                },
            });
            let when = rng.u64(0..NIGHT_MS * 9 / 10);
            self.at(when, Event::Begin(n));
        }
    }

    pub(super) fn begin(&mut self, n: usize) {
        let Planned {
            fault,
            phone,
            lasts_ms,
            amount,
        } = self.plan[n];
        self.say(format!("fault on: {fault} (phone {phone}, {amount})"));
        match fault {
            Fault::PhoneKilled | Fault::PhonePower => {
                self.power_on_phone[phone] = fault == Fault::PhonePower;
                self.phones[phone].disk.die_after(amount);
                return;
            }
            Fault::HqKilled | Fault::HqPower => {
                self.power_on_hq = fault == Fault::HqPower;
                self.hq.disk.die_after(amount);
                return;
            }
            Fault::HqRestored => self.back_up(n),
            Fault::PhoneFull => self.phones[phone].disk.set_room(Some(amount)),
            Fault::HqFull => self.hq.disk.set_room(Some(amount)),
            Fault::PhoneClock => {
                let by = self.rng.i64(-40..40) * 3_600_000;
                self.phones[phone].clock.jump(by);
                self.counts.add(fault, 1);
                return;
            }
            Fault::HqClock => {
                let by = self.rng.i64(-60..60) * 60_000;
                self.hq.clock.jump(by);
                self.counts.add(fault, 1);
                return;
            }
            _ => self.active.push(n),
        }
        self.at(self.now() + lasts_ms, Event::End(n));
    }

    pub(super) fn end(&mut self, n: usize) {
        let Planned { fault, phone, .. } = self.plan[n];
        self.active.retain(|active| *active != n);
        match fault {
            Fault::PhoneFull => self.phones[phone].disk.set_room(None),
            Fault::HqFull => self.hq.disk.set_room(None),
            Fault::HqRestored => self.restore_hq(),
            _ => {}
        }
    }

    /// What befalls a phone's next request.
    pub(super) fn fate(&mut self, phone: usize) -> Option<Fault> {
        let of_this = |n: &usize| self.plan[*n].phone == phone;
        let n = self.active.iter().copied().find(of_this)?;
        let fault = self.plan[n].fault;
        if fault.is_of_a_request() {
            self.active.retain(|active| *active != n);
        }
        Some(fault)
    }
}
