//! The simulated payment gateway.

use super::{Books, LedgerEntry, NoAnswer, PENDING_FOR, Part, World};
use crate::{counters::Situation, fault::Fault, life::Life, plan::SECOND};
use payment::gateway::{CaptureRequest, Gateway, GatewayAnswer, GatewayError, RefundRequest};
use runtime::Micros;
use std::sync::Arc;
use tutti::invariants::Entry;

/// The gateway as one process reaches it.
pub struct SimGateway {
    world: World,
    life: Arc<Life>,
}

impl SimGateway {
    /// The gateway as this process reaches it.
    #[must_use]
    pub fn new(world: World, life: Arc<Life>) -> SimGateway {
        SimGateway { world, life }
    }
}

type Answer = Result<GatewayAnswer, NoAnswer>;

fn unavailable(why: NoAnswer) -> GatewayError {
    GatewayError::Unavailable(format!("{why:?}"))
}

fn declined(code: &str) -> GatewayAnswer {
    GatewayAnswer::Declined { code: code.to_owned() }
}

impl Gateway for SimGateway {
    async fn capture(&self, key: &str, request: &CaptureRequest) -> Result<GatewayAnswer, GatewayError> {
        let (key, request) = (key.to_owned(), request.clone());
        let taken = self.world.carry(Part::Gateway, &self.life, move |world| world.take(&key, &request));
        taken.await.map_err(unavailable)
    }

    async fn refund(&self, key: &str, request: &RefundRequest) -> Result<GatewayAnswer, GatewayError> {
        let (key, request) = (key.to_owned(), request.clone());
        let given = self.world.carry(Part::Gateway, &self.life, move |world| world.give_back(&key, &request));
        given.await.map_err(unavailable)
    }

    async fn find(&self, key: &str) -> Result<Option<GatewayAnswer>, GatewayError> {
        let key = key.to_owned();
        let found = self.world.carry(Part::Gateway, &self.life, move |world| world.look_up(&key));
        found.await.map_err(unavailable)
    }
}

impl World {
    /// What was answered under a key that the gateway still knows. A key is kept for as long as the plan says; what
    /// was done under it stands in the ledger for good.
    fn known(&self, books: &Books, key: &str, asked: &str) -> Option<Answer> {
        let now = self.sim.now();
        let entry = books.ledger.iter().rev().find(|entry| entry.key == key)?;
        if entry.forgotten_at <= now {
            return None;
        }
        if entry.asked != asked {
            return Some(Ok(declined("idempotency_key_reused")));
        }
        Some(if entry.decided_at <= now { Ok(entry.answer.clone()) } else { Err(NoAnswer::Unclear) })
    }

    /// A gateway that answers a key with 500 says so again and again, for a while.
    fn fails(&self, books: &mut Books, key: &str) -> bool {
        let now = self.sim.now();
        if let Some(until) = books.failing.get(key) {
            let fails = now < *until && !self.sim.is_healed();
            if fails {
                self.sim.saw(Situation::Replayed500);
            }
            return fails;
        }
        if self.sim.strikes(Fault::KeyReplays500, 0.1) {
            let lasts = self.sim.draw(Fault::KeyReplays500, |dice| dice.magnitude(SECOND, 120 * SECOND));
            books.failing.insert(key.to_owned(), now + lasts);
            return true;
        }
        false
    }

    fn take(&self, key: &str, request: &CaptureRequest) -> Answer {
        let mut books = self.books();
        let asked = format!("take {request:?} {}", request.token);
        if let Some(answer) = self.known(&books, key, &asked) {
            return answer;
        }
        if self.fails(&mut books, key) || (request.token == "tok_flaky" && books.flaky.insert(key.to_owned())) {
            return Err(NoAnswer::NotDone);
        }
        let answer = match request.token.as_str() {
            "tok_ok" | "tok_slow" | "tok_flaky" | "tok_unknown" | "tok_timeout_then_success" => None,
            "tok_insufficient_funds" => Some(declined("insufficient_funds")),
            _ => Some(declined("card_declined")),
        };
        let pending = if request.token == "tok_unknown" { PENDING_FOR } else { 0 };
        let lost = request.token == "tok_timeout_then_success";
        let entry = self.enter(&mut books, key, asked, &request.order_id, (&request.amount, false), answer, pending);
        self.sim.note(|| format!("the gateway takes {} for {}: {:?}", request.amount, request.order_id, entry.answer));
        self.money_holds(&books, &request.order_id);
        if pending > 0 || lost { Err(NoAnswer::Unclear) } else { Ok(entry.answer) }
    }

    fn give_back(&self, key: &str, request: &RefundRequest) -> Answer {
        let mut books = self.books();
        let asked = format!("give back {request:?}");
        if let Some(answer) = self.known(&books, key, &asked) {
            return answer;
        }
        if self.fails(&mut books, key) {
            return Err(NoAnswer::NotDone);
        }
        if self.sim.lasts(Fault::RefundRefused, 0) {
            self.sim.saw(Situation::RefundRefused);
            return Ok(declined("refunds_are_closed")); // nothing is kept under the key: another day it is given back
        }
        let captured = books.ledger.iter().find(|entry| entry.key == request.capture_key && entry.entry.succeeded);
        let refunded = |key: &str| {
            let of_it =
                books.ledger.iter().filter(|entry| entry.capture_key.as_deref() == Some(key) && entry.entry.succeeded);
            of_it.map(|entry| entry.entry.amount_minor).sum::<i64>()
        };
        let answer = match captured {
            None => Some(declined("capture_not_found")),
            Some(it) if it.entry.amount_minor < refunded(&it.key) + request.amount.amount_minor => {
                Some(declined("amount_exceeds_capture"))
            }
            Some(_) => None,
        };
        let entry = self.enter(&mut books, key, asked, &request.order_id, (&request.amount, true), answer, 0);
        if let Some(last) = books.ledger.last_mut() {
            last.capture_key = Some(request.capture_key.clone());
        }
        self.sim
            .note(|| format!("the gateway gives back {} for {}: {:?}", request.amount, request.order_id, entry.answer));
        self.money_holds(&books, &request.order_id);
        Ok(entry.answer)
    }

    #[allow(clippy::too_many_arguments, reason = "a line of the ledger has so many columns")]
    fn enter(
        &self,
        books: &mut Books,
        key: &str,
        asked: String,
        order_id: &str,
        (amount, refund): (&shared_events::Money, bool),
        declined: Option<GatewayAnswer>,
        pending: Micros,
    ) -> LedgerEntry {
        let id = Books::number(books.ledger.len());
        let now = self.sim.now();
        let entry = LedgerEntry {
            entry: Entry {
                id,
                order_id: order_id.to_owned(),
                refund,
                succeeded: declined.is_none(),
                amount_minor: amount.amount_minor,
                currency: amount.currency.clone(),
            },
            key: key.to_owned(),
            answer: declined.unwrap_or_else(|| GatewayAnswer::Succeeded { receipt: format!("R-{id:06}") }),
            decided_at: now + pending,
            forgotten_at: if self.sim.plan.has(Fault::KeysForgotten) {
                now + self.sim.plan.keys_kept
            } else {
                Micros::MAX
            },
            asked,
            capture_key: None,
        };
        books.ledger.push(entry.clone());
        entry
    }

    /// The ledger is permanent: what was done under a key can always be asked for.
    fn look_up(&self, key: &str) -> Result<Option<GatewayAnswer>, NoAnswer> {
        let books = self.books();
        let Some(entry) = books.ledger.iter().find(|entry| entry.key == key) else { return Ok(None) };
        if entry.decided_at > self.sim.now() {
            return Err(NoAnswer::Unclear);
        }
        if entry.forgotten_at <= self.sim.now() {
            self.sim.saw(Situation::KeyForgotten); // a call under it would be carried out once more
        }
        self.sim.saw(Situation::AskedFirst);
        Ok(Some(entry.answer.clone()))
    }

    /// At most one capture, and never more given back than taken: held at every line of the ledger.
    fn money_holds(&self, books: &Books, order_id: &str) {
        let of_order =
            || books.ledger.iter().map(|entry| &entry.entry).filter(|e| e.order_id == order_id && e.succeeded);
        let sum = |refund| of_order().filter(|e| e.refund == refund).map(|e| e.amount_minor).sum::<i64>();
        let captures = of_order().filter(|e| !e.refund).count();
        if captures > 1 {
            self.sim.broken("one_capture", format!("{order_id} is charged {captures} times"), vec![]);
        }
        if sum(true) > sum(false) {
            self.sim.broken("refund_after_capture", format!("{order_id} gets back more than was taken"), vec![]);
        }
    }
}
