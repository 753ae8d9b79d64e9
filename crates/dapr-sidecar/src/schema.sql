-- Instants are milliseconds since 1970, UTC.

CREATE TABLE IF NOT EXISTS message (
    pubsub     TEXT NOT NULL,
    topic      TEXT NOT NULL,
    partition  INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    key        TEXT,
    metadata   TEXT NOT NULL,          -- JSON object of strings
    body       BLOB NOT NULL,
    published  INTEGER NOT NULL,
    PRIMARY KEY (pubsub, topic, partition, position)
) WITHOUT ROWID;

-- The next position to be written; a table of its own because old messages are removed.
CREATE TABLE IF NOT EXISTS topic_end (
    pubsub     TEXT NOT NULL,
    topic      TEXT NOT NULL,
    partition  INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (pubsub, topic, partition)
) WITHOUT ROWID;

-- The next position to be delivered to each app: Dapr's consumer group is the app id.
CREATE TABLE IF NOT EXISTS consumer (
    app_id     TEXT NOT NULL,
    pubsub     TEXT NOT NULL,
    topic      TEXT NOT NULL,
    partition  INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (app_id, pubsub, topic, partition)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS state (
    store      TEXT NOT NULL,
    key        TEXT NOT NULL,          -- with Dapr's prefix, as in "orders||k1"
    value      TEXT NOT NULL,          -- JSON
    etag       TEXT NOT NULL,
    expires    INTEGER,
    PRIMARY KEY (store, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS state_expires ON state (expires) WHERE expires IS NOT NULL;

CREATE TABLE IF NOT EXISTS job (
    app_id     TEXT NOT NULL,
    name       TEXT NOT NULL,
    incarnation TEXT NOT NULL,         -- changes when a job is overwritten
    spec       TEXT NOT NULL,          -- JSON as it was scheduled
    expires    INTEGER,
    due        INTEGER NOT NULL,       -- the tick to fire next
    fired      INTEGER NOT NULL,       -- ticks that are over
    PRIMARY KEY (app_id, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS job_due ON job (app_id, due);
