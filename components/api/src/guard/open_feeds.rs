//! How many streams of changes a user has open, over all instances and replicas.
//!
//! A stream occupies a place of its instance, and an instance lives as long as its last stream. Each is a row that is deleted when the
//! stream ends, also because its client went away, and that counts no more after a while: its process may be gone.

use jiff::{SignedDuration, Timestamp};
use nudge_domain::id::UserId;
use uuid::Uuid;

use crate::db::{Database, DbError};
use crate::error::ServiceError;
use crate::limit::{Limit, OverLimit};

/// When a stream is over at the latest, unless its client takes nothing of it. It lasts 30 s and what its looks into the database take.
const LONGEST: SignedDuration = SignedDuration::from_secs(40);

/// A stream that is open. Dropping it ends it.
pub(crate) struct OpenFeed(Option<Uuid>);

/// Counts one more stream of a user.
///
/// # Errors
///
/// [`ServiceError::OverLimit`] if they have as many as they may, with the time until the oldest is over.
pub(crate) async fn open(
    database: &Database,
    user_id: &UserId,
    now: Timestamp,
) -> Result<OpenFeed, ServiceError> {
    let Some(most) = Limit::OpenFeeds.most().await? else {
        return Ok(OpenFeed(None));
    };
    let id = Uuid::now_v7();
    let sql = "INSERT INTO open_feed (id, user_id, expires_at) SELECT $1, $2, CAST($3 AS BIGINT) WHERE NOT EXISTS \
         (SELECT 1 FROM open_feed WHERE user_id = $2 AND expires_at > $4 LIMIT 1 OFFSET $5)";
    let parameters = [
        id.into(),
        user_id.into(),
        now.saturating_add(LONGEST).unwrap_or(Timestamp::MAX).into(),
        now.into(),
        most.saturating_sub(1).into(),
    ];
    if database.store(sql, parameters).await? {
        return Ok(OpenFeed(Some(id)));
    }
    let sql = "SELECT MIN(expires_at) FROM open_feed WHERE user_id = $1 AND expires_at > $2";
    let rows = database.query(sql, [user_id.into(), now.into()]).await?;
    let oldest = rows.first().map_or(Ok(None), |row| row.maybe_int(0))?;
    let left = oldest.unwrap_or_default() - now.as_millisecond();
    let seconds = left.clamp(0, LONGEST.as_secs() * 1000).div_euclid(1000) + 1;
    Err(OverLimit::rate(Limit::OpenFeeds, most, seconds as u32).into())
}

impl Drop for OpenFeed {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            spin_sdk::wasip3::spawn(async move {
                if let Err(error) = delete(id).await {
                    tracing::warn!("a stream of changes is over and counts for a while: {error}");
                }
            });
        }
    }
}

async fn delete(id: Uuid) -> Result<(), DbError> {
    let sql = "DELETE FROM open_feed WHERE id = $1";
    Database::open().await?.execute(sql, [id.into()]).await
}

/// Deletes streams that ended with their process.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    let sql = "DELETE FROM open_feed WHERE expires_at < $1";
    database.execute(sql, [now.into()]).await
}
