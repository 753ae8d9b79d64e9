-- Reminders that were scheduled before. The others get the columns when they are scheduled again.

UPDATE reminder SET user_id = (SELECT user_id FROM task WHERE task.id = reminder.task_id), attempt_at = remind_at
  WHERE status = 'scheduled' AND attempt_at IS NULL

-- It has all columns by which reminders are chosen, so that a user's backlog is passed over without reading the rows; the
-- status, too, because SQLite does not conclude it from the condition.

CREATE INDEX IF NOT EXISTS reminder_due ON reminder (attempt_at, user_id, task_id, id, status) WHERE status = 'scheduled'

DROP INDEX IF EXISTS reminder_scheduled
