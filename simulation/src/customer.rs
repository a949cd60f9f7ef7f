//! Customers: they place orders, repeat themselves, change their minds, and try again until they have an answer.

use crate::{
    counters::Situation,
    fault::Fault,
    history::EPOCH,
    plan::{ARTICLES, SECOND, Wanted},
    sim::{Event, Sim},
    watch::Watch,
    world::key_of,
};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, aead::Aead, aead::Payload};
use inventory::domain::Replenish;
use order::{
    domain::{CancelOrder, PlaceOrder},
    requests,
};
use runtime::{Handle, Rejected, Settled, TraceId, secret::ShopSecret};
use shared_events::{Fingerprint, Line, Money, OrderId, Personal, Sealed};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tutti::invariants::Promise;

/// What a customer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Places the order.
    Place,
    /// Sends the same request again.
    Repeat,
    /// Sends another request under the same key.
    Change,
    /// Cancels.
    Cancel,
    /// Is forgotten.
    Forget,
    /// Not a customer: somebody delivers an article.
    Deliver,
}

/// One thing that a customer does, until it is answered.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    /// The order in the plan, or the article.
    pub number: usize,
    /// What is done.
    pub act: Act,
    /// How often it was tried before.
    pub attempt: u32,
}

#[derive(Default)]
struct Told {
    /// By the order's number: what was accepted, what it costs, and whether a cancel was.
    accepted: BTreeMap<usize, Promise>,
    /// What is not answered yet.
    open: usize,
}

/// All customers of a history.
pub struct Customers {
    sim: Arc<Sim>,
    watch: Arc<Watch>,
    secret: ShopSecret,
    told: Mutex<Told>,
}

type Answer = Result<Settled, Rejected>;

impl Customers {
    /// The customers of a history; `watch` knows what they really ordered.
    #[must_use]
    pub fn new(sim: Arc<Sim>, watch: Arc<Watch>) -> Arc<Customers> {
        Arc::new(Customers { sim, watch, secret: ShopSecret::from_bytes([42; 32]), told: Mutex::default() })
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What callers were promised.
    #[must_use]
    pub fn promised(&self) -> Vec<Promise> {
        self.told().accepted.values().cloned().collect()
    }

    /// How many wait for an answer, or will do something.
    #[must_use]
    pub fn open(&self) -> usize {
        self.told().open
    }

    /// Puts on the agenda what the plan wants.
    pub fn plan(&self) {
        for (number, units) in self.sim.plan.stock.iter().enumerate().filter(|(_, units)| **units > 0) {
            _ = units;
            self.will(SECOND / 2, number, Act::Deliver);
        }
        for wanted in &self.sim.plan.orders {
            self.will(wanted.at, wanted.number, Act::Place);
            wanted.cancels.iter().for_each(|at| self.will(*at, wanted.number, Act::Cancel));
            if self.sim.plan.has(Fault::Repeated) {
                wanted.repeats.iter().for_each(|at| self.will(*at, wanted.number, Act::Repeat));
                wanted.changes.iter().for_each(|at| self.will(*at, wanted.number, Act::Change));
            }
            if let Some(at) = wanted.forgotten.filter(|_| self.sim.plan.has(Fault::Forgotten)) {
                self.will(at, wanted.number, Act::Forget);
            }
        }
    }

    fn will(&self, at: i64, number: usize, act: Act) {
        self.told().open += 1;
        self.sim.at(at, Event::Customer(Doing { number, act, attempt: 0 }));
    }

    /// Does it, through the service's handle if there is a process.
    pub fn act(self: &Arc<Self>, doing: Doing, handle: Option<Handle>) {
        if doing.act == Act::Forget {
            return self.forget(doing);
        }
        let Some(handle) = handle else { return self.again(doing) };
        match doing.act {
            Act::Place | Act::Repeat | Act::Change => self.place(doing, handle),
            Act::Cancel => self.cancel(doing, handle),
            Act::Deliver => self.deliver(doing, handle),
            Act::Forget => {}
        }
    }

    fn wanted(&self, number: usize) -> Option<&Wanted> {
        self.sim.plan.orders.iter().find(|wanted| wanted.number == number)
    }

    fn forget(&self, doing: Doing) {
        if let Some(wanted) = self.wanted(doing.number) {
            self.sim.forget(&wanted.customer);
            self.sim.note(|| format!("{} is forgotten", wanted.customer));
        }
        self.told().open -= 1;
    }

    fn again(&self, doing: Doing) {
        let later = self.sim.pace(|dice| dice.magnitude(SECOND / 10, 20 * SECOND));
        let next = Doing { attempt: doing.attempt + 1, ..doing };
        self.sim.at(self.sim.now() + later, Event::Customer(next));
    }

    fn place(self: &Arc<Self>, doing: Doing, handle: Handle) {
        let Some(wanted) = self.wanted(doing.number) else { return };
        let request = self.request(wanted, doing);
        self.sim.numbered(&request.order_id, wanted.number);
        self.sim.note(|| {
            format!(
                "customer {} sends {:?} of order {} as {}",
                wanted.customer, doing.act, wanted.number, request.order_id
            )
        });
        let (customers, asked) = (self.clone(), request.clone());
        tokio::spawn(async move {
            let trace: Result<TraceId, String> = asked.order_id.parse();
            let trace = trace.unwrap_or_else(|_| TraceId::of_text(&asked.order_id));
            let answer = handle.command(request, trace).await;
            customers.placed(doing, &asked, answer);
        });
    }

    fn placed(&self, doing: Doing, asked: &PlaceOrder, answer: Answer) {
        self.sim.note(|| format!("order {} {:?}: {answer:?}", doing.number, doing.act));
        match &answer {
            Ok(settled) => self.accepted(doing, asked, *settled),
            Err(Rejected::Refused(refused)) if refused.reason == "idempotency_key_reused" => self.refused(doing, asked),
            Err(rejected) => return self.rejected(doing, rejected),
        }
        self.told().open -= 1;
    }

    fn accepted(&self, doing: Doing, asked: &PlaceOrder, settled: Settled) {
        let Some((order_id, fingerprint)) = self.watch.placed(&asked.order_id) else {
            let sentence = format!("{} was accepted, and no log has it", asked.order_id);
            return self.sim.broken("accepted_exists", sentence, vec![]);
        };
        if fingerprint != asked.fingerprint {
            let sentence = format!("another request under the key of {order_id} was accepted");
            self.sim.broken("changed_request_refused", sentence, vec![]);
        }
        match (settled, doing.act) {
            (Settled::Unchanged, Act::Repeat) => self.sim.saw(Situation::SameRequest),
            (Settled::Unchanged, _) => self.sim.saw(Situation::CommandAgain),
            _ => {}
        }
        let total_minor = Some(asked.total.amount_minor);
        let promise = Promise { order_id, total_minor, cancelled: false };
        self.told().accepted.entry(doing.number).or_insert(promise);
    }

    fn refused(&self, doing: Doing, asked: &PlaceOrder) {
        self.sim.saw(Situation::ChangedRequest);
        let same = self.watch.placed(&asked.order_id).is_none_or(|(_, fingerprint)| fingerprint == asked.fingerprint);
        if same {
            let sentence =
                format!("order {} was refused as another request than the first, which it is not", doing.number);
            self.sim.broken("same_request_same_answer", sentence, vec![]);
        }
    }

    /// Not now: tried again, also when nobody knows whether it was carried out.
    fn rejected(&self, doing: Doing, rejected: &Rejected) {
        match rejected {
            Rejected::Refused(refused) => {
                self.sim.broken("refused_rightly", format!("order {} is refused: {refused:?}", doing.number), vec![]);
                self.told().open -= 1;
            }
            Rejected::Failed(why) if !self.sim.plan.has(Fault::StoreRefuses) => {
                self.sim.broken("no_command_fails", format!("order {} is answered 500: {why}", doing.number), vec![]);
                self.told().open -= 1;
            }
            Rejected::Failed(_) | Rejected::Busy { .. } | Rejected::Led(_) | Rejected::Away(_) => self.again(doing),
        }
    }

    fn cancel(self: &Arc<Self>, doing: Doing, handle: Handle) {
        let accepted = self.told().accepted.get(&doing.number).map(|promise| promise.order_id.clone());
        let Some(order_id) = accepted else { return self.again(doing) };
        let customers = self.clone();
        let trace: Result<TraceId, String> = order_id.parse();
        let trace = trace.unwrap_or_else(|_| TraceId::of_text(&order_id));
        tokio::spawn(async move {
            let answer = handle.command(CancelOrder { order_id: order_id.clone() }, trace).await;
            customers.cancelled(doing, &order_id, answer);
        });
    }

    fn cancelled(&self, doing: Doing, order_id: &OrderId, answer: Answer) {
        self.sim.note(|| format!("cancel of {order_id}: {answer:?}"));
        match &answer {
            Ok(_) => {
                let mut told = self.told();
                if let Some(promise) = told.accepted.get_mut(&doing.number) {
                    if promise.cancelled {
                        self.sim.saw(Situation::CancelRepeated);
                    }
                    promise.cancelled = true;
                }
            }
            Err(Rejected::Refused(refused)) if refused.reason == "already_dispatched" => {
                let order = self.watch.order(order_id);
                if !order.has("OrderDispatched") {
                    let sentence = format!("a cancel of {order_id} is refused although it is not out");
                    self.sim.broken("refused_rightly", sentence, vec![]);
                }
            }
            Err(rejected) => return self.rejected(doing, rejected),
        }
        self.told().open -= 1;
    }

    fn deliver(self: &Arc<Self>, doing: Doing, handle: Handle) {
        let (sku, quantity) = (ARTICLES[doing.number].0.to_owned(), self.sim.plan.stock[doing.number]);
        let delivery = format!("opening {sku}");
        let (customers, trace) = (self.clone(), TraceId::of_text(&delivery));
        tokio::spawn(async move {
            match handle.command(Replenish { sku, delivery, quantity }, trace).await {
                Ok(_) => customers.told().open -= 1,
                Err(rejected) => customers.rejected(doing, &rejected),
            }
        });
    }

    /// The command as the API makes it of a request.
    fn request(&self, wanted: &Wanted, doing: Doing) -> PlaceOrder {
        let more = i64::from(doing.act == Act::Change);
        let price = |sku: &str| ARTICLES.iter().find(|(name, _)| *name == sku).map_or(0, |(_, price)| *price);
        let line = |(sku, quantity): &(&str, i64)| Line {
            sku: (*sku).to_owned(),
            quantity: quantity + more,
            unit_price_minor: price(sku),
        };
        let lines: Vec<Line> = wanted.lines.iter().map(line).collect();
        let total = lines.iter().map(|line| line.quantity * line.unit_price_minor).sum();
        let placed_at = (EPOCH + self.sim.now()) / 1000;
        let mac = self.secret.mac("order-id", &[wanted.customer.as_bytes(), wanted.key.as_bytes()]);
        let canonical = format!("{} {lines:?} {}", wanted.customer, wanted.token);
        PlaceOrder {
            order_id: requests::order_id(placed_at, &mac),
            customer_id: wanted.customer.clone(),
            lines,
            total: Money { amount_minor: total, currency: "EUR".into() },
            fingerprint: Fingerprint(self.secret.mac("request", &[canonical.as_bytes()])),
            phone_given: wanted.phone,
            placed_at,
            deadline: self.sim.plan.deadline,
            sealed: sealed(wanted, doing),
        }
    }
}

/// Sealed as [`Sealed::seal`] does, but under a nonce that follows from the request, so that histories repeat.
fn sealed(wanted: &Wanted, doing: Doing) -> Sealed<Personal> {
    let personal = Personal {
        email: if wanted.number % 9 == 8 {
            "dead@example.com".into()
        } else {
            format!("{}@example.com", wanted.customer)
        },
        phone: wanted.phone.then(|| "+49301234567".into()),
        name: "Ada Lovelace".into(),
        street: "Invalidenstr. 1".into(),
        city: "Berlin".into(),
        postal_code: "10115".into(),
        country: wanted.country.into(),
        payment_token: wanted.token.into(),
    };
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&(wanted.number as u64).to_le_bytes());
    nonce[8..12].copy_from_slice(&doing.attempt.to_le_bytes());
    nonce[12] = doing.act as u8;
    let plain = serde_json::to_vec(&personal).unwrap_or_default();
    let payload = Payload { msg: &plain, aad: wanted.customer.as_bytes() };
    let cipher = XChaCha20Poly1305::new(key_of(&wanted.customer).as_bytes().into());
    let text = cipher.encrypt(&nonce.into(), payload).unwrap_or_default();
    Sealed::from_bytes([&[1], &nonce[..], &text].concat())
}
