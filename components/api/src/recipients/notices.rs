//! Emails about an account: they ask to confirm an address, and tell the former one that emails go elsewhere.
//!
//! | step | stored in | if the next line never runs |
//! | --- | --- | --- |
//! | the profile changes | `person`, and by its trigger `notice`, in one statement | the relay publishes the event |
//! | the event is published | the broker; it names the notice and the user | the relay publishes it again, with the same id |
//! | email-delivery claims it, asks what to send, and sends | its inbox | the relay publishes it again |
//! | email-delivery reports the outcome | the row of `notice` is gone | nothing is missing |
//!
//! A notice that cannot be sent for now is published again after 1, 2, 5 and then every 15 minutes, and given up after a day.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::pubsub;
use nudge_component::publish::{self, describe};
use nudge_contract::api::{Notice, NoticeDelivery, NoticeOutcome};
use nudge_contract::event::{NoticeRequested, SCHEMA_VERSION};
use nudge_contract::names::{app, component, topic};
use nudge_domain::id::UserId;
use uuid::Uuid;

use super::me::valid_until;
use super::standing::{self, Pair, Standing};
use super::{Mailbox, limits, links};
use crate::db::rows::{column, rows, rows_of};
use crate::db::{Database, DbError, Row};
use crate::events::outbox::PublishError;
use crate::profile::{NoticeKind, Pending};

/// Maximum number of notices per run of the recurring job.
const AT_ONCE: u32 = 50;

/// How long a notice is attempted.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);

/// A notice that waits to be sent.
struct Waiting {
    id: Uuid,
    user: UserId,
    kind: NoticeKind,
    to: String,
    created_at: Timestamp,
}

impl Waiting {
    fn pair(&self) -> Pair {
        (self.user.clone(), Mailbox::of(&self.to))
    }

    fn read(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.parsed(0)?,
            user: row.parsed(1)?,
            kind: row.parsed(2)?,
            to: row.text(3)?.to_owned(),
            created_at: row.instant(4)?,
        })
    }
}

/// Publishes the event of a stored notice after responding.
pub(super) fn publish_after_response(id: Uuid, user: UserId) {
    spin_sdk::wasip3::spawn(async move {
        if let Err(error) = publish_all(&[(id, user)]).await {
            tracing::warn!(notice = %id, "published later, by the recurring job: {error}");
        }
    });
}

/// Publishes the events of stored notices.
pub(crate) async fn publish_all(notices: &[(Uuid, UserId)]) -> Result<(), PublishError> {
    if notices.is_empty() {
        return Ok(());
    }
    let failed = |error| PublishError::Publish(describe(&error));
    let topic = publish::topic(topic::ACCOUNT_NOTICES).await.map_err(failed)?;
    let events = notices.iter().map(|(id, user)| {
        let data = NoticeRequested {
            schema_version: SCHEMA_VERSION,
            notice_id: *id,
            user_id: user.clone(),
        };
        publish::event(app::API, id.to_string(), id.to_string(), &data)
    });
    let refused = pubsub::publish_all(component::PUBSUB.to_owned(), topic.clone(), events.collect())
        .await
        .map_err(failed)?;
    match refused.first() {
        None => Ok(()),
        Some(first) => Err(PublishError::Publish(format!(
            "{} events on {topic}, the first because of: {}",
            refused.len(),
            first.message
        ))),
    }
}

/// The notices whose events are published again, which counts as an attempt. Gives up what is too old.
pub(crate) async fn due(database: &Database, now: Timestamp) -> Result<Vec<(Uuid, UserId)>, DbError> {
    let before = now.saturating_sub(GIVEN_UP).unwrap_or(Timestamp::MIN);
    let given_up = database
        .query(
            "DELETE FROM notice WHERE attempt_at <= $1 AND created_at < $2 RETURNING id",
            [now.into(), before.into()],
        )
        .await?;
    if !given_up.is_empty() {
        tracing::error!(
            notices = given_up.len(),
            "emails about accounts could not be sent for a day and are given up; their users can ask for them again"
        );
    }
    let sql = "UPDATE notice SET attempts = attempts + 1, \
         attempt_at = $1 + CASE attempts WHEN 0 THEN 60000 WHEN 1 THEN 120000 WHEN 2 THEN 300000 ELSE 900000 END \
         WHERE id IN (SELECT id FROM notice WHERE attempt_at <= $1 ORDER BY attempt_at, id LIMIT $2) RETURNING id, user_id";
    let due = database.query(sql, [now.into(), AT_ONCE.into()]).await?;
    let read = |row: &Row| -> Result<_, DbError> { Ok((row.parsed(0)?, row.parsed(1)?)) };
    // One that cannot be read does not hold up the others. It is given up after a day.
    Ok(due
        .iter()
        .filter_map(|row| {
            read(row)
                .inspect_err(|error| tracing::error!("a notice cannot be read: {error}"))
                .ok()
        })
        .collect())
}

/// Decides whether, where to and with what contents notices are sent. Returns a decision per id.
///
/// # Errors
///
/// The database cannot be reached: the events are delivered again.
pub(crate) async fn decide(database: &Database, asked: &[Uuid]) -> Result<Vec<NoticeDelivery>, PublishError> {
    let now = Timestamp::now();
    let public_url = match crate::public_url::read().await {
        Ok(Some(public_url)) => public_url,
        missing => {
            // They stay, and are published again by the relay, in case it is set within a day.
            let reason = missing
                .err()
                .unwrap_or_else(|| "the variable public_url is not set".to_owned());
            tracing::error!(notices = asked.len(), "emails about accounts wait: {reason}");
            let skip = |_| NoticeDelivery::Skip {
                reason: reason.clone(),
            };
            return Ok(asked.iter().map(skip).collect());
        }
    };
    let waiting = find(database, asked).await?;
    let pairs: Vec<Pair> = waiting.values().map(|(waiting, _)| waiting.pair()).collect();
    let standings = standing::find(database, &pairs, now).await?;
    let tokens = standing::stop_tokens(
        database,
        pairs.iter().filter(|pair| {
            let standing = standings.get(*pair);
            standing.is_none_or(|standing| standing.stop_token.is_none())
        }),
    )
    .await?;
    let mut unwanted = Vec::new();
    let mut decisions = Vec::with_capacity(asked.len());
    for id in asked {
        let Some((waiting, pending)) = waiting.get(id) else {
            decisions.push(NoticeDelivery::Skip {
                reason: "it was sent or given up, or its account is gone".to_owned(),
            });
            continue;
        };
        let pair = waiting.pair();
        let unknown = Standing::default();
        let standing = standings.get(&pair).unwrap_or(&unknown);
        let stop_token = standing.stop_token.as_ref().or_else(|| tokens.get(&pair));
        let decided = contents(waiting, pending.as_ref(), standing, stop_token, &public_url, now);
        decisions.push(match decided {
            Ok(send) => send,
            Err(reason) => {
                unwanted.push(*id);
                NoticeDelivery::Skip {
                    reason: reason.to_owned(),
                }
            }
        });
    }
    forget(database, &unwanted).await?;
    Ok(decisions)
}

/// What a notice says, or why it is not sent any more.
fn contents(
    waiting: &Waiting,
    pending: Option<&Pending>,
    standing: &Standing,
    stop_token: Option<&String>,
    public_url: &str,
    now: Timestamp,
) -> Result<NoticeDelivery, &'static str> {
    let held_up = standing.stop.is_some_and(|stop| match (waiting.kind, pending) {
        (NoticeKind::Confirm, Some(pending)) => stop.holds_up_request_of(pending.asked_at),
        _ => true,
    });
    if held_up {
        return Err("emails to its recipient are stopped");
    }
    let (notice, token) = match waiting.kind {
        NoticeKind::Confirm => {
            let pending = pending
                .filter(|pending| pending.email == waiting.to && pending.asked_at == waiting.created_at)
                .ok_or("the address was confirmed, or another one was set")?;
            let until = valid_until(pending.asked_at);
            if until <= now {
                return Err("its link is not valid any more");
            }
            let notice = Notice::Confirm {
                link: format!("{public_url}{}{}", links::CONFIRM, pending.token),
                until,
            };
            // A stranger stops emails of everyone, not of the user who typed their address.
            (notice, standing.block_token.as_ref())
        }
        NoticeKind::Changed => {
            let notice = Notice::Changed {
                at: waiting.created_at,
            };
            (notice, stop_token)
        }
    };
    let token = token.ok_or("its account is being deleted")?;
    Ok(NoticeDelivery::Send {
        email: waiting.to.clone(),
        notice,
        stop_link: format!("{public_url}{}{token}", links::STOP),
    })
}

/// Notices that wait, and the address that waits for its confirmation in the profile of each.
async fn find(
    database: &Database,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, (Waiting, Option<Pending>)>, DbError> {
    let sql = format!(
        "SELECT notice.id, notice.user_id, kind, recipient, created_at, pending_email, pending_token, pending_at \
         FROM notice JOIN person ON person.id = notice.user_id \
         WHERE notice.id IN (SELECT {} FROM {}) AND leaving_since IS NULL",
        column(0, "TEXT"),
        rows_of(database.dialect(), "$1")
    );
    let wanted = rows(ids.iter().map(|id| [(*id).into()]));
    let found = database.query(&sql, [wanted]).await?;
    let found = found.iter().map(|row| {
        let pending = match (row.maybe_text(5)?, row.maybe_text(6)?, row.is_null(7)?) {
            (Some(email), Some(token), false) => Some(Pending {
                email: email.to_owned(),
                token: token.to_owned(),
                asked_at: row.instant(7)?,
            }),
            _ => None,
        };
        let waiting = Waiting::read(row)?;
        Ok((waiting.id, (waiting, pending)))
    });
    found.collect()
}

async fn forget(database: &Database, ids: &[Uuid]) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM notice WHERE id IN (SELECT {} FROM {})",
        column(0, "TEXT"),
        rows_of(database.dialect(), "$1")
    );
    let ended = rows(ids.iter().map(|id| [(*id).into()]));
    database.execute(&sql, [ended]).await
}

/// Notes how deliveries ended: counts what was sent, and stops emails to recipients that were refused.
pub(crate) async fn ended(database: &Database, outcomes: &[NoticeOutcome]) -> Result<(), DbError> {
    let now = Timestamp::now();
    let ids: Vec<Uuid> = outcomes.iter().map(|outcome| outcome.id).collect();
    let waiting = find(database, &ids).await?;
    let mut refused = Vec::new();
    let mut sent = Vec::new();
    for outcome in outcomes {
        // Otherwise the outcome comes again, or the account is being deleted.
        let Some((waiting, _)) = waiting.get(&outcome.id) else {
            continue;
        };
        let (user, mailbox) = waiting.pair();
        if let Some(failure) = &outcome.failure {
            tracing::warn!(notice = %outcome.id, "an email about an account was not sent: {failure}");
        } else {
            sent.push((user.clone(), mailbox.clone(), 1));
        }
        if let Some(fault) = outcome.fault {
            refused.push(((user, mailbox), fault));
        }
    }
    standing::refuse(database, &refused, now).await?;
    limits::count_sent(database, &sent, now).await?;
    forget(database, &ids).await
}
