//! Whether emails of a user may go to a mailbox, and links that stop and resume them.
//!
//! A stop belongs to a user and a mailbox: the holder asked for it in a reminder, or the mail server refused the recipient; the user can
//! resume. A block belongs to a mailbox and holds for every user: its holder never wants to be written to, and only they can undo it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nudge_contract::api::RecipientFault;
use nudge_domain::id::UserId;

use super::Mailbox;
use super::limits::{self, Sent};
use crate::db::rows::{column, rows, rows_of};
use crate::db::{Database, DbError, Row, Value};
use crate::random_token;

/// Why emails of a user to a mailbox are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Its holder used the link in an email.
    Asked,
    /// The mail server refuses the recipient, with this reply code.
    Refused(u32),
    /// It is not an address that email can be sent to.
    Invalid,
    /// Its holder never wants to be written to, by any user.
    Blocked,
}

impl StopReason {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Refused(_) => "refused",
            Self::Invalid => "invalid",
            Self::Blocked => "blocked",
        }
    }

    /// The reason and the way out, for the user.
    pub(crate) fn explain(self) -> String {
        const RESUME: &str = "POST /api/v1/me/email/resume sends emails there again, and PATCH /api/v1/me sets another address";
        match self {
            Self::Asked => format!(
                "emails to your address were stopped with the link in one of them. {RESUME}; unless your token says that the address is \
                 yours, it has to be confirmed again"
            ),
            Self::Refused(code) => format!(
                "the mail server refused your address with {code}: it may not exist any more. If it does, {RESUME}"
            ),
            Self::Invalid => {
                "no email can be sent to your address as it is written: set another one with PATCH /api/v1/me".to_owned()
            }
            Self::Blocked => "the holder of this address asked never to get email from Nudge, and can undo that with the stop link in an \
                 earlier email. Set another address with PATCH /api/v1/me"
                .to_owned(),
        }
    }
}

/// A stop, and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) reason: StopReason,
    pub(crate) since: Timestamp,
}

impl Stop {
    /// Whether it holds up an email that asks to confirm an address. One that began before the user asked does not: only the holder can
    /// end it, by confirming. A block always does.
    pub(crate) fn holds_up_request_of(self, asked_at: Timestamp) -> bool {
        self.reason == StopReason::Blocked || self.since >= asked_at
    }
}

/// How a user stands with a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Why no email may be sent.
    pub(crate) stop: Option<Stop>,
    /// Emails of today.
    pub(crate) sent: Sent,
    /// The token of the link that stops emails of this user. None before the first email.
    pub(crate) stop_token: Option<String>,
    /// The token of the link that stops emails of all users. None before the first confirmation.
    pub(crate) block_token: Option<String>,
}

/// A user and a mailbox.
pub(crate) type Pair = (UserId, Mailbox);

fn values<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> Value {
    rows(
        pairs
            .into_iter()
            .map(|(user, mailbox)| [user.into(), mailbox.into()]),
    )
}

/// The standing of each pair, in one statement.
pub(crate) async fn find(
    database: &Database,
    pairs: &[Pair],
    now: Timestamp,
) -> Result<BTreeMap<Pair, Standing>, DbError> {
    if pairs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (user, mailbox) = (column(0, "TEXT"), column(1, "TEXT"));
    let sql = format!(
        "SELECT {user}, {mailbox}, recipient.stop_token, recipient.stopped_at, recipient.stop_reason, recipient.stop_code, \
         mailbox.block_token, mailbox.blocked_at, email_count.day, email_count.emails, mailbox.day, mailbox.emails FROM {} \
         LEFT JOIN recipient ON recipient.user_id = {user} AND recipient.mailbox = {mailbox} \
         LEFT JOIN mailbox ON mailbox.mailbox = {mailbox} LEFT JOIN email_count ON email_count.user_id = {user}",
        rows_of(database.dialect(), "$1"),
    );
    let today = limits::day(now);
    let found = database.query(&sql, [values(pairs)]).await?;
    let standings = found.iter().map(|row| {
        let pair = (row.parsed(0)?, Mailbox::stored(row.text(1)?));
        let blocked = row.maybe_int(7)?.map(|_| row.instant(7)).transpose()?;
        let block = blocked.map(|since| Stop {
            reason: StopReason::Blocked,
            since,
        });
        let standing = Standing {
            stop: match block {
                Some(block) => Some(block),
                None => stop(row, 3)?,
            },
            sent: Sent::read(row, 8, today)?,
            stop_token: row.maybe_text(2)?.map(str::to_owned),
            block_token: row.maybe_text(6)?.map(str::to_owned),
        };
        Ok((pair, standing))
    });
    standings.collect()
}

/// The stop in the columns `stopped_at`, `stop_reason` and `stop_code`.
fn stop(row: &Row, first: usize) -> Result<Option<Stop>, DbError> {
    if row.is_null(first)? {
        return Ok(None);
    }
    let reason = match row.text(first + 1)? {
        "asked" => StopReason::Asked,
        "invalid" => StopReason::Invalid,
        "refused" => StopReason::Refused(
            u32::try_from(row.maybe_int(first + 2)?.unwrap_or_default()).unwrap_or_default(),
        ),
        other => {
            return Err(DbError::Unreadable(format!(
                "{other} is not a reason to stop emails"
            )));
        }
    };
    Ok(Some(Stop {
        reason,
        since: row.instant(first)?,
    }))
}

/// The tokens of the stop links of users, which are created where they are missing. Users whose accounts are being deleted get none.
pub(crate) async fn stop_tokens(
    database: &Database,
    pairs: impl IntoIterator<Item = &Pair>,
) -> Result<BTreeMap<Pair, String>, DbError> {
    // Each pair once, or PostgreSQL refuses the statement (SQLSTATE 21000); in order, so that two statements do not wait for each other.
    let wanted: BTreeSet<&Pair> = pairs.into_iter().collect();
    let wanted: Vec<_> = wanted
        .into_iter()
        .map(|(user, mailbox)| [user.into(), mailbox.into(), random_token::new().into()])
        .collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    // The update changes nothing. It returns the row of another replica that was faster.
    let sql = format!(
        "INSERT INTO recipient (user_id, mailbox, stop_token) SELECT {}, {}, {} FROM {} \
         WHERE EXISTS (SELECT 1 FROM person WHERE id = {0} AND leaving_since IS NULL) \
         ON CONFLICT (user_id, mailbox) DO UPDATE SET stop_token = recipient.stop_token RETURNING user_id, mailbox, stop_token",
        column(0, "TEXT"),
        column(1, "TEXT"),
        column(2, "TEXT"),
        rows_of(database.dialect(), "$1"),
    );
    let found = database.query(&sql, [rows(wanted)]).await?;
    let tokens = found.iter().map(|row| {
        let pair = (row.parsed(0)?, Mailbox::stored(row.text(1)?));
        Ok((pair, row.text(2)?.to_owned()))
    });
    tokens.collect()
}

/// Stops emails of users to recipients that are invalid, or that the mail server refuses.
pub(crate) async fn refuse(
    database: &Database,
    refused: &[(Pair, RecipientFault)],
    now: Timestamp,
) -> Result<(), DbError> {
    if refused.is_empty() {
        return Ok(());
    }
    // A batch may have several emails to one recipient. What the mail server said last counts.
    let refused: BTreeMap<&Pair, RecipientFault> =
        refused.iter().map(|(pair, fault)| (pair, *fault)).collect();
    stop_tokens(database, refused.keys().copied()).await?;
    let faults = refused.iter().map(|((user, mailbox), fault)| {
        let (reason, code) = match fault {
            RecipientFault::Invalid => ("invalid", None),
            RecipientFault::Refused { code } => ("refused", Some(u32::from(*code))),
        };
        [user.into(), mailbox.into(), reason.into(), code.into()]
    });
    let sql = format!(
        "UPDATE recipient SET stopped_at = $2, stop_reason = {}, stop_code = {} FROM {} \
         WHERE recipient.user_id = {} AND recipient.mailbox = {} \
         AND (recipient.stopped_at IS NULL OR recipient.stop_reason <> 'asked')",
        column(2, "TEXT"),
        column(3, "BIGINT"),
        rows_of(database.dialect(), "$1"),
        column(0, "TEXT"),
        column(1, "TEXT"),
    );
    database.execute(&sql, [rows(faults), now.into()]).await
}

/// Sends emails of a user to a mailbox again, unless its holder never wants any. Returns whether they were stopped.
pub(crate) async fn resume(database: &Database, (user, mailbox): &Pair) -> Result<bool, DbError> {
    let sql = "UPDATE recipient SET stopped_at = NULL, stop_reason = NULL, stop_code = NULL \
         WHERE user_id = $1 AND mailbox = $2 AND stopped_at IS NOT NULL";
    database.store(sql, [user.into(), mailbox.into()]).await
}

/// What a stop link stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Emails of one user to the mailbox.
    User,
    /// Emails of all users to the mailbox.
    Everyone,
}

/// What a stop link is about, and whether it has been used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopLink {
    pub(crate) scope: Scope,
    pub(crate) stop: Option<Stop>,
    /// The token of the link that stops emails of all users to the mailbox, for a link that stops those of one user.
    pub(crate) block_token: Option<String>,
}

/// What the token of a stop link is about; none if it is of no link, or of an account that was deleted.
pub(crate) async fn find_link(database: &Database, token: &str) -> Result<Option<StopLink>, DbError> {
    let sql = "SELECT stopped_at, stop_reason, stop_code, \
         mailbox.block_token, mailbox.blocked_at FROM recipient \
         LEFT JOIN mailbox ON mailbox.mailbox = recipient.mailbox WHERE stop_token = $1";
    if let Some(row) = database.query(sql, [token.into()]).await?.first() {
        let blocked = row.maybe_int(4)?.map(|_| row.instant(4)).transpose()?;
        let block = blocked.map(|since| Stop {
            reason: StopReason::Blocked,
            since,
        });
        return Ok(Some(StopLink {
            scope: Scope::User,
            stop: match block {
                Some(block) => Some(block),
                None => stop(row, 0)?,
            },
            block_token: row.maybe_text(3)?.map(str::to_owned),
        }));
    }
    let sql = "SELECT blocked_at FROM mailbox WHERE block_token = $1";
    let found = database.query(sql, [token.into()]).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let since = row.maybe_int(0)?.map(|_| row.instant(0)).transpose()?;
    Ok(Some(StopLink {
        scope: Scope::Everyone,
        stop: since.map(|since| Stop {
            reason: StopReason::Blocked,
            since,
        }),
        block_token: None,
    }))
}

/// Stops what a stop link is about.
pub(crate) async fn stop_by_link(
    database: &Database,
    token: &str,
    scope: Scope,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = match scope {
        Scope::User => {
            "UPDATE recipient SET stopped_at = $2, stop_reason = 'asked', stop_code = NULL \
             WHERE stop_token = $1 AND stopped_at IS NULL"
        }
        Scope::Everyone => "UPDATE mailbox SET blocked_at = $2 WHERE block_token = $1 AND blocked_at IS NULL",
    };
    database.execute(sql, [token.into(), now.into()]).await
}

/// Undoes that.
pub(crate) async fn resume_by_link(database: &Database, token: &str, scope: Scope) -> Result<(), DbError> {
    let sql = match scope {
        Scope::User => {
            "UPDATE recipient SET stopped_at = NULL, stop_reason = NULL, stop_code = NULL \
             WHERE stop_token = $1 AND stopped_at IS NOT NULL"
        }
        Scope::Everyone => {
            "UPDATE mailbox SET blocked_at = NULL WHERE block_token = $1 AND blocked_at IS NOT NULL"
        }
    };
    database.execute(sql, [token.into()]).await
}
