//! Metrics that are brought up to date when somebody asks for them: how much waits in each store, how far each service
//! is behind those it reads, and what a service counts of its own business.

use super::counts::count;
use crate::{
    clock::{Clock, Micros, SystemClock},
    handle::{Handle, Health},
    record::{LogRow, Position},
    store::StoreError,
};
use metrics::gauge;
use std::{collections::HashMap, sync::Arc};

/// What a service counts of its own business. It is told what was committed, and asked for what depends on the time.
pub trait Figures: Send + Sync {
    /// These events were committed, in this order. The engine waits for it, so it must not block.
    fn committed(&self, rows: &[Arc<LogRow>]);
    /// Sets the gauges whose values depend on the time.
    fn report(&self, now: Micros);
}

/// Brings all gauges of these services up to date.
///
/// # Errors
/// When a store cannot be read.
pub async fn refresh(handles: &[Handle]) -> Result<(), StoreError> {
    let (mut heads, mut all_cursors) = (HashMap::new(), vec![]);
    for handle in handles {
        let service = handle.service();
        let (lead, counts, cursors) = handle.standing().await?;
        let gauges = [
            ("tutti.log.head", lead.head),
            ("tutti.work.open", counts.work),
            ("tutti.work.stuck", counts.stuck),
            ("tutti.parked.open", counts.parked),
            ("tutti.ready", u64::from(matches!(handle.health(), Health::Ready | Health::Standby(_)))),
        ];
        for (name, value) in gauges {
            gauge!(name, "service" => service).set(count(value));
        }
        heads.insert(service, Position { generation: lead.generation, seq: lead.head });
        all_cursors.extend(cursors.into_iter().map(|cursor| (service, cursor)));
        if let Some(figures) = handle.figures() {
            figures.report(SystemClock.now());
        }
    }
    for (service, cursor) in all_cursors {
        if let Some((source, head)) = heads.get_key_value(&*cursor.source) {
            let behind = count(behind(*head, cursor.at));
            gauge!("tutti.lag.records", "service" => service, "source" => *source).set(behind);
        }
    }
    Ok(())
}

/// How many records lie between the end of a log and what was taken of it.
fn behind(head: Position, taken: Position) -> u64 {
    if head.generation == taken.generation { head.seq.saturating_sub(taken.seq) } else { head.seq }
}
