//! Where a service began that begins with what is said from then on, as far as its own events tell: they need not be said
//! in the order of what caused them.

use super::because::Because;
use crate::{
    record::{EventId, LogRow, Position},
    recover::{Own, Pull, RecoverError},
};
use std::collections::HashMap;

/// Of each lane the first record that led to one of the own events, which are all read once for it.
pub(in crate::recover) fn first_taken(
    mut own: Own,
    pull: &mut Pull,
) -> Result<HashMap<(String, u16), Position>, RecoverError> {
    let mut first: HashMap<(String, u16), Position> = HashMap::new();
    let (service, begins) = (own.service, own.at);
    while let Some(row) = own.next(pull)? {
        if let Some((source, id)) = record_behind(&row) {
            let at = Position { generation: id.generation, seq: id.seq };
            let known = first.entry((source, id.lane)).or_insert(at);
            *known = at.min(*known);
        }
    }
    pull.go_back((service, 0), begins);
    Ok(first)
}

/// The record that an event follows from, at once or through an effect or timer.
fn record_behind(row: &LogRow) -> Option<(String, EventId)> {
    let because = match Because::of(&row.cause)? {
        Because::Work { event, .. } => Because::of(event)?,
        other => other,
    };
    if let Because::Record { source, id } = because { Some((source.to_owned(), id)) } else { None }
}
