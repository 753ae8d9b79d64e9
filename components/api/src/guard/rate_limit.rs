//! How many requests a user may send in a minute.
//!
//! Counted in the database, for all instances and replicas together. An instance takes requests from the count one at a
//! time at first, then twice as many each time it runs out, so that a busy user costs one write for many requests, and a slow
//! one is charged for few requests that never come. While one request takes many, concurrent ones take one each: what an
//! instance has taken is used before it takes many again.

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

/// Maximum number of requests that an instance takes from the count at once.
const LARGEST_LEASE: u32 = 16;

/// What an instance has taken for a user and not used. It is a count and holds nothing of a request.
struct Lease {
    minute: i64,
    left: u32,
    /// What was asked for last.
    size: u32,
    /// A request is asking for `size` more.
    asking: bool,
    /// The minute's count is used up.
    over: bool,
}

static LEASES: Mutex<Option<HashMap<UserId, Lease>>> = Mutex::new(None);

/// Middleware of the routes for users: 429 when the caller has sent too many requests.
pub(crate) async fn limit(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let user = crate::auth::user(&mut parts).await?;
    check(&user.id, Timestamp::now()).await?;
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Counts a request of a user, or refuses it.
pub(crate) async fn check(user_id: &UserId, now: Timestamp) -> Result<(), ServiceError> {
    let Some(limit) = Limit::CostPerMinute.most().await? else {
        return Ok(());
    };
    let minute = now.as_second().div_euclid(60);
    let (size, asking) = match taken(user_id, minute) {
        Taken::One => return Ok(()),
        Taken::Over => return Err(too_many(limit, now)),
        Taken::None(size) => (size, true),
        Taken::Beside => (1, false),
    };
    let granted = take(user_id, minute, size, limit).await;
    keep(user_id, minute, granted.as_ref().ok().copied(), asking);
    if granted? == 0 {
        return Err(too_many(limit, now));
    }
    Ok(())
}

/// What an instance finds in its own lease.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    One,
    Over,
    /// None is left: take this many next, and give them to [`keep`].
    None(u32),
    /// None is left, and another request is about to take many: take one.
    Beside,
}

fn taken(user_id: &UserId, minute: i64) -> Taken {
    // Nothing here panics, so the lock is never poisoned; if it were, every request would be counted by itself.
    let Ok(mut leases) = LEASES.lock() else {
        return Taken::Beside;
    };
    let leases = leases.get_or_insert_default();
    match leases.get_mut(user_id) {
        Some(lease) if lease.minute == minute => {
            if lease.left > 0 {
                lease.left -= 1;
                Taken::One
            } else if lease.over {
                Taken::Over
            } else if lease.asking {
                Taken::Beside
            } else {
                lease.asking = true;
                lease.size = (lease.size * 2).min(LARGEST_LEASE);
                Taken::None(lease.size)
            }
        }
        _ => {
            let first = Lease {
                minute,
                left: 0,
                size: 1,
                asking: true,
                over: false,
            };
            leases.insert(user_id.clone(), first);
            Taken::None(1)
        }
    }
}

/// Adds what was granted, less the request that asked, to what is left of the same minute. `None` means that asking failed.
fn keep(user_id: &UserId, minute: i64, granted: Option<u32>, asked: bool) {
    let Ok(mut leases) = LEASES.lock() else {
        return;
    };
    let lease = leases.get_or_insert_default().get_mut(user_id);
    if let Some(lease) = lease.filter(|lease| lease.minute == minute) {
        lease.left += granted.unwrap_or_default().saturating_sub(1);
        lease.over |= granted == Some(0);
        lease.asking &= !asked;
    }
}

/// Takes up to `size` requests from a user's minute: as many as the limit leaves.
async fn take(user_id: &UserId, minute: i64, size: u32, limit: u32) -> Result<u32, DbError> {
    let counted = count(&Database::open().await?, user_id, minute, size).await?;
    let before = counted.saturating_sub(i64::from(size));
    Ok((i64::from(limit) - before).clamp(0, i64::from(size)) as u32)
}

/// Adds to the count of a user's minute and gives it back.
async fn count(database: &Database, user_id: &UserId, minute: i64, requests: u32) -> Result<i64, DbError> {
    let sql = "INSERT INTO request_rate (user_id, minute, requests) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET minute = excluded.minute, \
         requests = CASE WHEN request_rate.minute = excluded.minute THEN request_rate.requests ELSE 0 END + excluded.requests \
         RETURNING requests";
    let rows = database
        .query(sql, [user_id.into(), minute.into(), requests.into()])
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

fn too_many(limit: u32, now: Timestamp) -> ServiceError {
    let seconds = 60 - now.as_second().rem_euclid(60);
    OverLimit::rate(Limit::CostPerMinute, limit, seconds as u32).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_at_the_same_time_lose_nothing_of_what_was_taken() {
        let user = &"at-the-same-time".parse().unwrap();
        assert_eq!(taken(user, 1), Taken::None(1));
        keep(user, 1, Some(1), true);
        assert_eq!(taken(user, 1), Taken::None(2));
        assert_eq!(taken(user, 1), Taken::Beside, "one asks for many, others for one");
        keep(user, 1, Some(2), true);
        keep(user, 1, Some(1), false);
        assert_eq!(taken(user, 1), Taken::One, "the answer of the other came later");
        assert_eq!(taken(user, 1), Taken::None(4));
        assert_eq!(taken(user, 2), Taken::None(1), "a minute is not the next one");
        keep(user, 1, Some(4), true);
        assert_eq!(
            taken(user, 2),
            Taken::Beside,
            "what was of the minute before is gone"
        );
    }

    #[test]
    fn asking_in_vain_leaves_asking_to_the_next() {
        let user = &"in-vain".parse().unwrap();
        assert_eq!(taken(user, 1), Taken::None(1));
        keep(user, 1, None, true);
        assert_eq!(taken(user, 1), Taken::None(2));
        keep(user, 1, Some(0), true);
        assert_eq!(taken(user, 1), Taken::Over);
    }
}
