-- A notice is stored by the statement that changes the profile. A profile has another version when its emails are stopped or resumed.

CREATE OR REPLACE FUNCTION person_notice() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO notice (id, user_id, kind, recipient, created_at, attempts, attempt_at)
    VALUES (NEW.notice_id, NEW.id, NEW.notice_kind, NEW.notice_to, NEW.updated_at, 0, NEW.updated_at + 30000);
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER person_notice AFTER UPDATE OF notice_id ON person
  FOR EACH ROW WHEN (NEW.notice_id IS NOT NULL) EXECUTE FUNCTION person_notice()

CREATE OR REPLACE FUNCTION recipient_stopped() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  UPDATE person SET version = version + 1 WHERE id = NEW.user_id;
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER recipient_stopped AFTER UPDATE OF stopped_at ON recipient
  FOR EACH ROW EXECUTE FUNCTION recipient_stopped()

CREATE OR REPLACE FUNCTION mailbox_blocked() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  UPDATE person SET version = version + 1 WHERE id IN (SELECT user_id FROM recipient WHERE mailbox = NEW.mailbox);
  RETURN NULL;
END
$body$

CREATE OR REPLACE TRIGGER mailbox_blocked AFTER UPDATE OF blocked_at ON mailbox
  FOR EACH ROW EXECUTE FUNCTION mailbox_blocked()
