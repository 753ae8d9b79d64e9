-- What the api stored: a task of each user.
CREATE TEMP TABLE template AS
SELECT row_number() OVER (ORDER BY user_id) - 1 AS place, to_jsonb(task)::text AS task, id, created_at,
  reminders::jsonb -> 0 ->> 'id' AS reminder, event_data::jsonb #>> '{task,createdAt}' AS created,
  substring(title FROM '[0-9]+') AS number
FROM task WHERE EXISTS (SELECT 1 FROM task_event WHERE task_id = task.id AND published_at IS NOT NULL)
