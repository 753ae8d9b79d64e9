-- One statement per paragraph; each can be repeated. Instants are milliseconds since 1970, ids lower-case UUIDs.
-- {serial} is what the two dialects write differently: see schema.rs.

CREATE TABLE IF NOT EXISTS task (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT,
  status TEXT NOT NULL,
  priority TEXT NOT NULL,
  due_at BIGINT,
  time_zone TEXT NOT NULL,
  category_id TEXT,
  tag_ids TEXT NOT NULL,
  recurrence TEXT,
  recurrence_from TEXT NOT NULL,
  reminders TEXT NOT NULL,
  series_id TEXT,
  series_start BIGINT,
  occurrence BIGINT NOT NULL,
  successor TEXT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  completed_at BIGINT,
  deleted_at BIGINT,
  event_type TEXT NOT NULL,
  event_data TEXT NOT NULL
)

CREATE INDEX IF NOT EXISTS task_by_user ON task (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL

CREATE INDEX IF NOT EXISTS task_without_successor ON task (updated_at) WHERE successor = 'pending'

CREATE TABLE IF NOT EXISTS task_event (
  seq {serial},
  task_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  published_at BIGINT,
  UNIQUE (task_id, version)
)

CREATE INDEX IF NOT EXISTS task_event_left_over ON task_event (seq) WHERE published_at IS NULL

CREATE TABLE IF NOT EXISTS reminder (
  id TEXT NOT NULL PRIMARY KEY,
  task_id TEXT NOT NULL,
  remind_at BIGINT NOT NULL,
  status TEXT NOT NULL,
  user_id TEXT,
  attempt_at BIGINT,
  leased_until BIGINT
)

CREATE INDEX IF NOT EXISTS reminder_by_task ON reminder (task_id)

CREATE TABLE IF NOT EXISTS category (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  color TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, name)
)

CREATE TABLE IF NOT EXISTS tag (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  color TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, name)
)

CREATE TABLE IF NOT EXISTS person (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT,
  time_zone TEXT NOT NULL,
  updated_at BIGINT NOT NULL
)
