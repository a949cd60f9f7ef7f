//! The outside world of the test shop: answers at once, keeps the books, and does what each order's story needs.

use choreography::{Done, Effect, Input, Key};
use email::domain::{SendMail, SendSms};
use payment::domain::{Charge, Refund};
use runtime::{
    Performer, WorkRow,
    intake::{Answer, Intake, Verdict},
    perform::Attempt,
};
use shared_events::{DeclineReason, NoLabelReason};
use shipping::domain::{AlreadyCollected, BookLabel, CancelLabel, HandOver, Label, NotCollectable};
use std::{
    collections::HashSet,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard},
};
use tutti::invariants::{Entry, Message, Parcel};

/// The books, and what is to go wrong.
#[derive(Clone, Default)]
pub struct World {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub struct State {
    pub entries: Vec<Entry>,
    pub parcels: Vec<Parcel>,
    pub messages: Vec<Message>,
    /// Orders whose charge is declined.
    pub declined: HashSet<String>,
    /// Orders whose charge gets no answer for now.
    pub silent: HashSet<String>,
    /// Orders that no carrier takes.
    pub not_served: HashSet<String>,
}

impl World {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the books")
    }

    fn performer<X: Effect>(&self, act: fn(&mut State, &X) -> Answered<X>) -> Box<dyn Performer> {
        Box::new(Acts { world: self.clone(), act, effect: PhantomData::<fn() -> X> })
    }

    pub fn gateway(&self) -> Vec<Box<dyn Performer>> {
        vec![self.performer(charge), self.performer(refund)]
    }

    pub fn carrier(&self) -> Vec<Box<dyn Performer>> {
        vec![self.performer(book), self.performer(hand_over), self.performer(void)]
    }

    pub fn post(&self) -> Vec<Box<dyn Performer>> {
        vec![
            self.performer::<SendMail>(|state, mail| {
                state.deliver(&mail.order_id, false, mail.template.as_str(), mail.message_id());
                Some(Ok(()))
            }),
            self.performer::<SendSms>(|state, sms| {
                state.deliver(&sms.order_id, true, sms.template.as_str(), sms.message_id());
                Some(Ok(()))
            }),
        ]
    }

    /// The carrier comes for a parcel.
    pub fn collect(&self, order_id: &str) {
        self.state().parcel(order_id).out = true;
    }

    /// The parcel arrives, and everything about it was reported.
    pub fn arrive(&self, order_id: &str) {
        let mut state = self.state();
        let parcel = state.parcel(order_id);
        (parcel.delivered, parcel.under_way) = (true, false);
    }
}

/// Nothing for an answer that does not come now.
type Answered<X> = Option<Result<<X as Effect>::Done, <X as Effect>::Refused>>;

impl State {
    fn parcel(&mut self, order_id: &str) -> &mut Parcel {
        self.parcels.iter_mut().find(|parcel| parcel.order_id == order_id).expect("a label was booked")
    }

    fn move_money(&mut self, order_id: &str, refund: bool, succeeded: bool, (amount_minor, currency): (i64, &str)) {
        let id = self.entries.len() as i64 + 1;
        let (order_id, currency) = (order_id.to_owned(), currency.to_owned());
        self.entries.push(Entry { id, order_id, refund, succeeded, amount_minor, currency });
    }

    fn deliver(&mut self, order_id: &str, sms: bool, template: &str, message_id: String) {
        let id = self.messages.len() as i64 + 1;
        let (order_id, template) = (order_id.to_owned(), template.to_owned());
        self.messages.push(Message { id, order_id, sms, template, message_id });
    }
}

fn charge(state: &mut State, it: &Charge) -> Answered<Charge> {
    if state.silent.contains(&it.order_id) {
        return None;
    }
    let declined = state.declined.contains(&it.order_id);
    state.move_money(&it.order_id, false, !declined, (it.amount.amount_minor, &it.amount.currency));
    Some(if declined { Err(DeclineReason::Declined) } else { Ok("R-1".into()) })
}

fn refund(state: &mut State, it: &Refund) -> Answered<Refund> {
    state.move_money(&it.order_id, true, true, (it.amount.amount_minor, &it.amount.currency));
    Some(Ok(()))
}

fn book(state: &mut State, it: &BookLabel) -> Answered<BookLabel> {
    if state.not_served.contains(&it.order_id) {
        return Some(Err(NoLabelReason::CountryNotServed));
    }
    let (id, order_id) = (state.parcels.len() as i64 + 1, it.order_id.clone());
    state.parcels.push(Parcel { id, order_id, out: false, delivered: false, void: false, under_way: false });
    Some(Ok(Label { label: format!("L-{id}"), carrier: "a carrier".into() }))
}

fn hand_over(state: &mut State, it: &HandOver) -> Answered<HandOver> {
    let parcel = state.parcel(&it.order_id);
    parcel.under_way = !parcel.void;
    Some(if parcel.void { Err(NotCollectable { code: "void".into() }) } else { Ok(()) })
}

fn void(state: &mut State, it: &CancelLabel) -> Answered<CancelLabel> {
    let parcel = state.parcel(&it.order_id);
    if parcel.out {
        return Some(Err(AlreadyCollected));
    }
    (parcel.void, parcel.under_way) = (true, false);
    Some(Ok(()))
}

struct Acts<X: Effect> {
    world: World,
    act: fn(&mut State, &X) -> Answered<X>,
    effect: PhantomData<fn() -> X>,
}

impl<X: Effect> Performer for Acts<X> {
    fn name(&self) -> &'static str {
        X::NAME
    }
    fn family(&self) -> &'static str {
        X::FAMILY
    }
    fn about(&self, row: &WorkRow) -> Result<Key, String> {
        Ok(X::decode(row.shape, &row.body)?.about())
    }
    fn start(&self, attempt: Attempt, intake: &Arc<Intake>) {
        let asked = X::decode(attempt.row.shape, &attempt.row.body).expect("a stored request");
        let verdict = match (self.act)(&mut self.world.state(), &asked) {
            Some(outcome) => Verdict::Definite(<Done<X> as Input>::ORIGIN, Box::new(Done { asked, outcome })),
            None => Verdict::Again("no answer".into()),
        };
        intake.answer(Answer { epoch: attempt.epoch, id: attempt.row.id(), verdict });
    }
}
