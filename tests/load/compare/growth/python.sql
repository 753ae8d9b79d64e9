-- Tasks no. $1 to $2 of $3, each a copy of the template of its user, with ids and a number of its own, created some time in the year
-- before the template.
WITH copy AS MATERIALIZED (
  SELECT template.*, gen_random_uuid()::text AS new_id, gen_random_uuid()::text AS new_reminder,
    (10000000 + counted.place)::text AS new_number,
    template.created_at - (CAST($3 AS bigint) - counted.place) * (interval '365 days' / CAST($3 AS bigint)) AS time
  FROM generate_series(CAST($1 AS bigint), CAST($2 AS bigint)) AS counted (place)
  CROSS JOIN LATERAL (
    SELECT * FROM template WHERE template.place = counted.place % (SELECT count(*) FROM template) LIMIT 1
  ) AS template
), stored AS (
  INSERT INTO seed.tasks
  SELECT task.* FROM copy CROSS JOIN LATERAL jsonb_populate_record(NULL::seed.tasks,
    CAST(replace(replace(copy.task, copy.id, copy.new_id), copy.number, copy.new_number) AS jsonb)
    || jsonb_build_object('created_at', copy.time, 'updated_at', copy.time)) AS task
)
INSERT INTO seed.reminders
SELECT reminder.* FROM copy CROSS JOIN LATERAL jsonb_populate_record(NULL::seed.reminders,
  CAST(replace(replace(copy.one, copy.id, copy.new_id), copy.reminder, copy.new_reminder) AS jsonb)) AS reminder
