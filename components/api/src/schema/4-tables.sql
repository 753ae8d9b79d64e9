-- What search looks for: each word of title and description once, folded, behind a mark of its owner. See search/words.rs.

ALTER TABLE task ADD COLUMN IF NOT EXISTS terms TEXT
