-- No conflict clause: that of the statement that fires a trigger would replace it (https://sqlite.org/lang_createtrigger.html).

CREATE TRIGGER IF NOT EXISTS task_counted AFTER INSERT ON task WHEN NEW.deleted_at IS NULL
BEGIN
  INSERT INTO usage (user_id) SELECT NEW.user_id WHERE NOT EXISTS (SELECT 1 FROM usage WHERE user_id = NEW.user_id);
  UPDATE usage SET tasks = tasks + 1 WHERE user_id = NEW.user_id;
END

CREATE TRIGGER IF NOT EXISTS task_deletion_counted AFTER UPDATE OF deleted_at ON task
  WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)
BEGIN
  UPDATE usage SET tasks = tasks + CASE WHEN NEW.deleted_at IS NULL THEN 1 ELSE -1 END WHERE user_id = NEW.user_id;
END

CREATE TRIGGER IF NOT EXISTS task_purge_counted AFTER DELETE ON task WHEN OLD.deleted_at IS NULL
BEGIN
  UPDATE usage SET tasks = tasks - 1 WHERE user_id = OLD.user_id;
END

CREATE TRIGGER IF NOT EXISTS idempotency_counted AFTER INSERT ON idempotency
BEGIN
  INSERT INTO usage (user_id) SELECT NEW.user_id WHERE NOT EXISTS (SELECT 1 FROM usage WHERE user_id = NEW.user_id);
  UPDATE usage SET kept_bytes = kept_bytes + 512 + COALESCE(LENGTH(CAST(NEW.body AS BLOB)), LENGTH(NEW.versions), 0) WHERE user_id = NEW.user_id;
END

CREATE TRIGGER IF NOT EXISTS idempotency_change_counted AFTER UPDATE OF body, versions ON idempotency
BEGIN
  UPDATE usage SET kept_bytes = kept_bytes + COALESCE(LENGTH(CAST(NEW.body AS BLOB)), LENGTH(NEW.versions), 0) - COALESCE(LENGTH(CAST(OLD.body AS BLOB)), LENGTH(OLD.versions), 0)
    WHERE user_id = NEW.user_id;
END

CREATE TRIGGER IF NOT EXISTS idempotency_deletion_counted AFTER DELETE ON idempotency
BEGIN
  UPDATE usage SET kept_bytes = kept_bytes - 512 - COALESCE(LENGTH(CAST(OLD.body AS BLOB)), LENGTH(OLD.versions), 0) WHERE user_id = OLD.user_id;
END

-- What was there before. One statement sees no other in between.

INSERT INTO usage (user_id, tasks, kept_bytes)
  SELECT user_id, SUM(tasks), SUM(kept_bytes) FROM (
    SELECT user_id, COUNT(*) AS tasks, 0 AS kept_bytes FROM task WHERE deleted_at IS NULL GROUP BY user_id
    UNION ALL
    SELECT user_id, 0, SUM(512 + COALESCE(LENGTH(CAST(body AS BLOB)), LENGTH(versions), 0)) FROM idempotency GROUP BY user_id
  ) GROUP BY user_id
  ON CONFLICT (user_id) DO UPDATE SET tasks = excluded.tasks, kept_bytes = excluded.kept_bytes
