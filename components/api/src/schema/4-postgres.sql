-- The terms are lexemes as they stand; no text search configuration has a say.

CREATE INDEX IF NOT EXISTS task_by_terms ON task USING gin (CAST(terms AS tsvector)) WHERE deleted_at IS NULL
