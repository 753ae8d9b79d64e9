//! What a user can do with agents.

use jiff::{SignedDuration, Timestamp};
use nudge_contract::agent::{Agent, CreatedAgent, DEFAULT_DAYS, MAX_DAYS, TOKEN_PREFIX};
use nudge_domain::id::UserId;
use nudge_domain::task::{FieldName, Mistake, Patch};
use uuid::Uuid;

use super::{NewAgent, store};
use crate::auth::{agent, revocation};
use crate::caller::Caller;
use crate::db::{Database, DbError, milliseconds};
use crate::error::ServiceError;
use crate::limit::{Limit, OverLimit};
use crate::profile;
use crate::random_token;
use crate::version::Thing;

/// How long an agent whose token has expired is still listed, so that its user sees why it stopped working.
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How much earlier or later the clock of a client may be that computes an expiry.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A user's agents, the oldest first.
pub(crate) async fn list(database: &Database, user_id: &UserId) -> Result<Vec<Agent>, DbError> {
    store::list(database, user_id).await
}

/// One of a user's agents.
pub(crate) async fn read(caller: &Caller, id: Uuid) -> Result<Agent, ServiceError> {
    let found = store::find(&caller.database, &caller.user.id, id).await?;
    found.ok_or(ServiceError::NotFound(Thing::Agent))
}

/// Creates an agent of this id. Only this result has its token.
pub(crate) async fn create(caller: &Caller, id: Uuid, new: NewAgent) -> Result<CreatedAgent, ServiceError> {
    let Caller { user, database, .. } = caller;
    let agent = draft(id, new, milliseconds(Timestamp::now()))?;
    let most = Limit::Agents.most().await?;
    // Requests of the agent say no zone and no address, so those of this one have to be known.
    profile::remember(database, user, agent.created_at).await?;
    let token = format!("{TOKEN_PREFIX}{}", random_token::new());
    if store::insert(database, &user.id, &agent, &agent::hash(&token), most).await? {
        agent::forget(&user.id);
        return Ok(CreatedAgent { agent, token });
    }
    match most {
        Some(most) if !store::is_name_taken(database, &user.id, &agent.name).await? => {
            Err(OverLimit::quota(Limit::Agents, most).into())
        }
        _ => Err(ServiceError::NameTaken(Thing::Agent)),
    }
}

fn draft(id: Uuid, new: NewAgent, now: Timestamp) -> Result<Agent, Vec<Mistake>> {
    let mut mistakes = new.unreadable;
    let mut wrong = |field: &str, code, message: &str| {
        mistakes.push(Mistake::new(FieldName::Named(field.to_owned()), code, message));
    };
    if matches!(new.name, Patch::Absent | Patch::Null) {
        wrong("name", "required", "an agent needs a name");
    }
    if matches!(new.scope, Patch::Absent | Patch::Null) {
        wrong("scope", "required", "say what the agent may do: read, or write");
    }
    let given_days = matches!(new.days, Patch::Value(_));
    let expires_at = match (new.expires_at.value(), new.days.value()) {
        (Some(at), None) => milliseconds(at),
        (None, days) => after(now, days.unwrap_or(DEFAULT_DAYS)),
        (Some(at), Some(_)) => {
            wrong("days", "ambiguous", "give expiresAt or days, not both");
            at
        }
    };
    let (first, last) = (after(now, 1), after(now, MAX_DAYS));
    if first.duration_since(expires_at) > LEEWAY || expires_at.duration_since(last) > LEEWAY {
        let field = if given_days { "days" } else { "expiresAt" };
        let message =
            format!("a token is valid for 1 to {MAX_DAYS} days, until a time from {first} to {last}");
        wrong(field, "invalid_expiry", &message);
    }
    match (new.name.value(), new.scope.value()) {
        (Some(name), Some(scope)) if mistakes.is_empty() => Ok(Agent {
            id,
            name: name.into(),
            scope,
            created_at: now,
            expires_at,
            last_used_at: None,
        }),
        _ => Err(mistakes),
    }
}

fn after(now: Timestamp, days: u32) -> Timestamp {
    let time = DAY.saturating_mul(days.try_into().unwrap_or(i32::MAX));
    now.saturating_add(time).unwrap_or(Timestamp::MAX)
}

/// Removes an agent: its token counts no more. On this instance it takes effect at once.
pub(crate) async fn delete(caller: &Caller, id: Uuid) -> Result<(), ServiceError> {
    let Caller { user, database, .. } = caller;
    if !store::delete(database, &user.id, id).await? {
        return Err(ServiceError::NotFound(Thing::Agent));
    }
    agent::forget(&user.id);
    Ok(())
}

/// Revokes tokens of a user: those that were issued until now and all agents, or the token or agent with an id.
pub(crate) async fn revoke_tokens(
    database: &Database,
    user_id: &UserId,
    token_id: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    revocation::revoke(database, user_id, token_id, now).await?;
    store::delete_revoked(database, user_id, token_id).await?;
    agent::forget(user_id);
    Ok(())
}

/// Removes agents whose tokens expired long ago.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    store::delete_expired(database, now.saturating_sub(LISTED).unwrap_or(Timestamp::MIN)).await
}
