//! What is carried over from the system that Nudge replaces (decision 0020, docs/MIGRATION.md).
//!
//! A change that was made there is repeated here as a change of the same task, marked with its origin. The mark is all that keeps
//! the two apart: a marked change is not carried back, and nothing follows from it here. It may come twice, late, and in any
//! order, because each field goes by the time of its change: what is older than what the task has is passed over.

mod numbers;
mod waiting;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use nudge_contract::event::{Change, Origin};
use nudge_contract::legacy::{
    Applied, IMPORT, LegacyChange, LegacyResults, MOST_USERS, Master, Masters, Numbered, SetMaster, What,
};
use nudge_domain::reminder::{ReminderStatus, ReminderWhen, cancel_all};
use nudge_domain::task::Status;
use nudge_domain::{Zone, id::UserId};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::User;
use crate::db::{Database, milliseconds};
use crate::events::outbox;
use crate::profile;
use crate::profile::Person;
use crate::tasks::edit::{self, Context};
use crate::tasks::labels;
use crate::tasks::labels::store::{Kind, Label, Names};
use crate::tasks::record::TaskRecord;
use crate::tasks::service::{self, ATTEMPTS, contended, context};
use crate::tasks::store;

pub(crate) use numbers::master_of;

/// Applies changes, one after the other. A change that cannot be is refused, and the others go on.
pub(crate) async fn apply(changes: Vec<LegacyChange>, trace: &Traceparent) -> Result<LegacyResults, Problem> {
    let carrying = Carrying::open(trace).await?;
    let mut results = Vec::with_capacity(changes.len());
    for change in &changes {
        results.push(match apply_one(&carrying, change).await {
            Err(problem) if problem.status().is_client_error() => Applied::Refused {
                reason: reason(&problem),
            },
            other => other?,
        });
    }
    Ok(LegacyResults { results })
}

/// What is wrong, field by field, in the other system's words.
fn reason(problem: &Problem) -> String {
    let there = |field: &str| match field {
        "due" => "due_date".to_owned(),
        "recurrence" => "recurrence_rule".to_owned(),
        other => other
            .replace("tagIds", "tag_ids")
            .replace("categoryId", "category_id"),
    };
    let errors = problem.errors().iter();
    let errors: Vec<_> = errors
        .map(|error| format!("{}: {}", there(&error.field), error.message))
        .collect();
    if errors.is_empty() {
        problem.detail().to_owned()
    } else {
        errors.join("; ")
    }
}

/// One call, and what it has looked up: an import asks for the same few people and labels again and again.
struct Carrying<'a> {
    database: Database,
    trace: &'a Traceparent,
    people: Mutex<HashMap<String, Person>>,
    labels: Mutex<HashMap<(&'static str, i64), Uuid>>,
}

impl<'a> Carrying<'a> {
    async fn open(trace: &'a Traceparent) -> Result<Self, Problem> {
        Ok(Self {
            database: Database::open().await?,
            trace,
            people: Mutex::default(),
            labels: Mutex::default(),
        })
    }

    async fn person(&self, user: &User) -> Result<Person, Problem> {
        let known = held(&self.people).get(user.id.as_str()).cloned();
        if let Some(person) = known {
            return Ok(person);
        }
        let person = profile::remember(&self.database, user, Timestamp::now()).await?;
        held(&self.people).insert(person.id.clone(), person.clone());
        Ok(person)
    }

    async fn label(&self, kind: Kind, number: i64) -> Result<Uuid, Problem> {
        let known = held(&self.labels).get(&(kind.name(), number)).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let id = numbers::label(&self.database, kind, number).await?;
        held(&self.labels).insert((kind.name(), number), id);
        Ok(id)
    }
}

/// Nobody panics while they hold it.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn apply_one(carrying: &Carrying<'_>, change: &LegacyChange) -> Result<Applied, Problem> {
    let known = Known::of(change)?;
    match &change.what {
        What::Category { number, name, color } => {
            label(carrying, &known, Kind::Category, *number, name, color.as_deref()).await
        }
        What::Tag { number, name, color } => {
            label(carrying, &known, Kind::Tag, *number, name, color.as_deref()).await
        }
        What::Stored { task, .. }
        | What::Updated { task, .. }
        | What::Completed { task, .. }
        | What::Deleted { task }
        | What::Reminded { task } => apply_to_task(carrying, &known, *task).await,
    }
}

/// A change whose texts are checked.
struct Known<'a> {
    change: &'a LegacyChange,
    user: User,
    at: Timestamp,
}

impl<'a> Known<'a> {
    fn of(change: &'a LegacyChange) -> Result<Self, Problem> {
        let id: UserId = change
            .user_id
            .parse()
            .map_err(|error: nudge_domain::id::IdError| {
                Problem::field("user_id", error.code(), error.to_string())
            })?;
        Ok(Self {
            user: User {
                id,
                email: None,
                zone: Zone::utc(),
                says_zone: false,
            },
            at: instant("timestamp", &change.at)?,
            change,
        })
    }

    fn origin(&self) -> Option<Origin> {
        Some(Origin {
            event_id: self.change.event_id.clone(),
            at: self.change.at.clone(),
        })
    }
}

fn instant(field: &str, text: &str) -> Result<Timestamp, Problem> {
    text.parse().map_err(|error| {
        Problem::field(
            field,
            "invalid_instant",
            format!("{text:?} is no instant: {error}"),
        )
    })
}

/// A label that is new; one that is there follows only while its owner is the other system's. Two that differ in case alone are two
/// there, so they are two here.
async fn label(
    carrying: &Carrying<'_>,
    known: &Known<'_>,
    kind: Kind,
    number: i64,
    name: &str,
    color: Option<&str>,
) -> Result<Applied, Problem> {
    let database = &carrying.database;
    let user = known.user.id.as_str();
    carrying.person(&known.user).await?;
    let id = carrying.label(kind, number).await?;
    let body = Map::from_iter([
        ("name".to_owned(), name.into()),
        ("color".to_owned(), color.into()),
    ]);
    for _ in 0..ATTEMPTS {
        let Some(before) = labels::store::find(database, kind, user, id).await? else {
            let label: Label = labels::store::apply(kind, None, body.clone(), id)?;
            for names in [Names::Alike, Names::Equal] {
                if labels::store::insert(database, kind, user, &label, names, Timestamp::now()).await? {
                    return Ok(Applied::Created);
                }
            }
            if labels::store::find(database, kind, user, id).await?.is_none() {
                return Err(name_taken(kind));
            }
            continue;
        };
        let mut label = labels::store::apply(kind, Some(before.clone()), body.clone(), id)?;
        if label == before || master_of(database, user).await? == Master::Nudge {
            return Ok(Applied::Unchanged);
        }
        label.version += 1;
        for names in [Names::Alike, Names::Equal] {
            if labels::store::update(database, kind, user, &label, names).await? {
                return Ok(Applied::Updated);
            }
        }
        let now = labels::store::find(database, kind, user, id).await?;
        if now.is_some_and(|now| now.version == before.version) {
            return Err(name_taken(kind));
        }
    }
    Err(contended(kind.name(), id))
}

fn name_taken(kind: Kind) -> Problem {
    let message = format!(
        "there is another {} of that name: rename one of the two",
        kind.name()
    );
    Problem::field("name", "name_taken", message)
}

async fn apply_to_task(carrying: &Carrying<'_>, known: &Known<'_>, number: i64) -> Result<Applied, Problem> {
    let database = &carrying.database;
    let id = numbers::task(database, number).await?;
    let user = known.user.id.as_str();
    let mut kept = false;
    for _ in 0..ATTEMPTS {
        let applied = match store::find(database, user, id).await? {
            Some(before) => merge(carrying, &before, known).await?,
            None => match store::find_for_service(database, id).await? {
                Some(task) if task.user_id != user => {
                    return Err(Problem::field(
                        "user_id",
                        "wrong_owner",
                        format!(
                            "task {number} belongs to user {}: look which of the two is right",
                            task.user_id
                        ),
                    ));
                }
                // Deleted, which is the last word on a task.
                Some(_) => Some(Applied::Unchanged),
                None => match known.change.what {
                    What::Stored { .. } => insert(carrying, known, id, number).await?,
                    // Whatever brings the task meanwhile finds it, or is found when we look again.
                    _ if !kept => {
                        waiting::keep(database, number, known.change).await?;
                        kept = true;
                        None
                    }
                    _ => return Ok(Applied::Waiting),
                },
            },
        };
        if let Some(applied) = applied {
            // Also after a change: what waits may be left from a run that was cut off.
            waiting_changes(carrying, number, id).await?;
            return Ok(applied);
        }
    }
    Err(contended("task", id))
}

/// Applies what came before its task, in the order in which it was done: a rule may need the date that was set before it.
async fn waiting_changes(carrying: &Carrying<'_>, number: i64, id: Uuid) -> Result<(), Problem> {
    let database = &carrying.database;
    let all = waiting::of_task(database, number).await?;
    let pairs = all
        .iter()
        .map(|waiting| Ok((Known::of(&waiting.change)?, waiting)));
    let mut pairs = pairs.collect::<Result<Vec<_>, Problem>>()?;
    pairs.sort_by_key(|(known, _)| known.at);
    for (known, waiting) in pairs {
        let mut attempts = 0..ATTEMPTS;
        let mut applied = false;
        while let Some(before) = store::find(database, known.user.id.as_str(), id).await? {
            match merge(carrying, &before, &known).await {
                Ok(Some(_)) => {
                    applied = true;
                    break;
                }
                Ok(None) if attempts.next().is_some() => {}
                Ok(None) => return Err(contended("task", id)),
                Err(problem) if problem.status().is_client_error() => {
                    tracing::error!(
                        event = known.change.event_id,
                        "a change that waited is refused: {}",
                        reason(&problem)
                    );
                    break;
                }
                Err(problem) => return Err(problem),
            }
        }
        if applied && waiting.is_taken_over() {
            follow(carrying, id).await?;
        }
        waiting::done(database, number, waiting).await?;
    }
    Ok(())
}

/// Stores a new task; none when somebody was faster.
async fn insert(
    carrying: &Carrying<'_>,
    known: &Known<'_>,
    id: Uuid,
    number: i64,
) -> Result<Option<Applied>, Problem> {
    let What::Stored {
        created_at,
        fields,
        reminded,
        remind_before,
        ..
    } = &known.change.what
    else {
        return Ok(None);
    };
    let context = context();
    let person = carrying.person(&known.user).await?;
    let mut body = patch(carrying, fields).await?;
    let status = body.remove("status");
    if *reminded || remind_before.is_some() {
        body.insert("reminders".to_owned(), Value::Array(Vec::new()));
    }
    let mut task = TaskRecord {
        id,
        ..edit::create(&person, body, &context)?
    };
    task.updated_at = milliseconds(known.at);
    task.created_at = match created_at {
        Some(at) => milliseconds(instant("created_at", at)?).min(task.updated_at),
        None => task.updated_at,
    };
    if !reminded {
        remind(&mut task, *remind_before, &context);
    }
    if status.as_ref().and_then(Value::as_str) == Some(Status::Completed.as_str()) {
        edit::complete(&mut task, &context);
        task.completed_at = Some(task.updated_at);
    }
    let mut event = task.event(Change::Created, None, Some(carrying.trace.to_string()));
    event.origin = known.origin();
    numbers::register(&carrying.database, numbers::TASK, number, id).await?;
    if !store::insert(&carrying.database, &task, &event).await? {
        return Ok(None);
    }
    outbox::publish_after_response(&event);
    Ok(Some(Applied::Created))
}

/// Applies a change to a task that is there; none when somebody else changed it meanwhile. An event that finds its fields as it
/// says is a version too: it keeps the time, so that an older event which comes later does not count.
async fn merge(
    carrying: &Carrying<'_>,
    before: &TaskRecord,
    known: &Known<'_>,
) -> Result<Option<Applied>, Problem> {
    let context = context();
    let imported = known.change.event_id == IMPORT && matches!(known.change.what, What::Stored { .. });
    // A row has one time for all of its fields, so it cannot tell what its user did here.
    if imported && master_of(&carrying.database, &before.user_id).await? == Master::Nudge {
        return Ok(Some(Applied::Unchanged));
    }
    let event_id = &known.change.event_id;
    let since = numbers::since(&carrying.database, before.id, known.at, event_id).await?;
    let newer = |name: &str| since.changed(name);
    let mut task = before.clone();
    let mut deleted = false;
    // Fields whose time it is; a task that is stored has none from before.
    let mut named: Vec<String> = Vec::new();
    match &known.change.what {
        What::Stored { fields, reminded, .. } => {
            let mut patch = patch(carrying, fields).await?;
            patch.retain(|name, _| !newer(name));
            edit::patch(&mut task, patch, &context)?;
            if *reminded && !newer("reminders") {
                sent(&mut task);
            }
        }
        What::Updated {
            fields,
            remind_before,
            ..
        } => {
            let mut patch = patch(carrying, fields).await?;
            patch.retain(|name, _| !newer(name));
            let moved = patch.contains_key("due");
            named = patch.keys().cloned().collect();
            edit::patch(&mut task, patch, &context)?;
            if moved && task.reminders.is_empty() && !newer("reminders") {
                remind(&mut task, *remind_before, &context);
            }
        }
        What::Completed { completed_at, .. } => {
            if !newer("status") {
                named.push("status".to_owned());
                if task.status == Status::Pending {
                    edit::complete(&mut task, &context);
                    task.completed_at = Some(milliseconds(instant("completed_at", completed_at)?));
                }
            }
        }
        What::Reminded { .. } => {
            if !newer("reminders") {
                sent(&mut task);
            }
        }
        What::Deleted { .. } => {
            deleted = true;
            cancel_all(&mut task.reminders);
        }
        What::Category { .. } | What::Tag { .. } => {}
    }
    if task == *before && !deleted && (since.noted || named.is_empty()) {
        return Ok(Some(Applied::Unchanged));
    }
    let kind = match (before.status, task.status) {
        _ if deleted => Change::Deleted,
        (Status::Pending, Status::Completed) => Change::Completed,
        (Status::Completed, Status::Pending) => Change::Reopened,
        _ => Change::Updated,
    };
    if kind == Change::Completed && !matches!(known.change.what, What::Completed { .. }) {
        task.completed_at = Some(milliseconds(known.at));
    }
    task.version = task.version.saturating_add(1);
    task.updated_at = before.updated_at.max(milliseconds(known.at));
    let mut event = task.event(kind, Some(before), Some(carrying.trace.to_string()));
    event.origin = known.origin();
    named.retain(|name| !event.changed.contains(name));
    event.changed.append(&mut named);
    if !store::update(&carrying.database, &task, &event, false).await? {
        return Ok(None);
    }
    outbox::publish_after_response(&event);
    Ok(Some(Applied::Updated))
}

/// A reminder so many minutes before the due date, if there is still a use in it.
fn remind(task: &mut TaskRecord, minutes: Option<u32>, context: &Context) {
    let Some(minutes) = minutes else { return };
    let id = (context.new_id)().into();
    let reminder = edit::arm(
        task,
        id,
        ReminderWhen::MinutesBefore(minutes),
        &task.reminders,
        context,
    );
    if let Ok(reminder) = reminder
        && reminder.status == ReminderStatus::Scheduled
    {
        task.reminders.push(reminder);
    }
}

/// The other system knows one reminder of a task.
fn sent(task: &mut TaskRecord) {
    let scheduled = |reminder: &&mut nudge_domain::reminder::Reminder| {
        reminder.status == ReminderStatus::Scheduled
            && matches!(reminder.when, ReminderWhen::MinutesBefore(_))
    };
    for reminder in task.reminders.iter_mut().filter(scheduled) {
        reminder.status = ReminderStatus::Sent;
    }
}

/// The fields as a merge patch: labels have ids instead of numbers.
async fn patch(carrying: &Carrying<'_>, fields: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let mut patch = fields.clone();
    if let Some(category) = patch.remove("category") {
        let id = match category.as_i64() {
            Some(number) => Value::from(carrying.label(Kind::Category, number).await?.to_string()),
            None => Value::Null,
        };
        patch.insert("categoryId".to_owned(), id);
    }
    if let Some(tags) = patch.remove("tags") {
        let mut ids = Vec::new();
        for number in tags.as_array().into_iter().flatten().filter_map(Value::as_i64) {
            ids.push(Value::from(carrying.label(Kind::Tag, number).await?.to_string()));
        }
        patch.insert("tagIds".to_owned(), Value::Array(ids));
    }
    Ok(patch)
}

/// A completion there whose next occurrence nobody there will make: applies it, and makes that. One whose task is not here waits.
pub(crate) async fn take_over(change: &LegacyChange, trace: &Traceparent) -> Result<(), Problem> {
    let carrying = Carrying::open(trace).await?;
    let database = &carrying.database;
    let What::Completed { task: number, .. } = change.what else {
        return Err(Problem::field(
            "kind",
            "wrong_kind",
            "only a completion can be taken over",
        ));
    };
    let id = numbers::task(database, number).await?;
    if apply_one(&carrying, change).await? != Applied::Waiting {
        return follow(&carrying, id).await;
    }
    waiting::keep_taken_over(database, number, change).await?;
    match store::find_for_service(database, id).await? {
        // Whatever brought it may have looked for what waits before this one did.
        Some(_) => waiting_changes(&carrying, number, id).await,
        None => Ok(()),
    }
}

/// Makes the next occurrence of a task, if it was completed and there is one.
async fn follow(carrying: &Carrying<'_>, id: Uuid) -> Result<(), Problem> {
    match store::find_for_service(&carrying.database, id).await? {
        Some(task) if task.status == Status::Completed && task.recurrence.is_some() => {
            Ok(service::follow(&carrying.database, &task, Some(carrying.trace)).await?)
        }
        _ => Ok(()),
    }
}

/// A task with the numbers it has there; one that has none gets one. Of one that was purged, the number.
pub(crate) async fn numbered(id: Uuid) -> Result<Numbered, Problem> {
    let database = Database::open().await?;
    let Some(task) = store::find_for_service(&database, id).await? else {
        // Its owner left; its number stays, for the other system to be told so.
        let number = numbers::of(&database, id).await?;
        return Ok(Numbered {
            number: number.ok_or_else(|| Problem::not_found("task"))?,
            category: None,
            tags: Vec::new(),
            task: None,
        });
    };
    let mut tags = Vec::new();
    for tag in &task.tag_ids {
        tags.extend(numbers::of(&database, *tag).await?);
    }
    let category = match task.category_id {
        Some(category) => numbers::of(&database, category).await?,
        None => None,
    };
    Ok(Numbered {
        number: numbers::hand_out(&database, id).await?,
        category,
        tags,
        task: Some(task.snapshot()),
    })
}

/// Which of the two systems reminds whom.
pub(crate) async fn masters() -> Result<Masters, Problem> {
    let database = Database::open().await?;
    Ok(numbers::masters(&database).await?)
}

/// Changes that, with one statement.
pub(crate) async fn set_master(set: &SetMaster) -> Result<(), Problem> {
    let users = set.users.as_deref().unwrap_or_default();
    if users.len() > MOST_USERS {
        return Err(Problem::field(
            "users",
            "too_many_users",
            format!("at most {MOST_USERS} users at a time: send them in parts, or say everybody"),
        ));
    }
    for user in users {
        user.parse::<UserId>()
            .map_err(|error| Problem::field("users", error.code(), error.to_string()))?;
    }
    let everybody = ["*".to_owned()];
    let whom = set.users.as_deref().unwrap_or(&everybody);
    numbers::set_master(&Database::open().await?, set.master, whom, Timestamp::now()).await?;
    Ok(())
}
