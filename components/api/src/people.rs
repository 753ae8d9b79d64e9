//! Who people are, as their tokens last said: services ask when a reminder is due.

use nudge_domain::Zone;

use crate::auth::User;
use crate::db::{Database, DbError};

/// Where a person's reminders go.
pub(crate) struct Contact {
    pub(crate) email: Option<String>,
    pub(crate) zone: Zone,
}

/// Notes what the token says, if it says anything new.
pub(crate) async fn remember(database: &Database, user: &User, now: jiff::Timestamp) -> Result<(), DbError> {
    database
        .execute(
            "INSERT INTO person (id, email, time_zone, updated_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (id) DO UPDATE SET email = excluded.email, time_zone = excluded.time_zone, updated_at = excluded.updated_at \
             WHERE person.email IS DISTINCT FROM excluded.email OR person.time_zone <> excluded.time_zone",
            [user.id.as_str().into(), user.email.as_deref().into(), user.zone.name().into(), now.into()],
        )
        .await
}

/// What is known about a person.
pub(crate) async fn contact(database: &Database, user_id: &str) -> Result<Option<Contact>, DbError> {
    let rows = database
        .query(
            "SELECT email, time_zone FROM person WHERE id = $1",
            [user_id.into()],
        )
        .await?;
    rows.first()
        .map(|row| {
            Ok(Contact {
                email: row.maybe_text(0)?.map(str::to_owned),
                zone: row.parsed(1)?,
            })
        })
        .transpose()
}
