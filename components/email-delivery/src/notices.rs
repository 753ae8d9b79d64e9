//! Sends emails about accounts: the confirmation of an address, and what its former address is told.
//!
//! They take the same way as reminders: claimed in the inbox, decided by the api, sent through a lane, marked done, reported. One that
//! cannot be sent for now is released, and the api publishes its event again later (`recipients/notices.rs` of the api). They are few,
//! so they are sent and recorded one by one.
//!
//! If the mail server takes too long for one, the notices of its user rest (`rest.rs`): they are not claimed, and the api publishes their
//! events again.
//! As with reminders, none is begun after [`BUDGET`], nor after the mail server was away: the claims would expire while emails are sent, and
//! reminders, which use the same lanes, would wait.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nudge_component::ask;
use nudge_component::dapr::state::PutOperation;
use nudge_component::events::Disposition;
use nudge_component::publish::describe;
use nudge_component::subscriber::retry;
use nudge_contract::api::{AskNotices, NoticeDelivery, NoticeOutcome, NoticeOutcomes, Notices};
use nudge_contract::event::NoticeRequested;
use nudge_contract::names::route;
use nudge_domain::id::UserId;
use uuid::Uuid;

use crate::lane::{self, Turn};
use crate::mail;
use crate::rest::{Kind, Rests};
use crate::sending::BUDGET;
use crate::service::pause_while_away;
use crate::smtp::{self, Failure};
use crate::store::{self, Claim, Ended, Lease, Wanted};

/// Maximum number of notices in a request to the api.
const AT_ONCE: usize = 100;

/// Sends the emails of requested notices, unless they were sent already or are no longer wanted. Returns one result per event, in
/// order.
pub(crate) async fn requested(events: Vec<NoticeRequested>) -> Vec<Result<(), Disposition>> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.notice_id).collect();
    match lane::check().await {
        Ok(Ok(())) => {}
        Ok(Err(closed)) => {
            // The api publishes them again.
            tracing::error!(notices = ids.len(), "not sent: {closed}");
            return ids.iter().map(|_| Ok(())).collect();
        }
        Err(error) => {
            let why = retry(error);
            return ids.iter().map(|_| Err(why.clone())).collect();
        }
    }
    let mut failed: BTreeMap<Uuid, Disposition> = BTreeMap::new();
    let distinct: BTreeMap<Uuid, UserId> = events
        .into_iter()
        .map(|event| (event.notice_id, event.user_id))
        .collect();
    let distinct: Vec<(Uuid, UserId)> = distinct.into_iter().collect();
    let until = Timestamp::now().saturating_add(BUDGET).unwrap_or(Timestamp::MAX);
    for part in distinct.chunks(AT_ONCE) {
        failed.extend(deliver(part, until).await);
    }
    ids.iter()
        .map(|id| failed.get(id).cloned().map_or(Ok(()), Err))
        .collect()
}

/// Delivers notices, and begins emails until an instant. Returns those whose events are to be delivered again.
async fn deliver(notices: &[(Uuid, UserId)], until: Timestamp) -> BTreeMap<Uuid, Disposition> {
    let mut failed = BTreeMap::new();
    let mut outcomes = Vec::new();
    let mut won = Vec::new();
    let keys: Vec<String> = notices.iter().map(|(id, _)| store::notice_key(*id)).collect();
    let wanted: Vec<_> = keys
        .iter()
        .zip(notices)
        // The api gives them up.
        .map(|(key, (_, user))| Wanted {
            key,
            user,
            is_late: false,
        })
        .collect();
    let (claims, rests) = store::claim_all(Kind::Notices, &wanted).await;
    for ((id, user), claim) in notices.iter().zip(claims) {
        match claim {
            Ok(Claim::Won(lease)) => won.push(Won { id: *id, user, lease }),
            Ok(Claim::Resting(seconds)) => {
                tracing::info!(notice = %id, seconds, "not sent for now: its recipient's mail server took too long");
            }
            // The api has not heard of it, or would not have published it again.
            Ok(Claim::Done(ended)) => outcomes.push(NoticeOutcome {
                id: *id,
                failure: ended.failure,
                fault: None,
            }),
            Ok(Claim::Busy(_)) => tracing::info!(notice = %id, "another delivery is sending it"),
            Err(error) => {
                failed.insert(*id, retry(error));
            }
        }
    }
    if !won.is_empty() {
        send_all(won, rests, until, &mut outcomes, &mut failed).await;
    }
    report(outcomes, &mut failed).await;
    failed
}

/// A claimed notice.
struct Won<'a> {
    id: Uuid,
    user: &'a UserId,
    lease: Lease,
}

/// Asks the api about claimed notices, and sends them.
async fn send_all(
    won: Vec<Won<'_>>,
    mut rests: Rests,
    until: Timestamp,
    outcomes: &mut Vec<NoticeOutcome>,
    failed: &mut BTreeMap<Uuid, Disposition>,
) {
    let request = AskNotices {
        items: won.iter().map(|won| won.id).collect(),
    };
    let (mut decisions, why) = match ask::post::<Notices>(route::NOTICES, &request).await {
        Ok(answer) => (
            answer.items.into_iter(),
            Disposition::Retry("the api returned no decision for it".to_owned()),
        ),
        Err(why) => (Vec::new().into_iter(), why),
    };
    let lanes = lane::enter().await.unwrap_or_else(|reason| {
        tracing::error!("no email is sent: {reason}");
        Vec::new()
    });
    let mut releases: Vec<PutOperation> = Vec::new();
    let mut is_away = false;
    for Won { id, user, lease } in won {
        let decision = decisions.next();
        match (decision, lanes.first()) {
            (Some(NoticeDelivery::Skip { reason }), _) => {
                tracing::info!(notice = %id, "not sent: {reason}");
                releases.push(lease.untried());
            }
            (None, _) => {
                failed.insert(id, why.clone());
                releases.push(lease.untried());
            }
            (Some(NoticeDelivery::Send { .. }), None) => {
                tracing::warn!(notice = %id, "not sent for now: no smtp component is free");
                releases.push(lease.untried());
            }
            (Some(NoticeDelivery::Send { .. }), Some(_))
                if is_away || !lease.may_begin() || !may_begin(user, &rests, until) =>
            {
                tracing::info!(notice = %id, "not sent for now: a mail server is away or takes too long");
                releases.push(lease.untried());
            }
            (
                Some(NoticeDelivery::Send {
                    email,
                    notice,
                    stop_link,
                }),
                Some(lane),
            ) => {
                let sent = match mail::notice(&id.to_string(), &notice, &stop_link) {
                    Ok(mail) => send(lane, &email, &mail).await,
                    Err(error) => Err(Failure::Passing(format!("the email cannot be rendered: {error}"))),
                };
                let (failure, fault) = match sent {
                    Ok(()) => (None, None),
                    Err(Failure::Permanent(reason)) => (Some(reason), None),
                    Err(Failure::Recipient(fault, reason)) => (Some(reason), Some(fault)),
                    Err(Failure::Away(reason)) => {
                        tracing::warn!(notice = %id, "no email can be sent now: {reason}");
                        is_away = true;
                        releases.push(lease.not_counted());
                        continue;
                    }
                    // It may have been accepted each time, so few attempts are made.
                    Err(Failure::Slow(reason)) if lease.attempts() > 0 => {
                        tracing::warn!(notice = %id, "given up: {reason}");
                        rests.begin(user, Timestamp::now());
                        (Some("the mail server takes too long".to_owned()), None)
                    }
                    Err(later) => {
                        if matches!(later, Failure::Slow(_)) {
                            rests.begin(user, Timestamp::now());
                        }
                        tracing::warn!(notice = %id, "not sent for now: {later:?}");
                        releases.push(lease.tried());
                        continue;
                    }
                };
                let ended = Ended {
                    failure: failure.clone(),
                    at: Timestamp::now(),
                    attempts: lease.attempts(),
                };
                if let Err(error) = store::write_all(vec![lease.done(ended)]).await {
                    tracing::error!(
                        notice = %id,
                        "what was sent could not be recorded; only the api knows it now: {}",
                        describe(&error)
                    );
                }
                outcomes.push(NoticeOutcome { id, failure, fault });
            }
        }
    }
    if is_away {
        pause_while_away().await;
    }
    releases.extend(rests.writes());
    if let Err(error) = store::write_all(releases).await {
        tracing::warn!(
            "claims could not be released and expire by themselves: {}",
            describe(&error)
        );
    }
}

/// Whether an email of a user may be begun. More time is left than there was if the clock was set back.
fn may_begin(user: &UserId, rests: &Rests, until: Timestamp) -> bool {
    let now = Timestamp::now();
    let left = until.duration_since(now);
    left > SignedDuration::ZERO && left <= BUDGET && rests.seconds_left(user, now).is_none()
}

async fn send(lane: &Turn, to: &str, mail: &mail::Mail) -> Result<(), Failure> {
    smtp::send(lane.component(), to, mail).await
}

/// Reports outcomes. If the api cannot be told, the events are delivered again, and find their records.
async fn report(outcomes: Vec<NoticeOutcome>, failed: &mut BTreeMap<Uuid, Disposition>) {
    if outcomes.is_empty() {
        return;
    }
    let request = NoticeOutcomes { items: outcomes };
    if let Err(why) = ask::tell(route::NOTICE_OUTCOMES, &request).await {
        failed.extend(request.items.into_iter().map(|outcome| (outcome.id, why.clone())));
    }
}
