-- The six tables of one service, as in SQLite's schema.sql. Text is compared by its bytes (COLLATE "C"), so that ranges
-- and orders are the same on every store and no index depends on the server's locale.

-- Who may write, how far the log goes, and how far it is published. One row per lane.
CREATE TABLE lead (
  lane      integer PRIMARY KEY, -- a service has one lane unless all its decisions see only their input's own key
  gen       bigint NOT NULL,     -- milliseconds since 1970 when this log was begun; never reused, so a lost log is never taken for an old one
  epoch     bigint NOT NULL,     -- counts reigns; every commit names the one it belongs to, which fences off zombies
  owner     text NOT NULL,       -- where the leading process is to be reached; others forward commands to it
  build     bigint NOT NULL,     -- an older build never takes the lead from a newer one
  head      bigint NOT NULL,     -- the log's last seq
  published bigint NOT NULL,     -- everything up to here is on the bus
  commits   bigint NOT NULL      -- counts batches, because a batch without events does not move head
);

-- Everything the service ever said: event store, outbox and audit trail in one.
CREATE TABLE log (
  lane   integer NOT NULL,
  gen    bigint NOT NULL,
  seq    bigint NOT NULL,           -- dense: 1, 2, 3 …; given by the writer, because a sequence would leave holes
  key    text COLLATE "C" NOT NULL, -- what the event is about
  name   text COLLATE "C" NOT NULL, -- the event's name
  schema integer NOT NULL,          -- the version of its Avro schema
  body   bytea NOT NULL,            -- the Avro datum; personal data only sealed
  cause  text COLLATE "C" NOT NULL, -- source and id of the event that led to it
  trace  text COLLATE "C" NOT NULL, -- W3C traceparent
  epoch  bigint NOT NULL,           -- the reign that committed it
  at     bigint NOT NULL,           -- microseconds since 1970; never runs backwards
  PRIMARY KEY (lane, gen, seq)
);
-- For the timeline of one order.
CREATE INDEX log_by_key ON log (key, lane, gen, seq);

-- What the events fold to, kept so that nothing is folded twice. Can be rebuilt from the log at any time.
CREATE TABLE state (
  kind    text COLLATE "C" NOT NULL, -- carries its shape (`stock.1`), so that two builds keep rows side by side
  key     text COLLATE "C" NOT NULL,
  lane    integer NOT NULL,
  seq     bigint NOT NULL,           -- the last event folded in
  version bigint NOT NULL,           -- how many events are folded in
  body    bytea NOT NULL,
  PRIMARY KEY (kind, key)
);

-- How far each source is read. Moved in the transaction that takes the records: the only duplicate check there is.
CREATE TABLE cursor (
  source      text COLLATE "C" NOT NULL,
  gen         bigint NOT NULL,
  lane        integer NOT NULL,
  seq         bigint NOT NULL, -- the last record taken
  offset_hint bigint,          -- where to begin to look for the next one; a hint only, never trusted
  PRIMARY KEY (source, gen, lane)
);

-- What was asked of the world and of the clock and is not answered yet.
CREATE TABLE work (
  name    text COLLATE "C" NOT NULL, -- the effect or timer
  key     text COLLATE "C" NOT NULL, -- with the name, the idempotency key
  lane    integer NOT NULL,
  seq     bigint NOT NULL,           -- grows with each that is asked for, from the log's head: effects of one family run in this order
  due     bigint NOT NULL,           -- microseconds since 1970
  shape   integer NOT NULL,          -- of the body
  body    bytea NOT NULL,
  cause   text COLLATE "C" NOT NULL, -- the event it was asked for with, which causes whatever its answer says
  trace   text COLLATE "C" NOT NULL, -- W3C traceparent, so that the call is part of the order's trace, also after a restart
  stuck   text COLLATE "C",          -- why a person must look at it; such a row is not performed
  PRIMARY KEY (key, name)            -- the key first: it also finds everything that an order still waits for
);
-- The order of performing.
CREATE INDEX work_by_due ON work (due, seq, name, key) WHERE stuck IS NULL;

-- Records that could not be taken, and what came behind them for the same source and key, with their original bytes.
CREATE TABLE parked (
  id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- in the order of parking, never used again
  source text COLLATE "C" NOT NULL,
  gen    bigint NOT NULL,
  lane   integer NOT NULL,
  seq    bigint NOT NULL,
  key    text COLLATE "C" NOT NULL,
  name   text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  schema integer NOT NULL,
  cause  text COLLATE "C" NOT NULL,
  trace  text COLLATE "C" NOT NULL,
  at     bigint NOT NULL,
  body   bytea NOT NULL,
  since  bigint NOT NULL -- microseconds since 1970
);
-- By hash, because what is parked may be anything: a key too long for an ordinary index must not be refused here.
CREATE INDEX parked_by_key ON parked USING hash (key);

-- The one lane, with a log that begins now.
INSERT INTO lead (lane, gen, epoch, owner, build, head, published, commits)
VALUES (0, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, 0, '', 0, 0, 0, 0);
