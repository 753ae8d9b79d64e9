//! How many requests a user may send in a minute.
//!
//! Counted in the database, for all instances and replicas together. An instance takes requests from the count one at a
//! time at first, then twice as many each time it runs out, so that a busy user costs a write for many requests and a slow
//! one is charged for few that never come.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::settings::variable;

use crate::db::{Database, DbError};

/// Requests of a minute when the variable `rate_limit_per_minute` is not set.
const DEFAULT_LIMIT: u32 = 1200;

/// Most requests that an instance takes from the count at once.
const LARGEST_LEASE: u32 = 16;

/// What an instance has taken for a user and not used. A count, nothing of a request.
struct Lease {
    minute: i64,
    left: u32,
    size: u32,
    /// The minute's count is used up.
    over: bool,
}

static LEASES: Mutex<Option<HashMap<String, Lease>>> = Mutex::new(None);

/// Middleware of the routes of people: 429 when the caller has sent too many.
pub(crate) async fn limit(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let user = crate::auth::user(&mut parts).await?;
    check(user.id.as_str(), Timestamp::now()).await?;
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// Counts a request of a user, or refuses it.
pub(crate) async fn check(user_id: &str, now: Timestamp) -> Result<(), Problem> {
    let limit = match variable("rate_limit_per_minute")
        .await
        .map_err(Problem::internal)?
    {
        None => DEFAULT_LIMIT,
        Some(text) => text.parse().map_err(|_| {
            Problem::internal(format!(
                "variable rate_limit_per_minute is {text}, not a whole number"
            ))
        })?,
    };
    let minute = now.as_second().div_euclid(60);
    if limit == 0 {
        return Ok(());
    }
    let size = match taken(user_id, minute) {
        Taken::One => return Ok(()),
        Taken::Over => return Err(too_many(now)),
        Taken::None(size) => size,
    };
    let counted = count(&Database::open().await?, user_id, minute, size).await?;
    let before = counted.saturating_sub(i64::from(size));
    let granted = (i64::from(limit) - before).clamp(0, i64::from(size)) as u32;
    keep(
        user_id,
        Lease {
            minute,
            left: granted.saturating_sub(1),
            size,
            over: granted == 0,
        },
    );
    if granted == 0 {
        return Err(too_many(now));
    }
    Ok(())
}

enum Taken {
    One,
    Over,
    /// None is left: so many are to be taken next.
    None(u32),
}

fn taken(user_id: &str, minute: i64) -> Taken {
    // A poisoned lock cannot be, for nothing here panics; were it, every request would be counted by itself.
    let Ok(mut leases) = LEASES.lock() else {
        return Taken::None(1);
    };
    match leases.get_or_insert_default().get_mut(user_id) {
        Some(lease) if lease.minute == minute && lease.left > 0 => {
            lease.left -= 1;
            Taken::One
        }
        Some(lease) if lease.minute == minute && lease.over => Taken::Over,
        Some(lease) if lease.minute == minute => Taken::None((lease.size * 2).min(LARGEST_LEASE)),
        _ => Taken::None(1),
    }
}

fn keep(user_id: &str, lease: Lease) {
    if let Ok(mut leases) = LEASES.lock() {
        leases.get_or_insert_default().insert(user_id.to_owned(), lease);
    }
}

/// Adds to the count of a user's minute and gives it back.
async fn count(database: &Database, user_id: &str, minute: i64, requests: u32) -> Result<i64, DbError> {
    let sql = "INSERT INTO request_rate (user_id, minute, requests) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET minute = excluded.minute, \
         requests = CASE WHEN request_rate.minute = excluded.minute THEN request_rate.requests ELSE 0 END + excluded.requests \
         RETURNING requests";
    let rows = database
        .query(sql, [user_id.into(), minute.into(), requests.into()])
        .await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

fn too_many(now: Timestamp) -> Problem {
    let seconds = 60 - now.as_second().rem_euclid(60);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        format!("too many requests within a minute: go on in {seconds} seconds"),
    )
    .header(RETRY_AFTER, HeaderValue::from(seconds))
}
