//! Invariant 7, logs: numbered without a hole, ending where their lead says, readable, and in the order of time and of
//! reigns.

use super::{
    cut::{Cut, LANE, shown},
    evidence::{Evidence, SERVICES, VerifyError, of},
    facts::hash,
    findings::Findings,
    list::{How, Invariant, When},
};
use runtime::{LogRow, Position};

pub(super) const DENSE: Invariant = Invariant {
    number: 7,
    name: "dense",
    statement: "Every log is numbered 1, 2, 3 and so on in each generation, without a hole",
    when: When::Always,
    how: How::Rows,
};
pub(super) const HEAD: Invariant = Invariant {
    number: 7,
    name: "head",
    statement: "Every log ends at the head that its lead names, and is published no further",
    when: When::Always,
    how: How::Rows,
};
pub(super) const READABLE: Invariant = Invariant {
    number: 7,
    name: "readable",
    statement: "Every row in a log is a datum of its event, about the row's key",
    when: When::Always,
    how: How::Rows,
};
pub(super) const TIME_FORWARD: Invariant = Invariant {
    number: 7,
    name: "time_forward",
    statement: "Time never runs backwards along a log",
    when: When::Always,
    how: How::Rows,
};
pub(super) const EPOCHS: Invariant = Invariant {
    number: 10,
    name: "epochs",
    statement: "Epochs never fall along a log, and what was decided at once was committed in one epoch",
    when: When::Always,
    how: How::Rows,
};

/// Watches one log go by.
#[derive(Default)]
pub(super) struct LogWatch {
    service: usize,
    last: Option<Last>,
}

#[derive(Clone, Copy)]
struct Last {
    at: Position,
    epoch: u64,
    micros: i64,
    cause: u64,
}

impl LogWatch {
    pub fn of(service: usize) -> LogWatch {
        LogWatch { service, last: None }
    }

    pub fn take(&mut self, row: &LogRow, findings: &mut Findings) {
        let name = SERVICES[self.service];
        let evidence = || shown(self.service, row);
        let last = self.last.filter(|last| last.at.generation == row.generation);
        let expected = last.map_or(1, |last| last.at.seq + 1);
        let hole = (row.seq != expected).then(|| format!("{} stands where {expected} must", row.seq));
        findings.judged(&DENSE, name, hole, evidence);
        if let Some(last) = self.last {
            let back = (row.at < last.micros).then(|| format!("{} is earlier than the row before it", row.id()));
            findings.judged(&TIME_FORWARD, name, back, evidence);
            findings.judged(&EPOCHS, name, wrong_epoch(&last, row), evidence);
        }
        let cause = hash(&row.cause);
        self.last = Some(Last { at: row.position(), epoch: row.epoch, micros: row.at, cause });
    }

    /// The log was read to its end.
    pub fn finish(self, evidence: &Evidence, cut: &Cut, findings: &mut Findings) -> Result<(), VerifyError> {
        let (service, lead) = (self.service, cut.ends[self.service]);
        let end = cut.end_of(service);
        let last = self.last.map_or(Position { seq: 0, ..end }, |last| last.at);
        let beyond = evidence.stores[service].log_after(LANE, end, 1).map_err(of(service))?;
        // A row behind the end was committed since then, and then the head has moved as well.
        let head = evidence.stores[service].lead().map_err(of(service))?;
        let moved = Position { generation: head.generation, seq: head.head };
        let wrong = if beyond.iter().any(|row| row.position() > moved) {
            Some(format!("the log goes on behind its head {}", head.head))
        } else if end.seq > 0 && last != end {
            Some(format!("the log ends at {}, but its head is {}", last.seq, end.seq))
        } else if lead.published > lead.head {
            Some(format!("it is published up to {}, but its head is {}", lead.published, lead.head))
        } else {
            self.last.filter(|last| last.epoch > lead.epoch).map(|_| "a row is of a later epoch than its lead".into())
        };
        findings.judged(&HEAD, SERVICES[service], wrong, || format!("lead of {}: {lead:?}", SERVICES[service]));
        Ok(())
    }
}

fn wrong_epoch(last: &Last, row: &LogRow) -> Option<String> {
    let together = !row.cause.starts_with("command ") && last.cause == hash(&row.cause);
    if row.epoch < last.epoch {
        Some(format!("{} is of epoch {}, the row before it of {}", row.id(), row.epoch, last.epoch))
    } else if together && row.epoch != last.epoch {
        Some(format!("{} was decided together with the row before it, but in another epoch", row.id()))
    } else {
        None
    }
}
