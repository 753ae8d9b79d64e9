//! How many emails a user may cause, and a mailbox get, on one day (UTC).
//!
//! Confirmations are counted when they are requested, and refused beyond the limit. Emails are counted when they were sent, so that what
//! is repeated while a mail server is away counts once; a few that are on their way at that time may exceed the limit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nudge_component::settings::variable;
use nudge_domain::id::UserId;

use super::Mailbox;
use crate::db::rows::{column, rows, rows_of};
use crate::db::{Database, DbError, Row};
use crate::random_token;

const DAY: i64 = 24 * 60 * 60;

/// A limit per day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    ConfirmationsOfUser,
    ConfirmationsOfMailbox,
    EmailsOfUser,
    EmailsOfMailbox,
}

impl Limit {
    /// The variable, and its default.
    fn variable(self) -> (&'static str, u32) {
        match self {
            Self::ConfirmationsOfUser => ("confirmations_per_user_and_day", 5),
            Self::ConfirmationsOfMailbox => ("confirmations_per_recipient_and_day", 3),
            Self::EmailsOfUser => ("emails_per_user_and_day", 500),
            Self::EmailsOfMailbox => ("emails_per_recipient_and_day", 500),
        }
    }

    /// The name of its variable.
    pub(crate) fn name(self) -> &'static str {
        self.variable().0
    }

    /// The configured number; none if there is no limit, which is 0 in the variable.
    ///
    /// # Errors
    ///
    /// A sentence for the log: the variable cannot be read, or is not a number.
    pub(crate) async fn number(self) -> Result<Option<u32>, String> {
        let (name, default) = self.variable();
        let number = match variable(name).await? {
            None => default,
            Some(text) => text
                .parse()
                .map_err(|_| format!("variable {name} is {text}, not a whole number"))?,
        };
        Ok((number > 0).then_some(number))
    }
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) limit: Limit,
    /// What is allowed per day.
    pub(crate) number: u32,
    /// Until the next day begins: 1 to 86,400 seconds.
    pub(crate) seconds: u32,
}

impl Reached {
    /// The text for the user of a reminder that is not sent.
    pub(crate) fn of_reminder(self) -> String {
        let whose = match self.limit {
            Limit::EmailsOfMailbox | Limit::ConfirmationsOfMailbox => "to one address",
            Limit::EmailsOfUser | Limit::ConfirmationsOfUser => "of one user",
        };
        format!(
            "{} emails {whose} were sent today, which is the limit: set fewer reminders; the operator can raise {}",
            self.number,
            self.limit.name()
        )
    }
}

/// The number of the day.
pub(crate) fn day(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY)
}

fn reached(limit: Limit, number: u32, now: Timestamp) -> Reached {
    Reached {
        limit,
        number,
        seconds: u32::try_from(DAY - now.as_second().rem_euclid(DAY)).unwrap_or(1),
    }
}

/// Why a confirmation was not counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error("the limit {} is reached", .0.limit.name())]
    Reached(Reached),
    /// A limit cannot be read. The text is for the log.
    #[error("{0}")]
    Setting(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Counts a request of a user that an address be confirmed. It is counted whether or not the holder wants email, which the response says:
/// no user can find that out about many addresses.
pub(crate) async fn count_request(
    database: &Database,
    user: &UserId,
    now: Timestamp,
) -> Result<(), CountError> {
    let sql = "INSERT INTO email_count (user_id, day, emails, confirmations) VALUES ($1, $2, 0, 1) \
         ON CONFLICT (user_id) DO UPDATE SET day = excluded.day, \
         emails = CASE WHEN email_count.day = excluded.day THEN email_count.emails ELSE 0 END, \
         confirmations = CASE WHEN email_count.day = excluded.day THEN email_count.confirmations ELSE 0 END + 1 \
         RETURNING confirmations";
    let counted = database.query(sql, [user.into(), day(now).into()]).await?;
    allowed(Limit::ConfirmationsOfUser, counted.first(), now).await
}

/// Counts an email that asks the holder of a mailbox to confirm it. One that is refused because of the user is not counted for the
/// mailbox, or a user could use up what others may send there.
pub(crate) async fn count_confirmation(
    database: &Database,
    mailbox: &Mailbox,
    now: Timestamp,
) -> Result<(), CountError> {
    let sql = "INSERT INTO mailbox (mailbox, day, block_token, emails, confirmations) VALUES ($1, $2, $3, 0, 1) \
         ON CONFLICT (mailbox) DO UPDATE SET day = excluded.day, \
         emails = CASE WHEN mailbox.day = excluded.day THEN mailbox.emails ELSE 0 END, \
         confirmations = CASE WHEN mailbox.day = excluded.day THEN mailbox.confirmations ELSE 0 END + 1 \
         RETURNING confirmations";
    let parameters = [mailbox.into(), day(now).into(), random_token::new().into()];
    let counted = database.query(sql, parameters).await?;
    allowed(Limit::ConfirmationsOfMailbox, counted.first(), now).await
}

async fn allowed(limit: Limit, counted: Option<&Row>, now: Timestamp) -> Result<(), CountError> {
    let counted = counted.map_or(Ok(0), |row| row.int(0))?;
    let number = limit.number().await.map_err(CountError::Setting)?;
    match number.filter(|number| counted > i64::from(*number)) {
        Some(number) => Err(CountError::Reached(reached(limit, number, now))),
        None => Ok(()),
    }
}

/// Counts emails that were sent: how many, of which user, to which mailbox.
pub(crate) async fn count_sent(
    database: &Database,
    sent: &[(UserId, Mailbox, u32)],
    now: Timestamp,
) -> Result<(), DbError> {
    if sent.is_empty() {
        return Ok(());
    }
    let mut of_users: BTreeMap<&UserId, u32> = BTreeMap::new();
    let mut of_mailboxes: BTreeMap<&Mailbox, u32> = BTreeMap::new();
    for (user, mailbox, number) in sent {
        *of_users.entry(user).or_default() += number;
        *of_mailboxes.entry(mailbox).or_default() += number;
    }
    let users = rows(
        of_users
            .into_iter()
            .map(|(user, number)| [user.into(), number.into()]),
    );
    // Of a user whose account is being deleted, too: the count outlives the account.
    let sql = format!(
        "INSERT INTO email_count (user_id, day, emails, confirmations) \
         SELECT {}, CAST($2 AS BIGINT), {}, 0 FROM {} WHERE TRUE \
         ON CONFLICT (user_id) DO UPDATE SET day = excluded.day, \
         emails = CASE WHEN email_count.day = excluded.day THEN email_count.emails ELSE 0 END + excluded.emails, \
         confirmations = CASE WHEN email_count.day = excluded.day THEN email_count.confirmations ELSE 0 END",
        column(0, "TEXT"),
        column(1, "BIGINT"),
        rows_of(database.dialect(), "$1"),
    );
    database.execute(&sql, [users, day(now).into()]).await?;
    let mailboxes = rows(
        of_mailboxes
            .into_iter()
            .map(|(mailbox, number)| [mailbox.into(), number.into(), random_token::new().into()]),
    );
    let sql = format!(
        "INSERT INTO mailbox (mailbox, day, block_token, emails, confirmations) \
         SELECT {}, CAST($2 AS BIGINT), {}, {}, 0 FROM {} WHERE TRUE \
         ON CONFLICT (mailbox) DO UPDATE SET day = excluded.day, \
         emails = CASE WHEN mailbox.day = excluded.day THEN mailbox.emails ELSE 0 END + excluded.emails, \
         confirmations = CASE WHEN mailbox.day = excluded.day THEN mailbox.confirmations ELSE 0 END",
        column(0, "TEXT"),
        column(2, "TEXT"),
        column(1, "BIGINT"),
        rows_of(database.dialect(), "$1"),
    );
    database.execute(&sql, [mailboxes, day(now).into()]).await
}

/// The limits on reminders, read once for a batch, with what the batch itself adds to the counts.
pub(crate) struct Budget {
    of_user: Option<u32>,
    of_mailbox: Option<u32>,
    users: BTreeMap<UserId, i64>,
    mailboxes: BTreeMap<Mailbox, i64>,
    now: Timestamp,
}

impl Budget {
    /// # Errors
    ///
    /// A sentence for the log: a limit cannot be read.
    pub(crate) async fn read(now: Timestamp) -> Result<Self, String> {
        Ok(Self {
            of_user: Limit::EmailsOfUser.number().await?,
            of_mailbox: Limit::EmailsOfMailbox.number().await?,
            users: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            now,
        })
    }

    /// Takes one email, in addition to those that were sent today. What one mailbox may get is shared by its users: beyond it, those are
    /// refused who have sent a quarter of it themselves, or one of them could keep the others' reminders back.
    pub(crate) fn take(&mut self, user: &UserId, mailbox: &Mailbox, sent: Sent) -> Result<(), Reached> {
        let of_user = self.users.entry(user.clone()).or_default();
        let of_mailbox = self.mailboxes.entry(mailbox.clone()).or_default();
        let own = sent.of_user + *of_user;
        for (limit, number, count) in [
            (Limit::EmailsOfUser, self.of_user, own),
            (
                Limit::EmailsOfMailbox,
                self.of_mailbox,
                sent.to_mailbox + *of_mailbox,
            ),
        ] {
            let has_share =
                |number: u32| limit != Limit::EmailsOfMailbox || own.saturating_mul(4) >= i64::from(number);
            if let Some(number) = number.filter(|number| count >= i64::from(*number) && has_share(*number)) {
                return Err(reached(limit, number, self.now));
            }
        }
        *of_user += 1;
        *of_mailbox += 1;
        Ok(())
    }
}

/// Emails that were sent today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) of_user: i64,
    pub(crate) to_mailbox: i64,
}

impl Sent {
    /// Reads both counts, each preceded by its day; those of another day, or of none, are 0.
    pub(super) fn read(row: &Row, first: usize, today: i64) -> Result<Self, DbError> {
        let count = |column: usize| -> Result<i64, DbError> {
            let is_today = row.maybe_int(column)? == Some(today);
            Ok(if is_today { row.int(column + 1)? } else { 0 })
        };
        Ok(Self {
            of_user: count(first)?,
            to_mailbox: count(first + 2)?,
        })
    }
}

/// Deletes counts of users from before yesterday, and what is known about mailboxes that nothing was sent to for a month, unless their
/// holders want no email.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    let sql = "DELETE FROM email_count WHERE day < $1";
    database.execute(sql, [(day(now) - 1).into()]).await?;
    let sql = "DELETE FROM mailbox WHERE blocked_at IS NULL AND day < $1";
    database.execute(sql, [(day(now) - 30).into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_takes_no_more_than_what_is_left() {
        let mut budget = Budget {
            of_user: Some(3),
            of_mailbox: Some(4),
            users: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            now: "2026-11-21T23:59:00Z".parse().unwrap(),
        };
        let (alice, bob): (UserId, UserId) = ("alice".parse().unwrap(), "bob".parse().unwrap());
        let shared = Mailbox::of("us@example.com");
        let sent = Sent {
            of_user: 1,
            to_mailbox: 1,
        };
        assert!(budget.take(&alice, &shared, sent).is_ok());
        assert!(budget.take(&alice, &shared, sent).is_ok());
        let full = budget.take(&alice, &shared, sent).unwrap_err();
        assert_eq!(
            (full.limit, full.number, full.seconds),
            (Limit::EmailsOfUser, 3, 60)
        );
        let sent = Sent {
            of_user: 0,
            to_mailbox: 1,
        };
        assert!(budget.take(&bob, &shared, sent).is_ok());
        assert_eq!(
            budget.take(&bob, &shared, sent).unwrap_err().limit,
            Limit::EmailsOfMailbox
        );
        let carol = "carol".parse().unwrap();
        assert!(
            budget.take(&carol, &shared, sent).is_ok(),
            "she has sent nothing there, and others have used it up"
        );
        assert!(
            budget
                .take(&bob, &Mailbox::of("bob@example.com"), Sent::default())
                .is_ok()
        );
    }
}
