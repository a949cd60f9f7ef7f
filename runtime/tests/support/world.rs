//! The world as the tests play it: performers that only write down what they were asked, until a test answers.

use super::service::{Clear, Cook};
use choreography::{Done, Effect, Input, Key, Stored};
use runtime::{
    Performer, WorkRow,
    intake::{Answer, Intake, Verdict},
    perform::Attempt,
};
use std::{
    any::Any,
    marker::PhantomData,
    sync::{Arc, Mutex},
};

/// One attempt as its performer saw it.
#[derive(Clone)]
pub struct Tried {
    pub effect: &'static str,
    /// The work row's key.
    pub key: Key,
    /// What the other side sees.
    pub idempotency_key: String,
    pub ask_first: bool,
    epoch: u64,
    row: Arc<WorkRow>,
    intake: Arc<Intake>,
}

/// Everything that was tried, by all engines of a test, in order.
#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Vec<Tried>>>);

impl World {
    pub fn performers(&self) -> Vec<Box<dyn Performer>> {
        vec![
            Box::new(WritesDown::<Cook>(self.clone(), PhantomData)),
            Box::new(WritesDown::<Clear>(self.clone(), PhantomData)),
        ]
    }

    /// What was tried since the last time.
    pub fn take(&self) -> Vec<Tried> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The one attempt since the last time.
    #[track_caller]
    pub fn take_one(&self) -> Tried {
        let mut tried = self.take();
        assert_eq!(tried.len(), 1, "{:?}", names(&tried));
        tried.remove(0)
    }
}

/// Effects and keys of attempts.
pub fn names(tried: &[Tried]) -> Vec<String> {
    tried.iter().map(|t| format!("{} {}", t.effect, t.key)).collect()
}

impl Tried {
    fn answer(&self, verdict: Verdict) {
        let id = (self.effect.to_owned(), self.key.clone());
        self.intake.answer(Answer { epoch: self.epoch, id, verdict });
    }

    pub fn done(&self, what: &str) {
        self.answer(self.definite(Ok(what.into())));
    }

    pub fn refused(&self, why: &str) {
        self.answer(self.definite(Err(why.into())));
    }

    pub fn unclear(&self) {
        self.answer(Verdict::Again("no answer came".into()));
    }

    pub fn stuck(&self, why: &str) {
        self.answer(Verdict::Stuck(why.into()));
    }

    fn definite(&self, outcome: Result<String, String>) -> Verdict {
        match self.effect {
            Cook::NAME => verdict::<Cook>(&self.row, outcome),
            _ => verdict::<Clear>(&self.row, outcome),
        }
    }
}

fn verdict<X>(row: &WorkRow, outcome: Result<String, String>) -> Verdict
where
    X: Effect<Done = String, Refused = String>,
{
    let asked = X::decode(row.shape, &row.body).unwrap();
    let done: Box<dyn Any + Send> = Box::new(Done { asked, outcome });
    Verdict::Definite(<Done<X> as Input>::ORIGIN, done)
}

struct WritesDown<X>(World, PhantomData<fn() -> X>);

impl<X: Effect> Performer for WritesDown<X> {
    fn name(&self) -> &'static str {
        X::NAME
    }
    fn family(&self) -> &'static str {
        X::FAMILY
    }
    fn about(&self, row: &WorkRow) -> Result<Key, String> {
        Ok(<X as Stored>::decode(row.shape, &row.body)?.about())
    }
    fn start(&self, Attempt { row, key, ask_first, epoch, .. }: Attempt, intake: &Arc<Intake>) {
        let tried = Tried {
            effect: X::NAME,
            key: row.key.clone(),
            idempotency_key: key,
            ask_first,
            epoch,
            row,
            intake: intake.clone(),
        };
        self.0.0.lock().unwrap().push(tried);
    }
}
