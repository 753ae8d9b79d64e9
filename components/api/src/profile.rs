//! Profiles of users: what their tokens last said, and what they set for themselves, which wins.

mod known;

use std::collections::BTreeMap;

use jiff::Timestamp;
use nudge_domain::id::{TaskId, UserId};
use nudge_domain::task::{Mistake, Owner, Patch};
use nudge_domain::{MailAddress, QuietHours, Zone};
use uuid::Uuid;

use crate::auth::User;
use crate::db::{Database, DbError, Row, Value, rows};

/// A user as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) id: UserId,
    /// What the token said last.
    token_email: Option<String>,
    token_zone: Zone,
    /// What the user set instead, and confirmed. It was valid when it was set, perhaps under older rules. It is not checked when it is
    /// read: an address that is no longer valid must not break the user's requests. email-delivery checks it before it sends.
    pub(crate) own_email: Option<String>,
    /// What the user set and has not confirmed.
    pub(crate) pending: Option<Pending>,
    pub(crate) own_zone: Option<Zone>,
    /// When reminders wait.
    pub(crate) quiet_hours: Option<QuietHours>,
    /// The reminder of a new task that has a due date and names none, in minutes before it.
    pub(crate) default_reminder: Option<u32>,
    pub(crate) revision: Revision,
    /// Whether the account is being deleted.
    pub(crate) closing: bool,
}

/// Which state of a profile. It differs between any two, also if the account was deleted and came back in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revision {
    /// Increases by one with every change, from 1.
    pub(crate) version: u32,
    /// When it was stored.
    pub(crate) updated_at: Timestamp,
}

/// An address that waits for its confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) email: String,
    /// The secret part of the link that confirms it.
    pub(crate) token: String,
    /// When the link was last requested.
    pub(crate) asked_at: Timestamp,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// The recipient is to confirm their address.
    Confirm,
    /// Emails go elsewhere from now on.
    Changed,
}

impl NoticeKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Changed => "changed",
        }
    }
}

impl std::str::FromStr for NoticeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "confirm" => Ok(Self::Confirm),
            "changed" => Ok(Self::Changed),
            other => Err(format!("{other} is not a kind of notice")),
        }
    }
}

/// An email about an account that a change of its profile requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewNotice {
    pub(crate) id: Uuid,
    pub(crate) kind: NoticeKind,
    pub(crate) to: String,
}

const COLUMNS: &str = "id, email, time_zone, own_email, own_time_zone, quiet_hours, default_reminder, version, updated_at, leaving_since, \
     pending_email, pending_token, pending_at";

impl Profile {
    /// A user who set nothing, and whose token has no address.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_zone(id: UserId, zone: Zone) -> Self {
        Self {
            id,
            token_email: None,
            token_zone: zone,
            own_email: None,
            pending: None,
            own_zone: None,
            quiet_hours: None,
            default_reminder: None,
            revision: Revision {
                version: 1,
                updated_at: Timestamp::UNIX_EPOCH,
            },
            closing: false,
        }
    }

    /// What the token said last.
    pub(crate) fn token_email(&self) -> Option<&str> {
        self.token_email.as_deref()
    }

    /// Where reminders go.
    pub(crate) fn email(&self) -> Option<&str> {
        self.own_email.as_deref().or(self.token_email.as_deref())
    }

    /// Where the user lives: how texts are read and emails are written.
    pub(crate) fn zone(&self) -> &Zone {
        self.own_zone.as_ref().unwrap_or(&self.token_zone)
    }

    /// As the owner of a new task.
    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner {
            id: &self.id,
            zone: self.zone(),
            default_reminder: self.default_reminder,
        }
    }

    /// When the quiet hours end that an instant is in.
    pub(crate) fn quiet_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.quiet_hours
            .and_then(|hours| hours.end_if_inside(at, self.zone()))
    }

    /// Whether all that the token says is stored.
    fn says(&self, user: &User) -> bool {
        (user.email.is_none() || self.token_email == user.email)
            && (!user.says_zone || self.token_zone == user.zone)
    }

    fn read(row: &Row) -> Result<Self, DbError> {
        let unreadable = |error: &dyn std::fmt::Display| DbError::Unreadable(error.to_string());
        let number = |value: i64| u32::try_from(value).map_err(|error| unreadable(&error));
        let own = |column| -> Result<_, DbError> { row.maybe_text(column) };
        let pending = match (row.maybe_text(10)?, row.maybe_text(11)?, row.maybe_int(12)?) {
            (Some(email), Some(token), Some(_)) => Some(Pending {
                email: email.to_owned(),
                token: token.to_owned(),
                asked_at: row.instant(12)?,
            }),
            _ => None,
        };
        Ok(Self {
            id: row.parsed(0)?,
            token_email: row.maybe_text(1)?.map(str::to_owned),
            token_zone: row.parsed(2)?,
            own_email: own(3)?.map(str::to_owned),
            pending,
            own_zone: own(4)?.map(|_| row.parsed(4)).transpose()?,
            quiet_hours: own(5)?
                .map(serde_json::from_str)
                .transpose()
                .map_err(|error| unreadable(&error))?,
            default_reminder: row.maybe_int(6)?.map(number).transpose()?,
            revision: Revision {
                version: number(row.int(7)?)?,
                updated_at: row.instant(8)?,
            },
            closing: row.maybe_int(9)?.is_some(),
        })
    }
}

/// Stores what the token says, if it says anything new, and returns the profile. A user who was never seen has one now. A
/// token without address or zone, of a script perhaps, removes nothing that another one said.
pub(crate) async fn remember(database: &Database, user: &User, now: Timestamp) -> Result<Profile, DbError> {
    let profile = stored(database, user, now).await?;
    known::keep(&profile);
    Ok(profile)
}

/// The profile as this instance last read it, if the token says nothing new. Another instance may have changed it since: what it leads
/// to is stored on the condition that the profile is still at this revision.
pub(crate) fn recall(user: &User) -> Option<Profile> {
    known::find(&user.id).filter(|profile| profile.says(user))
}

async fn stored(database: &Database, user: &User, now: Timestamp) -> Result<Profile, DbError> {
    // Reading first: a statement that could write waits for other writers on SQLite, and most tokens say nothing new.
    match find(database, &user.id).await? {
        Some(profile) if profile.says(user) => return Ok(profile),
        // An agent is created for a profile that is stored. The account was deleted, and this instance has not noticed yet that the agent
        // is gone, too: it must not begin the account anew.
        None if user.agent.is_some() => return Err(DbError::AccountClosing),
        _ => {}
    }
    let sql = format!(
        "INSERT INTO person (id, email, time_zone, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (id) DO UPDATE SET email = COALESCE(excluded.email, person.email), time_zone = {}, \
         updated_at = excluded.updated_at, version = person.version + 1 RETURNING {COLUMNS}",
        if user.says_zone {
            "excluded.time_zone"
        } else {
            "person.time_zone"
        },
    );
    let parameters = [
        user.id.as_str().into(),
        user.email.as_deref().into(),
        user.zone.name().into(),
        now.into(),
    ];
    let rows = database.query(&sql, parameters).await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::Unreadable("a profile was stored and is not there".to_owned()))?;
    Profile::read(row)
}

/// The profile of a user.
pub(crate) async fn find(database: &Database, user_id: &UserId) -> Result<Option<Profile>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM person WHERE id = $1");
    database
        .query(&sql, [user_id.into()])
        .await?
        .first()
        .map(Profile::read)
        .transpose()
}

/// The profile whose address this token confirms, however old it is.
pub(crate) async fn find_by_pending_token(
    database: &Database,
    token: &str,
) -> Result<Option<Profile>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM person WHERE pending_token = $1");
    let found = database.query(&sql, [token.into()]).await?;
    found.first().map(Profile::read).transpose()
}

/// Forgets addresses that were not confirmed in time.
pub(crate) async fn forget_pending(database: &Database, before: Timestamp) -> Result<(), DbError> {
    let sql = "UPDATE person SET pending_email = NULL, pending_token = NULL, pending_at = NULL, version = version + 1 \
         WHERE pending_at <= $1";
    database.execute(sql, [before.into()]).await
}

/// The profiles of these users, as far as they exist. One that cannot be read fails alone.
pub(crate) async fn find_all(
    database: &Database,
    users: impl IntoIterator<Item = &UserId>,
) -> Result<BTreeMap<UserId, Result<Profile, DbError>>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM person WHERE id IN (SELECT {} FROM {})",
        rows::column(0, "TEXT"),
        rows::rows_of(database.dialect(), "$1")
    );
    let wanted = rows::rows(users.into_iter().map(|user| [user.into()]));
    let found = database.query(&sql, [wanted]).await?;
    found
        .iter()
        .map(|row| Ok((row.parsed(0)?, Profile::read(row))))
        .collect()
}

/// Whose tasks these are, where emails to them go, and how many of the tasks are theirs; one that comes twice counts twice. Deleted tasks
/// count, too. Users who have no address are left out.
pub(crate) async fn recipients(
    database: &Database,
    tasks: &[TaskId],
) -> Result<Vec<(UserId, String, u32)>, DbError> {
    let sql = format!(
        "SELECT person.id, COALESCE(person.own_email, person.email), COUNT(*) FROM {} JOIN task ON task.id = {} \
         JOIN person ON person.id = task.user_id WHERE COALESCE(person.own_email, person.email) IS NOT NULL \
         GROUP BY person.id, person.own_email, person.email",
        rows::rows_of(database.dialect(), "$1"),
        rows::column(0, "TEXT"),
    );
    let wanted = rows::rows(tasks.iter().map(|task| [task.into()]));
    let found = database.query(&sql, [wanted]).await?;
    let found = found.iter().map(|row| {
        let number = u32::try_from(row.int(2)?).unwrap_or(u32::MAX);
        Ok((row.parsed(0)?, row.text(1)?.to_owned(), number))
    });
    found.collect()
}

/// The zone in which texts of a user are read.
pub(crate) async fn zone(database: &Database, user: &User) -> Result<Zone, DbError> {
    let profile = find(database, &user.id).await?;
    Ok(match profile {
        Some(Profile {
            own_zone: Some(zone), ..
        }) => zone,
        Some(profile) if !user.says_zone => profile.token_zone,
        _ => user.zone.clone(),
    })
}

/// Stores the next version of what a user set, and a notice that the change requests. Returns `false` if the profile is at another
/// version, or the account is closing.
pub(crate) async fn update(
    database: &Database,
    profile: &Profile,
    notice: Option<&NewNotice>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let quiet_hours = profile
        .quiet_hours
        .map(|hours| serde_json::to_string(&hours).unwrap_or_default());
    let pending = profile.pending.as_ref();
    let parameters = [
        profile.id.as_str().into(),
        profile.revision.version.into(),
        profile.own_email.as_deref().into(),
        profile.own_zone.as_ref().map(Zone::name).into(),
        quiet_hours.into(),
        profile.default_reminder.into(),
        now.into(),
        pending.map(|pending| pending.email.as_str()).into(),
        pending.map(|pending| pending.token.as_str()).into(),
        pending.map(|pending| pending.asked_at).into(),
        notice.map(|notice| notice.id).into(),
        notice.map(|notice| notice.kind.as_str()).into(),
        notice.map(|notice| notice.to.as_str()).into(),
    ];
    let rows = database
        .query(
            "UPDATE person SET own_email = $3, own_time_zone = $4, quiet_hours = $5, default_reminder = $6, \
             updated_at = $7, version = $2, pending_email = $8, pending_token = $9, pending_at = $10, \
             notice_id = $11, notice_kind = $12, notice_to = $13 \
             WHERE id = $1 AND version + 1 = $2 AND leaving_since IS NULL RETURNING version",
            parameters,
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Marks an account as closing, if it is still at this version when one is given. From here on the database refuses what
/// would be stored for it. Returns `false` if it is at another version, or closing already.
pub(crate) async fn close(
    database: &Database,
    user_id: &UserId,
    version: Option<u32>,
    now: Timestamp,
) -> Result<bool, DbError> {
    known::forget(user_id);
    let mut sql =
        "UPDATE person SET leaving_since = $2, version = version + 1 WHERE id = $1 AND leaving_since IS NULL"
            .to_owned();
    let mut parameters: Vec<Value> = vec![user_id.into(), now.into()];
    if let Some(version) = version {
        sql.push_str(" AND version = $3");
        parameters.push(version.into());
    }
    sql.push_str(" RETURNING version");
    Ok(!database.query(&sql, parameters).await?.is_empty())
}

/// Accounts that are closing since before a time, those that wait longest first.
pub(crate) async fn closing(
    database: &Database,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<UserId>, DbError> {
    let rows = database
        .query(
            "SELECT id FROM person WHERE leaving_since IS NOT NULL AND leaving_since < $1 ORDER BY leaving_since LIMIT $2",
            [before.into(), limit.into()],
        )
        .await?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// The condition that the account of the user that a parameter or a column names is closing. A statement that deletes what is theirs
/// has it: between two statements, another run may have finished the deletion, and the user may have come back.
pub(crate) fn is_closing(user: &str) -> String {
    format!("EXISTS (SELECT 1 FROM person WHERE id = {user} AND leaving_since IS NOT NULL)")
}

/// The condition that Nudge, and not the legacy system, reminds the user that a column names: the latest row counts (decision 0020).
/// Not equal, since PostgreSQL expects that of most rows, and equal of few: then it plans for a long search, and compiles it first.
pub(crate) fn reminded_here(user_column: &str) -> String {
    format!(
        "COALESCE((SELECT master FROM legacy_master WHERE user_id IN ({user_column}, '*') \
         ORDER BY changed_at DESC, user_id DESC LIMIT 1), 'nudge') <> 'legacy'"
    )
}

/// Whether Nudge, and not the legacy system, reminds a user.
pub(crate) async fn is_reminded_here(database: &Database, user_id: &UserId) -> Result<bool, DbError> {
    let sql = format!("SELECT 1 WHERE {}", reminded_here("$1"));
    Ok(!database.query(&sql, [user_id.into()]).await?.is_empty())
}

/// Changes to a profile. `null` for an address or a zone is the token's again; for the others, none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProfilePatch {
    pub(crate) email: Patch<MailAddress>,
    pub(crate) zone: Patch<Zone>,
    pub(crate) quiet_hours: Patch<QuietHours>,
    pub(crate) default_reminder: Patch<u32>,
    /// What the door could not read.
    pub(crate) unreadable: Vec<Mistake>,
}

impl Profile {
    /// Changes what the user set, except for the address: see `recipients/address.rs`.
    pub(crate) fn apply(&mut self, patch: &ProfilePatch) -> Result<(), Vec<Mistake>> {
        if !patch.unreadable.is_empty() {
            return Err(patch.unreadable.clone());
        }
        patch.zone.clone().apply(&mut self.own_zone);
        patch.quiet_hours.clone().apply(&mut self.quiet_hours);
        patch.default_reminder.clone().apply(&mut self.default_reminder);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::error::ServiceError;
    use crate::http::body;
    use nudge_component::Problem;

    fn profile() -> Profile {
        Profile {
            token_email: Some("alice@example.com".to_owned()),
            ..Profile::of_zone("alice".parse().unwrap(), Zone::utc())
        }
    }

    fn patched(profile: &mut Profile, body: Json) -> Result<(), Problem> {
        let Json::Object(body) = body else { unreachable!() };
        Ok(profile.apply(&body::profile(body)).map_err(ServiceError::from)?)
    }

    #[test]
    fn what_a_user_sets_wins_over_the_token_until_it_is_removed() {
        let mut profile = profile();
        let set = serde_json::json!({
            "timeZone": "Europe/Berlin",
            "quietHours": { "from": "22:00", "until": "07:00" }, "defaultReminder": 30,
        });
        patched(&mut profile, set).unwrap();
        assert_eq!(
            (profile.zone().name(), profile.default_reminder),
            ("Europe/Berlin", Some(30))
        );
        assert!(profile.quiet_hours.is_some());
        let nothing = serde_json::json!({ "timeZone": null, "quietHours": null, "defaultReminder": null });
        patched(&mut profile, nothing).unwrap();
        assert_eq!(
            (
                profile.zone().name(),
                profile.default_reminder,
                profile.quiet_hours
            ),
            ("UTC", None, None)
        );
    }

    #[test]
    fn the_address_that_counts_is_the_confirmed_one_and_then_the_tokens() {
        let mut profile = profile();
        profile.pending = Some(Pending {
            email: "pending@example.org".to_owned(),
            token: "x".to_owned(),
            asked_at: Timestamp::UNIX_EPOCH,
        });
        assert_eq!(profile.email(), Some("alice@example.com"));
        profile.own_email = Some("own@example.org".to_owned());
        assert_eq!(profile.email(), Some("own@example.org"));
    }

    #[test]
    fn every_mistake_is_named_with_its_field() {
        for (body, field, code) in [
            (serde_json::json!({ "email": "alice" }), "email", "invalid_email"),
            (
                serde_json::json!({ "email": "a..b@example.com" }),
                "email",
                "invalid_email",
            ),
            (serde_json::json!({ "email": "" }), "email", "invalid_email"),
            (serde_json::json!({ "email": 7 }), "email", "wrong_type"),
            (
                serde_json::json!({ "timeZone": "Mars/Base" }),
                "timeZone",
                "invalid_time_zone",
            ),
            (
                serde_json::json!({ "quietHours": "22-7" }),
                "quietHours",
                "wrong_type",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "22:00" } }),
                "quietHours.until",
                "required",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "24:00", "until": "07:00" } }),
                "quietHours.from",
                "invalid_time",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "07:00", "until": "07:00" } }),
                "quietHours",
                "invalid_quiet_hours",
            ),
            (
                serde_json::json!({ "quietHours": { "from": "22:00", "until": "07:00", "days": 1 } }),
                "quietHours.days",
                "unknown_field",
            ),
            (
                serde_json::json!({ "defaultReminder": 40_321 }),
                "defaultReminder",
                "invalid_reminder",
            ),
            (
                serde_json::json!({ "defaultReminder": -1 }),
                "defaultReminder",
                "wrong_type",
            ),
            (serde_json::json!({ "id": "bob" }), "id", "unknown_field"),
        ] {
            let problem = patched(&mut profile(), body.clone()).unwrap_err();
            let shown = format!("{problem:?}");
            assert!(shown.contains(&format!("field: {field:?}")), "{body}: {shown}");
            assert!(shown.contains(&format!("code: {code:?}")), "{body}: {shown}");
        }
    }
}
