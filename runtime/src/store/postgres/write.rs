//! The writer's side.

use super::{
    ANSWERS_WITHIN, Database, batch,
    error::store_error,
    lead, migrate, renew,
    rows::{self, Value},
    session::{Backend, Session},
    text::escaped,
};
use crate::{
    clock::DatabaseClock,
    failpoint,
    record::{CursorRow, ParkedRow, WorkId, WorkRow},
    store::{Batch, Lead, Renewal, Store, StoreError, WorkPlace},
};
use choreography::Key;
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio_postgres::{Row, types::Type};

/// Beginning a generation touches every state.
const RENEWED_WITHIN: Duration = Duration::from_secs(3600);

/// The one session of this process that may write a service's database. It connects when it is first needed and again
/// after every error; until the database can be reached, everything is an [`StoreError::Outage`].
pub struct PostgresStore {
    database: Database,
    clock: Arc<DatabaseClock>,
    session: Option<Session>,
    /// A session that was dropped and of which something may be left on the server.
    left: Option<Backend>,
    /// Whether the tables were seen to be there, as this build knows them.
    migrated: bool,
}

impl PostgresStore {
    /// The writer's side of a database. Nothing is connected to yet.
    #[must_use]
    pub fn new(database: Database) -> PostgresStore {
        PostgresStore { database, clock: Arc::default(), session: None, left: None, migrated: false }
    }

    /// The database's clock, as each batch samples it.
    #[must_use]
    pub fn clock(&self) -> Arc<DatabaseClock> {
        self.clock.clone()
    }

    /// Makes a call in the session, connecting first if there is none. An error that says nothing about the session
    /// leaves it as it is; with any other it is dropped, and with it the lock.
    fn in_session<R>(
        &mut self,
        call: impl AsyncFnOnce(&mut Session) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.in_session_within(ANSWERS_WITHIN, call)
    }

    fn in_session_within<R>(
        &mut self,
        limit: Duration,
        call: impl AsyncFnOnce(&mut Session) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let PostgresStore { database, session, left, migrated, .. } = self;
        let result = database.block_on_within(limit, async {
            let session = match session {
                Some(session) => session,
                None => session.insert(connect(database, left, migrated).await?),
            };
            call(session).await
        });
        if matches!(result, Err(StoreError::Outage(_) | StoreError::Fatal(_)))
            && let Some(dropped) = session.take()
        {
            *left = Some(dropped.backend);
        }
        result
    }

    fn select<R>(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        row: fn(&Row) -> Result<R, StoreError>,
    ) -> Result<Vec<R>, StoreError> {
        self.in_session(async |session| rows::select(session.client(), sql, values, row).await)
    }
}

async fn connect(database: &Database, left: &mut Option<Backend>, migrated: &mut bool) -> Result<Session, StoreError> {
    let session = Session::connect(database).await?;
    if let Some(backend) = *left {
        lead::end_backend(session.client(), backend).await?;
        *left = None;
    }
    if !*migrated {
        migrate::migrate(session.client()).await?;
        *migrated = true;
    }
    Ok(session)
}

impl Store for PostgresStore {
    fn begin_reign(&mut self, owner: &str, build: u64) -> Result<Lead, StoreError> {
        let (database, clock) = (self.database.clone(), self.clock.clone());
        self.in_session(async |session| {
            if session.write.is_none() {
                if !lead::try_lock(session.client()).await? {
                    lead::end_silent_holder(session.client()).await?;
                    return Err(lead::led(session.client(), build).await);
                }
                failpoint::reached("lead.locked");
                session.write = Some(session.client().prepare(&batch::sql()).await.map_err(store_error)?);
                session.show_life(&database, clock.clone());
            }
            let (lead, now) = lead::raise_epoch(session.client(), owner, build).await?;
            clock.sampled(now);
            Ok(lead)
        })
    }

    fn cursors(&mut self) -> Result<Vec<CursorRow>, StoreError> {
        self.in_session(async |session| rows::cursors(session.client()).await)
    }

    fn parked_keys(&mut self) -> Result<Vec<(String, Key)>, StoreError> {
        self.select("SELECT source, key FROM parked ORDER BY id", &[], rows::parked_key)
    }

    fn parked_of(&mut self, source: &str, key: &str, limit: usize) -> Result<Vec<ParkedRow>, StoreError> {
        let sql = format!("{} WHERE source = $1 AND key = $2 ORDER BY id LIMIT $3", rows::SELECT_PARKED);
        let (source, key, limit) = (escaped(source), escaped(key), rows::limit(limit));
        self.select(&sql, &[(&source, Type::TEXT), (&key, Type::TEXT), (&limit, Type::INT8)], rows::parked_row)
    }

    fn states(&mut self, kind: &str, keys: &[Key]) -> Result<Vec<(Key, u64, Vec<u8>)>, StoreError> {
        let sql = "SELECT key, version, body FROM state WHERE kind = $1 AND key = ANY($2)";
        let (kind, keys) = (escaped(kind), keys.iter().map(|key| escaped(key)).collect::<Vec<Cow<str>>>());
        self.select(sql, &[(&kind, Type::TEXT), (&keys, Type::TEXT_ARRAY)], rows::state_body)
    }

    fn work_after(&mut self, after: Option<&WorkPlace>, limit: usize) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!(
            "{} WHERE stuck IS NULL AND (due, seq, name, key) > ($1, $2, $3, $4) ORDER BY due, seq, name, key LIMIT $5",
            rows::SELECT_WORK
        );
        // Before all work: sequence numbers begin with 0.
        let (due, seq, name, key) = match after {
            Some((due, seq, name, key)) => (*due, rows::number(*seq)?, escaped(name), escaped(key)),
            None => (i64::MIN, -1, Cow::Borrowed(""), Cow::Borrowed("")),
        };
        let place: [Value; 4] = [(&due, Type::INT8), (&seq, Type::INT8), (&name, Type::TEXT), (&key, Type::TEXT)];
        let limit = rows::limit(limit);
        let values: Vec<Value> = place.into_iter().chain([(&limit as _, Type::INT8)]).collect();
        self.select(&sql, &values, rows::work_row)
    }

    fn work(&mut self, (name, key): &WorkId) -> Result<Option<WorkRow>, StoreError> {
        let sql = format!("{} WHERE key = $1 AND name = $2", rows::SELECT_WORK);
        let (name, key) = (escaped(name), escaped(key));
        Ok(self.select(&sql, &[(&key, Type::TEXT), (&name, Type::TEXT)], rows::work_row)?.pop())
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let Some(write) = self.session.as_ref().and_then(|session| session.write.clone()) else {
            return Err(StoreError::Outage("the session that led is gone".into()));
        };
        let parameters = batch::Parameters::of(batch)?;
        let clock = self.clock.clone();
        let claimed = self.in_session(async |session| {
            let row = session.client().query_one(&write, &parameters.as_slice()).await.map_err(store_error)?;
            clock.sampled(row.try_get(1).map_err(store_error)?);
            row.try_get::<_, i64>(0).map_err(store_error)
        })?;
        metrics::counter!("tutti.sql.statements").increment(1);
        match claimed {
            1 => Ok(()),
            _ => Err(StoreError::Fenced(format!("epoch {} is over", batch.lead.epoch))),
        }
    }

    fn renew(&mut self, batch: &Batch, renewal: &Renewal) -> Result<(), StoreError> {
        let Some(write) = self.session.as_ref().and_then(|session| session.write.clone()) else {
            return Err(StoreError::Outage("the session that led is gone".into()));
        };
        let parameters = batch::Parameters::of(batch)?;
        self.in_session_within(RENEWED_WITHIN, async |session| {
            renew::renew(session.client(), &write, &parameters, renewal).await
        })
    }

    /// The server tidies up by itself.
    fn rest(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
