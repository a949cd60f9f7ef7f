//! Performing effects: the bridge between a stored request and the adapter that knows the world.

use crate::{
    adapter::{Adapter, Outcome},
    clock::{Clock, Micros, micros},
    failpoint,
    incoming::trace_of,
    intake::{Answer, Intake, Verdict},
    record::WorkRow,
    telemetry::Spans,
    trace::{self, Traceparent},
};
use choreography::{Done, Effect, Input, Key, Undo};
use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

/// A call whose caller has given up may still arrive, but not later than this.
const STILL_ARRIVES_WITHIN: Micros = 60_000_000;

/// One attempt at an effect.
pub struct Attempt {
    /// The stored request.
    pub row: Arc<WorkRow>,
    /// `<service>/<effect>/<key>`: never changes.
    pub key: String,
    /// Whether it may have been tried before, so that the other side must be asked first.
    pub ask_first: bool,
    /// The reign it is performed for.
    pub epoch: u64,
    /// The how manieth attempt of this reign it is.
    pub number: u32,
    /// Its span: what it sends carries it, and the answer's span is below it.
    pub span: Traceparent,
    /// Where its span goes once it is over.
    pub spans: Spans,
}

/// The span of an attempt, below the one that asked for the effect.
pub(crate) fn span_of(service: &str, row: &WorkRow, epoch: u64, number: u32) -> Traceparent {
    let within = i64::try_from(epoch).unwrap_or_default();
    trace_of(&row.trace, &row.key).child(service, &format!("{} {}", row.name, row.key), within, number.into())
}

/// Performs the effects of one name. `start` does not wait: the answer comes through the intake.
pub trait Performer: Send {
    /// The effect's name.
    fn name(&self) -> &'static str;
    /// Its family.
    fn family(&self) -> &'static str;
    /// What a stored request is about: members of a family about the same thing run one at a time.
    ///
    /// # Errors
    /// When the request cannot be read.
    fn about(&self, row: &WorkRow) -> Result<Key, String>;
    /// Begins an attempt, whose end goes to `intake`.
    fn start(&self, attempt: Attempt, intake: &Arc<Intake>);
}

/// A performer that runs `adapter` on the current async runtime.
///
/// # Panics
/// When called outside an async runtime.
#[must_use]
pub fn performer<X: Effect + Sync>(adapter: impl Adapter<X>, clock: Arc<dyn Clock>) -> Box<dyn Performer> {
    let tokio = tokio::runtime::Handle::current();
    Box::new(Performs { adapter: Arc::new(adapter), tokio, clock, doubts: Arc::default(), effect: PhantomData })
}

struct Performs<X, A> {
    adapter: Arc<A>,
    tokio: tokio::runtime::Handle,
    clock: Arc<dyn Clock>,
    doubts: Arc<Doubts>,
    effect: PhantomData<fn() -> X>,
}

/// Since when effects are refused here although an earlier attempt may still arrive, by their keys.
#[derive(Default)]
struct Doubts(Mutex<HashMap<String, Micros>>);

impl Doubts {
    /// Whether it has been refused for so long that nothing arrives any more.
    fn are_over(&self, key: &str, now: Micros) -> bool {
        let mut doubts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *doubts.entry(key.to_owned()).or_insert(now);
        let over = now.saturating_sub(since) >= STILL_ARRIVES_WITHIN;
        if over {
            doubts.remove(key);
        }
        over
    }
}

impl<X: Effect + Sync, A: Adapter<X>> Performer for Performs<X, A> {
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
        let (adapter, intake, clock) = (self.adapter.clone(), intake.clone(), self.clock.clone());
        let doubts = self.doubts.clone();
        let begun = clock.now();
        let stale = is_stale::<X>(&attempt.row, begun);
        // Whatever the adapter sends carries the order's trace on.
        self.tokio.spawn(trace::within(attempt.span, async move {
            let verdict = match X::decode(attempt.row.shape, &attempt.row.body) {
                Ok(effect) => {
                    let ended = perform(&*adapter, &attempt, &effect, stale).await;
                    definite(effect, surely(&attempt, ended, &doubts, clock.now()))
                }
                Err(why) => Verdict::Stuck(format!("the stored request cannot be read: {why}")),
            };
            attempt.spans.attempted(&attempt, &verdict, begun, clock.now());
            intake.answer(Answer { epoch: attempt.epoch, id: attempt.row.id(), verdict });
        }));
    }
}

fn is_stale<X: Effect>(row: &WorkRow, now: Micros) -> bool {
    X::USEFUL_FOR.is_some_and(|useful| now > row.due.saturating_add(micros(useful)))
}

/// What one attempt came to, and whether a refusal is our own.
enum Ended<X: Effect> {
    /// The other side's word.
    Theirs(Outcome<X>),
    /// Refused here: stale, forgotten. The other side knows nothing of it.
    Ours(X::Refused),
}

/// A first attempt calls. Any other asks by key first, and calls only if the other side knows nothing. What nobody
/// knows of and is no longer useful is refused as stale, which promises that nothing happened.
async fn perform<X: Effect>(adapter: &impl Adapter<X>, attempt: &Attempt, effect: &X, stale: bool) -> Ended<X> {
    if attempt.ask_first {
        let known = adapter.ask(&attempt.key, effect).await;
        failpoint::reached("work.asked");
        if let Some(known) = known {
            return Ended::Theirs(known);
        }
    }
    if let Some(refused) = X::stale().filter(|_| stale) {
        return Ended::Ours(refused);
    }
    let called = adapter.call(&attempt.key, effect).await;
    failpoint::reached("work.called");
    match called {
        Outcome::Refused(refused) if attempt.ask_first && must_be_undone::<X>() => {
            adapter.ask(&attempt.key, effect).await.map_or(Ended::Ours(refused), Ended::Theirs)
        }
        outcome => Ended::Theirs(outcome),
    }
}

fn must_be_undone<X: Effect>() -> bool {
    matches!(X::UNDO, Undo::By(_))
}

/// A refusal promises that nothing was done and never will be. Our own counts only once an earlier attempt that was
/// still on its way must have arrived.
fn surely<X: Effect>(attempt: &Attempt, ended: Ended<X>, doubts: &Doubts, now: Micros) -> Outcome<X> {
    match ended {
        Ended::Theirs(outcome) => outcome,
        Ended::Ours(_) if attempt.ask_first && must_be_undone::<X>() && !doubts.are_over(&attempt.key, now) => {
            Outcome::Unclear("refused here, but an earlier attempt may still arrive".into())
        }
        Ended::Ours(refused) => Outcome::Refused(refused),
    }
}

fn definite<X: Effect>(asked: X, outcome: Outcome<X>) -> Verdict {
    let outcome = match outcome {
        Outcome::Done(done) => Ok(done),
        Outcome::Refused(refused) => Err(refused),
        Outcome::Unclear(why) => return Verdict::Again(why),
        Outcome::Stuck(why) => return Verdict::Stuck(why),
    };
    Verdict::Definite(<Done<X> as Input>::ORIGIN, Box::new(Done { asked, outcome }))
}
