-- The event of a change, and the index of reminders, in the statement that makes the change. A reminder whose instant and status
-- stay keeps its lease.

CREATE OR REPLACE FUNCTION task_stored() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at)
    VALUES (NEW.id, NEW.user_id, NEW.version, NEW.event_type, NEW.event_data, NEW.updated_at);
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM reminder WHERE task_id = NEW.id
      AND id NOT IN (SELECT value ->> 'id' FROM jsonb_array_elements(NEW.reminders::jsonb));
  END IF;
  INSERT INTO reminder (id, task_id, user_id, remind_at, status, attempt_at)
    SELECT value ->> 'id', NEW.id, NEW.user_id, (value ->> 'remindAt')::bigint, value ->> 'status', (value ->> 'remindAt')::bigint
    FROM jsonb_array_elements(NEW.reminders::jsonb)
    ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, remind_at = excluded.remind_at, status = excluded.status,
      attempt_at = excluded.attempt_at, leased_until = NULL
      WHERE reminder.remind_at <> excluded.remind_at OR reminder.status <> excluded.status;
  RETURN NULL;
END
$body$

-- Its lock waits for statements that still run the function as it was, so that the next migration step sees their rows.

CREATE OR REPLACE TRIGGER task_stored AFTER INSERT OR UPDATE OF version ON task
  FOR EACH ROW EXECUTE FUNCTION task_stored()
