-- What the api stored: a task of each user.
CREATE TEMP TABLE template AS
SELECT row_number() OVER (ORDER BY user_id) - 1 AS place, to_jsonb(tasks)::text AS task, to_jsonb(reminders)::text AS one,
  tasks.id::text AS id, reminders.id::text AS reminder, created_at, substring(title FROM '[0-9]+') AS number
FROM seed.tasks JOIN seed.reminders ON reminders.task_id = tasks.id
