-- Counted once a statement and in the order of users, so that two statements about many users do not wait for each other.

CREATE OR REPLACE FUNCTION tasks_counted() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO usage AS known (user_id, tasks)
    SELECT user_id, COUNT(*) FROM added WHERE deleted_at IS NULL GROUP BY user_id ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET tasks = known.tasks + excluded.tasks;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER tasks_counted AFTER INSERT ON task
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tasks_counted()

-- Tasks are deleted one by one, and those that are purged were deleted before.

CREATE OR REPLACE FUNCTION task_deletion_counted() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  UPDATE usage SET tasks = tasks + CASE WHEN TG_OP = 'UPDATE' AND OLD.deleted_at IS NOT NULL THEN 1 ELSE -1 END
    WHERE user_id = OLD.user_id;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER task_deletion_counted AFTER UPDATE OF deleted_at ON task
  FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION task_deletion_counted()

CREATE OR REPLACE TRIGGER task_purge_counted AFTER DELETE ON task
  FOR EACH ROW WHEN (OLD.deleted_at IS NULL) EXECUTE FUNCTION task_deletion_counted()

CREATE OR REPLACE FUNCTION idempotency_counted() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO usage AS known (user_id, kept_bytes) VALUES (NEW.user_id, 512 + COALESCE(OCTET_LENGTH(NEW.body), OCTET_LENGTH(NEW.versions), 0))
      ON CONFLICT (user_id) DO UPDATE SET kept_bytes = known.kept_bytes + excluded.kept_bytes;
  ELSE
    UPDATE usage SET kept_bytes = kept_bytes + COALESCE(OCTET_LENGTH(NEW.body), OCTET_LENGTH(NEW.versions), 0) - COALESCE(OCTET_LENGTH(OLD.body), OCTET_LENGTH(OLD.versions), 0)
      WHERE user_id = NEW.user_id;
  END IF;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER idempotency_counted AFTER INSERT OR UPDATE OF body, versions ON idempotency
  FOR EACH ROW EXECUTE FUNCTION idempotency_counted()

CREATE OR REPLACE FUNCTION idempotency_deletions_counted() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
  forgotten RECORD;
BEGIN
  FOR forgotten IN SELECT user_id, SUM(512 + COALESCE(OCTET_LENGTH(body), OCTET_LENGTH(versions), 0)) AS bytes FROM removed GROUP BY user_id ORDER BY user_id LOOP
    UPDATE usage SET kept_bytes = kept_bytes - forgotten.bytes WHERE user_id = forgotten.user_id;
  END LOOP;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER idempotency_deletions_counted AFTER DELETE ON idempotency
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION idempotency_deletions_counted()

-- What was there before. The lock waits for statements that began before the triggers, and keeps others out while their rows are counted.

DO $body$
BEGIN
  LOCK TABLE task IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO usage (user_id, tasks) SELECT user_id, COUNT(*) FROM task WHERE deleted_at IS NULL GROUP BY user_id
    ON CONFLICT (user_id) DO UPDATE SET tasks = excluded.tasks;
END
$body$

DO $body$
BEGIN
  LOCK TABLE idempotency IN SHARE ROW EXCLUSIVE MODE;
  INSERT INTO usage (user_id, kept_bytes) SELECT user_id, SUM(512 + COALESCE(OCTET_LENGTH(body), OCTET_LENGTH(versions), 0)) FROM idempotency GROUP BY user_id
    ON CONFLICT (user_id) DO UPDATE SET kept_bytes = excluded.kept_bytes;
END
$body$
