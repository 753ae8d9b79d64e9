-- What a statement of the rate limit was granted of a minute: see guard/rate_limit.rs.

ALTER TABLE request_rate ADD COLUMN IF NOT EXISTS granted BIGINT NOT NULL DEFAULT 0

CREATE INDEX IF NOT EXISTS request_rate_by_minute ON request_rate (minute)

-- What a user has, kept by triggers and compared by the statements that store more: see limit.rs and tasks/room.rs. tasks: those that
-- are not deleted. kept_bytes: responses that are kept for their Idempotency-Key, each with the 512 bytes that the rest of its row is
-- counted as.

CREATE TABLE IF NOT EXISTS usage (
  user_id TEXT NOT NULL PRIMARY KEY,
  tasks BIGINT NOT NULL DEFAULT 0,
  kept_bytes BIGINT NOT NULL DEFAULT 0
)

-- Which versions of tasks a response shows, instead of its body: see guard/idempotency/kept.rs.

ALTER TABLE idempotency ADD COLUMN IF NOT EXISTS versions TEXT

-- Reminders of a user in a minute; the user comes last, so that the statement that leases does not take it to group by users. And responses,
-- of which the oldest is the first to go.

CREATE INDEX IF NOT EXISTS reminder_by_minute ON reminder ((remind_at / 60000), user_id) WHERE status = 'scheduled'

CREATE INDEX IF NOT EXISTS idempotency_of_user ON idempotency (user_id, created_at)

-- Streams of changes that are open, and when they are over even if the process that served them is gone: see guard/open_feeds.rs.

CREATE TABLE IF NOT EXISTS open_feed (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  expires_at BIGINT NOT NULL
)

CREATE INDEX IF NOT EXISTS open_feed_of_user ON open_feed (user_id, expires_at)

CREATE INDEX IF NOT EXISTS open_feed_by_end ON open_feed (expires_at)
