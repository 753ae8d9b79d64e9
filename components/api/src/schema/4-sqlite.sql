-- FTS5 needs a number for each task, one that VACUUM does not change. Newer tasks have higher numbers.

CREATE TABLE IF NOT EXISTS task_number (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT NOT NULL UNIQUE
)

-- Terms are split at spaces; they are stored only with the task. An owner's prefix and the place have seven
-- characters, so these are prefixes of one, two and three characters of a word.

CREATE VIRTUAL TABLE IF NOT EXISTS task_text
  USING fts5 (terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii', prefix = '8 9 10')

INSERT INTO task_number (task_id) SELECT id FROM task WHERE TRUE ORDER BY created_at, id ON CONFLICT (task_id) DO NOTHING

-- The index changes in the statement that changes the task. A deleted task is not in it.

CREATE TRIGGER IF NOT EXISTS task_text_inserted AFTER INSERT ON task
BEGIN
  INSERT INTO task_number (task_id) VALUES (NEW.id) ON CONFLICT (task_id) DO NOTHING;
  INSERT INTO task_text (rowid, terms) SELECT number, NEW.terms FROM task_number WHERE task_id = NEW.id;
END

CREATE TRIGGER IF NOT EXISTS task_text_changed AFTER UPDATE OF terms, deleted_at ON task
  WHEN NEW.terms IS NOT OLD.terms OR NEW.deleted_at IS NOT OLD.deleted_at
BEGIN
  DELETE FROM task_text WHERE rowid = (SELECT number FROM task_number WHERE task_id = NEW.id);
  INSERT INTO task_text (rowid, terms)
    SELECT number, NEW.terms FROM task_number WHERE task_id = NEW.id AND NEW.deleted_at IS NULL;
END

CREATE TRIGGER IF NOT EXISTS task_text_removed AFTER DELETE ON task
BEGIN
  DELETE FROM task_text WHERE rowid = (SELECT number FROM task_number WHERE task_id = OLD.id);
  DELETE FROM task_number WHERE task_id = OLD.id;
END
