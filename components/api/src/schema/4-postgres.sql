-- The terms are stored as lexemes without a text search configuration. Without a pending list, no search has to
-- read one.

CREATE INDEX IF NOT EXISTS task_by_terms ON task USING gin (CAST(terms AS tsvector)) WITH (fastupdate = off)
  WHERE deleted_at IS NULL
