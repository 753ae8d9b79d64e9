-- Events that a consumer could not handle, until an operator replays or discards them: see dead_letters.rs.

CREATE TABLE IF NOT EXISTS dead_letter (
  id TEXT NOT NULL PRIMARY KEY,
  topic TEXT,
  consumer TEXT,
  reason TEXT NOT NULL,
  event TEXT NOT NULL,
  user_id TEXT,
  arrived_at BIGINT NOT NULL,
  replayed_at BIGINT
)

CREATE INDEX IF NOT EXISTS dead_letter_by_arrival ON dead_letter (arrived_at, id)

CREATE INDEX IF NOT EXISTS dead_letter_waiting ON dead_letter (arrived_at, id) WHERE replayed_at IS NULL

CREATE INDEX IF NOT EXISTS dead_letter_of_user ON dead_letter (user_id) WHERE user_id IS NOT NULL
