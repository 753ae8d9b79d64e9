-- What names that look the same have in common, and the name that it was made of: see labels.rs. A label has no key whose name another
-- one had before there were keys.

ALTER TABLE category ADD COLUMN IF NOT EXISTS name_key TEXT

ALTER TABLE tag ADD COLUMN IF NOT EXISTS name_key TEXT

ALTER TABLE category ADD COLUMN IF NOT EXISTS keyed_name TEXT

ALTER TABLE tag ADD COLUMN IF NOT EXISTS keyed_name TEXT

CREATE UNIQUE INDEX IF NOT EXISTS category_by_name_key ON category (user_id, name_key)

CREATE UNIQUE INDEX IF NOT EXISTS tag_by_name_key ON tag (user_id, name_key)

-- Labels whose key is not that of their name: see labels/keys.rs. There are none in the end.

CREATE INDEX IF NOT EXISTS category_with_old_key ON category (id) WHERE keyed_name IS NULL OR keyed_name <> name

CREATE INDEX IF NOT EXISTS tag_with_old_key ON tag (id) WHERE keyed_name IS NULL OR keyed_name <> name

-- Tasks that are not found as they should be before they get new terms: see search.rs. There are none in the end.

CREATE INDEX IF NOT EXISTS task_with_old_terms ON task (id) WHERE {old_terms}
