-- What a migration from the legacy system needs, see legacy.rs: numbers in that system and ids in Nudge, changes that wait for their
-- task, and which system reminds a user, where the latest row counts; * stands for all users.

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
