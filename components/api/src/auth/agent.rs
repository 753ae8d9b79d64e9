//! Tokens of agents: `nudge_` and 256 random bits in Base64url. The database has their SHA-256, which cannot be turned back, and an
//! instance keeps what it read about one for 10 seconds (`recent.rs`). So a token that is revoked, or whose user closes the account, stops
//! working everywhere within that time, and a warm instance needs no statement to check one.
//!
//! A token stands for its user, but not for all that they may do: `guard/scope.rs` and `mcp/tools.rs` say what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_component::Problem;
use nudge_contract::agent::{Scope, TOKEN_PREFIX};
use nudge_domain::Zone;
use nudge_domain::id::UserId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::User;
use super::recent::Read;
use super::refusal::refuse;
use crate::db::{Database, DbError, Row};
use crate::random_token;

/// Maximum number of tokens that an instance keeps, of those that count and of those that do not.
const MAX_KEPT: usize = 512;

/// How often the last use of a token is written at most. Within it, the time that is shown may be too early.
const USED_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// The agent that acts for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agent {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) scope: Scope,
}

/// What the database has about a token.
#[derive(Debug, Clone)]
struct Stored {
    user_id: UserId,
    agent: Arc<Agent>,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
}

/// SHA-256 of a token, in hexadecimal digits.
type Hash = String;

/// Tokens as this instance last read them. They are what the database says, and nothing of a request.
static KNOWN: Mutex<Known> = Mutex::new(Known {
    stored: BTreeMap::new(),
    unknown: BTreeMap::new(),
});

struct Known {
    stored: BTreeMap<Hash, Read<Stored>>,
    /// Tokens that do not count. They are apart, so that guesses do not displace what is known.
    unknown: BTreeMap<Hash, Read<()>>,
}

/// Whether a token claims to be one of an agent. No JWT does: those begin with the Base64url of a brace.
pub(super) fn is_one(token: &str) -> bool {
    token.starts_with(TOKEN_PREFIX)
}

/// What is stored of a token.
pub(crate) fn hash(token: &str) -> Hash {
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The user whose agent has this token. 401 if there is none, or it has expired; 503 if that cannot be known.
pub(super) async fn check(token: &str, now: Timestamp) -> Result<User, Problem> {
    if !token.strip_prefix(TOKEN_PREFIX).is_some_and(random_token::is_one) {
        return Err(refuse(
            "is not complete: one of an agent is nudge_ and 43 characters",
        ));
    }
    let hash = hash(token);
    let found = known().find(&hash, now);
    let stored = match found {
        Found::Stored(stored) => Some(stored),
        Found::Unknown => None,
        Found::Ask => read(&hash, now).await?,
    };
    let stored = stored.ok_or_else(|| {
        refuse("is of an agent that was removed, or never was: create another one under /api/v1/agents")
    })?;
    if now >= stored.expires_at {
        return Err(refuse("has expired: create another agent under /api/v1/agents"));
    }
    note_use(&hash, &stored, now);
    Ok(User {
        id: stored.user_id,
        email: None,
        zone: Zone::utc(),
        says_zone: false,
        agent: Some(stored.agent),
    })
}

enum Found {
    Stored(Stored),
    Unknown,
    Ask,
}

impl Known {
    fn find(&mut self, hash: &Hash, now: Timestamp) -> Found {
        if let Some(stored) = self.stored.get_mut(hash) {
            return stored
                .usable(now)
                .map_or(Found::Ask, |stored| Found::Stored(stored.clone()));
        }
        match self.unknown.get_mut(hash).and_then(|read| read.usable(now)) {
            Some(()) => Found::Unknown,
            None => Found::Ask,
        }
    }

    fn keep(&mut self, hash: &Hash, now: Timestamp, stored: Option<&Stored>) {
        match stored {
            Some(stored) => {
                make_room(&mut self.stored, hash);
                self.stored.insert(hash.clone(), Read::new(now, stored.clone()));
            }
            None => {
                self.stored.remove(hash);
                make_room(&mut self.unknown, hash);
                self.unknown.insert(hash.clone(), Read::new(now, ()));
            }
        }
    }
}

fn make_room<T>(map: &mut BTreeMap<Hash, T>, hash: &Hash) {
    if map.len() >= MAX_KEPT && !map.contains_key(hash) {
        map.clear();
    }
}

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One statement: a revocation of all tokens of the user, or of this one by its id, ends it as well, and so does a closing account. The
/// rows of agents are deleted in these cases, but by statements of their own.
async fn read(hash: &Hash, now: Timestamp) -> Result<Option<Stored>, Problem> {
    let sql = "SELECT user_id, id, name, scope, expires_at, last_used_at FROM agent WHERE token_hash = $1 \
         AND NOT EXISTS (SELECT 1 FROM token_revocation AS revoked WHERE revoked.user_id = agent.user_id \
         AND ((revoked.token_id = '' AND revoked.revoked_at >= agent.created_at) OR revoked.token_id = agent.id)) \
         AND NOT EXISTS (SELECT 1 FROM person WHERE person.id = agent.user_id AND person.leaving_since IS NOT NULL)";
    let rows = Database::open().await?.query(sql, [hash.as_str().into()]).await?;
    let stored = rows.first().map(of_row).transpose()?;
    known().keep(hash, now, stored.as_ref());
    Ok(stored)
}

fn of_row(row: &Row) -> Result<Stored, DbError> {
    Ok(Stored {
        user_id: row.parsed(0)?,
        agent: Arc::new(Agent {
            id: row.parsed(1)?,
            name: row.text(2)?.to_owned(),
            scope: row.parsed(3)?,
        }),
        expires_at: row.instant(4)?,
        used_at: row.maybe_int(5)?.map(|_| row.instant(5)).transpose()?,
    })
}

/// Forgets what this instance knows about the agents of a user: one was removed, or has another token.
pub(crate) fn forget(user_id: &UserId) {
    known()
        .stored
        .retain(|_, stored| stored.value.user_id != *user_id);
}

/// Writes when a token was last used, at most once a minute. The request does not wait for it.
fn note_use(hash: &Hash, stored: &Stored, now: Timestamp) {
    if !is_noted_again(stored.used_at, now) {
        return;
    }
    if let Some(kept) = known().stored.get_mut(hash) {
        kept.value.used_at = Some(now);
    }
    let id = stored.agent.id;
    spin_sdk::wasip3::spawn(async move {
        if let Err(error) = store_use(id, now).await {
            tracing::warn!("the last use of an agent's token is not noted: {error}");
        }
    });
}

fn is_noted_again(used_at: Option<Timestamp>, now: Timestamp) -> bool {
    used_at.is_none_or(|at| now.duration_since(at) >= USED_AGAIN)
}

/// Another instance may have noted it in the meantime.
async fn store_use(id: Uuid, now: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE agent SET last_used_at = CAST($2 AS BIGINT) WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
    let before = now.saturating_sub(USED_AGAIN).unwrap_or(Timestamp::MIN);
    let parameters = [id.into(), now.into(), before.into()];
    Database::open().await?.execute(sql, parameters).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn stored(user: &str) -> Stored {
        Stored {
            user_id: user.parse().unwrap(),
            agent: Arc::new(Agent {
                id: Uuid::nil(),
                name: "Laptop".to_owned(),
                scope: Scope::Read,
            }),
            expires_at: at(1_000),
            used_at: None,
        }
    }

    fn empty() -> Known {
        Known {
            stored: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }

    #[test]
    fn what_is_stored_of_a_token_is_its_sha_256() {
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_token_that_was_removed_is_not_known_any_more() {
        let (mut known, token) = (empty(), "a".to_owned());
        known.keep(&token, at(1), Some(&stored("alice")));
        assert!(matches!(known.find(&token, at(2)), Found::Stored(_)));
        known.keep(&token, at(6), None);
        assert!(matches!(known.find(&token, at(7)), Found::Unknown));
        assert!(matches!(known.find(&token, at(16)), Found::Ask));
    }

    #[test]
    fn guesses_do_not_displace_tokens_that_count() {
        let (mut known, token) = (empty(), "a".to_owned());
        known.keep(&token, at(1), Some(&stored("alice")));
        for guess in 0..=MAX_KEPT {
            known.keep(&guess.to_string(), at(1), None);
        }
        assert_eq!(known.unknown.len(), 1);
        assert!(matches!(known.find(&token, at(2)), Found::Stored(_)));
    }

    #[test]
    fn the_last_use_is_noted_once_a_minute() {
        assert!(is_noted_again(None, at(0)));
        assert!(!is_noted_again(Some(at(0)), at(59)));
        assert!(is_noted_again(Some(at(0)), at(60)));
    }
}
