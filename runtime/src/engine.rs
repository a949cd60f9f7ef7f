//! One service at work: collects a batch, takes it through the door, hands out what came of it. It never waits and has
//! no thread of its own, so that the same code runs under the host's threads and under the simulation's virtual time.

mod begin;
mod wishes;

use crate::{
    agenda::{Agenda, Turn},
    bus::{Bus, Published},
    clock::{Clock, Micros},
    door::Door,
    draft::{MAX_BATCH, Passed},
    failpoint,
    handle::{Health, Shared},
    incoming::{Body, From, Incoming, Reply, trace_of},
    intake::{Answer, Intake, Verdict},
    lanes::Lanes,
    perform::{self, Attempt, Performer},
    pulse::Pulse,
    record::{Cause, WorkRow},
    reign::Reign,
    store::{Store, StoreError},
    telemetry::Counts,
};
use choreography::{CheckError, Origin, Service, Topic};
use std::{collections::HashMap, sync::Arc};

/// A reign that has not committed for this long proves that it still leads before it calls the world.
const LEAD_PROVED_FOR: Micros = 10_000_000;
/// The pause before a store or bus that is away is tried again, and before a standby asks again for the lead.
const RETRY_AFTER: Micros = 250_000;
/// How far the log is published rides on the next batch; without one it is written down after this long, so that a
/// restart repeats little.
const NOTE_PUBLISHED_AFTER: Micros = 1_000_000;
/// The store tidies up when nothing was written for this long.
const REST_AFTER: Micros = 1_000_000;

/// What to do after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There may be more to do at once.
    Worked,
    /// Nothing to do until the bell rings, or until then at the latest.
    Idle(Option<Micros>),
    /// It stopped as it was told to.
    Stopped,
    /// It must never write again: the process ends, with this reason.
    Ended(String),
}

/// What an engine is made of.
pub struct Parts<T: Topic> {
    /// The decisions.
    pub service: Service<T>,
    /// The writer's side of the store.
    pub store: Box<dyn Store>,
    /// The connection to the bus.
    pub bus: Box<dyn Bus>,
    /// One performer for each effect the service asks for.
    pub performers: Vec<Box<dyn Performer>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What it shares with its handles.
    pub shared: Arc<Shared>,
    /// Where this process is to be reached.
    pub owner: String,
    /// Counts builds: an older one never takes the lead from a newer one.
    pub build: u64,
}

/// What a reign holds beside what the door needs.
struct Rule {
    reign: Reign,
    agenda: Agenda,
    lanes: Lanes,
    rested: bool,
}

/// One service at work.
pub struct Engine<T: Topic> {
    door: Door<T>,
    bus: Box<dyn Bus>,
    performers: HashMap<&'static str, Box<dyn Performer>>,
    shared: Arc<Shared>,
    counts: Counts,
    owner: String,
    build: u64,
    rule: Option<Rule>,
}

impl<T: Topic> Engine<T> {
    /// Puts a service together.
    ///
    /// # Errors
    /// When the choreography does not hold together, or an effect has no performer.
    pub fn new(parts: Parts<T>) -> Result<Engine<T>, CheckError> {
        parts.service.check()?;
        let performers: HashMap<_, _> = parts.performers.into_iter().map(|p| (p.name(), p)).collect();
        let asked = parts.service.reactions().iter().flat_map(|r| r.declared.effects.iter());
        let lacking: Vec<_> = asked
            .filter(|name| !performers.contains_key(*name))
            .map(|name| format!("{}: nobody performs {name}", T::NAME))
            .collect();
        if !lacking.is_empty() {
            return Err(CheckError(lacking));
        }
        choreography::quiet_panics();
        let door =
            Door { service: Arc::new(parts.service), store: parts.store, clock: parts.clock, pulse: Arc::default() };
        Ok(Engine {
            door,
            bus: parts.bus,
            performers,
            shared: parts.shared,
            counts: Counts::of(T::NAME),
            owner: parts.owner,
            build: parts.build,
            rule: None,
        })
    }

    /// What the watchdog looks at.
    #[must_use]
    pub fn pulse(&self) -> Arc<Pulse> {
        self.door.pulse.clone()
    }

    /// The queues before the door.
    #[must_use]
    pub fn intake(&self) -> &Arc<Intake> {
        &self.shared.intake
    }

    /// The clock it goes by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.door.clock
    }

    /// Does what there is to do now, at most one batch of it.
    pub fn step(&mut self) -> Step {
        let worked = match self.rule.take() {
            None => self.begin_reign().map(|rule| (rule, Step::Worked)),
            Some(mut rule) => self.turn(&mut rule).map(|step| (rule, step)),
        };
        match worked {
            Ok((rule, step)) => {
                self.rule = Some(rule);
                step
            }
            Err(error) => self.end_reign(&error),
        }
    }

    fn end_reign(&mut self, error: &StoreError) -> Step {
        match error {
            StoreError::Fenced(_) | StoreError::Fatal(_) => {
                self.shared.set_health(Health::Away(error.to_string()));
                Step::Ended(error.to_string())
            }
            StoreError::Led(owner) => {
                if self.shared.set_health(Health::Standby(owner.clone())) {
                    tracing::info!(service = T::NAME, owner, "standing by");
                }
                self.shared.intake.turn_away(owner);
                self.ask_again()
            }
            StoreError::Outage(_) | StoreError::Data(_) => {
                if self.shared.set_health(Health::Away(error.to_string())) {
                    tracing::warn!(service = T::NAME, %error, "waiting until it is back");
                }
                self.ask_again()
            }
        }
    }

    fn ask_again(&self) -> Step {
        if self.shared.intake.is_stopping() {
            return Step::Stopped;
        }
        Step::Idle(Some(self.door.clock.now() + RETRY_AFTER))
    }

    fn turn(&mut self, rule: &mut Rule) -> Result<Step, StoreError> {
        let stopping = self.shared.intake.is_stopping();
        self.serve_wishes(rule)?;
        let (performers, store) = (&self.performers, &mut *self.door.store);
        rule.agenda.refill(store, |row| turn_of(performers, row))?;
        rule.reign.asked_at = rule.reign.asked_at.max(rule.agenda.asked_at());
        let batch = self.collect(rule);
        if batch.is_empty() {
            self.hand_out(rule)?;
            return if stopping { Ok(Step::Stopped) } else { self.rest(rule) };
        }
        self.pass(rule, batch)?;
        self.hand_out(rule)?;
        Ok(Step::Worked)
    }

    /// Callers go first, up to a quarter of the batch; then answers, which end what was begun; then records; timers
    /// come last, and only up to the moment that every lane was followed to.
    fn collect(&mut self, rule: &mut Rule) -> Vec<Incoming> {
        let now = self.door.clock.now();
        let mut batch = self.shared.intake.commands(MAX_BATCH / 4);
        for answer in self.shared.intake.answers(MAX_BATCH / 4) {
            batch.extend(self.incoming_answer(rule, answer, now));
        }
        // Timers come last, but they come: records never take all the room.
        let room = MAX_BATCH - batch.len() - MAX_BATCH / 8;
        let fetched = rule.lanes.fetch(&mut *self.bus, &rule.reign, now, room);
        if !fetched.records.is_empty() {
            failpoint::reached("lanes.fetched");
        }
        batch.extend(fetched.records.into_iter().map(|record| Incoming::record(&self.door.service, record)));
        batch.extend(fetched.foreign.into_iter().map(Incoming::foreign));
        let due = rule.agenda.timers_due(rule.lanes.followed_until(now), MAX_BATCH - batch.len());
        batch.extend(due.into_iter().map(|row| self.incoming_timer(rule, row)));
        batch
    }

    fn incoming_answer(&self, rule: &mut Rule, answer: Answer, now: Micros) -> Option<Incoming> {
        if answer.epoch != rule.reign.lead.epoch {
            return None;
        }
        let row = rule.reign.handed.get(&answer.id)?.clone();
        let attempts = rule.agenda.attempts(&answer.id);
        let body = match answer.verdict {
            Verdict::Definite(origin, done) => Body::Input(origin, done),
            Verdict::Stuck(why) => Body::Stuck(why),
            Verdict::Again(why) => {
                let pause_ms = rule.agenda.again(&answer.id, now) / 1000;
                self.counts.tried_again(&row.name);
                tracing::debug!(
                    effect = row.name,
                    key = row.key,
                    attempts,
                    pause_ms,
                    why,
                    "unclear, asked again later"
                );
                return None;
            }
        };
        let trace = perform::span_of(T::NAME, &row, answer.epoch, attempts);
        Some(Incoming { trace, ..incoming_work(&row, body, attempts) })
    }

    fn incoming_timer(&self, rule: &mut Rule, row: Arc<WorkRow>) -> Incoming {
        rule.reign.handed.insert(row.id(), row.clone());
        let reaction =
            self.door.service.reactions().iter().find(|r| matches!(r.origin, Origin::Timer(name) if name == row.name));
        let body = match reaction.map(|r| (r.origin, (r.decode)(row.shape, &row.body))) {
            Some((origin, Ok(timer))) => Body::Input(origin, timer),
            Some((_, Err(why))) => Body::Unreadable(why),
            None => Body::Unreadable(format!("{} knows no timer `{}`", T::NAME, row.name)),
        };
        incoming_work(&row, body, 0)
    }

    /// Takes a batch through the door. When nobody knows whether it was committed, commands are offered to the next
    /// reign, because they are idempotent by state; everything else comes again by itself.
    fn pass(&mut self, rule: &mut Rule, mut batch: Vec<Incoming>) -> Result<(), StoreError> {
        let result = self.pass_all(rule, &mut batch);
        if result.is_err() {
            self.shared.intake.offer_again(batch.into_iter().filter(|input| input.caller.is_some()).collect());
        }
        result
    }

    /// When the store refuses the content, the inputs go one by one, and the guilty one is set aside. What did not pass
    /// is left in the batch.
    fn pass_all(&mut self, rule: &mut Rule, batch: &mut Vec<Incoming>) -> Result<(), StoreError> {
        let passed = match self.door.pass(&mut rule.reign, batch) {
            Err(StoreError::Data(_)) if batch.len() > 1 => return self.pass_one_by_one(rule, batch),
            Err(StoreError::Data(why)) => {
                let why = format!("the store refuses it: {why}");
                batch.iter_mut().for_each(|guilty| guilty.body = Body::Unreadable(why.clone()));
                self.door.pass(&mut rule.reign, batch)
            }
            result => result,
        }?;
        self.passed(rule, std::mem::take(batch), passed)
    }

    fn pass_one_by_one(&mut self, rule: &mut Rule, batch: &mut Vec<Incoming>) -> Result<(), StoreError> {
        while !batch.is_empty() {
            let mut one = batch.drain(..1).collect();
            let result = self.pass_all(rule, &mut one);
            batch.splice(..0, one);
            result?;
        }
        Ok(())
    }

    fn passed(&mut self, rule: &mut Rule, mut batch: Vec<Incoming>, passed: Passed) -> Result<(), StoreError> {
        rule.rested = false;
        rule.lanes.passed(&batch, &passed.replies, self.door.clock.now(), &mut *self.bus, &rule.reign);
        self.counts.batch_passed(&batch, &passed);
        for (input, reply) in batch.iter_mut().zip(&passed.replies) {
            if let (From::Work { id, .. }, Reply::Accepted | Reply::Stuck(_) | Reply::Seen) = (&input.from, reply) {
                rule.agenda.settled(id);
            }
            if let Some(caller) = input.caller.take() {
                // A caller that went away is answered by the state when it asks again.
                _ = caller.send(reply.clone());
            }
        }
        failpoint::reached("callers.answered");
        for row in &passed.work {
            let fresh = !passed.perhaps_asked.contains(&row.id());
            rule.agenda.add(row.clone(), fresh, turn_of(&self.performers, row));
        }
        self.bus.publish(&passed.log);
        if !passed.log.is_empty() {
            failpoint::reached("relay.offered");
        }
        self.published(rule);
        self.shared.changed(passed.log.iter().map(|row| &row.key).chain(&passed.touched));
        self.tell(rule, &batch, &passed);
        Ok(())
    }

    /// Telemetry comes last: nobody waits for it.
    fn tell(&self, rule: &Rule, batch: &[Incoming], passed: &Passed) {
        self.counts.published(rule.reign.lead.head, rule.reign.published);
        if let Some(figures) = self.shared.figures() {
            figures.committed(&passed.log);
        }
        self.shared.spans().batch(self.bus.system(), batch, passed, &*self.door.clock);
    }

    /// Takes note of how far the log is published by now; the next batch writes it down.
    fn published(&mut self, rule: &mut Rule) -> Published {
        let published = self.bus.published();
        rule.reign.published = published.until.unwrap_or(rule.reign.lead.head);
        published
    }

    /// Gives ready effects to their performers, if this reign surely still leads.
    fn hand_out(&mut self, rule: &mut Rule) -> Result<(), StoreError> {
        let now = self.door.clock.now();
        let ready = rule.agenda.effects_ready(now);
        if !ready.is_empty() && now - rule.reign.last_commit > LEAD_PROVED_FOR {
            self.pass(rule, vec![])?;
        }
        for task in ready {
            rule.reign.handed.insert(task.row.id(), task.row.clone());
            let Some(performer) = self.performers.get(&*task.row.name) else { continue };
            let key = format!("{}/{}/{}", T::NAME, task.row.name, task.row.key);
            let (epoch, number) = (rule.reign.lead.epoch, task.attempts);
            let ask_first = number > 1 || !task.fresh;
            let span = perform::span_of(T::NAME, &task.row, epoch, number);
            let spans = self.shared.spans().clone();
            let attempt = Attempt { row: task.row, key, ask_first, epoch, number, span, spans };
            performer.start(attempt, &self.shared.intake);
            failpoint::reached("work.handed");
        }
        Ok(())
    }

    fn rest(&mut self, rule: &mut Rule) -> Result<Step, StoreError> {
        let now = self.door.clock.now();
        let published = self.published(rule);
        let mut wake = rule.lanes.wake(now, rule.agenda.next_due());
        if rule.reign.published < rule.reign.lead.published {
            self.pass(rule, vec![])?; // the topic lacks what it had: everybody may see how much waits
            return Ok(Step::Worked);
        }
        if published.until.is_some() && rule.reign.lead.published < rule.reign.lead.head {
            let note_at = rule.reign.last_commit + NOTE_PUBLISHED_AFTER;
            if now >= note_at && rule.reign.lead.published < rule.reign.published {
                self.pass(rule, vec![])?;
                failpoint::reached("relay.noted");
                return Ok(Step::Worked);
            }
            // Delivery rings no bell: while rows are under way this looks again now and then.
            let look_at = if now >= note_at { now + NOTE_PUBLISHED_AFTER } else { note_at };
            wake = Some(wake.map_or(look_at, |wake| wake.min(look_at)));
        }
        if !rule.rested && now - rule.reign.last_commit > REST_AFTER {
            self.door.store.rest()?;
            rule.reign.forget_states();
            rule.rested = true;
        } else if !rule.rested {
            let rest_at = rule.reign.last_commit + REST_AFTER + 1;
            wake = Some(wake.map_or(rest_at, |wake| wake.min(rest_at)));
        }
        self.shared.set_health(match (rule.lanes.health(), published.held_up) {
            (Health::Ready, Some(why)) => Health::HeldUp(why),
            (health, _) => health,
        });
        Ok(Step::Idle(wake))
    }
}

/// Whose turn a row takes; none for a timer. A request that cannot be read takes a turn of its own, and gets stuck.
fn turn_of(performers: &HashMap<&'static str, Box<dyn Performer>>, row: &WorkRow) -> Option<Turn> {
    let performer = performers.get(&*row.name)?;
    Some((performer.family(), performer.about(row).unwrap_or_else(|_| row.key.clone())))
}

fn incoming_work(row: &WorkRow, body: Body, attempts: u32) -> Incoming {
    let cause = Cause { event: Some(row.cause.clone()), via: Some(row.name.clone()), attempts };
    let trace = trace_of(&row.trace, &row.key);
    Incoming { from: From::Work { id: row.id(), attempts }, key: row.key.clone(), body, cause, trace, caller: None }
}
