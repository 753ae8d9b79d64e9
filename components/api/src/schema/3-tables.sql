-- Settings of users, which override the claims of their tokens, and accounts that are being deleted.

ALTER TABLE person ADD COLUMN IF NOT EXISTS own_email TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS own_time_zone TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS quiet_hours TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS default_reminder BIGINT

ALTER TABLE person ADD COLUMN IF NOT EXISTS version BIGINT NOT NULL DEFAULT 1

ALTER TABLE person ADD COLUMN IF NOT EXISTS leaving_since BIGINT

CREATE INDEX IF NOT EXISTS person_leaving ON person (leaving_since) WHERE leaving_since IS NOT NULL

CREATE INDEX IF NOT EXISTS task_deleted ON task (user_id, id) WHERE deleted_at IS NOT NULL
