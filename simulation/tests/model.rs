//! The choreography, checked exhaustively: every interleaving of deliveries, answers, timers, cancels and reports, driving
//! the shipped decisions. A pair of state and input that is in no table of the protocol panics, and is a violation.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use choreography::{Done, Effect, Input, Origin, Service, Topic};
use order::domain::{CancelOrder, PlaceOrder};
use payment::domain::{Charge, Refund};
use serde::de::DeserializeOwned;
use shared_events::{
    DeclineReason, Fingerprint, Line, Money, NoLabelReason, Sealed, inventory as stock, order as orders,
    payment as payments, shipping as parcels,
};
use shipping::{
    domain::{AlreadyCollected, BookLabel, CancelLabel, HandOver, Label, NotCollectable},
    reports::{Report, ReportKind},
};
use stateright::{Checker, Model, Property};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

const NAMES: [&str; 4] = ["order", "inventory", "payment", "shipping"];

/// An event on its way to a reader.
type Said = (String, u16, Arc<[u8]>);

/// What is asked of the world or the clock: name, key, shape and body.
type Asked = (usize, String, String, u16, Arc<[u8]>);

/// Where everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Stand {
    states: BTreeMap<(usize, &'static str, String), Vec<u8>>,
    /// By reader, source and key, in order.
    under_way: BTreeMap<(usize, usize, String), VecDeque<Said>>,
    work: BTreeSet<Asked>,
    world: BTreeMap<String, Outside>,
    cancels: BTreeMap<String, u8>,
    /// What went wrong.
    poison: Option<String>,
    /// Closing events, by order.
    closed: BTreeMap<String, [u8; 3]>,
    promised: BTreeSet<String>,
    rejected: BTreeSet<String>,
}

/// What the world did about an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Outside {
    captured: u8,
    refunded: u8,
    handed_over: bool,
    void: bool,
    out: bool,
    reported: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Deliver(usize, usize, String),
    /// The effect or timer ends; done, or refused.
    End(Asked, bool),
    Cancel(String),
    Collect(String),
    Report(String, u8),
}

struct Shop {
    order: Service<orders::Event>,
    inventory: Service<stock::Event>,
    payment: Service<payments::Event>,
    shipping: Service<parcels::Event>,
    orders: Vec<String>,
    units: i64,
    cancels: u8,
    refusals: bool,
    reports: bool,
    pairs: Arc<Mutex<BTreeSet<String>>>,
}

impl Shop {
    fn new(count: usize, units: i64) -> Shop {
        Shop {
            order: order::service(),
            inventory: inventory::service(),
            payment: payment::service(),
            shipping: shipping::service(Duration::from_secs(60)),
            orders: (0..count).map(|n| format!("{n:032x}")).collect(),
            units,
            cancels: 2,
            refusals: true,
            reports: true,
            pairs: Arc::default(),
        }
    }

    fn record(&self, stand: &mut Stand, reader: usize, source: usize, said: &Said) {
        match reader {
            0 => self.read(&self.order, stand, 0, source, said),
            1 => self.read(&self.inventory, stand, 1, source, said),
            2 => self.read(&self.payment, stand, 2, source, said),
            _ => self.read(&self.shipping, stand, 3, source, said),
        }
    }

    fn read<T: Topic>(&self, service: &Service<T>, stand: &mut Stand, index: usize, source: usize, said: &Said) {
        let reaction = service.reaction_to_event(NAMES[source], &said.0).expect("only what is read is under way");
        let input = (reaction.decode)(said.1, &said.2).expect("a datum");
        self.decide(service, stand, index, reaction.origin, &*input);
    }

    fn input<T: Topic, I: Input>(&self, service: &Service<T>, stand: &mut Stand, index: usize, input: I) {
        self.decide(service, stand, index, I::ORIGIN, &input);
    }

    /// What the door does with one input, on states that stand in a map.
    fn decide<T: Topic>(
        &self,
        service: &Service<T>,
        stand: &mut Stand,
        index: usize,
        origin: Origin,
        input: &(dyn Any + Send),
    ) {
        let reaction = service.reaction_to(origin).expect("a decision");
        let mut states = service.states();
        service.look(reaction, input, &states);
        let (decided, first) = loop {
            let missing = states.take_missing();
            let first = missing.iter().map(|slot| name_of(stand.states.get(&(index, slot.0, slot.1.clone())))).next();
            for (kind, key) in missing {
                let kept = service.kind(kind).expect("a kind");
                let state =
                    stand.states.get(&(index, kind, key.clone())).map(|body| (kept.decode)(body).expect("a state"));
                states.load(kind, key, state.unwrap_or_else(kept.blank), 0);
            }
            let decided = service.decide(reaction, input, &states);
            let lacking = states.take_missing();
            if lacking.is_empty() {
                break (decided, first);
            }
            for (kind, key) in lacking {
                states.lacks(kind, &key);
            }
        };
        if let Some(first) = first {
            self.pairs.lock().unwrap().insert(format!("{} {first} {}", NAMES[index], origin.name()));
        }
        match decided {
            Err(why) => stand.poison = Some(why),
            Ok(decided) => {
                for ((kind, key), (state, _)) in decided.folded {
                    let body = (service.kind(kind).expect("a kind").encode)(&*state).expect("bytes");
                    stand.states.insert((index, kind, key), body);
                }
                decided.out.events.iter().for_each(|event| self.say(stand, index, event));
                for work in decided.out.work {
                    stand.work.insert((index, work.name.to_owned(), work.key, work.shape, work.body.into()));
                }
            }
        }
    }

    fn say<T: Topic>(&self, stand: &mut Stand, index: usize, event: &T) {
        let (name, key) = (event.name().to_owned(), event.key().to_owned());
        let participant = ["StockReleased", "PaymentVoided PaymentRefunded PaymentFailed", "ShipmentCancelled"];
        for (place, names) in participant.iter().enumerate() {
            stand.closed.entry(key.clone()).or_default()[place] +=
                u8::from(names.split(' ').any(|closing| closing == name));
        }
        if name == "ShipmentCancellationRejected" {
            stand.rejected.insert(key.clone());
        }
        let body: Arc<[u8]> = event.encode().expect("a datum").into();
        let reads = [
            self.order.reaction_to_event(NAMES[index], &name).is_some(),
            self.inventory.reaction_to_event(NAMES[index], &name).is_some(),
            self.payment.reaction_to_event(NAMES[index], &name).is_some(),
            self.shipping.reaction_to_event(NAMES[index], &name).is_some(),
        ];
        for reader in (0..4).filter(|reader| reads[*reader]) {
            let queue = stand.under_way.entry((reader, index, key.clone())).or_default();
            queue.push_back((name.clone(), event.version(), body.clone()));
        }
    }

    fn ends(&self, stand: &mut Stand, asked: &Asked, done: bool) {
        let (_, name, key, shape, body) = asked;
        stand.work.remove(asked);
        let mut world = stand.world.remove(key).unwrap_or_default();
        match name.as_str() {
            Charge::NAME => {
                world.captured += u8::from(done);
                self.answer(
                    &self.payment,
                    stand,
                    2,
                    of::<Charge>(body),
                    if done { Ok("R-1".into()) } else { Err(DeclineReason::Declined) },
                );
            }
            Refund::NAME => {
                world.refunded += 1;
                self.answer(&self.payment, stand, 2, of::<Refund>(body), Ok(()));
            }
            BookLabel::NAME => {
                let label = Label { label: "WP1".into(), carrier: "C".into() };
                let outcome = if done { Ok(label) } else { Err(NoLabelReason::CountryNotServed) };
                self.answer(&self.shipping, stand, 3, of::<BookLabel>(body), outcome);
            }
            HandOver::NAME => {
                world.handed_over = done;
                let outcome = if done { Ok(()) } else { Err(NotCollectable { code: "label_void".into() }) };
                self.answer(&self.shipping, stand, 3, of::<HandOver>(body), outcome);
            }
            CancelLabel::NAME => {
                world.void = !world.out;
                let outcome = if world.out { Err(AlreadyCollected) } else { Ok(()) };
                self.answer(&self.shipping, stand, 3, of::<CancelLabel>(body), outcome);
            }
            timer => self.timer(stand, timer, *shape, body),
        }
        stand.world.insert(key.clone(), world);
    }

    fn timer(&self, stand: &mut Stand, timer: &str, shape: u16, body: &[u8]) {
        let is_it = |origin: Origin| matches!(origin, Origin::Timer(name) if name == timer);
        if let Some(reaction) = self.order.reactions().iter().find(|reaction| is_it(reaction.origin)) {
            let input = (reaction.decode)(shape, body).expect("a timer");
            self.decide(&self.order, stand, 0, reaction.origin, &*input);
        } else if let Some(reaction) = self.shipping.reactions().iter().find(|reaction| is_it(reaction.origin)) {
            let input = (reaction.decode)(shape, body).expect("a timer");
            self.decide(&self.shipping, stand, 3, reaction.origin, &*input);
        }
    }

    fn answer<T: Topic, X: Effect>(
        &self,
        service: &Service<T>,
        stand: &mut Stand,
        index: usize,
        asked: X,
        outcome: Result<X::Done, X::Refused>,
    ) {
        self.input(service, stand, index, Done { asked, outcome });
    }

    /// Members of a family run one at a time: for labels in the order of asking, which their names happen to have.
    fn has_its_turn(&self, stand: &Stand, asked: &Asked) -> bool {
        let order = [BookLabel::NAME, HandOver::NAME, CancelLabel::NAME];
        let place = |name: &str| order.iter().position(|it| *it == name);
        let Some(mine) = place(&asked.1) else { return true };
        !stand.work.iter().any(|it| it.2 == asked.2 && place(&it.1).is_some_and(|other| other < mine))
    }
}

fn of<X: DeserializeOwned>(body: &[u8]) -> X {
    serde_json::from_slice(body).expect("an effect")
}

/// The variant's name, as it stands in the state's JSON.
fn name_of(body: Option<&Vec<u8>>) -> String {
    let text = body.map_or("\"Unknown\"".into(), |body| String::from_utf8_lossy(body).into_owned());
    text.split('"').nth(1).unwrap_or("?").to_owned()
}

fn place(order_id: &str) -> PlaceOrder {
    PlaceOrder {
        order_id: order_id.into(),
        customer_id: "c".into(),
        lines: vec![Line { sku: "A".into(), quantity: 1, unit_price_minor: 5 }],
        total: Money { amount_minor: 5, currency: "EUR".into() },
        fingerprint: Fingerprint([0; 32]),
        phone_given: false,
        placed_at: 0,
        deadline: Duration::from_secs(60),
        sealed: Sealed::from_bytes(vec![]),
    }
}

impl Model for Shop {
    type State = Stand;
    type Action = Step;

    fn init_states(&self) -> Vec<Stand> {
        let mut stand = Stand::default();
        let bring = inventory::domain::Replenish { sku: "A".into(), delivery: "d".into(), quantity: self.units };
        self.input(&self.inventory, &mut stand, 1, bring);
        for id in &self.orders {
            self.input(&self.order, &mut stand, 0, place(id));
        }
        vec![stand]
    }

    fn actions(&self, stand: &Stand, steps: &mut Vec<Step>) {
        steps.extend(stand.under_way.keys().map(|(reader, source, key)| Step::Deliver(*reader, *source, key.clone())));
        for asked in stand.work.iter().filter(|asked| self.has_its_turn(stand, asked)) {
            let world = stand.world.get(&asked.2).cloned().unwrap_or_default();
            let may_refuse = self.refusals && (asked.1 == Charge::NAME || asked.1 == BookLabel::NAME);
            let (done, refused) =
                if asked.1 == HandOver::NAME { (!world.void, world.void) } else { (true, may_refuse) };
            steps.extend(done.then(|| Step::End(asked.clone(), true)));
            steps.extend(refused.then(|| Step::End(asked.clone(), false)));
        }
        for id in &self.orders {
            let world = stand.world.get(id).cloned().unwrap_or_default();
            if stand.cancels.get(id).copied().unwrap_or(0) < self.cancels {
                steps.push(Step::Cancel(id.clone()));
            }
            if world.handed_over && !world.void && !world.out {
                steps.push(Step::Collect(id.clone()));
            }
            // Each may come twice, in any order.
            let kinds = if self.reports { vec![0, 1, 2] } else { vec![2] };
            let left = |kind: &u8| world.reported >> (2 * kind) & 3 < if self.reports && *kind == 0 { 2 } else { 1 };
            steps.extend(
                kinds.into_iter().filter(|kind| world.out && left(kind)).map(|kind| Step::Report(id.clone(), kind)),
            );
        }
    }

    fn next_state(&self, before: &Stand, step: Step) -> Option<Stand> {
        let mut stand = before.clone();
        match step {
            Step::Deliver(reader, source, key) => {
                let slot = (reader, source, key);
                let queue = stand.under_way.get_mut(&slot)?;
                let said = queue.pop_front()?;
                if queue.is_empty() {
                    stand.under_way.remove(&slot);
                }
                self.record(&mut stand, slot.0, slot.1, &said);
            }
            Step::End(asked, done) => self.ends(&mut stand, &asked, done),
            Step::Cancel(order_id) => {
                *stand.cancels.entry(order_id.clone()).or_default() += 1;
                let refused = name_of(stand.states.get(&(0, "order", order_id.clone())));
                if !["Dispatched", "Completed"].contains(&&*refused) {
                    stand.promised.insert(order_id.clone());
                }
                self.input(&self.order, &mut stand, 0, CancelOrder { order_id });
            }
            Step::Collect(order_id) => stand.world.entry(order_id).or_default().out = true,
            Step::Report(order_id, kind) => {
                stand.world.entry(order_id.clone()).or_default().reported += 1 << (2 * kind);
                let kind = match kind {
                    0 => ReportKind::Dispatched,
                    1 => ReportKind::Tracking { place: "here".into() },
                    _ => ReportKind::Delivered,
                };
                let report_id = format!("{kind:?}");
                self.input(&self.shipping, &mut stand, 3, Report { order_id, report_id, kind });
            }
        }
        Some(stand)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no pair is outside the tables", |_, stand: &Stand| stand.poison.is_none()),
            Property::always("one closing event per participant", |_, stand: &Stand| {
                stand.closed.values().flatten().all(|count| *count <= 1)
            }),
            Property::always("money is taken once and goes back once", |_, stand: &Stand| {
                stand.world.values().all(|world| world.captured <= 1 && world.refunded <= world.captured)
            }),
            Property::always(
                "a parcel is out only of a confirmed order that is not cancelled",
                |shop: &Shop, stand: &Stand| {
                    shop.orders.iter().all(|id| {
                        let order = name_of(stand.states.get(&(0, "order", id.clone())));
                        let out = stand.world.get(id).is_some_and(|world| world.out);
                        !out || ["Confirmed", "CancelAsked", "Dispatched", "Completed"].contains(&&*order)
                    })
                },
            ),
            Property::always("undone only after all three", |shop: &Shop, stand: &Stand| {
                shop.orders.iter().all(|id| {
                    let undone = name_of(stand.states.get(&(0, "order", id.clone()))) == "Undone";
                    !undone || stand.closed.get(id).is_some_and(|closed| *closed == [1, 1, 1])
                })
            }),
            Property::always(
                "at rest every order is completed or undone, and so is everything about it",
                |shop, stand| {
                    let mut steps = vec![];
                    shop.actions(stand, &mut steps);
                    !steps.iter().all(|step| matches!(step, Step::Cancel(_)))
                        || shop.orders.iter().all(|id| ended_well(stand, id))
                },
            ),
            Property::sometimes("an order is completed", |shop: &Shop, stand: &Stand| {
                let completed = |id: &String| name_of(stand.states.get(&(0, "order", id.clone()))) == "Completed";
                shop.units == 0 || shop.orders.iter().any(completed)
            }),
            Property::sometimes("an order is undone", |shop: &Shop, stand: &Stand| {
                shop.orders.iter().any(|id| name_of(stand.states.get(&(0, "order", id.clone()))) == "Undone")
            }),
        ]
    }
}

fn ended_well(stand: &Stand, id: &str) -> bool {
    let state = |service, kind| name_of(stand.states.get(&(service, kind, id.to_owned())));
    let world = stand.world.get(id).cloned().unwrap_or_default();
    let kept = !stand.promised.contains(id) || state(0, "order") == "Undone" || stand.rejected.contains(id);
    kept && match &*state(0, "order") {
        "Completed" => {
            state(1, "reservation") == "Deducted"
                && state(3, "shipment") == "Delivered"
                && world.captured == 1
                && world.refunded == 0
                && world.out
        }
        "Undone" => {
            state(2, "payment") == "Closed"
                && state(3, "shipment") == "Closed"
                && world.captured == world.refunded
                && !world.out
        }
        _ => false,
    }
}

fn check(shop: Shop) -> (usize, BTreeSet<String>) {
    choreography::quiet_panics();
    let pairs = shop.pairs.clone();
    let checker = shop.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    let pairs = pairs.lock().unwrap().clone();
    (checker.unique_state_count(), pairs)
}

#[test]
fn every_interleaving_of_one_order_is_right_and_meets_every_pair_of_the_tables() {
    let (states, mut pairs) = check(Shop::new(1, 1));
    let (_, without_stock) = check(Shop::new(1, 0));
    pairs.extend(without_stock);
    println!("{states} states, {} pairs", pairs.len());
    let met: String = pairs.iter().map(|pair| format!("{pair}\n")).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pairs.txt");
    if std::env::var_os("UPDATE_PAIRS").is_some() {
        std::fs::write(path, &met).expect("the list of pairs is written");
    }
    let expected = std::fs::read_to_string(path).expect("the list of pairs");
    assert_eq!(met, expected, "the pairs met are not those listed; with UPDATE_PAIRS set the list is written anew");
}
