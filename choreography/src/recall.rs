//! What an event was said together with: for rebuilding a service of which only the events are left.

use crate::{Emits, Event, Out, Service, State, States, Topic, Work, decide::caught};

type Run = Box<dyn Fn(u16, &[u8], &States) -> Result<Vec<Work>, String> + Send + Sync>;

/// One event's memory of what was asked for with it, with its types erased.
pub(crate) struct Recall {
    event: &'static str,
    run: Run,
}

impl Recall {
    pub fn of<E, S, O>(recall: fn(&E, &S) -> O) -> Recall
    where
        E: Event,
        S: State<Topic = E::Topic>,
        O: Emits<E::Topic> + 'static,
    {
        let run = move |version, datum: &[u8], states: &States| {
            let event = E::decode(version, datum)?;
            let mut out = Out::<E::Topic>::default();
            recall(&event, states.of::<S>(event.key())).emit(&mut out);
            out.unwritable.map_or(Ok(out.work), Err)
        };
        Recall { event: E::NAME, run: Box::new(run) }
    }
}

impl<T: Topic> Service<T> {
    /// What was asked for together with an event, as far as its author tells. `states` are those before the event; when
    /// something is missing there afterwards, the result means nothing.
    ///
    /// # Errors
    /// When the datum cannot be read, or what was asked for cannot be written.
    pub fn recall(&self, name: &str, version: u16, datum: &[u8], states: &States) -> Result<Vec<Work>, String> {
        let mut work = vec![];
        for recall in self.recalls.iter().filter(|recall| recall.event == name) {
            work.extend(caught(|| (recall.run)(version, datum, states))??);
        }
        Ok(work)
    }
}
