//! A second look at an order that seems to have come to rest where it must not: is somebody still at work on it?
//!
//! Looked up last of all. Work is deleted in the transaction that says what came of it, so if there is none now, and no
//! row was added since the logs were read, there was none then.

use super::{
    cut::shown,
    evidence::{Evidence, VerifyError, of},
    facts::Order,
};
use runtime::LogRow;
use std::sync::Arc;

/// Rows that are shown of one order.
const SHOWN: usize = 60;

/// Whether something is still under way for an order. Timers of an order that has ended change nothing any more.
pub(super) fn is_under_way(evidence: &Evidence, id: &str, order: &Order, timers: &[&str]) -> Result<bool, VerifyError> {
    for (service, store) in evidence.stores.iter().enumerate() {
        let work = store.work_of(id).map_err(of(service))?;
        if work.iter().any(|row| !(order.settled() && timers.contains(&&*row.name))) {
            return Ok(true);
        }
    }
    Ok(rows(evidence, id)?.len() as u64 != u64::from(order.rows))
}

/// What was said about an order, as far as it is shown.
pub(super) fn history(evidence: &Evidence, id: &str) -> Result<Vec<String>, VerifyError> {
    let mut rows = rows(evidence, id)?;
    rows.sort_by_key(|(_, row)| row.at);
    Ok(rows.iter().take(SHOWN).map(|(service, row)| shown(*service, row)).collect())
}

fn rows(evidence: &Evidence, id: &str) -> Result<Vec<(usize, Arc<LogRow>)>, VerifyError> {
    let mut rows = vec![];
    for (service, store) in evidence.stores.iter().enumerate() {
        rows.extend(store.log_of(id).map_err(of(service))?.into_iter().map(|row| (service, row)));
    }
    Ok(rows)
}
