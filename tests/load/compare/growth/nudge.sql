-- Tasks no. $1 to $2 of $3, each a copy of the template of its user, with ids and a number of its own, created some time in the year
-- before the template. Their events are published.
WITH stored AS (
  INSERT INTO task
  SELECT copy.*
  FROM generate_series(CAST($1 AS bigint), CAST($2 AS bigint)) AS counted (place)
  CROSS JOIN LATERAL (
    SELECT * FROM template WHERE template.place = counted.place % (SELECT count(*) FROM template) LIMIT 1
  ) AS template
  CROSS JOIN LATERAL (
    SELECT created_at, lpad(to_hex(created_at), 12, '0') AS hex,
      to_char(to_timestamp(created_at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS text
    FROM (
      SELECT template.created_at - (CAST($3 AS bigint) - counted.place) * (365 * 24 * 3600000::bigint) / $3 AS created_at
    ) AS milliseconds
  ) AS time
  -- UUIDv7, RFC 9562 section 5.7
  CROSS JOIN LATERAL (
    SELECT substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7' || substr(gen_random_uuid()::text, 16) AS task,
      substr(hex, 1, 8) || '-' || substr(hex, 9) || '-7' || substr(gen_random_uuid()::text, 16) AS reminder
  ) AS id
  CROSS JOIN LATERAL jsonb_populate_record(NULL::task, CAST(
    replace(replace(replace(replace(template.task,
      template.id, id.task),
      template.reminder, id.reminder),
      template.created, time.text),
      template.number, (10000000 + counted.place)::text) AS jsonb)
    || jsonb_build_object('created_at', time.created_at, 'updated_at', time.created_at)) AS copy
  RETURNING *
), event AS (
  INSERT INTO task_event (task_id, user_id, version, type, data, created_at, published_at)
  SELECT id, user_id, version, event_type, event_data, updated_at, updated_at FROM stored
)
INSERT INTO reminder (id, task_id, remind_at, status)
SELECT value ->> 'id', stored.id, (value ->> 'remindAt')::bigint, value ->> 'status'
FROM stored, jsonb_array_elements(stored.reminders::jsonb)
