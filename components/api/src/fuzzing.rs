//! What reads bodies and queries, without a database, for the fuzz targets in `fuzz/`. The component is built without it.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts};
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use jiff::Timestamp;
pub use nudge_component::Problem;
use nudge_contract::task as contract;
use nudge_domain::Zone;
use nudge_domain::id::UserId;
use nudge_domain::task::{Context, NewTask, ReminderEdit, Task};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::User;
use crate::caller::{Cause, Identity};
use crate::db::{Dialect, Row};
use crate::error::ServiceError;
use crate::http::{body, query};
use crate::input::fields::{self, JsonObject, Pairs};
use crate::mcp;
use crate::profile::Profile;
use crate::tasks::labels::{Kind, Label, service};
use crate::tasks::list::cursor::Cursor;
use crate::tasks::record;
use crate::terms::{Within, Words};
use crate::version::Thing;

/// Maximum number of mistakes that a refusal names.
pub const MAX_ERRORS: usize = fields::MAX_ERRORS;

/// Fields of a task that a client cannot change.
const READ_ONLY: [&str; 7] = [
    "id",
    "seriesId",
    "occurrence",
    "version",
    "createdAt",
    "updatedAt",
    "completedAt",
];

/// Which request a body is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `POST /api/v1/tasks`
    Create,
    /// `PATCH /api/v1/tasks/{id}`
    Patch,
    /// `POST /api/v1/tasks/{id}/move`
    MoveDue,
    /// `POST /api/v1/tasks/{id}/reminders`
    AddReminder,
    /// `PATCH /api/v1/tasks/{id}/reminders/{reminder}`, of the first reminder.
    MoveReminder,
    /// `POST /api/v1/tasks/{id}/reminders/{reminder}/snooze`, of the first reminder.
    Snooze,
    /// `PATCH /api/v1/me`
    Me,
    /// `POST /api/v1/categories`, then `PATCH`.
    Category,
    /// `POST /api/v1/tags`, then `PATCH`.
    Tag,
}

/// The data of one user in memory. Requests change it as the services do; those that are refused leave it as it is.
pub struct Desk {
    profile: Profile,
    context: Context,
    task: Option<Task>,
    category: Option<Label>,
    tag: Option<Label>,
}

impl Desk {
    /// An empty one. New ids come from `new_id`, so that a failure happens again.
    pub fn new(user: UserId, zone: Zone, now: Timestamp, new_id: fn() -> Uuid) -> Self {
        Self {
            profile: Profile::of_zone(user, zone),
            context: Context { now, new_id },
            task: None,
            category: None,
            tag: None,
        }
    }

    /// Time passes; it never goes back.
    pub fn wait_until(&mut self, now: Timestamp) {
        self.context.now = self.context.now.max(now);
    }

    /// The task that was created last.
    pub fn task(&self) -> Option<contract::Task> {
        self.task.as_ref().map(record::view)
    }

    /// Category and tag as the API shows them.
    pub fn labels(&self) -> Vec<Value> {
        let labels = self.category.iter().chain(&self.tag);
        labels
            .filter_map(|label| serde_json::to_value(label).ok())
            .collect()
    }

    /// Handles a request with that body.
    ///
    /// # Errors
    ///
    /// What the API answers.
    pub fn handle(&mut self, call: Call, body: &[u8]) -> Result<(), Problem> {
        let object = object(body)?;
        match call {
            Call::Create => self.create(&body::new_task(object))?,
            Call::Patch => {
                let patch = body::task_patch(object);
                self.change(|task, context| Ok(task.patch(&patch, context)?))?;
            }
            Call::MoveDue => {
                let to = body::move_due(object);
                self.change(|task, context| Ok(task.move_due(&to, context)?))?;
            }
            Call::AddReminder => {
                let edit = ReminderEdit::Add(body::reminder_time(object));
                self.change(|task, context| {
                    Ok(task.edit_reminder((context.new_id)().into(), &edit, context)?)
                })?;
            }
            Call::MoveReminder => self.reminder(&ReminderEdit::Move(body::reminder_time(object)))?,
            Call::Snooze => self.reminder(&ReminderEdit::Snooze(body::snooze(object)))?,
            Call::Me => {
                let mut profile = self.profile.clone();
                profile
                    .apply(&body::profile(object))
                    .map_err(ServiceError::from)?;
                self.profile = profile;
            }
            Call::Category => self.category = Some(self.label(Kind::Category, &self.category, object)?),
            Call::Tag => self.tag = Some(self.label(Kind::Tag, &self.tag, object)?),
        }
        Ok(())
    }

    fn create(&mut self, new: &NewTask) -> Result<(), ServiceError> {
        let id = (self.context.new_id)().into();
        self.task = Some(Task::create(id, self.profile.owner(), new, &self.context)?);
        Ok(())
    }

    fn change(
        &mut self,
        apply: impl FnOnce(&mut Task, &Context) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        let mut task = self.task.clone().ok_or(ServiceError::NotFound(Thing::Task))?;
        apply(&mut task, &self.context)?;
        self.task = Some(task);
        Ok(())
    }

    fn reminder(&mut self, edit: &ReminderEdit) -> Result<(), ServiceError> {
        self.change(|task, context| {
            let first = task.reminders.first().map(|reminder| reminder.id);
            let id = first.ok_or(ServiceError::NotFound(Thing::Reminder))?;
            Ok(task.edit_reminder(id, edit, context)?)
        })
    }

    fn label(
        &self,
        kind: Kind,
        label: &Option<Label>,
        object: Map<String, Value>,
    ) -> Result<Label, ServiceError> {
        let patch = body::label(object);
        match label {
            None => Ok(service::draft(kind, (self.context.new_id)(), &patch)?),
            Some(label) => {
                let mut label = label.clone();
                service::apply(kind, &mut label, &patch, Vec::new())?;
                Ok(label)
            }
        }
    }

    /// The task, written to columns and read again.
    pub fn stored(&self) -> Option<Result<contract::Task, String>> {
        let task = self.task.as_ref()?;
        let read = record::read(&Row::of(record::values(task))).map_err(|error| error.to_string());
        Some(read.map(|read| {
            assert_eq!(&read, task, "what is stored is what is read");
            record::view(&read)
        }))
    }

    /// The task, after a client has sent back all that it may change.
    ///
    /// # Errors
    ///
    /// What the API answers to that.
    pub fn sent_back(&self) -> Option<Result<contract::Task, Problem>> {
        let before = self.task.as_ref()?;
        let Ok(Value::Object(mut object)) = serde_json::to_value(record::view(before)) else {
            return None;
        };
        object.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        let mut task = before.clone();
        let patched = task.patch(&body::task_patch(object), &self.context);
        Some(
            patched
                .map(|()| {
                    assert_eq!(&task, before, "what is shown changes nothing");
                    record::view(&task)
                })
                .map_err(|mistakes| ServiceError::from(mistakes).into()),
        )
    }

    /// Reads a query string of `GET /api/v1/tasks`, and gives back the limit.
    ///
    /// # Errors
    ///
    /// What the API answers.
    pub fn query(&self, text: &str) -> Result<u32, Problem> {
        let zone = self.profile.zone();
        let query = query::list_tasks(pairs(text)?)?
            .resolve(zone, self.context.now)
            .map_err(ServiceError::from)?;
        if let Some(cursor) = &query.cursor {
            assert_eq!(cursor.to_string().parse::<Cursor>().as_ref(), Ok(cursor));
        }
        if let Some(Ok(words)) = query.text.as_deref().map(|text| Words::read("alice", text)) {
            for dialect in [Dialect::Sqlite, Dialect::Postgres] {
                words.expression(dialect, Within::Rest);
            }
        }
        Ok(query.limit)
    }

    /// Answers an MCP message as far as that needs no database: status and body.
    pub fn message(&self, headers: &HeaderMap, body: &[u8]) -> Option<(u16, Option<Value>)> {
        let user = User {
            id: self.profile.id.clone(),
            email: None,
            zone: self.profile.zone().clone(),
            says_zone: true,
            agent: None,
        };
        let identity = Identity {
            user,
            cause: Cause::nudge(None),
        };
        let exchange = mcp::Exchange {
            identity: &identity,
            headers,
        };
        let reply = mcp::answer(&exchange, body).now_or_never()?;
        Some((reply.status.as_u16(), reply.body))
    }
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let request = Request::post("/")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_vec()))
        .map_err(Problem::internal)?;
    let read = JsonObject::from_request(request, &()).now_or_never();
    let JsonObject(object) = read.ok_or_else(|| Problem::internal("it waits"))??;
    Ok(object)
}

/// Query strings that are no part of a URI do not reach the API.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let request = Request::get(format!("/?{query}"))
        .body(())
        .map_err(|error| Problem::new(http::StatusCode::BAD_REQUEST, "no_uri", error.to_string()))?;
    let (mut parts, ()) = request.into_parts();
    let read = Pairs::from_request_parts(&mut parts, &()).now_or_never();
    let Pairs(pairs) = read.ok_or_else(|| Problem::internal("it waits"))??;
    Ok(pairs)
}
