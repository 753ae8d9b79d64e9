//! Sends the emails of a batch through the lanes, and records which ones were sent.
//!
//! Each lane sends one email after another, and takes the next from a queue that all share. What was sent is recorded while the next
//! email is on its way, [`GROUP`] emails together, and at the latest [`UNWRITTEN`] after the first of them. A crash sends those a
//! second time that were not recorded yet, and those that the lanes were sending. Recording each email alone would make that one
//! email less, and cost half a call of the sidecar more per reminder.
//!
//! After [`BUDGET`] no further email is begun, so that a slow mail server does not make the reminders of other users wait for the
//! whole batch. A lane whose mail server is away begins no other. What is left goes back to the api, where users take turns.
//!
//! If the mail server takes too long for an email, its user rests, and the batch tries no other email of that user. Those who are
//! known to be slow come last.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join, join_all, select};
use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::state::{Outcome, PutOperation};
use nudge_component::publish::describe;
use nudge_contract::api::RefusedRecipient;
use nudge_contract::task::Snapshot;
use nudge_domain::Zone;
use nudge_domain::id::UserId;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

use crate::due::Due;
use crate::lane::{self, Turn};
use crate::rest::Rests;
use crate::smtp::Failure;
use crate::store::{self, Ended, Lease, WORTH_TRYING};
use crate::{mail, smtp};

/// How many emails are recorded together.
pub(crate) const GROUP: usize = 2;

/// Longest time between an email and its record, unless the state store is slow.
pub(crate) const UNWRITTEN: Duration = Duration::from_millis(250);

/// How long emails of a batch are begun.
pub(crate) const BUDGET: SignedDuration = SignedDuration::from_secs(8);

/// How long an email may be on its way before no other of its user is begun beside it. Several lanes together wait for one slow
/// recipient no longer than one does, and this.
const SUSPECT: SignedDuration = SignedDuration::from_secs(1);

/// An email that is to be sent.
pub(crate) struct Letter<'a> {
    pub(crate) due: &'a Due,
    /// The claim of its reminder.
    pub(crate) lease: Lease,
    /// The recipient's address.
    pub(crate) email: String,
    /// IANA name of the recipient's time zone.
    pub(crate) time_zone: String,
    /// The current task.
    pub(crate) task: Box<Snapshot>,
    /// Where the recipient can stop emails.
    pub(crate) stop_link: Option<String>,
}

impl Letter<'_> {
    fn user(&self) -> &UserId {
        &self.due.event.task.user_id
    }
}

/// What became of the letters of a batch.
pub(crate) struct Finished<'a> {
    /// Sent or given up, and recorded as such.
    pub(crate) ended: Vec<(&'a Due, Ended)>,
    /// Recipients that no email can be sent to.
    pub(crate) refused: Vec<RefusedRecipient>,
    /// They could not be sent for now.
    pub(crate) failed: Vec<Letter<'a>>,
    /// The mail server was away, which is not their fault.
    pub(crate) away: Vec<Letter<'a>>,
    /// The batch ended before their turn.
    pub(crate) untried: Vec<Letter<'a>>,
    /// There was no lane.
    pub(crate) unable: Vec<Letter<'a>>,
    /// They were not tried because their user rests.
    pub(crate) rested: Vec<Letter<'a>>,
    /// Who is slow now.
    pub(crate) rests: Rests,
}

/// Sends the letters. `unsendable` are reminders for which no email can be sent, and the reason for their owner; they are recorded
/// with the others. `rests` says which users are slow.
pub(crate) async fn send_all<'a>(
    mut letters: Vec<Letter<'a>>,
    unsendable: Vec<(&'a Due, Lease, String)>,
    rests: Rests,
) -> Finished<'a> {
    letters.sort_by_key(|letter| rests.since(letter.user()).is_some());
    let desk = Desk::new(rests);
    for (due, lease, reason) in unsendable {
        desk.end(due, lease, Some(reason));
    }
    let lanes = if letters.is_empty() {
        Vec::new()
    } else {
        lane::enter().await.unwrap_or_else(|reason| {
            tracing::error!("no email is sent: {reason}");
            Vec::new()
        })
    };
    if lanes.is_empty() {
        if !letters.is_empty() {
            tracing::warn!(
                reminders = letters.len(),
                "not sent for now: no smtp component is free; the sidecar may no longer wait for the delivery that uses it"
            );
        }
        desk.state().finished.unable = letters;
        desk.write().await;
    } else {
        desk.state().letters = letters.into();
        desk.let_rest();
        let until = Timestamp::now().saturating_add(BUDGET).unwrap_or(Timestamp::MAX);
        join_all(lanes.iter().map(|lane| desk.work(lane, until))).await;
    }
    let Work {
        letters,
        mut finished,
        ..
    } = desk.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    finished.untried = letters.into();
    finished
}

/// What the lanes of a batch share.
struct Desk<'a>(Mutex<Work<'a>>);

struct Work<'a> {
    letters: VecDeque<Letter<'a>>,
    /// Whose emails are on their way, and since when.
    on_their_way: Vec<(UserId, Timestamp)>,
    unwritten: Vec<(&'a Due, Ended, PutOperation)>,
    finished: Finished<'a>,
}

impl<'a> Desk<'a> {
    fn new(rests: Rests) -> Self {
        Self(Mutex::new(Work {
            letters: VecDeque::new(),
            on_their_way: Vec::new(),
            unwritten: Vec::new(),
            finished: Finished {
                ended: Vec::new(),
                refused: Vec::new(),
                failed: Vec::new(),
                away: Vec::new(),
                untried: Vec::new(),
                unable: Vec::new(),
                rested: Vec::new(),
                rests,
            },
        }))
    }

    /// Not to be held while something is awaited.
    fn state(&self) -> MutexGuard<'_, Work<'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends letters through a lane until there are no more that it may begin, the time is up, or the mail server is away.
    async fn work(&self, lane: &Turn, until: Timestamp) {
        while let Some(letter) = self.next(until) {
            let sent = self.send(lane, &letter).await;
            self.arrive(letter.user());
            let is_over = matches!(sent, Err(Failure::Away(_)));
            let user = matches!(sent, Err(Failure::Slow(_))).then(|| letter.user().clone());
            self.sort(letter, sent);
            if let Some(user) = user {
                self.state().finished.rests.begin(&user, Timestamp::now());
                self.let_rest();
            }
            if is_over {
                break;
            }
        }
        self.write().await;
    }

    /// Takes out the letters whose users rest.
    fn let_rest(&self) {
        let now = Timestamp::now();
        let (resting, letters): (VecDeque<_>, _) = {
            let mut state = self.state();
            let Work {
                letters, finished, ..
            } = &mut *state;
            let rests = &finished.rests;
            std::mem::take(letters)
                .into_iter()
                .partition(|letter| rests.seconds_left(letter.user(), now).is_some())
        };
        self.state().letters = letters;
        for letter in resting {
            if is_hopeless(&letter) {
                self.give_up(letter, "its recipient's mail server takes too long");
            } else {
                self.state().finished.rested.push(letter);
            }
        }
    }

    fn next(&self, until: Timestamp) -> Option<Letter<'a>> {
        let left = until.duration_since(Timestamp::now());
        // More is left than there was: the clock was set back.
        let in_time = left > SignedDuration::ZERO && left <= BUDGET;
        if in_time {
            self.state().take(Timestamp::now())
        } else {
            None
        }
    }

    /// Notes that an email of a user is on its way no more.
    fn arrive(&self, user: &UserId) {
        let mut state = self.state();
        if let Some(place) = state.on_their_way.iter().position(|(known, _)| known == user) {
            state.on_their_way.swap_remove(place);
        }
    }

    /// Sends a letter. Meanwhile a complete group is recorded, or after a while what there is.
    async fn send(&self, lane: &Turn, letter: &Letter<'a>) -> Result<(), Failure> {
        let sending = pin!(send(lane, letter));
        if self.is_group_complete() {
            return join(sending, self.write()).await.0;
        }
        if self.state().unwritten.is_empty() {
            return sending.await;
        }
        let patience = pin!(wait_for(u64::try_from(UNWRITTEN.as_nanos()).unwrap_or(u64::MAX)));
        match select(sending, patience).await {
            Either::Left((sent, _)) => sent,
            Either::Right(((), sending)) => join(sending, self.write()).await.0,
        }
    }

    /// Decides what becomes of a letter.
    fn sort(&self, letter: Letter<'a>, sent: Result<(), Failure>) {
        let reminder = letter.due.event.reminder_id;
        let attempts = letter.lease.attempts();
        match sent {
            Ok(()) => self.end(letter.due, letter.lease, None),
            Err(Failure::Permanent(reason)) => self.end(letter.due, letter.lease, Some(reason)),
            Err(Failure::Recipient(fault, reason)) => {
                self.state().finished.refused.push(RefusedRecipient {
                    user_id: letter.due.event.task.user_id.clone(),
                    email: letter.email,
                    fault,
                });
                self.end(letter.due, letter.lease, Some(reason));
            }
            Err(Failure::Passing(reason) | Failure::Slow(reason) | Failure::Away(reason))
                if is_hopeless(&letter) =>
            {
                self.give_up(letter, &reason);
            }
            Err(Failure::Passing(reason) | Failure::Slow(reason)) => {
                tracing::warn!(%reminder, attempts, "not sent for now: {reason}");
                self.state().finished.failed.push(letter);
            }
            Err(Failure::Away(reason)) => {
                tracing::warn!(%reminder, attempts, "no email can be sent now: {reason}");
                self.state().finished.away.push(letter);
            }
        }
    }

    fn give_up(&self, letter: Letter<'a>, why: &str) {
        let reminder = letter.due.event.reminder_id;
        let attempts = letter.lease.attempts();
        tracing::error!(%reminder, attempts, "given up: {why}");
        let reason = "the email could not be sent for a day".to_owned();
        self.end(letter.due, letter.lease, Some(reason));
    }

    fn end(&self, due: &'a Due, lease: Lease, failure: Option<String>) {
        let ended = Ended {
            failure,
            at: Timestamp::now(),
            attempts: lease.attempts(),
        };
        let write = lease.done(ended.clone());
        self.state().unwritten.push((due, ended, write));
    }

    fn is_group_complete(&self) -> bool {
        let now = Timestamp::now();
        let state = self.state();
        let oldest = state.unwritten.first().map(|(_, ended, _)| ended.at);
        let is_old = oldest.is_some_and(|at| now.duration_since(at).unsigned_abs() >= UNWRITTEN);
        is_old || state.unwritten.len() >= GROUP
    }

    /// Records what has ended. It was sent, so its outcome is published whether or not it can be recorded.
    async fn write(&self) {
        let group = std::mem::take(&mut self.state().unwritten);
        let mut writes = Vec::new();
        let mut ended = Vec::new();
        for (due, end, write) in group {
            writes.push(write);
            ended.push((due, end));
        }
        let emails = ended.len();
        match store::write_all(writes).await {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Lost) => tracing::error!(emails, "a claim was lost while its email was sent"),
            Err(error) => tracing::error!(
                emails,
                "what was sent could not be recorded; only the api knows it now: {}",
                describe(&error)
            ),
        }
        self.state().finished.ended.extend(ended);
    }
}

impl<'a> Work<'a> {
    /// The next letter: of a user who has no email on its way, or else of one whose emails have not been on their way for long.
    fn take(&mut self, now: Timestamp) -> Option<Letter<'a>> {
        let may_begin = |letter: &Letter<'_>| letter.lease.may_begin();
        let is_on_its_way = |letter: &Letter<'_>, since: &dyn Fn(Timestamp) -> bool| {
            let mut all = self.on_their_way.iter();
            all.any(|(user, at)| user == letter.user() && since(*at))
        };
        let place = self
            .letters
            .iter()
            .position(|letter| may_begin(letter) && !is_on_its_way(letter, &|_| true))
            .or_else(|| {
                let is_suspect = |at: Timestamp| now.duration_since(at).abs() >= SUSPECT;
                self.letters
                    .iter()
                    .position(|letter| may_begin(letter) && !is_on_its_way(letter, &is_suspect))
            })?;
        let letter = self.letters.remove(place)?;
        self.on_their_way.push((letter.user().clone(), now));
        Some(letter)
    }
}

/// Whether a reminder that fails again is given up.
fn is_hopeless(letter: &Letter<'_>) -> bool {
    let late = letter.due.late(Timestamp::now());
    late > WORTH_TRYING && letter.lease.tried_for(WORTH_TRYING)
}

async fn send(lane: &Turn, letter: &Letter<'_>) -> Result<(), Failure> {
    let event = &letter.due.event;
    // The reminder and the instant, which also form the key of its claim.
    let reference = format!("{} {}", event.reminder_id, event.remind_at.at().as_second());
    // The api returns only valid zones; should it not, an email in UTC is better than none.
    let zone = letter.time_zone.parse().unwrap_or_else(|_| Zone::utc());
    let stop_link = letter.stop_link.as_deref();
    let mail = mail::write(&reference, &letter.task.task, &zone, stop_link, Timestamp::now())
        .map_err(|error| Failure::Passing(format!("the email cannot be rendered: {error}")))?;
    smtp::send(lane.component(), &letter.email, &mail).await
}
