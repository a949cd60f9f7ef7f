//! The port to the outside world: one adapter performs one effect.

use choreography::Effect;
use std::future::Future;

/// Performs effect `X`. The work runner calls it after the commit that asked for the effect, at least once, and always
/// under the same `key`: `<service>/<effect>/<business key>`.
///
/// The first attempt calls [`Adapter::call`]. Every later attempt, and every one after a restart, first uses
/// [`Adapter::ask`] and calls again only when the other side knows nothing of the key.
pub trait Adapter<X: Effect>: Send + Sync + 'static {
    /// Performs the effect.
    fn call(&self, key: &str, effect: &X) -> impl Future<Output = Outcome<X>> + Send;
    /// Asks what became of an earlier call; `None` when the other side knows nothing of the key.
    fn ask(&self, key: &str, effect: &X) -> impl Future<Output = Option<Outcome<X>>> + Send;
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<X: Effect> {
    /// It is done.
    Done(X::Done),
    /// It was refused for good: nothing happened, and nothing ever will.
    Refused(X::Refused),
    /// Nobody knows (a timeout, a 5xx, a lost connection, still in progress): the runner asks again, with backoff,
    /// until it does know.
    Unclear(String),
    /// It can never succeed and must not be dropped (a refund refused): set aside for a person, with this reason.
    Stuck(String),
}
