//! The beginning of a reign: the lead is taken, the states are what the log says, and the bus is told where to go on.

use super::{Engine, Rule};
use crate::{
    agenda::Agenda,
    bus::{Beginning, BusAway},
    failpoint, fold,
    handle::Health,
    lanes::Lanes,
    record::{CursorRow, Position},
    reign::Reign,
    store::{Batch, StoreError},
};
use choreography::Topic;

impl<T: Topic> Engine<T> {
    pub(super) fn begin_reign(&mut self) -> Result<Rule, StoreError> {
        let now = self.door.clock.now();
        let mut reign = Reign::begin(&self.door.service, &mut *self.door.store, &self.owner, self.build, now)?;
        failpoint::reached("lead.taken");
        fold::catch_up(&self.door.service, &mut *self.door.store, self.shared.read(), &mut reign)?;
        let away = |e: BusAway| StoreError::Outage(e.to_string());
        self.refuse_to_be_behind(&reign)?;
        let mut lanes = Lanes::of(&self.door.service);
        let first_cursors = lanes.first_cursors(&self.door.service, &reign, &mut *self.bus).map_err(away)?;
        if !first_cursors.is_empty() {
            // Written before the first read, so that "from now on" means the same after any crash.
            let batch = Batch {
                lead: reign.lead,
                published: reign.published,
                cursors: first_cursors.clone(),
                ..Batch::default()
            };
            self.door.store.commit(&batch)?;
            reign.lead.commits += 1;
            lanes.begin(&mut reign, first_cursors);
        }
        self.bus.begin(&beginning(&reign, self.door.store.cursors()?)).map_err(away)?;
        failpoint::reached("lanes.begun");
        tracing::debug!(service = T::NAME, epoch = reign.lead.epoch, head = reign.lead.head, "a reign begins");
        self.shared.set_health(Health::Ready);
        Ok(Rule { reign, agenda: Agenda::unread(), lanes, rested: false })
    }

    /// A store that was lost, or is an older copy, knows nothing of what it said: it would say it again, and number new
    /// events like ones that everybody has read already. So the topic's last event must be in the log.
    fn refuse_to_be_behind(&mut self, reign: &Reign) -> Result<(), StoreError> {
        let ends = self.bus.ends((T::NAME, 0)).map_err(|away| StoreError::Outage(away.to_string()))?;
        let (said, log) = (ends.latest, head_of(reign));
        if said.seq == 0 || said == log || self.shared.read().holds(said)? {
            return Ok(());
        }
        let service = T::NAME;
        Err(StoreError::Fatal(format!(
            "the topic of {service} goes on to event {}.0.{}, but this store only to {}.0.{}: it was lost, or is an older copy. Nothing was sent. \
             Run `tutti recover --service {service}`, which takes the missing events from the topic, or `tutti reset --deployed`, which begins the whole shop anew",
            said.generation, said.seq, log.generation, log.seq
        )))
    }
}

fn head_of(reign: &Reign) -> Position {
    Position { generation: reign.lead.generation, seq: reign.lead.head }
}

fn beginning(reign: &Reign, cursors: Vec<CursorRow>) -> Beginning {
    let newest = |row: &CursorRow| {
        reign.cursors.iter().any(|(lane, at)| *lane.0 == *row.source && lane.1 == row.lane && *at == row.at)
    };
    let cursors = cursors.into_iter().filter(newest).collect();
    Beginning { head: head_of(reign), published: reign.published, cursors }
}
