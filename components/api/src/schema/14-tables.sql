-- Tokens that count no more: see auth/revocation.rs. token_id is the claim jti of one token of the user; an empty one stands for all
-- that were issued until revoked_at.

CREATE TABLE IF NOT EXISTS token_revocation (
  user_id TEXT NOT NULL,
  token_id TEXT NOT NULL,
  revoked_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, token_id)
)

CREATE INDEX IF NOT EXISTS token_revocation_by_time ON token_revocation (revoked_at)
