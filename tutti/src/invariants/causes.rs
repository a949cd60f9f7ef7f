//! Invariant 10, causes: every row follows from something that was really said, about the same order, and that its
//! service may answer in this way.

use super::{
    cut::{Cut, index_of, shown},
    evidence::SERVICES,
    facts::hash,
    findings::Findings,
    inputs::Taken,
    list::{How, Invariant, When},
};
use choreography::{Origin, Service, Topic};
use runtime::{LogRow, Position};

pub(super) const CAUSED: Invariant = Invariant {
    number: 10,
    name: "caused",
    statement: "Every row follows from a command or an earlier event of its order that leads to such a row",
    when: When::Always,
    how: How::Rows,
};
pub(super) const ONE_TRACE: Invariant = Invariant {
    number: 10,
    name: "one_trace",
    statement: "Everything that was said about an order stands in one trace",
    when: When::Always,
    how: How::Rows,
};

/// A row's cause, taken apart.
pub(super) struct CauseOf<'r> {
    /// The event, as source and place in its log; none for a command.
    pub event: Option<(usize, Position)>,
    /// The command, or the effect or timer that the event went through.
    pub via: Option<&'r str>,
}

impl CauseOf<'_> {
    /// Reads `payment/1763.0.42 via charge#2`, `payment/1763.0.42` or `command PlaceOrder`.
    pub fn read(text: &str) -> Option<CauseOf<'_>> {
        if let Some(command) = text.strip_prefix("command ") {
            return Some(CauseOf { event: None, via: Some(command) });
        }
        let (event, via) = text.split_once(" via ").map_or((text, None), |(event, via)| (event, Some(via)));
        let (source, id) = event.split_once('/')?;
        let mut parts = id.splitn(3, '.');
        let (generation, _lane, seq) = (parts.next()?, parts.next()?, parts.next()?);
        let at = Position { generation: generation.parse().ok()?, seq: seq.parse().ok()? };
        let via = via.map(|via| via.split_once('#').map_or(via, |(via, _attempts)| via));
        Some(CauseOf { event: Some((index_of(source)?, at)), via })
    }
}

/// What stands at each place of a log, in four bytes a row: which event, and 26 bits of a hash of its key.
#[derive(Default)]
pub(super) struct Places {
    generations: Vec<(i64, u64, Vec<u32>)>,
}

const KEY_BITS: u32 = 26;
const KEY_MASK: u32 = (1 << KEY_BITS) - 1;
/// A hole of more rows than this is not remembered row by row.
const LARGEST_HOLE: u64 = 1 << 20;

impl Places {
    /// Adds the next row of the log.
    pub fn add<T: Topic>(&mut self, row: &LogRow) {
        if self.generations.last().is_none_or(|(generation, ..)| *generation != row.generation) {
            self.generations.push((row.generation, row.seq, vec![]));
        }
        let Some((_, first, rows)) = self.generations.last_mut() else { return };
        let Some(place) = row.seq.checked_sub(*first) else { return };
        if place >= rows.len() as u64 && place - (rows.len() as u64) < LARGEST_HOLE {
            let event = T::EVENTS.iter().position(|event| *event == row.name).map_or(0, |index| index as u32 + 1);
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            rows.resize(place, 0);
            rows.push(event << KEY_BITS | key_bits(&row.key));
        }
    }

    /// The event's place in its topic, and whether it is about this key; nothing where no row stands.
    fn at(&self, at: Position, key: &str) -> Option<(usize, bool)> {
        let (_, first, rows) = self.generations.iter().find(|(generation, ..)| *generation == at.generation)?;
        let row = *rows.get(usize::try_from(at.seq.checked_sub(*first)?).ok()?)?;
        let event = usize::try_from(row >> KEY_BITS).ok()?.checked_sub(1)?;
        Some((event, row & KEY_MASK == key_bits(key)))
    }
}

fn key_bits(key: &str) -> u32 {
    hash(&key) as u32 & KEY_MASK
}

/// Holds the rows of one service against what they say caused them.
pub(super) struct CauseWatch<'w, T: Topic> {
    pub service: &'w Service<T>,
    pub index: usize,
    pub places: &'w [Places; 5],
    pub events: [&'static [&'static str]; 5],
    pub taken: Taken,
}

impl<T: Topic> CauseWatch<'_, T> {
    pub fn take(&mut self, row: &LogRow, cut: &Cut, findings: &mut Findings) {
        let Some(cause) = CauseOf::read(&row.cause) else {
            let broken = Some(format!("`{}` names no cause", row.cause));
            return findings.judged(&CAUSED, &row.key, broken, || shown(self.index, row));
        };
        if cut.is_marked(self.index, row) {
            let broken = self.objection(row, &cause).err();
            findings.judged(&CAUSED, &row.key, broken, || shown(self.index, row));
        }
        self.taken.take(row, &cause, cut, findings);
    }

    fn objection(&self, row: &LogRow, cause: &CauseOf) -> Result<(), String> {
        let Some((source, at)) = cause.event else {
            let command = cause.via.unwrap_or_default();
            let answers = self.answers(row, |origin| matches!(origin, Origin::Command(name) if *name == command));
            return answers.ok_or_else(|| format!("{} is not what {command} leads to", row.name));
        };
        let (event, same_key) = self.places[source].at(at, &row.key).ok_or("its cause was never said")?;
        if source == self.index && at >= row.position() {
            return Err("its cause was said after it".into());
        }
        let name = self.events[source].get(event).copied().unwrap_or_default();
        // Only what is said about an article follows from something that was said about an order.
        if !same_key && row.name != "LowStockWarning" {
            return Err(format!("its cause, a {name}, is about something else"));
        }
        let answers = match cause.via {
            None => self.answers(
                row,
                |origin| matches!(origin, Origin::Event { topic, name: n } if *topic == SERVICES[source] && *n == name),
            ),
            Some(via) => {
                self.answers(row, |origin| matches!(origin, Origin::Effect(name) | Origin::Timer(name) if *name == via))
            }
        };
        answers.ok_or_else(|| format!("{} is not what {} leads to", row.name, cause.via.unwrap_or(name)))
    }

    /// Whether a decision about such an input may say such a row.
    fn answers(&self, row: &LogRow, is_input: impl Fn(&Origin) -> bool) -> Option<()> {
        let mut decisions = self.service.reactions().iter().filter(|reaction| is_input(&reaction.origin));
        decisions.any(|reaction| reaction.declared.events.contains(&*row.name)).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::CauseOf;

    #[test]
    fn causes_are_taken_apart_as_the_runtime_writes_them() {
        for (text, event, via) in [
            ("order/17.0.3", Some((0, 3)), None),
            ("payment/17.0.42 via charge#2", Some((2, 42)), Some("charge")),
            ("order/17.0.1 via deadline", Some((0, 1)), Some("deadline")),
            ("command PlaceOrder", None, Some("PlaceOrder")),
        ] {
            let read = CauseOf::read(text).expect(text);
            let cause: runtime::Cause = text.parse().expect(text);
            assert_eq!(cause.to_string(), text);
            assert_eq!((read.event.map(|(source, at)| (source, at.seq)), read.via), (event, via), "{text}");
        }
        for text in ["", "order", "order/17.0", "elsewhere/17.0.3", "order/x.0.3"] {
            assert!(CauseOf::read(text).is_none(), "{text}");
        }
    }
}
