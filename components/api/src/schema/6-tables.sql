-- What a migration from another system needs, see legacy.rs: which number there is which id here, changes whose task is not here yet,
-- and who reminds whom, of which the latest word counts; * is everybody.

CREATE TABLE IF NOT EXISTS legacy_number (
  kind TEXT NOT NULL,
  number BIGINT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (kind, number)
)

CREATE UNIQUE INDEX IF NOT EXISTS legacy_number_of ON legacy_number (id)

CREATE TABLE IF NOT EXISTS legacy_waiting (
  task BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  change TEXT NOT NULL,
  PRIMARY KEY (task, event_id)
)

CREATE INDEX IF NOT EXISTS legacy_waiting_of_user ON legacy_waiting (user_id)

CREATE TABLE IF NOT EXISTS legacy_master (
  user_id TEXT NOT NULL PRIMARY KEY,
  master TEXT NOT NULL,
  changed_at BIGINT NOT NULL
)
