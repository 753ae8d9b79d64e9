-- The lease that a reminder is in, or was in last: see tasks/leases.rs. One that is not leased by id has none.

ALTER TABLE reminder ADD COLUMN IF NOT EXISTS lease_id TEXT

-- What is in flight is counted by user, and a lease is found by its id.

CREATE INDEX IF NOT EXISTS reminder_in_flight ON reminder (leased_until, user_id, lease_id)
  WHERE status = 'scheduled' AND leased_until IS NOT NULL

DROP INDEX IF EXISTS reminder_leased

-- Those that were given back, so that it is known when the next of them is due.

CREATE INDEX IF NOT EXISTS reminder_resting ON reminder (attempt_at)
  WHERE status = 'scheduled' AND leased_until IS NULL AND lease_id IS NOT NULL

-- Dead letters about no known user, which have a bound of their own: see dead_letters.rs.

CREATE INDEX IF NOT EXISTS dead_letter_of_none ON dead_letter (arrived_at) WHERE user_id IS NULL
