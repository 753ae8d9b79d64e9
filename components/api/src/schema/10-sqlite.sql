-- The event of a change, and the index of reminders, in the statement that makes the change. A reminder whose instant and status
-- stay keeps its lease. The old triggers are dropped after the new ones exist: in between, a change fails, and none is stored
-- without its event. The new ones have other names, so that another instance that migrates does not drop them.

CREATE TRIGGER IF NOT EXISTS task_stored AFTER INSERT ON task
BEGIN
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at)
    VALUES (NEW.id, NEW.user_id, NEW.version, NEW.event_type, NEW.event_data, NEW.updated_at);
  INSERT INTO reminder (id, task_id, user_id, remind_at, status, attempt_at)
    SELECT value ->> 'id', NEW.id, NEW.user_id, value ->> 'remindAt', value ->> 'status', value ->> 'remindAt'
    FROM json_each(NEW.reminders);
END

CREATE TRIGGER IF NOT EXISTS task_version_stored AFTER UPDATE OF version ON task
BEGIN
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at)
    VALUES (NEW.id, NEW.user_id, NEW.version, NEW.event_type, NEW.event_data, NEW.updated_at);
  DELETE FROM reminder WHERE task_id = NEW.id AND id NOT IN (SELECT value ->> 'id' FROM json_each(NEW.reminders));
  INSERT INTO reminder (id, task_id, user_id, remind_at, status, attempt_at)
    SELECT value ->> 'id', NEW.id, NEW.user_id, value ->> 'remindAt', value ->> 'status', value ->> 'remindAt'
    FROM json_each(NEW.reminders) WHERE TRUE
    ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, remind_at = excluded.remind_at, status = excluded.status,
      attempt_at = excluded.attempt_at, leased_until = NULL
      WHERE reminder.remind_at <> excluded.remind_at OR reminder.status <> excluded.status;
END

DROP TRIGGER IF EXISTS task_inserted

DROP TRIGGER IF EXISTS task_changed
