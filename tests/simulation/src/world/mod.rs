//! One night: simulated time, phones, headquarters, and the network between them.

mod backups;
mod deaths;
mod plan;

use crate::faults::{Counts, Fault};
use crate::headquarters::Headquarters;
use crate::network::{self, Fate};
use crate::oracle;
use crate::phone::{Outstanding, SimulatedPhone};
use crate::template::{PHONES, SimulatedClock, Template};
use fastrand::Rng;
use plan::Planned;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use testigo_phone::sync::{Link, NetworkFault, Request, Response, Step};

/// How long captures and faults go on, in milliseconds.
const NIGHT_MS: u64 = 6 * 60 * 1000;
/// How long a phone waits for an answer.
const TIMEOUT_MS: u64 = 30_000;
/// How often each phone syncs once all is well, before it is said not to get through.
const ROUNDS: u32 = 24;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Capture(usize),
    Sync(usize),
    /// A request reaches headquarters: whole or broken off, answered or not.
    Arrives {
        phone: usize,
        number: u64,
        broken_at: Option<usize>,
        answered: bool,
    },
    /// A phone is told how its request ended.
    Ends {
        phone: usize,
        number: u64,
        outcome: usize,
    },
    Desk,
    Begin(usize),
    End(usize),
    StartPhone(usize),
    StartHq,
}

/// A night that is going on.
pub struct World {
    rng: Rng,
    time: Arc<AtomicU64>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    events: u64,
    plan: Vec<Planned>,
    /// Faults of the plan that are on.
    active: Vec<usize>,
    requests: Vec<(u64, Rc<Request>)>,
    outcomes: Vec<Option<Result<Response, NetworkFault>>>,
    number: u64,
    desk_is_due: bool,
    power_on_hq: bool,
    power_on_phone: [bool; PHONES],
    healed: bool,
    /// Backups of headquarters, the latest one last.
    backups: Vec<PathBuf>,
    markers: u64,
    seed: u64,
    /// Headquarters.
    pub hq: Headquarters,
    /// The phones.
    pub phones: Vec<SimulatedPhone>,
    /// What really happened.
    pub counts: Counts,
    /// What happened, line by line.
    pub trace: Vec<String>,
    folder: tempfile::TempDir,
}

/// Why a night failed.
pub type Failure = String;

impl World {
    /// The night of this seed.
    pub fn new(template: &Template, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let folder = tempfile::tempdir_in(template.base()).expect("a temporary folder");
        let time = Arc::new(AtomicU64::new(0));
        let clock = SimulatedClock::new(time.clone());
        let hq = folder.path().join("hq");
        template.copy_hq(&hq);
        let phones = rng.usize(2..=PHONES);
        let phones = (0..phones).map(|n| {
            let path = folder.path().join(format!("phone-{n}"));
            template.copy_phone(n, &path);
            SimulatedPhone::new(&path, SimulatedClock::new(time.clone()))
        });
        let phones: Vec<_> = phones.collect();
        let mut world = Self {
            time,
            queue: BinaryHeap::new(),
            events: 0,
            plan: Vec::new(),
            active: Vec::new(),
            requests: Vec::new(),
            outcomes: Vec::new(),
            number: 0,
            desk_is_due: false,
            power_on_hq: false,
            power_on_phone: [false; PHONES],
            healed: false,
            backups: Vec::new(),
            markers: 0,
            seed,
            hq: Headquarters::new(&hq, clock),
            phones,
            counts: Counts::default(),
            trace: Vec::new(),
            folder,
            rng: rng.fork(),
        };
        world.make_plan(&mut rng);
        world
    }

    fn now(&self) -> u64 {
        self.time.load(Ordering::Relaxed)
    }

    fn at(&mut self, time: u64, event: Event) {
        self.events += 1;
        self.queue.push(Reverse((time, self.events, event)));
    }

    fn soon(&mut self, within_ms: std::ops::Range<u64>, event: Event) {
        let time = self.now() + self.rng.u64(within_ms);
        self.at(time, event);
    }

    fn say(&mut self, what: impl Into<String>) {
        let line = format!("{:>8} ms  {}", self.now(), what.into());
        self.trace.push(line);
    }

    /// Lets the night happen and everything heal; then headquarters are stopped and all phones run.
    pub fn run(&mut self) -> Result<(), Failure> {
        while let Some(Reverse((time, _, event))) = self.queue.pop() {
            if time > NIGHT_MS {
                break;
            }
            self.time.store(time, Ordering::Relaxed);
            self.happen(event)?;
        }
        self.heal()?;
        for round in 0..ROUNDS {
            let mut waiting = 0;
            for phone in 0..self.phones.len() {
                self.sync_now(phone)?;
                let outbox = self.phones[phone]
                    .phone
                    .as_ref()
                    .expect("a running phone")
                    .outbox();
                let outbox = outbox.map_err(|error| format!("outbox of phone {phone}: {error}"))?;
                waiting += outbox.queued + outbox.attachments_queued;
                if outbox.parked > 0 {
                    return Err(format!("phone {phone}: {} parked", outbox.parked));
                }
            }
            while self.hq.desk()? > 0 {}
            self.say(format!("round {round}: {waiting} left"));
            if waiting == 0 {
                // Once more, to hear what the desk says.
                for phone in 0..self.phones.len() {
                    self.sync_now(phone)?;
                }
                self.hq.stop();
                return Ok(());
            }
            self.time.fetch_add(20 * 60 * 1000, Ordering::Relaxed);
        }
        Err("all is well again, and something still does not get through".to_owned())
    }

    fn happen(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Capture(phone) => self.capture(phone),
            Event::Sync(phone) => {
                self.soon(10_000..120_000, Event::Sync(phone));
                if self.phones[phone].pass.is_none() {
                    self.step(phone)?;
                }
                Ok(())
            }
            Event::Arrives {
                phone,
                number,
                broken_at,
                answered,
            } => {
                self.arrives(phone, number, broken_at, answered);
                Ok(())
            }
            Event::Ends {
                phone,
                number,
                outcome,
            } => {
                let outcome = self.outcomes[outcome].take();
                self.ends(phone, number, outcome.expect("told once"))
            }
            Event::Desk => {
                self.desk_is_due = false;
                if let Err(error) = self.hq.desk() {
                    self.say(format!("desk: {error}"));
                }
                self.see_hq();
                Ok(())
            }
            Event::Begin(n) => {
                self.begin(n);
                Ok(())
            }
            Event::End(n) => {
                self.end(n);
                Ok(())
            }
            Event::StartPhone(phone) => {
                self.start_phone(phone);
                Ok(())
            }
            Event::StartHq => {
                self.start_hq();
                Ok(())
            }
        }
    }

    fn heal(&mut self) -> Result<(), Failure> {
        self.healed = true;
        self.queue.clear();
        self.active.clear();
        self.say("everything heals");
        self.hq.disk.set_room(None);
        self.hq.disk.restart();
        if !self.hq.is_up() {
            self.hq.start()?;
        }
        for n in 0..self.phones.len() {
            let phone = &mut self.phones[n];
            phone.disk.set_room(None);
            phone.disk.restart();
            phone.pass = None;
            phone.outstanding = None;
            if phone.phone.is_none() {
                phone
                    .start()
                    .map_err(|error| format!("phone {n} does not open: {error}"))?;
            }
        }
        Ok(())
    }

    fn capture(&mut self, phone: usize) -> Result<(), Failure> {
        if self.phones[phone].phone.is_none() {
            return Ok(());
        }
        self.markers += 1;
        let marker = format!("MARK-{}-{}-{phone}-END", self.seed, self.markers);
        let mut rng = self.rng.fork();
        let outcome = self.phones[phone].capture(&mut rng, marker);
        let said = match &outcome {
            Ok(saved) => format!("phone {phone}: saved, no. {}", saved.sequence),
            Err(error) => format!("phone {phone}: not saved: {error}"),
        };
        self.say(said);
        self.see_phone(phone);
        Ok(())
    }

    /// The next step of a phone's pass; a new pass where there is none.
    fn step(&mut self, n: usize) -> Result<(), Failure> {
        let seed = self.rng.u64(..);
        let phone = &mut self.phones[n];
        if phone.phone.is_some() && phone.pass.is_none() {
            let link = match !self.healed && seed.is_multiple_of(4) {
                true => Link::Metered,
                false => Link::Unmetered,
            };
            phone.begin_pass(link, seed);
        }
        let (Some(program), Some(pass)) = (&mut phone.phone, &mut phone.pass) else {
            return Ok(());
        };
        match pass.step(program) {
            Ok(Step::Send(request)) => {
                network::check_lanes(phone, &request)
                    .map_err(|error| format!("phone {n}: {error}"))?;
                self.send(n, request);
            }
            Ok(Step::Done(report)) => {
                phone.pass = None;
                // A phone does not know at once that headquarters lost what they had.
                if report.attachments_delivered > 0
                    && !self.counts.0.contains_key(&Fault::HqRestored)
                {
                    oracle::delivered_is_held(&self.hq, phone)
                        .map_err(|error| format!("phone {n}: {error}"))?;
                }
                if report.failure.is_none() && report.deferrals.is_empty() {
                    network::check_danger(phone)
                        .and_then(|()| network::check_cost(phone))
                        .map_err(|error| format!("phone {n}: {error}"))?;
                }
                let left = report.remaining + report.attachments_remaining;
                // What waits for another link is tried when the host sees one.
                let by_itself = phone.link == Some(Link::Unmetered);
                if left > 0 && by_itself && report.next_attempt_ms.is_none() {
                    return Err(format!("phone {n}: {left} left and no next attempt"));
                }
                self.say(format!(
                    "phone {n}: pass over, {} delivered, {} files, {} and {} left, {:?}",
                    report.delivered,
                    report.attachments_delivered,
                    report.remaining,
                    report.attachments_remaining,
                    report
                        .failure
                        .as_ref()
                        .map(testigo_phone::sync::SyncFailure::code),
                ));
            }
            Err(error) => {
                phone.pass = None;
                self.say(format!("phone {n}: pass failed: {error}"));
            }
        }
        self.see_phone(n);
        Ok(())
    }

    fn send(&mut self, n: usize, request: Request) {
        self.number += 1;
        let number = self.number;
        let request = Rc::new(request);
        self.phones[n].outstanding = Some(Outstanding {
            number,
            request: request.clone(),
        });
        if self.healed {
            return;
        }
        self.requests.push((number, request.clone()));
        let fault = self.fate(n);
        if let Some(fault) = fault {
            self.counts.add(fault, 1);
        }
        let label = fault.map_or_else(|| "goes".to_owned(), |fault| fault.to_string());
        let (method, length) = (request.method, request.body.len());
        self.say(format!("phone {n}: {method:?} of {length} bytes: {label}"));
        let latency = self.rng.u64(20..2_000);
        let now = self.now();
        match network::fate(fault, &self.phones[n], &request, &mut self.rng) {
            Fate::Answered { after_ms } => {
                self.arrive(now + latency + after_ms, n, number, None, true);
            }
            Fate::Twice { again_ms } => {
                self.arrive(now + latency, n, number, None, true);
                self.arrive(now + latency + again_ms, n, number, None, false);
            }
            Fate::Unanswered { after_ms } => {
                self.arrive(now + latency + after_ms, n, number, None, false);
                self.end_at(now + TIMEOUT_MS, n, number, Err(NetworkFault::Timeout));
            }
            Fate::Broken { at, after_ms } => {
                let fault = match after_ms {
                    0 => NetworkFault::Interrupted,
                    _ => NetworkFault::Timeout,
                };
                self.arrive(now + latency + after_ms, n, number, Some(at), false);
                self.end_at(now + latency + after_ms, n, number, Err(fault));
            }
            Fate::Told(outcome) => self.end_at(now + latency, n, number, outcome),
        }
    }

    fn arrive(
        &mut self,
        time: u64,
        phone: usize,
        number: u64,
        broken_at: Option<usize>,
        answered: bool,
    ) {
        let event = Event::Arrives {
            phone,
            number,
            broken_at,
            answered,
        };
        self.at(time, event);
    }

    fn end_at(
        &mut self,
        time: u64,
        phone: usize,
        number: u64,
        outcome: Result<Response, NetworkFault>,
    ) {
        self.outcomes.push(Some(outcome));
        let outcome = self.outcomes.len() - 1;
        let event = Event::Ends {
            phone,
            number,
            outcome,
        };
        self.at(time, event);
    }

    fn arrives(&mut self, phone: usize, number: u64, broken_at: Option<usize>, answered: bool) {
        let request = self.requests.iter().find(|(n, _)| *n == number);
        let request = request.expect("it was sent").1.clone();
        let response = self.hq.answer(&request, broken_at);
        self.see_hq();
        if !self.desk_is_due {
            self.desk_is_due = true;
            self.soon(1..10_000, Event::Desk);
        }
        if !answered {
            return;
        }
        let outcome = match response {
            Some(response) if self.hq.is_up() => Ok(response),
            _ => Err(NetworkFault::Unreachable),
        };
        let time = self.now() + self.rng.u64(20..2_000);
        self.end_at(time, phone, number, outcome);
    }

    fn ends(
        &mut self,
        n: usize,
        number: u64,
        outcome: Result<Response, NetworkFault>,
    ) -> Result<(), Failure> {
        let phone = &mut self.phones[n];
        if phone
            .outstanding
            .as_ref()
            .is_none_or(|outstanding| outstanding.number != number)
        {
            return Ok(());
        }
        phone.outstanding = None;
        let (Some(program), Some(pass)) = (&mut phone.phone, &mut phone.pass) else {
            return Ok(());
        };
        if let Err(error) = pass.reply(program, outcome) {
            phone.pass = None;
            self.say(format!("phone {n}: reply not kept: {error}"));
            self.see_phone(n);
            return Ok(());
        }
        self.see_phone(n);
        self.step(n)
    }

    /// A whole pass on a network without faults.
    fn sync_now(&mut self, n: usize) -> Result<(), Failure> {
        self.step(n)?;
        while let Some(outstanding) = self.phones[n].outstanding.take() {
            let answer = self.hq.answer(&outstanding.request, None);
            let phone = &mut self.phones[n];
            let (Some(program), Some(pass)) = (&mut phone.phone, &mut phone.pass) else {
                return Err(format!("phone {n} is gone"));
            };
            pass.reply(program, answer.ok_or(NetworkFault::Unreachable))
                .map_err(|error| format!("phone {n}: reply not kept: {error}"))?;
            self.step(n)?;
        }
        Ok(())
    }

    /// Counts what only the disks know. To be called once, at the end.
    pub fn count_disks(&mut self) {
        for phone in &self.phones {
            self.counts
                .add(Fault::PhoneFull, phone.disk.refused_for_room());
        }
        self.counts
            .add(Fault::HqFull, self.hq.disk.refused_for_room());
    }
}
