//! Sends one email for each due reminder, a batch at a time.
//!
//! What happens after a crash at each point:
//!
//! | crash after | consequence |
//! | --- | --- |
//! | the claims | the claims run out, and so do the api's leases; the next sweep repeats the events |
//! | the mail server accepted emails | as above: they are sent a second time. SMTP has no way to ask. These are the emails since the last write: at most [`GROUP`](crate::sending::GROUP), and what was sent within the last [`UNWRITTEN`](crate::sending::UNWRITTEN) |
//! | the records say done | the repeated events find them and publish the outcomes again |
//!
//! If an email cannot be sent for now, its event is not answered with RETRY, which would hold up every other reminder of the
//! partition. The reminder is released and given back to the api, and a sweep repeats its event. It rests longer after each attempt,
//! so that an address that takes no email for a day costs about fifty attempts. If its mail server took too long, all reminders of its
//! user rest (`rest.rs`). If the mail server is away, that is no attempt of any
//! reminder; the batch ends, and its response waits a little, because there is nothing else that could be sent.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use jiff::Timestamp;
use nudge_component::ask;
use nudge_component::dapr::pubsub;
use nudge_component::dapr::state::PutOperation;
use nudge_component::events::Disposition;
use nudge_component::publish::{self, describe};
use nudge_component::subscriber::retry;
use nudge_contract::api::{
    AskDeliveries, DeferReminders, Deferral, Deliveries, DueReminder, HeldBack, ReminderDelivery,
};
use nudge_contract::event::{DeliveryOutcome, Payload, ReminderDue, SCHEMA_VERSION};
use nudge_contract::names::{app, component, route, topic};
use nudge_domain::id::ReminderId;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

use crate::due::Due;
use crate::lane;
use crate::recipients;
use crate::rest::{self, Kind, Rests};
use crate::sending::{self, Finished, Letter};
use crate::store::{self, Claim, Ended, Lease};

/// Maximum number of reminders in a request to the api.
const AT_ONCE: usize = 100;

/// Maximum size of the tasks in a response of the api, in bytes, as they were when the events were published.
const LARGEST: usize = 1_000_000;

/// How long a reminder rests at most that another delivery is sending, and one for which there was no lane.
const REST_SECONDS: u32 = 30;

/// How long a batch waits before it gives back what it has, if the mail server is away. Without it, everything that is due would be
/// leased and given back as fast as possible.
const AWAY: Duration = Duration::from_secs(2);

/// How long a reminder rests whose outcome the broker refused. Its event is repeated then, and finds the record.
const REPEAT_SECONDS: u32 = 5;

/// Sends the emails of due reminders, unless they were sent already or are no longer wanted. Returns one result per event, in
/// order.
pub(crate) async fn reminders_due(events: Vec<ReminderDue>) -> Vec<Result<(), Disposition>> {
    match lane::check().await {
        Ok(Ok(())) => {}
        Ok(Err(closed)) => {
            // Nothing is written: the reminders stay due, and their events are repeated until the setting is right.
            tracing::error!(reminders = events.len(), "not sent: {closed}");
            return events.iter().map(|_| Ok(())).collect();
        }
        Err(error) => {
            let why = retry(error);
            return events.iter().map(|_| Err(why.clone())).collect();
        }
    }
    let mut all: Vec<Due> = Vec::new();
    let mut known = BTreeMap::new();
    let mut keys = Vec::new();
    for event in events {
        let due = Due::new(event);
        keys.push(due.key.clone());
        // What is repeated within the batch gets the result of one event: that of the latest lease, because the others are obsolete.
        match known.entry(due.key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(all.len());
                all.push(due);
            }
            Entry::Occupied(entry) => {
                if let Some(first) = all.get_mut(*entry.get())
                    && due.event.lease_id > first.event.lease_id
                {
                    *first = due;
                }
            }
        }
    }
    let failed = Batch::default().run(&all).await;
    let result = |key: String| failed.get(key.as_str()).cloned().map_or(Ok(()), Err);
    keys.into_iter().map(result).collect()
}

/// What becomes of the reminders of a batch.
#[derive(Default)]
struct Batch<'a> {
    /// Events that are delivered again, by their keys.
    failed: BTreeMap<&'a str, Disposition>,
    /// Emails that were sent or given up, now or earlier.
    ended: Vec<(&'a Due, Ended)>,
    /// Claims that end without an outcome.
    releases: Vec<PutOperation>,
    /// Reminders that are to be leased again.
    deferrals: Vec<Deferral>,
}

impl<'a> Batch<'a> {
    /// Handles a batch. Returns the events that are delivered again, by their keys.
    async fn run(mut self, all: &'a [Due]) -> BTreeMap<&'a str, Disposition> {
        let (won, rests) = self.claim(all).await;
        let mut letters = Vec::new();
        let mut unsendable = Vec::new();
        for part in parts(won) {
            self.ask(part, &mut letters, &mut unsendable).await;
        }
        let Finished {
            ended,
            refused,
            failed,
            away,
            untried,
            unable,
            rested,
            mut rests,
        } = sending::send_all(letters, unsendable, rests).await;
        let is_away = !away.is_empty() && ended.is_empty();
        let in_the_way = match away.is_empty() {
            true => HeldBack::Queued,
            false => HeldBack::MailServerAway,
        };
        self.ended.extend(ended);
        recipients::refused(refused).await;
        // Before what is given back can come again.
        self.releases.extend(rests.writes());
        let now = Timestamp::now();
        let rest_of = |due: &Due| {
            rests
                .seconds_left(&due.event.task.user_id, now)
                .unwrap_or_default()
        };
        for Letter { due, lease, .. } in failed {
            let rest = rest_of(due);
            let because = match rest {
                0 => HeldBack::RefusedForNow,
                _ => HeldBack::SlowRecipient,
            };
            let seconds = rest::seconds_after(lease.attempts()).max(rest);
            self.deferrals.push(due.deferral(seconds, Some(because)));
            self.releases.push(lease.tried());
        }
        for Letter { due, lease, .. } in rested {
            self.deferrals
                .push(due.deferral(rest_of(due), Some(HeldBack::SlowRecipient)));
            self.releases.push(lease.untried());
        }
        for Letter { due, lease, .. } in away {
            self.deferrals
                .push(due.deferral(0, Some(HeldBack::MailServerAway)));
            self.releases.push(lease.not_counted());
        }
        for (letters, seconds) in [(untried, 0), (unable, REST_SECONDS)] {
            for Letter { due, lease, .. } in letters {
                self.deferrals.push(due.deferral(seconds, Some(in_the_way)));
                self.releases.push(lease.untried());
            }
        }
        self.publish().await;
        if is_away {
            pause_while_away().await;
        }
        self.release().await;
        self.failed
    }

    /// Claims the reminders of a batch. Returns those that were won, and which of the users are slow.
    async fn claim(&mut self, all: &'a [Due]) -> (Vec<(&'a Due, Lease)>, Rests) {
        let now = Timestamp::now();
        let wanted: Vec<_> = all.iter().map(|due| due.wanted(now)).collect();
        let (claims, rests) = store::claim_all(Kind::Reminders, &wanted).await;
        let mut won = Vec::new();
        for (due, claim) in all.iter().zip(claims) {
            match claim {
                Ok(Claim::Won(lease)) => won.push((due, lease)),
                Ok(Claim::Done(ended)) => self.ended.push((due, ended)),
                Ok(Claim::Resting(seconds)) => {
                    self.deferrals
                        .push(due.deferral(seconds, Some(HeldBack::SlowRecipient)));
                }
                Ok(Claim::Busy(until)) => {
                    tracing::info!(reminder = %due.event.reminder_id, "another delivery is sending it");
                    // Unless that one has crashed, its outcome comes first. It may also be about to find that its event is
                    // obsolete, so this one does not wait until the claim expires.
                    if let Some(until) = until {
                        let seconds = seconds_until(until).min(REST_SECONDS);
                        self.deferrals.push(due.deferral(seconds, None));
                    }
                }
                Err(error) => {
                    self.failed.insert(&due.key, retry(error));
                }
            }
        }
        (won, rests)
    }

    /// Asks the api whether and where to send.
    async fn ask(
        &mut self,
        part: Vec<(&'a Due, Lease)>,
        letters: &mut Vec<Letter<'a>>,
        unsendable: &mut Vec<(&'a Due, Lease, String)>,
    ) {
        let request = AskDeliveries {
            items: part.iter().map(|(due, _)| due.reminder()).collect(),
        };
        let (mut decisions, why) = match ask::post::<Deliveries>(route::DELIVERIES, &request).await {
            Ok(answer) => (
                by_reminder(&request, answer),
                Disposition::Retry("the api returned no decision for it".to_owned()),
            ),
            Err(why) => (BTreeMap::new(), why),
        };
        for (due, lease) in part {
            match decisions.remove(&key(&due.reminder())) {
                Some(ReminderDelivery::Send {
                    email,
                    time_zone,
                    task,
                    stop_link,
                }) => letters.push(Letter {
                    due,
                    lease,
                    email,
                    time_zone,
                    task,
                    stop_link,
                }),
                Some(ReminderDelivery::Unsendable { reason }) => {
                    let reason =
                        reason.unwrap_or_else(|| "there is no email address in your profile".to_owned());
                    unsendable.push((due, lease, reason));
                }
                Some(ReminderDelivery::Skip { reason }) => {
                    tracing::info!(reminder = %due.event.reminder_id, "not sent: {reason}");
                    self.releases.push(lease.untried());
                }
                None => {
                    self.failed.insert(&due.key, why.clone());
                    self.releases.push(lease.untried());
                }
            }
        }
    }

    /// Publishes the outcomes. If none can be published, the events are delivered again, and find their records. If the broker refuses
    /// some, those reminders are given back: a RETRY would hold up the reminders of other users until it accepts them.
    async fn publish(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        let (ended, outcomes): (Vec<&Due>, Vec<_>) = std::mem::take(&mut self.ended)
            .into_iter()
            .map(|(due, ended)| (due, outcome(due, ended)))
            .unzip();
        let topic = match publish::topic(topic::REMINDER_OUTCOMES).await {
            Ok(topic) => topic,
            Err(error) => return self.fail_all(&ended, &retry(error)),
        };
        match pubsub::publish_all(component::PUBSUB.to_owned(), topic, outcomes).await {
            Ok(refused) => {
                for refused in refused {
                    let due = usize::try_from(refused.index)
                        .ok()
                        .and_then(|index| ended.get(index));
                    if let Some(due) = due {
                        tracing::warn!(reminder = %due.event.reminder_id, "its outcome was refused: {}", refused.message);
                        self.deferrals.push(due.deferral(REPEAT_SECONDS, None));
                    }
                }
            }
            Err(error) => self.fail_all(&ended, &retry(error)),
        }
    }

    fn fail_all(&mut self, all: &[&'a Due], why: &Disposition) {
        self.failed
            .extend(all.iter().map(|due| (due.key.as_str(), why.clone())));
    }

    /// Ends claims and leases, in that order: a reminder whose lease ends may be delivered at once. If one of both fails, it
    /// expires by itself.
    async fn release(&mut self) {
        if let Err(error) = store::write_all(std::mem::take(&mut self.releases)).await {
            tracing::warn!(
                "claims could not be released and expire by themselves: {}",
                describe(&error)
            );
        }
        let mut left = std::mem::take(&mut self.deferrals).into_iter().peekable();
        while left.peek().is_some() {
            let request = DeferReminders {
                items: left.by_ref().take(AT_ONCE).collect(),
            };
            if let Err(Disposition::Retry(reason) | Disposition::Drop(reason)) =
                ask::tell(route::DEFERRALS, &request).await
            {
                tracing::warn!("leases could not be given back and expire by themselves: {reason}");
            }
        }
    }
}

/// What distinguishes the reminders of a request.
fn key(reminder: &DueReminder) -> (ReminderId, i64) {
    (reminder.reminder_id, reminder.remind_at.at().as_second())
}

/// The decisions by what they are about. Those of an api that does not say so are in the order of the request.
fn by_reminder(request: &AskDeliveries, answer: Deliveries) -> BTreeMap<(ReminderId, i64), ReminderDelivery> {
    let mut places = request.items.iter();
    let decisions = answer.items.into_iter().filter_map(|decided| {
        let place = places.next();
        let about = match (decided.reminder_id, decided.remind_at) {
            (Some(id), Some(remind_at)) => Some((id, remind_at.at().as_second())),
            _ => place.map(key),
        };
        Some((about?, decided.decision))
    });
    decisions.collect()
}

/// Waits for [`AWAY`].
pub(crate) async fn pause_while_away() {
    wait_for(u64::try_from(AWAY.as_nanos()).unwrap_or(u64::MAX)).await;
}

/// Whole seconds from now, rounded up.
fn seconds_until(instant: Timestamp) -> u32 {
    let left = instant.duration_since(Timestamp::now()).as_secs().max(0);
    u32::try_from(left).unwrap_or(u32::MAX).saturating_add(1)
}

/// Splits reminders into the parts of one request each.
fn parts(won: Vec<(&Due, Lease)>) -> Vec<Vec<(&Due, Lease)>> {
    let mut parts: Vec<Vec<_>> = Vec::new();
    let mut size = 0;
    for (due, lease) in won {
        // A task that cannot be measured is as large as a response may be.
        let length = serde_json::to_vec(&due.event.task).map_or(LARGEST, |task| task.len());
        let fits = |part: &&mut Vec<_>| part.len() < AT_ONCE && size + length <= LARGEST;
        match parts.last_mut().filter(fits) {
            Some(part) => {
                size += length;
                part.push((due, lease));
            }
            None => {
                size = length;
                parts.push(vec![(due, lease)]);
            }
        }
    }
    parts
}

fn outcome(due: &Due, ended: Ended) -> pubsub::CloudEvent {
    let event = &due.event;
    let task_id = event.task.task.id;
    let outcome = DeliveryOutcome {
        schema_version: SCHEMA_VERSION,
        reminder_id: event.reminder_id,
        task_id,
        remind_at: event.remind_at,
        failure: ended.failure,
        at: ended.at,
        lease_id: event.lease_id,
        handed_over_at: event.handed_over_at,
        attempts: ended.attempts,
        traceparent: event.traceparent.clone(),
    };
    let id = format!(
        "{}:{}:{}",
        event.reminder_id,
        event.remind_at,
        outcome.event_type()
    );
    publish::event(app::EMAIL_DELIVERY, id, task_id.to_string(), &outcome)
}
