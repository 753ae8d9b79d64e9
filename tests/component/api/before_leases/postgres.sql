-- The event of a change, and the index of reminders, in the statement that makes the change.

CREATE OR REPLACE FUNCTION task_stored() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at)
    VALUES (NEW.id, NEW.user_id, NEW.version, NEW.event_type, NEW.event_data, NEW.updated_at);
  DELETE FROM reminder WHERE task_id = NEW.id;
  INSERT INTO reminder (id, task_id, remind_at, status)
    SELECT value ->> 'id', NEW.id, (value ->> 'remindAt')::bigint, value ->> 'status'
    FROM jsonb_array_elements(NEW.reminders::jsonb);
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER task_stored AFTER INSERT OR UPDATE OF version ON task
  FOR EACH ROW EXECUTE FUNCTION task_stored()
