-- A key that is equal for names that look the same, and the name it was derived from: see labels.rs. If several labels had such
-- names before there were keys, only one has the key.

ALTER TABLE category ADD COLUMN IF NOT EXISTS name_key TEXT

ALTER TABLE tag ADD COLUMN IF NOT EXISTS name_key TEXT

ALTER TABLE category ADD COLUMN IF NOT EXISTS keyed_name TEXT

ALTER TABLE tag ADD COLUMN IF NOT EXISTS keyed_name TEXT

CREATE UNIQUE INDEX IF NOT EXISTS category_by_name_key ON category (user_id, name_key)

CREATE UNIQUE INDEX IF NOT EXISTS tag_by_name_key ON tag (user_id, name_key)

-- Labels whose key is not that of their name: see name_keys.rs. In the end there are none.

CREATE INDEX IF NOT EXISTS category_with_old_key ON category (id) WHERE keyed_name IS NULL OR keyed_name <> name

CREATE INDEX IF NOT EXISTS tag_with_old_key ON tag (id) WHERE keyed_name IS NULL OR keyed_name <> name

-- Tasks whose terms have to be updated before all searches find them: see reindex.rs. In the end there are none.

CREATE INDEX IF NOT EXISTS task_with_old_terms ON task (id) WHERE {old_terms}
