-- What changed, in the order it was stored; a task's own changes are found by UNIQUE (task_id, version).

CREATE INDEX IF NOT EXISTS task_event_by_user ON task_event (user_id, seq)

-- Which task is tagged with which tag, updated by the statement that changes the task. A deleted task has no tags.

CREATE TRIGGER IF NOT EXISTS task_tags_inserted AFTER INSERT ON task WHEN NEW.tag_ids <> '[]'
BEGIN
  INSERT INTO task_tag (tag_id, task_id) SELECT value, NEW.id FROM json_each(NEW.tag_ids);
END

CREATE TRIGGER IF NOT EXISTS task_tags_changed AFTER UPDATE OF tag_ids, deleted_at ON task
  WHEN NEW.tag_ids <> OLD.tag_ids OR NEW.deleted_at IS NOT NULL
BEGIN
  DELETE FROM task_tag WHERE task_id = NEW.id;
  INSERT INTO task_tag (tag_id, task_id) SELECT value, NEW.id FROM json_each(NEW.tag_ids) WHERE NEW.deleted_at IS NULL;
END

INSERT INTO task_tag (tag_id, task_id)
  SELECT value, task.id FROM task, json_each(task.tag_ids) WHERE task.deleted_at IS NULL AND task.tag_ids <> '[]'
  ON CONFLICT DO NOTHING
