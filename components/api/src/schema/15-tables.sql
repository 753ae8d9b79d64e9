-- When a due reminder was given back last, and why, as a word: see tasks/trail.rs. Both stay when it is leased again.

ALTER TABLE reminder ADD COLUMN IF NOT EXISTS held_at BIGINT

ALTER TABLE reminder ADD COLUMN IF NOT EXISTS held_because TEXT
