//! Sends emails about accounts: the confirmation of an address, and what its former address is told.
//!
//! They take the same way as reminders: claimed in the inbox, decided by the api, sent through a lane, marked done, reported. One that
//! cannot be sent for now is released, and the api publishes its event again later (`recipients/notices.rs` of the api). They are few,
//! so they are sent and recorded one by one.
//!
//! As with reminders, none is begun after [`BUDGET`], nor after the mail server was away or too slow for one: the claims would expire
//! while emails are sent, and reminders, which use the same lanes, would wait.

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
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;
use uuid::Uuid;

use crate::lane::{self, Turn};
use crate::mail;
use crate::sending::BUDGET;
use crate::service::AWAY;
use crate::smtp::{self, Failure};
use crate::store::{self, Claim, Ended, Lease};

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
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let mut round = Round::start();
    for part in distinct.chunks(AT_ONCE) {
        // The api publishes the others again.
        if !round.goes_on() {
            break;
        }
        failed.extend(deliver(part, &mut round).await);
    }
    ids.iter()
        .map(|id| failed.get(id).cloned().map_or(Ok(()), Err))
        .collect()
}

/// Whether further emails of a batch are begun.
struct Round {
    until: Timestamp,
    /// The mail server was away or too slow.
    is_over: bool,
}

impl Round {
    fn start() -> Self {
        Self {
            until: Timestamp::now().saturating_add(BUDGET).unwrap_or(Timestamp::MAX),
            is_over: false,
        }
    }

    fn goes_on(&self) -> bool {
        let left = self.until.duration_since(Timestamp::now());
        // More is left than there was: the clock was set back.
        !self.is_over && left > SignedDuration::ZERO && left <= BUDGET
    }
}

/// Delivers notices. Returns those whose events are to be delivered again.
async fn deliver(ids: &[Uuid], round: &mut Round) -> BTreeMap<Uuid, Disposition> {
    let mut failed = BTreeMap::new();
    let mut outcomes = Vec::new();
    let mut won = Vec::new();
    let keys: Vec<String> = ids.iter().copied().map(store::notice_key).collect();
    for (id, claim) in ids.iter().zip(store::claim_all(&keys).await) {
        match claim {
            Ok(Claim::Won(lease)) => won.push((*id, lease)),
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
        send_all(won, round, &mut outcomes, &mut failed).await;
    }
    report(outcomes, &mut failed).await;
    failed
}

/// Asks the api about claimed notices, and sends them.
async fn send_all(
    won: Vec<(Uuid, Lease)>,
    round: &mut Round,
    outcomes: &mut Vec<NoticeOutcome>,
    failed: &mut BTreeMap<Uuid, Disposition>,
) {
    let request = AskNotices {
        items: won.iter().map(|(id, _)| *id).collect(),
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
    for (id, lease) in won {
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
            (Some(NoticeDelivery::Send { .. }), Some(_)) if !(round.goes_on() && lease.may_begin()) => {
                tracing::info!(notice = %id, "not sent for now: the batch ended before its turn");
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
                round.is_over = matches!(sent, Err(Failure::Away(_) | Failure::Slow(_)));
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
                    Err(later) => {
                        tracing::warn!(notice = %id, "not sent for now: {later:?}");
                        releases.push(lease.tried());
                        continue;
                    }
                };
                let ended = Ended {
                    failure: failure.clone(),
                    at: Timestamp::now(),
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
        wait_for(u64::try_from(AWAY.as_nanos()).unwrap_or(u64::MAX)).await;
    }
    if let Err(error) = store::write_all(releases).await {
        tracing::warn!(
            "claims could not be released and expire by themselves: {}",
            describe(&error)
        );
    }
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
