//! Responses of the api to clients and to the other services.

use jiff::Timestamp;
use nudge_domain::LocalInstant;
use nudge_domain::id::{LeaseId, ReminderId, TaskId, UserId};
use nudge_domain::instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{Change, ChangedBy};
use crate::task::{Snapshot, Task};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// In the requested order.
    pub items: Vec<T>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// One version of a task, as history and feed show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    /// Its cursor into the feed: the value for `since`, `Last-Event-ID` and `cursor`.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: Change,
    /// Which task.
    pub task_id: TaskId,
    /// The version that it created.
    pub version: u32,
    /// When, UTC.
    #[serde(deserialize_with = "instant::read")]
    pub time: Timestamp,
    /// Who made the change. None if it was stored by a version of Nudge that did not note it.
    #[serde(default)]
    pub by: Option<ChangedBy>,
    /// Id of the trace of the request that made it, 32 hexadecimal digits. None as above.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// Names of the fields that differ from the version before.
    pub changed: Vec<String>,
    /// The task at that version; if it was deleted, its last state.
    pub task: Task,
}

/// Response of the change feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Oldest first.
    pub items: Vec<ChangeItem>,
    /// The value for `since` in the next request, also when there are no items.
    pub next: String,
}

/// Response of a bulk request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkAnswer {
    /// One result per operation, in the order of the operations.
    pub results: Vec<BulkResult>,
}

/// The result of one operation of a bulk request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// The HTTP status it would have had as a request of its own.
    pub status: u16,
    /// The current task, unless it was deleted or the operation was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Why it was refused: RFC 9457 problem details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<serde_json::Value>,
}

/// A due reminder that the caller has leased: an item of [`LeasedReminders`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeasedReminder {
    /// Which reminder.
    pub reminder_id: ReminderId,
    /// The instant it is due.
    pub remind_at: LocalInstant,
    /// The lease. None from an api of a version that had no such ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
    /// Its task.
    pub task: Snapshot,
}

/// Body of [`LEASES`](crate::names::route::LEASES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseReminders {
    /// The due second of the job that asks. The scheduler's clock may be ahead of the api's by a little: what is due by then counts
    /// as due. Without it, what is due now.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub due_by: Option<Timestamp>,
    /// Maximum number of reminders.
    pub limit: u32,
    /// The id of the lease, a UUIDv7. A request that is repeated with the same id gets the same reminders. Without it, the api makes
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
}

/// Response of [`LEASES`](crate::names::route::LEASES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeasedReminders {
    /// Due reminders that no other caller gets until the lease expires. Users take turns.
    pub items: Vec<LeasedReminder>,
    /// Whether other reminders are due that were not leased: there are more than the limit, or too many are in flight.
    pub more: bool,
    /// Whether reminders may become due again soon: some are in flight, these included, or were given back for some seconds.
    #[serde(default)]
    pub pending: bool,
}

/// Response of [`DUE_SECONDS`](crate::names::route::DUE_SECONDS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueSeconds {
    /// Unix seconds in which reminders become due within the horizon, ascending, each once.
    pub seconds: Vec<i64>,
}

/// A reminder, and the instant it was leased for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DueReminder {
    /// Which reminder.
    pub reminder_id: ReminderId,
    /// The instant.
    pub remind_at: LocalInstant,
    /// The lease. None if its event is of a version that had no such ids; then the reminder counts as leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
}

/// Body of [`DELIVERIES`](crate::names::route::DELIVERIES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskDeliveries {
    /// The reminders, at most 100.
    pub items: Vec<DueReminder>,
}

/// Response of [`DELIVERIES`](crate::names::route::DELIVERIES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deliveries {
    /// One decision per reminder, in the order of the request.
    pub items: Vec<DecidedReminder>,
}

/// An item of [`Deliveries`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecidedReminder {
    /// Which reminder. An api of a version before leases had ids does not say; there the order of the request counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder_id: Option<ReminderId>,
    /// The instant that was asked about. None as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<LocalInstant>,
    /// The decision.
    #[serde(flatten)]
    pub decision: ReminderDelivery,
}

/// The final decision whether a reminder is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ReminderDelivery {
    /// Send it.
    Send {
        /// The email address to send to.
        email: String,
        /// IANA name of the owner's time zone.
        time_zone: String,
        /// The current task.
        task: Box<Snapshot>,
        /// Where the recipient can stop emails; none if the api does not know its own address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_link: Option<String>,
    },
    /// Do not send it: it was cancelled, moved or sent in the meantime.
    Skip {
        /// Why, for the log.
        reason: String,
    },
    /// It should be sent, but there is no address that it can be sent to. The name is that of versions without a reason, which
    /// still read it.
    #[serde(rename = "noAddress")]
    Unsendable {
        /// Why, worded for the owner; without it, the owner has no address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Body of [`REFUSED_RECIPIENTS`](crate::names::route::REFUSED_RECIPIENTS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRecipients {
    /// At most 100.
    pub items: Vec<RefusedRecipient>,
}

/// A recipient that no email can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRecipient {
    /// Whose email it was.
    pub user_id: UserId,
    /// The address, as the api named it.
    pub email: String,
    /// Why.
    pub fault: RecipientFault,
}

/// Why no email can be sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RecipientFault {
    /// It is not a valid address.
    Invalid,
    /// The mail server refuses it.
    Refused {
        /// The reply code (RFC 5321, section 4.2): 500 to 599.
        code: u16,
    },
}

/// Body of [`NOTICES`](crate::names::route::NOTICES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskNotices {
    /// Ids of notices, at most 100.
    pub items: Vec<Uuid>,
}

/// Response of [`NOTICES`](crate::names::route::NOTICES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notices {
    /// One decision per notice, in the order of the request.
    pub items: Vec<NoticeDelivery>,
}

/// The final decision whether a notice is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum NoticeDelivery {
    /// Send it.
    Send {
        /// The email address to send to.
        email: String,
        /// What it says.
        notice: Notice,
        /// Where the recipient can stop emails.
        stop_link: String,
    },
    /// Do not send it: it was sent, replaced by a later one, or is no longer wanted.
    Skip {
        /// Why, for the log.
        reason: String,
    },
}

/// What a notice says. None of it is text from a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Notice {
    /// Someone asked for emails to be sent to this address.
    Confirm {
        /// Where the recipient agrees.
        link: String,
        /// Until when.
        #[serde(deserialize_with = "instant::read")]
        until: Timestamp,
    },
    /// Emails of the account go elsewhere from now on.
    Changed {
        /// When that was decided.
        #[serde(deserialize_with = "instant::read")]
        at: Timestamp,
    },
}

/// Body of [`NOTICE_OUTCOMES`](crate::names::route::NOTICE_OUTCOMES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeOutcomes {
    /// At most 100.
    pub items: Vec<NoticeOutcome>,
}

/// How the delivery of a notice ended. One that may succeed later has no outcome: the api requests it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeOutcome {
    /// Which notice.
    pub id: Uuid,
    /// Why it failed for good, worded for the user; none when it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The recipient's fault, if it failed because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<RecipientFault>,
}

/// Body of [`DEFERRALS`](crate::names::route::DEFERRALS): leases that end because the reminders were not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeferReminders {
    /// At most 100.
    pub items: Vec<Deferral>,
}

/// A reminder that is to be leased again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deferral {
    /// Which reminder, and the instant it was leased for.
    #[serde(flatten)]
    pub reminder: DueReminder,
    /// Seconds from now after which it may be leased again; 0 if it was not attempted.
    pub after_seconds: u32,
    /// Why, for its owner. None if that says nothing new, and from older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<HeldBack>,
}

/// Why a reminder that is due was not sent for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeldBack {
    /// The mail server cannot be reached, or does not let Nudge in.
    MailServerAway,
    /// The mail server took too long for an email of this user.
    SlowRecipient,
    /// The mail server did not accept the email for now.
    RefusedForNow,
    /// Other emails were sent first.
    Queued,
    /// The broker did not accept its event.
    BrokerRefused,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

impl HeldBack {
    /// Its word in JSON, which databases keep, too.
    pub fn word(self) -> &'static str {
        match self {
            Self::MailServerAway => "mailServerAway",
            Self::SlowRecipient => "slowRecipient",
            Self::RefusedForNow => "refusedForNow",
            Self::Queued => "queued",
            Self::BrokerRefused => "brokerRefused",
            Self::Other => "other",
        }
    }

    /// Reads its word.
    pub fn of_word(word: &str) -> Self {
        let all = [
            Self::MailServerAway,
            Self::SlowRecipient,
            Self::RefusedForNow,
            Self::Queued,
            Self::BrokerRefused,
        ];
        let known = all.into_iter().find(|known| known.word() == word);
        known.unwrap_or(Self::Other)
    }
}

/// Body of [`SUCCESSORS`](crate::names::route::SUCCESSORS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateSuccessors {
    /// At most 100.
    pub items: Vec<SuccessorOf>,
}

/// What comes after a completed task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SuccessorOf {
    /// The completed task.
    pub task_id: TaskId,
    /// W3C trace context of its completion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What comes next.
    pub successor: Successor,
}

/// Response of [`SUCCESSORS`](crate::names::route::SUCCESSORS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Successors {
    /// One result per completed task, in the order of the request.
    pub items: Vec<SuccessorResult>,
}

/// The result for one completed task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SuccessorResult {
    /// The next occurrence exists, or the series has ended.
    Done,
    /// The completed task was purged in the meantime.
    Gone,
    /// The next occurrence can never be created.
    Refused {
        /// Why, for the log.
        reason: String,
    },
    /// It cannot be created now.
    Later {
        /// Why, for the log.
        reason: String,
    },
}

/// The next occurrence of a completed task, or the end of its series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Successor {
    /// The next occurrence.
    Next {
        /// UUIDv5 of the series and the instant, which makes the request idempotent.
        id: TaskId,
        /// When it is due.
        due: LocalInstant,
        /// Its number.
        occurrence: u32,
        /// `completedAt` of the completion that it follows; without it, any completion.
        #[serde(
            default,
            deserialize_with = "instant::read_some",
            skip_serializing_if = "Option::is_none"
        )]
        completed_at: Option<Timestamp>,
    },
    /// The series is over.
    Ended {
        /// As in [`Successor::Next`].
        #[serde(
            default,
            deserialize_with = "instant::read_some",
            skip_serializing_if = "Option::is_none"
        )]
        completed_at: Option<Timestamp>,
    },
}

impl Successor {
    /// `completedAt` of the completion that it follows.
    pub fn completed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Next { completed_at, .. } | Self::Ended { completed_at } => *completed_at,
        }
    }
}

/// Response of [`RELAY`](crate::names::route::RELAY).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayReport {
    /// Pending events that were published now.
    pub published: u32,
    /// Events that are still pending.
    pub left: u32,
}

/// An event that a consumer could not handle, as [`DEAD_LETTERS`](crate::names::route::DEAD_LETTERS) shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Its id in requests to replay or discard it.
    pub id: String,
    /// The topic it was published to; none when the event does not tell.
    pub topic: Option<String>,
    /// App id of the consumer that refused it; none when the sidecar dead-lettered it.
    pub consumer: Option<String>,
    /// Why.
    pub reason: String,
    /// When the api received it, UTC.
    #[serde(deserialize_with = "instant::read")]
    pub arrived_at: Timestamp,
    /// The event as it was delivered, possibly truncated.
    pub event: String,
}

/// Response of [`DEAD_LETTERS`](crate::names::route::DEAD_LETTERS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// In turns of the users they are about, the oldest of each user first; at most 100.
    pub items: Vec<DeadLetter>,
    /// Total number of dead letters.
    pub count: u32,
}

/// Body of [`DEAD_LETTERS_REPLAY`](crate::names::route::DEAD_LETTERS_REPLAY) and
/// [`DEAD_LETTERS_DISCARD`](crate::names::route::DEAD_LETTERS_DISCARD): which dead letters, at most 100.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterIds {
    /// Their ids.
    pub ids: Vec<String>,
}

/// Response of both: the result for each dead letter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLettersDone {
    /// Ids that were published or deleted.
    pub done: Vec<String>,
    /// Dead letters that remain.
    pub refused: Vec<RefusedDeadLetter>,
}

/// A dead letter that remains, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedDeadLetter {
    /// Its id.
    pub id: String,
    /// Why it cannot be published.
    pub reason: String,
}
