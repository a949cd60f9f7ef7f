//! What must be true of a shop, whatever happens to it: one module, used unchanged by `tutti verify`, by the crash
//! tests, by the tests on the real stack and by the simulation.
//!
//! [`INVARIANTS`] is the list. [`verify`] holds [`Evidence`] against all of it: five logs with their states, cursors
//! and parked records, and the outside world's own books. It reads, never writes, and may be pointed at a shop that is
//! at work; `cut` tells in which order it reads, so that nothing looks broken only because it was read later than
//! something else. [`verify_dir`] fills the evidence from a data directory.
//!
//! Memory: some 300 bytes for an order, 4 bytes for a row, and the states of half a million rows at a time.

mod books;
mod causes;
mod closing;
mod cut;
mod deployed;
mod directory;
mod evidence;
mod facts;
mod findings;
mod fold;
mod gather;
mod inputs;
mod list;
mod logs;
mod mail;
mod money;
mod orders;
mod parcels;
mod report;
mod said;
mod second_look;
mod shelves;

pub use deployed::{Deployed, verify_deployed};
pub use directory::verify_dir;
pub use evidence::{Books, Entry, Evidence, Message, Parcel, Progress, Promise, SERVICES, VerifyError};
pub use list::{INVARIANTS, Invariant, When};
pub use report::{Outcome, Report, Violation};

use causes::{CauseOf, CauseWatch, Places};
use choreography::{Origin, Service, Topic};
use cut::{Cut, each_row};
use facts::{Facts, Order};
use findings::Findings;
use gather::{Learn, Standing};
use list::How;
use runtime::Position;
use said::Said;
use shared_events::{
    email as emails, inventory as stock, order as orders_said, payment as payments, shipping as parcels_said,
};
use std::time::Duration;

/// Holds the evidence against every invariant.
///
/// # Errors
/// When the evidence cannot be read. What is read and wrong is no error, but a violation in the report.
pub fn verify(evidence: &Evidence, progress: &dyn Progress) -> Result<Report, VerifyError> {
    choreography::quiet_panics();
    let services = Services::new();
    let mut verification = Verification {
        evidence,
        progress,
        cut: Cut::begin(evidence, &services.sources())?,
        facts: Facts::default(),
        findings: Findings::default(),
        places: Default::default(),
        told_since: None,
    };
    verification.open_books()?;
    // Email first: what it has told tells since when it tells.
    verification.gather::<emails::Event>(4)?;
    verification.gather::<orders_said::Event>(0)?;
    verification.gather::<stock::Event>(1)?;
    verification.gather::<payments::Event>(2)?;
    verification.gather::<parcels_said::Event>(3)?;
    verification.hold_rows(&services.order, 0)?;
    verification.hold_rows(&services.inventory, 1)?;
    verification.hold_rows(&services.payment, 2)?;
    verification.hold_rows(&services.shipping, 3)?;
    verification.hold_rows(&services.email, 4)?;
    inputs::hold_cursors(&verification.cut, &mut verification.findings);
    verification.hold_orders(&services.timers())?;
    Ok(verification.report())
}

/// The services whose states and decisions the logs are held against.
struct Services {
    order: Service<orders_said::Event>,
    inventory: Service<stock::Event>,
    payment: Service<payments::Event>,
    shipping: Service<parcels_said::Event>,
    email: Service<emails::Event>,
}

impl Services {
    fn new() -> Services {
        Services {
            order: order::service(),
            inventory: inventory::service(),
            payment: payment::service(),
            // For how long a parcel may wait does not show in what is folded.
            shipping: shipping::service(Duration::ZERO),
            email: email::service(),
        }
    }

    fn sources(&self) -> [Vec<&'static str>; 5] {
        let Services { order, inventory, payment, shipping, email } = self;
        [order.sources(), inventory.sources(), payment.sources(), shipping.sources(), email.sources()]
    }

    fn timers(&self) -> Vec<&'static str> {
        let Services { order, inventory, payment, shipping, email } = self;
        let maps = [order.map(), inventory.map(), payment.map(), shipping.map(), email.map()];
        let timer = |origin| if let Origin::Timer(name) = origin { Some(name) } else { None };
        maps.iter().flat_map(|map| map.rows.iter().filter_map(|row| timer(row.origin))).collect()
    }
}

/// One verification under way.
struct Verification<'e> {
    evidence: &'e Evidence<'e>,
    progress: &'e dyn Progress,
    cut: Cut,
    facts: Facts,
    findings: Findings,
    places: [Places; 5],
    told_since: Option<Position>,
}

impl Verification<'_> {
    fn open_books(&mut self) -> Result<(), VerifyError> {
        books::promised(self.evidence.promised, &mut self.facts);
        books::read(self.evidence.books, &mut self.facts, self.progress)?;
        for key in self.cut.end(self.evidence)? {
            self.facts.order(&key).parked = true;
        }
        Ok(())
    }

    /// The first walk along a log: what its rows tell.
    fn gather<T: Learn>(&mut self, service: usize) -> Result<(), VerifyError> {
        let Verification { evidence, progress, cut, facts, findings, places, told_since } = self;
        let end = cut.end_of(service);
        progress.begin(&format!("the log of {}", SERVICES[service]), end.seq);
        let mut log = logs::LogWatch::of(service);
        each_row(evidence, service, end, *progress, |row| {
            log.take(row, findings);
            places[service].add::<T>(row);
            if T::NAME == emails::Event::NAME {
                let cause = CauseOf::read(&row.cause).and_then(|cause| cause.event).map(|(_, at)| at);
                *told_since = told_since.iter().copied().chain(cause).min();
            }
            let (marked, taken) = (cut.is_marked(service, row), cut.is_taken(service, row));
            gather::learn::<T>(facts, findings, row, Standing { service, marked, taken, told_since: *told_since });
        })?;
        log.finish(evidence, cut, findings)
    }

    /// The walks that need to know everything that was said: causes, and states.
    fn hold_rows<T: Topic>(&mut self, service: &Service<T>, index: usize) -> Result<(), VerifyError> {
        let Verification { evidence, progress, cut, findings, places, .. } = self;
        progress.begin(&format!("the causes in the log of {}", SERVICES[index]), cut.ends[index].head);
        let events = [
            orders_said::Event::EVENTS,
            stock::Event::EVENTS,
            payments::Event::EVENTS,
            parcels_said::Event::EVENTS,
            emails::Event::EVENTS,
        ];
        let mut causes = CauseWatch { service, index, places, events, taken: inputs::Taken::of(index) };
        each_row(evidence, index, cut.end_of(index), *progress, |row| causes.take(row, cut, findings))?;
        fold::hold(evidence, service, index, cut, findings, *progress)
    }

    /// Holds what is remembered of each order against the invariants about orders.
    fn hold_orders(&mut self, timers: &[&str]) -> Result<(), VerifyError> {
        self.progress.begin("the orders", self.facts.count());
        for (id, order) in self.facts.orders() {
            // Of an order that was never placed there is one thing to say.
            let placed = order.said.has(Said::OrderPlaced);
            let about = INVARIANTS.iter().filter(|invariant| placed || invariant.name == orders::ACCEPTED_EXISTS.name);
            for invariant in about {
                hold(self.evidence, &mut self.findings, invariant, &id, order, timers)?;
            }
        }
        Ok(())
    }

    fn report(self) -> Report {
        let (orders, open, events) = (self.facts.count(), self.facts.open(), self.facts.events);
        let unread = self.facts.orders().any(|(_, order)| order.moving);
        let (invariants, violations) = self.findings.into_parts();
        let at_rest = open == 0 && !unread && self.cut.parked_rows == 0;
        Report { orders, open, events, at_rest, invariants, violations }
    }
}

fn hold(
    evidence: &Evidence,
    findings: &mut Findings,
    invariant: &Invariant,
    id: &str,
    order: &Order,
    timers: &[&str],
) -> Result<(), VerifyError> {
    let (verdict, at_rest) = match invariant.how {
        How::Rows => return Ok(()),
        How::Order(judge) => (judge(order), false),
        How::OrderAtRest(judge) => (judge(order), true),
    };
    let Some(verdict) = verdict else { return Ok(()) };
    match verdict {
        Err(_) if at_rest && second_look::is_under_way(evidence, id, order, timers)? => return Ok(()),
        Err(sentence) => {
            let history = if findings.lists(invariant) { second_look::history(evidence, id)? } else { vec![] };
            findings.found(invariant, id, sentence, history);
        }
        Ok(()) => {}
    }
    findings.checked(invariant);
    Ok(())
}
