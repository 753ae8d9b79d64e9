-- While an account is being deleted, no statement can store rows of it: see account/erasure.rs.

CREATE OR REPLACE TRIGGER agent_of_leaving BEFORE INSERT ON agent
  FOR EACH ROW EXECUTE FUNCTION stored_for_person()
