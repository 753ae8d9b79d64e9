-- While an account is being deleted, no statement can store rows of it: see account/erasure.rs.

CREATE TRIGGER IF NOT EXISTS agent_of_leaving BEFORE INSERT ON agent
  WHEN EXISTS (SELECT 1 FROM person WHERE id = NEW.user_id AND leaving_since IS NOT NULL)
BEGIN
  SELECT RAISE(ABORT, 'account_leaving');
END
