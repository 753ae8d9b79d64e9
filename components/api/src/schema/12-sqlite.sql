-- A notice is stored by the statement that changes the profile. A profile has another version when its emails are stopped or resumed.

CREATE TRIGGER IF NOT EXISTS person_notice AFTER UPDATE OF notice_id ON person WHEN NEW.notice_id IS NOT NULL
BEGIN
  INSERT INTO notice (id, user_id, kind, recipient, created_at, attempts, attempt_at)
    VALUES (NEW.notice_id, NEW.id, NEW.notice_kind, NEW.notice_to, NEW.updated_at, 0, NEW.updated_at + 30000);
END

CREATE TRIGGER IF NOT EXISTS recipient_stopped AFTER UPDATE OF stopped_at ON recipient
BEGIN
  UPDATE person SET version = version + 1 WHERE id = NEW.user_id;
END

CREATE TRIGGER IF NOT EXISTS mailbox_blocked AFTER UPDATE OF blocked_at ON mailbox
BEGIN
  UPDATE person SET version = version + 1 WHERE id IN (SELECT user_id FROM recipient WHERE mailbox = NEW.mailbox);
END
