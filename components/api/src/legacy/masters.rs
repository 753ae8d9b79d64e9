//! Which system reminds which user. [`profile`](crate::profile) has the condition that the core uses.

use jiff::Timestamp;
use nudge_contract::legacy::{MAX_USERS, Master, Masters, SetMaster};
use nudge_domain::id::UserId;
use nudge_domain::task::{FieldName, Mistake};

use super::waiting;
use crate::db::{Database, DbError, Value};
use crate::error::ServiceError;

/// Stands for all users who have no row of their own, or an older one.
const ALL_USERS: &str = "*";

fn read(text: &str) -> Result<Master, DbError> {
    [Master::Nudge, Master::Legacy]
        .into_iter()
        .find(|master| master.as_str() == text)
        .ok_or_else(|| DbError::Unreadable(format!("{text} is not a system")))
}

/// Which system reminds which user, and how many changes wait.
pub(crate) async fn masters(database: &Database) -> Result<Masters, DbError> {
    let sql = "SELECT master, changed_at FROM legacy_master WHERE user_id = '*'";
    let (everybody, since) = match database.query(sql, []).await?.first() {
        Some(row) => (read(row.text(0)?)?, row.int(1)?),
        None => (Master::Nudge, 0),
    };
    let sql = format!(
        "SELECT user_id FROM legacy_master WHERE user_id <> '*' AND master <> $1 AND changed_at >= $2 ORDER BY user_id LIMIT {MAX_USERS}"
    );
    let others = database
        .query(&sql, [everybody.as_str().into(), since.into()])
        .await?;
    Ok(Masters {
        everybody,
        others: others
            .iter()
            .map(|row| Ok(row.text(0)?.to_owned()))
            .collect::<Result<_, DbError>>()?,
        waiting: waiting::count(database).await?,
    })
}

/// Sets which system reminds users, in one statement.
pub(crate) async fn set_master(database: &Database, set: &SetMaster) -> Result<(), ServiceError> {
    let all = [ALL_USERS.to_owned()];
    let users = match &set.users {
        Some(users) => checked(users)?,
        None => all.as_slice(),
    };
    if users.is_empty() {
        return Ok(());
    }
    let mut parameters: Vec<Value> = vec![set.master.as_str().into(), Timestamp::now().into()];
    parameters.extend(users.iter().map(|user| user.as_str().into()));
    let rows: Vec<String> = (3..parameters.len() + 1)
        .map(|place| format!("(${place}, $1, $2)"))
        .collect();
    let sql = format!(
        "INSERT INTO legacy_master (user_id, master, changed_at) VALUES {} \
         ON CONFLICT (user_id) DO UPDATE SET master = excluded.master, changed_at = excluded.changed_at",
        rows.join(", ")
    );
    Ok(database.execute(&sql, parameters).await?)
}

fn checked(users: &[String]) -> Result<&[String], Vec<Mistake>> {
    let mistake = |code, message| vec![Mistake::new(FieldName::Named("users".to_owned()), code, message)];
    if users.len() > MAX_USERS {
        let message =
            format!("at most {MAX_USERS} users at a time: send several requests, or leave users out for all");
        return Err(mistake("too_many_users", message));
    }
    for user in users {
        user.parse::<UserId>()
            .map_err(|error| mistake(error.code(), error.to_string()))?;
    }
    Ok(users)
}
