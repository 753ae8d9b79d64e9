-- Lists in every order, filters by label, versions of labels, stored responses, rates.
-- {title} and {priority} are what lists compare: see list.rs.

CREATE INDEX IF NOT EXISTS task_by_updated ON task (user_id, updated_at, id) WHERE deleted_at IS NULL

CREATE INDEX IF NOT EXISTS task_by_due ON task (user_id, COALESCE(due_at, 9007199254740991), id) WHERE deleted_at IS NULL

CREATE INDEX IF NOT EXISTS task_by_due_last ON task (user_id, COALESCE(due_at, -1), id) WHERE deleted_at IS NULL

CREATE INDEX IF NOT EXISTS task_by_priority ON task (user_id, {priority}, id) WHERE deleted_at IS NULL

CREATE INDEX IF NOT EXISTS task_by_title ON task (user_id, {title}, id) WHERE deleted_at IS NULL

CREATE INDEX IF NOT EXISTS task_by_category ON task (category_id, created_at, id) WHERE deleted_at IS NULL AND category_id IS NOT NULL

CREATE INDEX IF NOT EXISTS task_by_series ON task (series_id, occurrence) WHERE series_id IS NOT NULL

CREATE TABLE IF NOT EXISTS task_tag (
  tag_id TEXT NOT NULL,
  task_id TEXT NOT NULL,
  PRIMARY KEY (tag_id, task_id)
)

CREATE INDEX IF NOT EXISTS task_tag_by_task ON task_tag (task_id)

ALTER TABLE category ADD COLUMN IF NOT EXISTS version BIGINT NOT NULL DEFAULT 1

ALTER TABLE tag ADD COLUMN IF NOT EXISTS version BIGINT NOT NULL DEFAULT 1

CREATE TABLE IF NOT EXISTS idempotency (
  user_id TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  claimed_at BIGINT NOT NULL,
  claim TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  status BIGINT,
  headers TEXT,
  body TEXT,
  PRIMARY KEY (user_id, key)
)

CREATE INDEX IF NOT EXISTS idempotency_by_age ON idempotency (created_at)

CREATE TABLE IF NOT EXISTS request_rate (
  user_id TEXT NOT NULL PRIMARY KEY,
  minute BIGINT NOT NULL,
  requests BIGINT NOT NULL
)
