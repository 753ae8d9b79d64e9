-- The terms are lexemes as they stand; no text search configuration has a say. Without a pending list a search never has to
-- read one.

CREATE INDEX IF NOT EXISTS task_by_terms ON task USING gin (CAST(terms AS tsvector)) WITH (fastupdate = off)
  WHERE deleted_at IS NULL
