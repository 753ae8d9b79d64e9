-- While an account is being deleted, no statement can store rows of it: see account/erasure.rs. Every task has an owner.
-- The lock makes the mark wait for inserts that began before it, and inserts wait for the mark, so that the purge after it
-- is complete. Locks of a transaction end with the statement.

CREATE OR REPLACE FUNCTION stored_for_person() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(NEW.user_id, 0));
  END IF;
  IF EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NOT NULL)
    OR (TG_OP = 'INSERT' AND TG_TABLE_NAME = 'task' AND NOT EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id)) THEN
    RAISE EXCEPTION 'account_leaving';
  END IF;
  RETURN NEW;
END
$body$

CREATE OR REPLACE TRIGGER task_of_nobody BEFORE INSERT ON task
  FOR EACH ROW EXECUTE FUNCTION stored_for_person()

CREATE OR REPLACE TRIGGER task_of_leaving BEFORE UPDATE OF version ON task
  FOR EACH ROW WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION stored_for_person()

CREATE OR REPLACE TRIGGER category_of_leaving BEFORE INSERT ON category
  FOR EACH ROW EXECUTE FUNCTION stored_for_person()

CREATE OR REPLACE TRIGGER tag_of_leaving BEFORE INSERT ON tag
  FOR EACH ROW EXECUTE FUNCTION stored_for_person()

CREATE OR REPLACE TRIGGER idempotency_of_leaving BEFORE INSERT ON idempotency
  FOR EACH ROW EXECUTE FUNCTION stored_for_person()

CREATE OR REPLACE FUNCTION person_leaves() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(OLD.id, 0));
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$body$

CREATE OR REPLACE TRIGGER person_leaves BEFORE UPDATE OF leaving_since OR DELETE ON person
  FOR EACH ROW EXECUTE FUNCTION person_leaves()

-- Purging a row also deletes its events and its reminders, in one statement.

CREATE OR REPLACE FUNCTION task_purged() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  DELETE FROM task_event WHERE task_id = OLD.id;
  DELETE FROM reminder WHERE task_id = OLD.id;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER task_purged AFTER DELETE ON task
  FOR EACH ROW EXECUTE FUNCTION task_purged()
