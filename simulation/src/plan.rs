//! What a seed decides beforehand: the orders and their customers, how long things take, which faults may happen and
//! when. Every part is drawn from dice of its own, so that leaving one part out leaves the others as they were.

use crate::{
    dice::Dice,
    fault::{Fault, Faults},
};
use runtime::Micros;
use std::{collections::BTreeSet, time::Duration};

/// A second, in microseconds.
pub const SECOND: Micros = 1_000_000;
/// A day.
pub const DAY: Micros = 86_400 * SECOND;
/// How many services there are.
pub const SERVICES: usize = 5;
/// The articles of the simulated shop, and what one costs.
pub const ARTICLES: [(&str, i64); 3] = [("TEA-001", 1290), ("CUP-002", 850), ("POT-003", 4900)];

/// What of a seed's history is to happen; everything, unless it is being shrunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// Faults switched off.
    pub without: Faults,
    /// The only orders that are placed, by number; all when nothing is given.
    pub orders: Option<BTreeSet<usize>>,
}

/// One customer's order, and what the customer does about it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its number in the plan.
    pub number: usize,
    /// Who orders.
    pub customer: String,
    /// The Idempotency-Key.
    pub key: String,
    /// What, and how many.
    pub lines: Vec<(&'static str, i64)>,
    /// The payment token.
    pub token: &'static str,
    /// Where to.
    pub country: &'static str,
    /// Whether the customer wants text messages.
    pub phone: bool,
    /// When it is placed.
    pub at: Micros,
    /// When it is cancelled; each time.
    pub cancels: Vec<Micros>,
    /// When the same request is sent again.
    pub repeats: Vec<Micros>,
    /// When another request is sent under the same key.
    pub changes: Vec<Micros>,
    /// When the customer is forgotten.
    pub forgotten: Option<Micros>,
    /// The carrier never comes for this parcel.
    pub never_collected: bool,
}

/// Everything that a seed decides beforehand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// What is left out.
    pub narrowed: Narrowed,
    /// What may go wrong.
    pub faults: Faults,
    /// The log is the topic; otherwise records are copied to topics by a relay.
    pub embedded: bool,
    /// How long an order may take to be confirmed.
    pub deadline: Duration,
    /// How long a parcel may wait for the carrier.
    pub pick_up: Duration,
    /// How long after the hand-over the carrier comes.
    pub collected_after: Micros,
    /// How long a parcel travels.
    pub transit: Micros,
    /// For how long the gateway keeps idempotency keys.
    pub keys_kept: Micros,
    /// Until when things go wrong.
    pub faults_until: Micros,
    /// How long the world is away at most, if it is for long.
    pub outage: Micros,
    /// Units of each article in stock.
    pub stock: [i64; ARTICLES.len()],
    /// The orders.
    pub orders: Vec<Wanted>,
}

impl Plan {
    /// What the seed decides.
    #[must_use]
    pub fn of(seed: u64, narrowed: &Narrowed) -> Plan {
        let mut dice = Dice::new(seed, "plan");
        // A calm history now and then shows that the shop works at all, and a wild one that nothing adds up.
        let share = *dice.pick(&[0.0, 0.1, 0.25, 0.4, 0.4, 0.7]).unwrap_or(&0.4);
        let mut swarm = Dice::new(seed, "swarm");
        let drawn: Faults = Fault::ALL.iter().copied().filter(|_| swarm.falls(share)).collect();
        let faults = drawn.difference(&narrowed.without).copied().collect();
        // Whoever is down is down for long.
        let down = Dice::new(seed, "down").magnitude(600 * SECOND, 3 * DAY);
        let down = if drawn.contains(&Fault::Down) { down } else { 0 };
        // Now and then the world, or who asks it, is away for longer than some things are of use, and the customer waits.
        let mut patience = Dice::new(seed, "patience");
        let outage = if drawn.contains(&Fault::WorldAway) && patience.falls(0.06) { 4 * 3600 * SECOND } else { 0 };
        let patient = outage > 0 || (down > 0 && patience.falls(0.3));
        let deadline = if patient { (7200 * SECOND, 8 * 3600 * SECOND) } else { (4 * SECOND, 1800 * SECOND) };
        // A source that says nothing but poison is paused after a minute in which it has much to say.
        let all_poison = drawn.contains(&Fault::Undecodable) && is_all_undecodable(seed);
        let (fewest, shortest) = if all_poison { (7, 240 * SECOND) } else { (2, SECOND) };
        let count = usize::try_from(dice.between(2, 10).max(fewest)).unwrap_or(2);
        let spread = dice.magnitude(SECOND, 600 * SECOND).max(shortest);
        let collected_after = dice.magnitude(SECOND / 10, 3600 * SECOND);
        let orders = (0..count).map(|number| wanted(seed, number, spread, collected_after));
        let chosen = |order: &Wanted| narrowed.orders.as_ref().is_none_or(|only| only.contains(&order.number));
        Plan {
            seed,
            faults,
            embedded: dice.falls(0.35),
            deadline: Duration::from_micros(dice.magnitude(deadline.0, deadline.1).unsigned_abs()),
            pick_up: Duration::from_micros(dice.magnitude(5 * SECOND, DAY).unsigned_abs()),
            collected_after,
            transit: dice.magnitude(SECOND / 10, 2 * DAY),
            keys_kept: *dice.pick(&[120 * SECOND, 3600 * SECOND, DAY]).unwrap_or(&DAY),
            faults_until: spread + dice.magnitude(30 * SECOND, 3600 * SECOND) + down + outage,
            stock: [dice.between(0, 60), dice.between(0, 20), dice.between(0, 8)],
            orders: orders.filter(chosen).collect(),
            outage,
            narrowed: narrowed.clone(),
        }
    }

    /// Whether this may go wrong.
    #[must_use]
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// Whether a reader that cannot decode some records can decode none.
    #[must_use]
    pub fn all_undecodable(&self) -> bool {
        is_all_undecodable(self.seed)
    }

    /// By when everything must have ended, once nothing goes wrong any more: every deadline, every way, and an hour
    /// for what a clock that jumped has put off.
    #[must_use]
    pub fn settled_by(&self) -> Micros {
        let timers = runtime::clock::micros(self.deadline) + runtime::clock::micros(self.pick_up);
        self.faults_until + timers + self.collected_after + 2 * self.transit + 3 * 3600 * SECOND
    }
}

fn is_all_undecodable(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

fn wanted(seed: u64, number: usize, spread: Micros, collected_after: Micros) -> Wanted {
    let mut dice = Dice::new(seed, &format!("order {number}"));
    let customer = format!("c-{}", dice.below(4));
    let at = 2 * SECOND + dice.between(0, spread);
    let lines = (0..dice.between(1, 2)).filter_map(|_| Some((dice.pick(&ARTICLES)?.0, dice.between(1, 3)))).collect();
    // At once, while it is being paid and labelled, or about when the carrier comes.
    let soon = |dice: &mut Dice| match dice.below(3) {
        0 => at + dice.magnitude(SECOND / 1000, SECOND),
        1 => at + dice.magnitude(SECOND / 20, 1200 * SECOND),
        _ => at + dice.between(0, collected_after + 20 * SECOND),
    };
    let some = |dice: &mut Dice, chance: f64| {
        let count = if dice.falls(chance) { dice.between(1, 2) } else { 0 };
        (0..count).map(|_| soon(dice)).collect::<Vec<_>>()
    };
    Wanted {
        number,
        key: format!("k-{number}"),
        lines,
        token: dice
            .pick(&["tok_ok", "tok_ok", "tok_ok", "tok_ok", "tok_declined", "tok_insufficient_funds", "tok_unknown"])
            .unwrap_or(&"tok_ok"),
        country: dice.pick(&["DE", "DE", "DE", "DE", "DE", "DE", "XX"]).unwrap_or(&"DE"),
        phone: dice.falls(0.5),
        at,
        cancels: some(&mut dice, 0.35),
        repeats: some(&mut dice, 0.4),
        changes: some(&mut dice, 0.3),
        forgotten: dice.falls(0.1).then(|| soon(&mut dice)),
        never_collected: dice.falls(0.15),
        customer,
    }
}
