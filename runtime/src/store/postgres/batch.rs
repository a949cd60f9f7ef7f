//! The one statement that writes a batch: the claim on the lead, and every table's part of it, in one round trip and one
//! fsync. Each part selects from `ok`, so that nothing is written unless the claim matched. A row is touched at most once,
//! because the parts of one statement do not see each other: the draft gives one row per key, and answered work that is
//! asked for anew is only put, never deleted.

use super::{lead::NOW, rows::number, text::escaped};
use crate::store::{Batch, StoreError};
use tokio_postgres::types::ToSql;

/// Name and type of each column that is written.
type Columns = &'static [(&'static str, &'static str)];

const LOG: Columns = &[
    ("lane", "int4"),
    ("gen", "int8"),
    ("seq", "int8"),
    ("key", "text"),
    ("name", "text"),
    ("schema", "int4"),
    ("body", "bytea"),
    ("cause", "text"),
    ("trace", "text"),
    ("epoch", "int8"),
    ("at", "int8"),
];
const STATE: Columns =
    &[("kind", "text"), ("key", "text"), ("lane", "int4"), ("seq", "int8"), ("version", "int8"), ("body", "bytea")];
const CURSOR: Columns =
    &[("source", "text"), ("gen", "int8"), ("lane", "int4"), ("seq", "int8"), ("offset_hint", "int8")];
const WORK_DONE: Columns = &[("name", "text"), ("key", "text")];
const WORK: Columns = &[
    ("name", "text"),
    ("key", "text"),
    ("lane", "int4"),
    ("seq", "int8"),
    ("due", "int8"),
    ("shape", "int4"),
    ("body", "bytea"),
    ("cause", "text"),
    ("trace", "text"),
    ("stuck", "text"),
];
const PARKED: Columns = &[
    ("source", "text"),
    ("gen", "int8"),
    ("lane", "int4"),
    ("seq", "int8"),
    ("key", "text"),
    ("name", "text"),
    ("reason", "text"),
    ("schema", "int4"),
    ("cause", "text"),
    ("trace", "text"),
    ("at", "int8"),
    ("body", "bytea"),
    ("since", "int8"),
];
const UNPARKED: Columns = &[("id", "int8")];

/// The statement. It answers how many leads matched, 1 or 0, and the server's time. One for all batches, whatever they
/// leave empty, so that it is prepared and planned once a reign.
pub(super) fn sql() -> String {
    let mut parameter = 5; // those of the claim
    let mut rows = |columns: Columns| {
        let arrays = columns.iter().map(|(_, kind)| {
            parameter += 1;
            format!("${parameter}::{kind}[]")
        });
        format!("ok, unnest({})", arrays.collect::<Vec<_>>().join(", "))
    };
    let (log, state, cursor, done) = (rows(LOG), rows(STATE), rows(CURSOR), rows(WORK_DONE));
    let (work, parked, unparked) = (rows(WORK), rows(PARKED), rows(UNPARKED));
    let [log_n, state_n, cursor_n, done_n, work_n, parked_n, unparked_n] =
        [LOG, STATE, CURSOR, WORK_DONE, WORK, PARKED, UNPARKED].map(names);
    let renewed = WORK[2..].iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
    format!(
        "WITH ok AS (
           UPDATE lead SET head = head + $1, commits = commits + 1, published = $2
            WHERE lane = 0 AND epoch = $3 AND commits = $4 AND head = $5 RETURNING 1
         ), said AS (
           INSERT INTO log ({log_n}) SELECT {log_n} FROM {log} AS new ({log_n})
         ), folded AS (
           INSERT INTO state ({state_n}) SELECT {state_n} FROM {state} AS new ({state_n})
             ON CONFLICT (kind, key) DO UPDATE SET seq = excluded.seq, version = excluded.version, body = excluded.body
         ), taken AS (
           INSERT INTO cursor ({cursor_n}) SELECT {cursor_n} FROM {cursor} AS new ({cursor_n})
             ON CONFLICT (source, gen, lane) DO UPDATE SET seq = excluded.seq, offset_hint = excluded.offset_hint
         ), answered AS (
           DELETE FROM work USING {done} AS done ({done_n}) WHERE work.key = done.key AND work.name = done.name
         ), asked AS (
           INSERT INTO work ({work_n}) SELECT {work_n} FROM {work} AS new ({work_n})
             ON CONFLICT (key, name) DO UPDATE SET {renewed}
         ), parked_now AS (
           INSERT INTO parked ({parked_n})
           SELECT {parked_n} FROM {parked} WITH ORDINALITY AS new ({parked_n}, place) ORDER BY place
         ), unparked AS (
           DELETE FROM parked USING {unparked} AS gone ({unparked_n}) WHERE parked.id = gone.id
         )
         SELECT (SELECT count(*) FROM ok), {NOW}"
    )
}

fn names(columns: Columns) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The statement's parameters, in the order of the columns above.
#[derive(Default)]
pub(super) struct Parameters<'b>(Vec<Box<dyn ToSql + Sync + 'b>>);

impl<'b> Parameters<'b> {
    /// # Errors
    /// [`StoreError::Data`] for a number that no column holds.
    pub fn of(batch: &'b Batch) -> Result<Parameters<'b>, StoreError> {
        let mut parameters = Parameters::default();
        let lead = &batch.lead;
        for claimed in [batch.log.len() as u64, batch.published, lead.epoch, lead.commits, lead.head] {
            parameters.0.push(Box::new(number(claimed)?));
        }
        parameters.log(batch)?;
        parameters.states(batch)?;
        parameters.cursors(batch)?;
        parameters.work(batch)?;
        parameters.parked(batch)?;
        parameters.try_column(&batch.unparked, |id| number(*id))?;
        Ok(parameters)
    }

    pub fn as_slice(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.0.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
    }

    fn column<R, V: ToSql + Sync + 'b>(&mut self, rows: &'b [R], value: impl Fn(&'b R) -> V) {
        self.0.push(Box::new(rows.iter().map(value).collect::<Vec<V>>()));
    }

    fn try_column<R, V: ToSql + Sync + 'b>(
        &mut self,
        rows: &'b [R],
        value: impl Fn(&'b R) -> Result<V, StoreError>,
    ) -> Result<(), StoreError> {
        self.0.push(Box::new(rows.iter().map(value).collect::<Result<Vec<V>, StoreError>>()?));
        Ok(())
    }

    fn log(&mut self, Batch { log, .. }: &'b Batch) -> Result<(), StoreError> {
        self.column(log, |r| i32::from(r.lane));
        self.column(log, |r| r.generation);
        self.try_column(log, |r| number(r.seq))?;
        self.column(log, |r| escaped(&r.key));
        self.column(log, |r| escaped(&r.name));
        self.column(log, |r| i32::from(r.schema));
        self.column(log, |r| &*r.body);
        self.column(log, |r| escaped(&r.cause));
        self.column(log, |r| escaped(&r.trace));
        self.try_column(log, |r| number(r.epoch))?;
        self.column(log, |r| r.at);
        Ok(())
    }

    fn states(&mut self, Batch { states, .. }: &'b Batch) -> Result<(), StoreError> {
        self.column(states, |r| escaped(&r.kind));
        self.column(states, |r| escaped(&r.key));
        self.column(states, |r| i32::from(r.lane));
        self.try_column(states, |r| number(r.seq))?;
        self.try_column(states, |r| number(r.version))?;
        self.column(states, |r| &*r.body);
        Ok(())
    }

    fn cursors(&mut self, Batch { cursors, .. }: &'b Batch) -> Result<(), StoreError> {
        self.column(cursors, |r| escaped(&r.source));
        self.column(cursors, |r| r.at.generation);
        self.column(cursors, |r| i32::from(r.lane));
        self.try_column(cursors, |r| number(r.at.seq))?;
        self.column(cursors, |r| r.offset_hint);
        Ok(())
    }

    fn work(&mut self, Batch { work_done, work_put, .. }: &'b Batch) -> Result<(), StoreError> {
        self.column(work_done, |(name, _)| escaped(name));
        self.column(work_done, |(_, key)| escaped(key));
        self.column(work_put, |r| escaped(&r.name));
        self.column(work_put, |r| escaped(&r.key));
        self.column(work_put, |r| i32::from(r.lane));
        self.try_column(work_put, |r| number(r.seq))?;
        self.column(work_put, |r| r.due);
        self.column(work_put, |r| i32::from(r.shape));
        self.column(work_put, |r| &*r.body);
        self.column(work_put, |r| escaped(&r.cause));
        self.column(work_put, |r| escaped(&r.trace));
        self.column(work_put, |r| r.stuck.as_deref().map(escaped));
        Ok(())
    }

    fn parked(&mut self, Batch { parked, .. }: &'b Batch) -> Result<(), StoreError> {
        self.column(parked, |p| escaped(&p.source));
        self.column(parked, |p| p.row.generation);
        self.column(parked, |p| i32::from(p.row.lane));
        self.try_column(parked, |p| number(p.row.seq))?;
        self.column(parked, |p| escaped(&p.row.key));
        self.column(parked, |p| escaped(&p.row.name));
        self.column(parked, |p| escaped(&p.reason));
        self.column(parked, |p| i32::from(p.row.schema));
        self.column(parked, |p| escaped(&p.row.cause));
        self.column(parked, |p| escaped(&p.row.trace));
        self.column(parked, |p| p.row.at);
        self.column(parked, |p| &*p.row.body);
        self.column(parked, |p| p.since);
        Ok(())
    }
}
