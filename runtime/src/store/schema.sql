-- The six tables of one service. The PostgreSQL store has the same ones.

-- Who may write, how far the log goes, and how far it is published. One row per lane.
CREATE TABLE lead (
  lane      INTEGER PRIMARY KEY, -- a service has one lane unless all its decisions see only their input's own key
  gen       INTEGER NOT NULL,    -- milliseconds since 1970 when this log was begun; never reused, so a lost log is never taken for an old one
  epoch     INTEGER NOT NULL,    -- counts reigns; every commit names the one it belongs to, which fences off zombies
  owner     TEXT NOT NULL,       -- where the leading process is to be reached
  build     INTEGER NOT NULL,    -- an older build never takes the lead from a newer one
  head      INTEGER NOT NULL,    -- the log's last seq
  published INTEGER NOT NULL,    -- everything up to here is on the bus
  commits   INTEGER NOT NULL     -- counts batches, because a batch without events does not move head
) STRICT;

-- Everything the service ever said: event store, outbox and audit trail in one.
CREATE TABLE log (
  lane   INTEGER NOT NULL,
  gen    INTEGER NOT NULL,
  seq    INTEGER NOT NULL, -- dense: 1, 2, 3 …; a reader that sees a hole knows that something was lost
  key    TEXT NOT NULL,    -- what the event is about
  name   TEXT NOT NULL,    -- the event's name
  schema INTEGER NOT NULL, -- the version of its Avro schema
  body   BLOB NOT NULL,    -- the Avro datum; personal data only sealed
  cause  TEXT NOT NULL,    -- source and id of the event that led to it
  trace  TEXT NOT NULL,    -- W3C traceparent
  epoch  INTEGER NOT NULL, -- the reign that committed it
  at     INTEGER NOT NULL, -- microseconds since 1970; never runs backwards
  PRIMARY KEY (lane, gen, seq)
) STRICT, WITHOUT ROWID;
-- For the timeline of one order.
CREATE INDEX log_by_key ON log (key, lane, gen, seq);

-- What the events fold to, kept so that nothing is folded twice. Can be rebuilt from the log at any time. The rows lie in
-- the order in which they came, not by key: orders that are under way came lately, so their rows share pages, and a batch
-- writes few of them although order ids are scattered.
CREATE TABLE state (
  kind    TEXT NOT NULL,    -- carries its shape (`stock.1`), so that two builds keep rows side by side
  key     TEXT NOT NULL,
  lane    INTEGER NOT NULL,
  seq     INTEGER NOT NULL, -- the last event folded in
  version INTEGER NOT NULL, -- how many events are folded in
  body    BLOB NOT NULL,
  UNIQUE (kind, key)
) STRICT;

-- How far each source is read. Moved in the transaction that takes the records: the only duplicate check there is.
CREATE TABLE cursor (
  source      TEXT NOT NULL,
  gen         INTEGER NOT NULL,
  lane        INTEGER NOT NULL,
  seq         INTEGER NOT NULL, -- the last record taken
  offset_hint INTEGER,          -- where to begin to look for the next one; a hint only, never trusted
  PRIMARY KEY (source, gen, lane)
) STRICT, WITHOUT ROWID;

-- What was asked of the world and of the clock and is not answered yet. The rows lie in the order in which they came.
CREATE TABLE work (
  name    TEXT NOT NULL,    -- the effect or timer
  key     TEXT NOT NULL,    -- with the name, the idempotency key
  lane    INTEGER NOT NULL,
  seq     INTEGER NOT NULL, -- grows with each that is asked for, from the log's head: effects of one family run in this order
  due     INTEGER NOT NULL, -- microseconds since 1970
  shape   INTEGER NOT NULL, -- of the body
  body    BLOB NOT NULL,
  cause   TEXT NOT NULL,    -- the event it was asked for with, which causes whatever its answer says
  trace   TEXT NOT NULL,    -- W3C traceparent, so that the call is part of the order's trace, also after a restart
  stuck   TEXT,             -- why a person must look at it; such a row is not performed
  UNIQUE (key, name)        -- the key first: it also finds everything that an order still waits for
) STRICT;
-- The order of performing.
CREATE INDEX work_by_due ON work (due, seq, name, key) WHERE stuck IS NULL;

-- Records that could not be taken, and what came behind them for the same source and key, with their original bytes.
CREATE TABLE parked (
  id     INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of parking
  source TEXT NOT NULL,
  gen    INTEGER NOT NULL,
  lane   INTEGER NOT NULL,
  seq    INTEGER NOT NULL,
  key    TEXT NOT NULL,
  name   TEXT NOT NULL,
  reason TEXT NOT NULL,
  schema INTEGER NOT NULL,
  cause  TEXT NOT NULL,
  trace  TEXT NOT NULL,
  at     INTEGER NOT NULL,
  body   BLOB NOT NULL,
  since  INTEGER NOT NULL -- microseconds since 1970
) STRICT;
CREATE INDEX parked_by_key ON parked (source, key, id);
