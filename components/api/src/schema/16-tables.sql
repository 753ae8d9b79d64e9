-- Programs that a user gave a token, of which the SHA-256 is stored: see auth/agent.rs. name_key is what makes two names the same.

CREATE TABLE IF NOT EXISTS agent (
  id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  scope TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_used_at BIGINT
)

CREATE UNIQUE INDEX IF NOT EXISTS agent_by_token ON agent (token_hash)

CREATE UNIQUE INDEX IF NOT EXISTS agent_by_name ON agent (user_id, name_key)

CREATE INDEX IF NOT EXISTS agent_by_end ON agent (expires_at)
