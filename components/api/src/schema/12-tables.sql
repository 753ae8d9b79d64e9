-- Addresses that wait for confirmation, emails about accounts, and recipients: see recipients.rs. A mailbox is the SHA-256 of an address.
-- An address that was set before counts as confirmed.

ALTER TABLE person ADD COLUMN IF NOT EXISTS pending_email TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS pending_token TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS pending_at BIGINT

CREATE UNIQUE INDEX IF NOT EXISTS person_by_pending_token ON person (pending_token) WHERE pending_token IS NOT NULL

CREATE INDEX IF NOT EXISTS person_by_pending_at ON person (pending_at) WHERE pending_at IS NOT NULL

-- The notice that a change of the profile requests. A trigger turns it into a row of notice.

ALTER TABLE person ADD COLUMN IF NOT EXISTS notice_id TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS notice_kind TEXT

ALTER TABLE person ADD COLUMN IF NOT EXISTS notice_to TEXT

CREATE TABLE IF NOT EXISTS notice (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  recipient TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  attempt_at BIGINT NOT NULL
)

CREATE INDEX IF NOT EXISTS notice_due ON notice (attempt_at, id)

CREATE INDEX IF NOT EXISTS notice_of_user ON notice (user_id)

-- A mailbox that a user's emails go to, and why they stopped.

CREATE TABLE IF NOT EXISTS recipient (
  user_id TEXT NOT NULL,
  mailbox TEXT NOT NULL,
  stop_token TEXT NOT NULL,
  stopped_at BIGINT,
  stop_reason TEXT,
  stop_code BIGINT,
  PRIMARY KEY (user_id, mailbox)
)

CREATE UNIQUE INDEX IF NOT EXISTS recipient_by_stop_token ON recipient (stop_token)

CREATE INDEX IF NOT EXISTS recipient_by_mailbox ON recipient (mailbox)

-- What is known about a mailbox, whoever writes to it: emails of a day, and whether its holder wants none at all. It survives accounts.

CREATE TABLE IF NOT EXISTS mailbox (
  mailbox TEXT NOT NULL PRIMARY KEY,
  block_token TEXT NOT NULL,
  blocked_at BIGINT,
  day BIGINT NOT NULL,
  emails BIGINT NOT NULL,
  confirmations BIGINT NOT NULL
)

CREATE UNIQUE INDEX IF NOT EXISTS mailbox_by_block_token ON mailbox (block_token)

CREATE INDEX IF NOT EXISTS mailbox_by_day ON mailbox (day) WHERE blocked_at IS NULL

-- Emails of a user on one day.

CREATE TABLE IF NOT EXISTS email_count (
  user_id TEXT NOT NULL PRIMARY KEY,
  day BIGINT NOT NULL,
  emails BIGINT NOT NULL,
  confirmations BIGINT NOT NULL
)

CREATE INDEX IF NOT EXISTS email_count_by_day ON email_count (day)
