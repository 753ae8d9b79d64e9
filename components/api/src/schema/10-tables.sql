-- Due reminders are leased: see tasks/leases.rs. Only scheduled reminders need these columns.
-- attempt_at: when it may be leased next. leased_until: the end of the lease that is in force.

ALTER TABLE reminder ADD COLUMN IF NOT EXISTS user_id TEXT

ALTER TABLE reminder ADD COLUMN IF NOT EXISTS attempt_at BIGINT

ALTER TABLE reminder ADD COLUMN IF NOT EXISTS leased_until BIGINT
