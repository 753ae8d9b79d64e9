-- Search terms: each word of title and description once, folded, with the prefix of its owner. See terms/words.rs.

ALTER TABLE task ADD COLUMN IF NOT EXISTS terms TEXT
