-- A user's tasks by number, which a search scans before it uses the index: see search.rs.

ALTER TABLE task_number ADD COLUMN IF NOT EXISTS user_id TEXT

CREATE TRIGGER IF NOT EXISTS task_number_owned AFTER INSERT ON task_number
BEGIN
  UPDATE task_number SET user_id = (SELECT user_id FROM task WHERE id = NEW.task_id) WHERE number = NEW.number;
END

INSERT INTO task_number (task_id, user_id) SELECT id, user_id FROM task WHERE TRUE
  ON CONFLICT (task_id) DO UPDATE SET user_id = excluded.user_id

CREATE INDEX IF NOT EXISTS task_number_of_user ON task_number (user_id, number)
