-- The event of a change, and the index of reminders, in the statement that makes the change.

CREATE TRIGGER IF NOT EXISTS task_inserted AFTER INSERT ON task
BEGIN
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at)
    VALUES (NEW.id, NEW.user_id, NEW.version, NEW.event_type, NEW.event_data, NEW.updated_at);
  INSERT INTO reminder (id, task_id, remind_at, status)
    SELECT value ->> 'id', NEW.id, value ->> 'remindAt', value ->> 'status' FROM json_each(NEW.reminders);
END

CREATE TRIGGER IF NOT EXISTS task_changed AFTER UPDATE OF version ON task
BEGIN
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at)
    VALUES (NEW.id, NEW.user_id, NEW.version, NEW.event_type, NEW.event_data, NEW.updated_at);
  DELETE FROM reminder WHERE task_id = NEW.id;
  INSERT INTO reminder (id, task_id, remind_at, status)
    SELECT value ->> 'id', NEW.id, value ->> 'remindAt', value ->> 'status' FROM json_each(NEW.reminders);
END
