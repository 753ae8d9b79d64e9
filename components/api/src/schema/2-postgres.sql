-- A sequence gives numbers before rows are visible, so a reader of the change feed could pass over one that commits late.
-- The transaction's number tells what may still come: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT

ALTER TABLE task_event ADD COLUMN IF NOT EXISTS commit_order BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)

CREATE INDEX IF NOT EXISTS task_event_by_user ON task_event (user_id, commit_order, seq)

-- Which task is tagged with which tag, updated by the statement that changes the task. A deleted task has no tags.

CREATE OR REPLACE FUNCTION task_tags_stored() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.tag_ids = OLD.tag_ids AND NEW.deleted_at IS NULL THEN
      RETURN NULL;
    END IF;
    DELETE FROM task_tag WHERE task_id = NEW.id;
  END IF;
  INSERT INTO task_tag (tag_id, task_id)
    SELECT value, NEW.id FROM jsonb_array_elements_text(NEW.tag_ids::jsonb) WHERE NEW.deleted_at IS NULL;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER task_tags_stored AFTER INSERT OR UPDATE OF tag_ids, deleted_at ON task
  FOR EACH ROW EXECUTE FUNCTION task_tags_stored()

INSERT INTO task_tag (tag_id, task_id)
  SELECT value, task.id FROM task, jsonb_array_elements_text(task.tag_ids::jsonb) WHERE task.deleted_at IS NULL
  ON CONFLICT DO NOTHING
