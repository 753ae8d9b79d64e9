//! Tokens that were revoked before they expire: all of a user that were issued up to an instant, or one by its `jti`
//! (RFC 7519, section 4.1.7).
//!
//! Each row of `token_revocation` is one of them. Usually there are few, so an instance reads all of them at once, for all users; if
//! there are more than [`MAX_WHOLE`], it reads those of each user. What was read counts for 10 seconds
//! (`recent.rs`), so a revocation takes effect on every instance within that time, and no request pays a statement of its own for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_component::Problem;
use nudge_contract::token::LARGEST_MAX_HOURS;
use nudge_domain::id::UserId;

use super::claims::{LEEWAY, Token};
use super::policy::policy;
use super::recent::Read;
use super::refusal::refuse;
use crate::db::{Database, DbError, Row, Value};

/// Maximum number of rows that are read for all users at once.
const MAX_WHOLE: u32 = 500;

/// Maximum number of users whose rows are kept, if they are read by user.
const MAX_USERS: usize = 128;

/// `token_id` of the row for all tokens of a user.
const ALL: &str = "";

/// Rows as this instance last read them. They are what the database says, and nothing of a request.
static REVOKED: Mutex<Revoked> = Mutex::new(Revoked {
    whole: None,
    users: BTreeMap::new(),
});

struct Revoked {
    /// All rows by user; none if there were too many.
    whole: Option<Read<Option<BTreeMap<UserId, OfUser>>>>,
    /// The rows of single users.
    users: BTreeMap<UserId, Read<OfUser>>,
}

/// The revocations of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfUser {
    /// The last second whose tokens are revoked.
    issued_until: Option<i64>,
    /// Single tokens.
    ids: BTreeSet<String>,
}

impl OfUser {
    fn add(&mut self, token_id: &str, revoked_at: Timestamp) {
        if token_id == ALL {
            self.issued_until = self.issued_until.max(Some(revoked_at.as_second()));
        } else {
            self.ids.insert(token_id.to_owned());
        }
    }

    /// 401 if it includes a token. One that does not say when it was issued could be any that was.
    fn check(&self, token: &Token) -> Result<(), Problem> {
        if let Some(until) = self.issued_until {
            match token.issued_at {
                Some(at) if at > until => {}
                Some(_) => return Err(refuse("was revoked: get a new one")),
                None => {
                    return Err(refuse(
                        "does not say when it was issued (iat), and tokens of this user were revoked: get one that says it",
                    ));
                }
            }
        }
        match &token.id {
            Some(id) if self.ids.contains(id) => Err(refuse("was revoked: get a new one")),
            _ => Ok(()),
        }
    }
}

/// 401 if a token of a user was revoked; 503 if that cannot be known.
pub(super) async fn check(user_id: &UserId, token: &Token, now: Timestamp) -> Result<(), Problem> {
    if cfg!(fuzzing) {
        // Outside of a component there is no database.
        return Ok(());
    }
    let found = known().find(user_id, now);
    let of_user = match found {
        Found::Known(of_user) => of_user,
        Found::ReadAll => read_all(user_id, now).await?,
        Found::ReadUser => read_user(&Database::open().await?, user_id, now).await?,
    };
    of_user.check(token)
}

enum Found {
    Known(OfUser),
    ReadAll,
    ReadUser,
}

impl Revoked {
    fn find(&mut self, user_id: &UserId, now: Timestamp) -> Found {
        let Some(whole) = self.whole.as_mut().and_then(|read| read.usable(now)) else {
            return Found::ReadAll;
        };
        if let Some(users) = whole {
            return Found::Known(users.get(user_id).cloned().unwrap_or_default());
        }
        match self.users.get_mut(user_id).and_then(|read| read.usable(now)) {
            Some(of_user) => Found::Known(of_user.clone()),
            None => Found::ReadUser,
        }
    }

    fn keep(&mut self, user_id: &UserId, read: Read<OfUser>) {
        if self.users.len() >= MAX_USERS && !self.users.contains_key(user_id) {
            self.users.clear();
        }
        self.users.insert(user_id.clone(), read);
    }
}

fn known() -> MutexGuard<'static, Revoked> {
    REVOKED.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read_all(user_id: &UserId, now: Timestamp) -> Result<OfUser, DbError> {
    let database = Database::open().await?;
    let sql =
        "SELECT token_id, revoked_at, user_id FROM token_revocation ORDER BY user_id, token_id LIMIT $1";
    let rows = database.query(sql, [Value::from(MAX_WHOLE + 1)]).await?;
    if rows.len() > MAX_WHOLE as usize {
        known().whole = Some(Read::new(now, None));
        return read_user(&database, user_id, now).await;
    }
    let mut users: BTreeMap<UserId, OfUser> = BTreeMap::new();
    for row in &rows {
        add(users.entry(row.parsed(2)?).or_default(), row)?;
    }
    let of_user = users.get(user_id).cloned().unwrap_or_default();
    known().whole = Some(Read::new(now, Some(users)));
    Ok(of_user)
}

async fn read_user(database: &Database, user_id: &UserId, now: Timestamp) -> Result<OfUser, DbError> {
    let sql = "SELECT token_id, revoked_at FROM token_revocation WHERE user_id = $1";
    let mut of_user = OfUser::default();
    for row in &database.query(sql, [user_id.into()]).await? {
        add(&mut of_user, row)?;
    }
    known().keep(user_id, Read::new(now, of_user.clone()));
    Ok(of_user)
}

fn add(of_user: &mut OfUser, row: &Row) -> Result<(), DbError> {
    of_user.add(row.text(0)?, row.instant(1)?);
    Ok(())
}

/// Revokes one token of a user, or without an id all that were issued until now. On this instance it takes effect at once.
pub(crate) async fn revoke(
    database: &Database,
    user_id: &UserId,
    token_id: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = "INSERT INTO token_revocation (user_id, token_id, revoked_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id, token_id) DO UPDATE SET revoked_at = excluded.revoked_at \
         WHERE excluded.revoked_at > token_revocation.revoked_at";
    let parameters = [user_id.into(), token_id.unwrap_or(ALL).into(), now.into()];
    database.execute(sql, parameters).await?;
    let mut known = known();
    known.whole = None;
    known.users.remove(user_id);
    Ok(())
}

/// Deletes revocations of tokens that have expired since. If tokens of any lifetime are accepted, none is deleted.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    let bounded = policy().await.is_ok_and(|policy| policy.bounds_every_lifetime());
    let age = SignedDuration::from_secs(i64::from(LARGEST_MAX_HOURS) * 3_600 + 2 * LEEWAY);
    let (true, Ok(before)) = (bounded, now.checked_sub(age)) else {
        return Ok(());
    };
    let sql = "DELETE FROM token_revocation WHERE revoked_at < $1";
    database.execute(sql, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn token(id: Option<&str>, issued_at: Option<i64>) -> Token {
        Token {
            id: id.map(str::to_owned),
            issued_at,
        }
    }

    #[test]
    fn tokens_issued_up_to_the_second_of_a_revocation_are_refused() {
        let mut of_user = OfUser::default();
        for issued_at in [None, Some(0), Some(i64::MAX)] {
            assert!(of_user.check(&token(None, issued_at)).is_ok());
        }
        of_user.add(ALL, Timestamp::from_millisecond(100_900).unwrap());
        of_user.add(ALL, at(50));
        for (issued_at, accepted) in [
            (None, false),
            (Some(i64::MIN), false),
            (Some(100), false),
            (Some(101), true),
        ] {
            let checked = of_user.check(&token(Some("a"), issued_at));
            assert_eq!(checked.is_ok(), accepted, "{issued_at:?}");
        }
    }

    #[test]
    fn a_token_revoked_by_its_id_is_refused_and_no_other_one() {
        let mut of_user = OfUser::default();
        of_user.add("a", at(100));
        for (id, accepted) in [(Some("a"), false), (Some("b"), true), (None, true)] {
            assert_eq!(of_user.check(&token(id, Some(200))).is_ok(), accepted, "{id:?}");
        }
    }

    #[test]
    fn the_number_of_users_is_limited() {
        let mut revoked = Revoked {
            whole: Some(Read::new(at(1), None)),
            users: BTreeMap::new(),
        };
        for number in 0..=MAX_USERS {
            let user = format!("user-{number}").parse().unwrap();
            revoked.keep(&user, Read::new(at(1), OfUser::default()));
            assert!(matches!(revoked.find(&user, at(2)), Found::Known(_)));
        }
        assert_eq!(revoked.users.len(), 1);
        let other = "user-0".parse().unwrap();
        assert!(matches!(revoked.find(&other, at(2)), Found::ReadUser));
    }
}
