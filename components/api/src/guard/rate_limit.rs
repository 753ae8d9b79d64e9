//! What a user's requests cost in a minute.
//!
//! Counted in the database, for all instances and replicas together. Each request costs 1 before anything of it is done. One that turns
//! out to be more work is charged for the rest before it begins, all or nothing: see [`charge`].
//!
//! An instance takes from the count what it needs at first, then twice as much each time it runs out, so that a busy user costs one
//! write for many requests, and a slow one is charged for few requests that never come. While one request takes more than it needs,
//! concurrent ones take what they need: what an instance has taken is used before it takes much again.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_domain::id::UserId;

use crate::db::{Database, DbError};
use crate::error::ServiceError;
use crate::limit::{Limit, OverLimit};

/// How much an instance takes from the count at once, unless a request needs more.
const LARGEST_LEASE: u32 = 16;

/// What an instance has taken for a user and not used. It is a count and holds nothing of a request.
struct Lease {
    minute: i64,
    left: u32,
    /// What was asked for last, by a request that asked for more than it needed.
    size: u32,
    /// Such a request is asking at the moment.
    asking: bool,
    /// The least that the minute's count did not have. What is left of a minute never becomes more.
    refused: Option<u32>,
}

static LEASES: Mutex<Option<HashMap<UserId, Lease>>> = Mutex::new(None);

/// Middleware of the routes for users: 429 when the caller's minute is used up. The request costs 1.
pub(crate) async fn limit(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let user = crate::auth::user(&mut parts).await?;
    if let Some(limit) = Limit::CostPerMinute.most().await.map_err(Problem::from)? {
        charge_of(&user.id, 1, 1, limit).await?;
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Charges a user for work that is about to be done, beside the 1 of its request: all of it, or nothing. The work has no smaller parts,
/// so what costs more than a minute has, costs a whole minute: otherwise it could never be done.
///
/// # Errors
///
/// [`ServiceError::OverLimit`] if that is more than is left of the minute.
pub(crate) async fn charge(user_id: &UserId, cost: u32) -> Result<(), ServiceError> {
    if cost == 0 {
        return Ok(());
    }
    let Some(limit) = Limit::CostPerMinute.most().await? else {
        return Ok(());
    };
    let cost = cost.min(limit.saturating_sub(1));
    charge_of(user_id, cost, cost, limit).await
}

/// The same for the rest of what a request costs, of which 1 is charged already.
pub(crate) async fn charge_rest(user_id: &UserId, cost: u32) -> Result<(), ServiceError> {
    let Some(limit) = Limit::CostPerMinute.most().await? else {
        return Ok(());
    };
    let whole = cost.min(limit);
    charge_of(user_id, whole.saturating_sub(1), whole, limit).await
}

/// The same for a request that its user can divide: one that costs more than a minute has is refused.
pub(crate) async fn charge_parts(user_id: &UserId, cost: u32) -> Result<(), ServiceError> {
    let Some(limit) = Limit::CostPerMinute.most().await? else {
        return Ok(());
    };
    charge_of(user_id, cost.saturating_sub(1), cost, limit).await
}

/// Charges `cost` for something that costs `whole`.
async fn charge_of(user_id: &UserId, cost: u32, whole: u32, limit: u32) -> Result<(), ServiceError> {
    if cost == 0 {
        return Ok(());
    }
    let now = Timestamp::now();
    let minute = now.as_second().div_euclid(60);
    if whole > limit || !granted(user_id, minute, cost, limit).await? {
        let seconds = 60 - now.as_second().rem_euclid(60);
        let over = OverLimit::rate(Limit::CostPerMinute, limit, seconds as u32);
        return Err(OverLimit { asked: whole, ..over }.into());
    }
    Ok(())
}

async fn granted(user_id: &UserId, minute: i64, cost: u32, limit: u32) -> Result<bool, DbError> {
    let ask = match taken(user_id, minute, cost) {
        Taken::All => return Ok(true),
        Taken::Over => return Ok(false),
        Taken::Ask(ask) => ask,
    };
    let granted = take(user_id, minute, &ask, limit).await;
    keep(user_id, minute, &ask, granted.as_ref().ok().copied());
    Ok(granted? >= ask.need)
}

/// What is to be taken from the minute's count.
#[derive(Debug, PartialEq, Eq)]
struct Ask {
    /// What the request needs beside what it has.
    need: u32,
    /// What it would like: at least what it needs.
    size: u32,
    /// What it has from the lease.
    has: u32,
    /// Whether it asks for others as well.
    for_others: bool,
}

/// What an instance finds in its own lease.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    All,
    Over,
    /// Ask the database, and give the answer to [`keep`].
    Ask(Ask),
}

fn taken(user_id: &UserId, minute: i64, cost: u32) -> Taken {
    let alone = Taken::Ask(Ask {
        need: cost,
        size: cost,
        has: 0,
        for_others: false,
    });
    // Nothing here panics, so the lock is never poisoned; if it were, every request would be counted by itself.
    let Ok(mut leases) = LEASES.lock() else {
        return alone;
    };
    let leases = leases.get_or_insert_default();
    if leases.get(user_id).is_none_or(|lease| lease.minute != minute) {
        let first = Lease {
            minute,
            left: 0,
            size: 0,
            asking: false,
            refused: None,
        };
        leases.insert(user_id.clone(), first);
    }
    let Some(lease) = leases.get_mut(user_id) else {
        return alone;
    };
    if lease.left >= cost {
        lease.left -= cost;
        return Taken::All;
    }
    let need = cost - lease.left;
    if lease.refused.is_some_and(|refused| refused <= need) {
        return Taken::Over;
    }
    let has = std::mem::take(&mut lease.left);
    let for_others = !lease.asking;
    let mut size = need;
    if for_others {
        lease.asking = true;
        lease.size = (lease.size * 2).clamp(1, LARGEST_LEASE);
        size = need.max(lease.size);
    }
    Taken::Ask(Ask {
        need,
        size,
        has,
        for_others,
    })
}

/// Puts what a request does not use back into the lease of the same minute: the rest of what was granted or, if that is not enough,
/// what it had. `None` means that asking failed.
fn keep(user_id: &UserId, minute: i64, ask: &Ask, granted: Option<u32>) {
    let Ok(mut leases) = LEASES.lock() else {
        return;
    };
    let lease = leases.get_or_insert_default().get_mut(user_id);
    if let Some(lease) = lease.filter(|lease| lease.minute == minute) {
        let granted_or_none = granted.unwrap_or_default();
        lease.left += match granted_or_none.checked_sub(ask.need) {
            Some(rest) => rest,
            None => ask.has + granted_or_none,
        };
        if granted.is_some_and(|granted| granted < ask.need) {
            lease.refused = Some(lease.refused.map_or(ask.need, |refused| refused.min(ask.need)));
        }
        lease.asking &= !ask.for_others;
    }
}

/// Takes from a user's minute what is asked for, or less if less is left, but at least what is needed; otherwise nothing.
async fn take(user_id: &UserId, minute: i64, ask: &Ask, limit: u32) -> Result<u32, DbError> {
    let database = Database::open().await?;
    let granted = grant(&database, user_id, minute, ask, limit).await?;
    Ok(u32::try_from(granted).unwrap_or_default())
}

/// Deletes counts of an hour ago and before: accounts may be gone.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    let sql = "DELETE FROM request_rate WHERE minute < $1";
    let minute = now.as_second().div_euclid(60) - 60;
    database.execute(sql, [minute.into()]).await
}

async fn grant(
    database: &Database,
    user_id: &UserId,
    minute: i64,
    ask: &Ask,
    limit: u32,
) -> Result<i64, DbError> {
    // A replica of the version before counts beyond the limit.
    let spent = "CASE WHEN request_rate.minute = excluded.minute THEN request_rate.requests ELSE 0 END";
    let granted = format!(
        "CASE WHEN {spent} + $3 <= $5 THEN $3 WHEN {spent} + $4 <= $5 THEN $5 - ({spent}) ELSE 0 END"
    );
    let sql = format!(
        "INSERT INTO request_rate (user_id, minute, requests, granted) \
         VALUES ($1, CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($3 AS BIGINT)) \
         ON CONFLICT (user_id) DO UPDATE SET minute = excluded.minute, requests = {spent} + {granted}, granted = {granted} \
         RETURNING granted"
    );
    // The first of a user: what is needed is not more than the limit.
    let size = ask.size.min(limit);
    let parameters = [
        user_id.into(),
        minute.into(),
        size.into(),
        ask.need.into(),
        limit.into(),
    ];
    let rows = database.query(&sql, parameters).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(user: &UserId, minute: i64, cost: u32) -> Ask {
        match taken(user, minute, cost) {
            Taken::Ask(ask) => ask,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn requests_at_the_same_time_lose_nothing_of_what_was_taken() {
        let user = &"at-the-same-time".parse().unwrap();
        let first = asks(user, 1, 1);
        assert_eq!((first.need, first.size), (1, 1));
        keep(user, 1, &first, Some(1));
        let many = asks(user, 1, 1);
        assert_eq!((many.need, many.size), (1, 2));
        let beside = asks(user, 1, 1);
        assert_eq!(
            (beside.need, beside.size),
            (1, 1),
            "one asks for others, the others for themselves"
        );
        keep(user, 1, &many, Some(2));
        keep(user, 1, &beside, Some(1));
        assert_eq!(
            taken(user, 1, 1),
            Taken::All,
            "the answer of the other came later"
        );
        let more = asks(user, 1, 1);
        assert_eq!(more.size, 4);
        assert_eq!(asks(user, 2, 1).size, 1, "a minute is not the next one");
        keep(user, 1, &more, Some(4));
        let next = asks(user, 2, 1);
        assert_eq!(
            (next.has, next.for_others),
            (0, false),
            "what was of the minute before is gone"
        );
    }

    #[test]
    fn asking_in_vain_leaves_asking_to_the_next() {
        let user = &"in-vain".parse().unwrap();
        let failed = asks(user, 1, 1);
        keep(user, 1, &failed, None);
        let refused = asks(user, 1, 1);
        assert_eq!(refused.size, 2);
        keep(user, 1, &refused, Some(0));
        assert_eq!(taken(user, 1, 1), Taken::Over);
    }

    #[test]
    fn what_costs_too_much_takes_nothing_and_leaves_the_rest_to_what_costs_less() {
        let user = &"too-much".parse().unwrap();
        keep(user, 1, &asks(user, 1, 1), Some(1));
        keep(user, 1, &asks(user, 1, 1), Some(2));
        let large = asks(user, 1, 100);
        assert_eq!((large.need, large.size, large.has), (99, 99, 1));
        keep(user, 1, &large, Some(0));
        assert_eq!(taken(user, 1, 101), Taken::Over, "less than that was refused");
        assert_eq!(taken(user, 1, 1), Taken::All, "what it had is back");
        assert_eq!(asks(user, 1, 50).need, 50, "that may still be left");
    }
}
