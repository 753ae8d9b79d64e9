-- While an account is being deleted, no statement can store rows of it: see account/erasure.rs. Every task has an owner.

CREATE TRIGGER IF NOT EXISTS task_of_nobody BEFORE INSERT ON task
  WHEN NOT EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NULL)
BEGIN
  SELECT RAISE(ABORT, 'account_leaving');
END

CREATE TRIGGER IF NOT EXISTS task_of_leaving BEFORE UPDATE OF version ON task
  WHEN NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'account_leaving');
END

CREATE TRIGGER IF NOT EXISTS category_of_leaving BEFORE INSERT ON category
  WHEN EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'account_leaving');
END

CREATE TRIGGER IF NOT EXISTS tag_of_leaving BEFORE INSERT ON tag
  WHEN EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'account_leaving');
END

CREATE TRIGGER IF NOT EXISTS idempotency_of_leaving BEFORE INSERT ON idempotency
  WHEN EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'account_leaving');
END

-- Purging a row also deletes its events and its reminders, in one statement.

CREATE TRIGGER IF NOT EXISTS task_purged AFTER DELETE ON task
BEGIN
  DELETE FROM task_event WHERE task_id = OLD.id;
  DELETE FROM reminder WHERE task_id = OLD.id;
END
