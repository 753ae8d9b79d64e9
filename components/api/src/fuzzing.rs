//! What reads bodies and queries, without a database, for the fuzz targets in `fuzz/`. The component is built without it.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts};
use futures_util::FutureExt;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use jiff::Timestamp;
pub use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use nudge_contract::task::Task;
use nudge_domain::Zone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::User;
use crate::db::{Dialect, Row};
use crate::input::fields::{self, JsonObject, Pairs};
use crate::mcp;
use crate::profile::{self, Person};
use crate::tasks::edit::{self, Context};
use crate::tasks::labels;
use crate::tasks::labels::store::{Kind, Label};
use crate::tasks::list::cursor::Cursor;
use crate::tasks::list::query::TaskQuery;
use crate::tasks::record::TaskRecord;
use crate::tasks::reminders::{self, Edit};
use crate::terms::{Within, Words};

/// Most mistakes that a refusal names.
pub const MAX_ERRORS: usize = fields::MAX_ERRORS;

/// Fields of a task that a client may send back.
const WRITABLE: [&str; 11] = [
    "title",
    "description",
    "status",
    "priority",
    "due",
    "timeZone",
    "categoryId",
    "tagIds",
    "recurrence",
    "recurrenceFrom",
    "reminders",
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

/// The data of one person in memory. Requests change it as the service does; those that are refused leave it as it is.
pub struct Desk {
    person: Person,
    context: Context,
    task: Option<TaskRecord>,
    category: Option<Label>,
    tag: Option<Label>,
}

impl Desk {
    /// An empty one. New ids come from `new_id`, so that a failure happens again.
    pub fn new(zone: Zone, now: Timestamp, new_id: fn() -> Uuid) -> Self {
        Self {
            person: Person::of_zone("alice", zone),
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
    pub fn task(&self) -> Option<Task> {
        self.task.as_ref().map(TaskRecord::view)
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
        let body = object(body)?;
        match call {
            Call::Create => self.task = Some(edit::create(&self.person, body, &self.context)?),
            Call::Patch => self.change(|task, context| edit::patch(task, body, context))?,
            Call::MoveDue => self.change(|task, context| edit::move_due(task, body, context))?,
            Call::AddReminder => self.change(|task, context| {
                reminders::apply(task, (context.new_id)().into(), &Edit::Add(body), context)
            })?,
            Call::MoveReminder => self.reminder(&Edit::Move(body))?,
            Call::Snooze => self.reminder(&Edit::Snooze(body))?,
            Call::Me => {
                let mut person = self.person.clone();
                profile::apply(&mut person, body)?;
                self.person = person;
            }
            Call::Category => self.category = Some(self.label(Kind::Category, &self.category, body)?),
            Call::Tag => self.tag = Some(self.label(Kind::Tag, &self.tag, body)?),
        }
        Ok(())
    }

    fn change(
        &mut self,
        apply: impl FnOnce(&mut TaskRecord, &Context) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let mut task = self.task.clone().ok_or_else(|| Problem::not_found("task"))?;
        apply(&mut task, &self.context)?;
        self.task = Some(task);
        Ok(())
    }

    fn reminder(&mut self, edit: &Edit) -> Result<(), Problem> {
        self.change(|task, context| {
            let first = task.reminders.first().map(|reminder| reminder.id);
            let id = first.ok_or_else(|| Problem::not_found("reminder"))?;
            reminders::apply(task, id, edit, context)
        })
    }

    fn label(&self, kind: Kind, label: &Option<Label>, body: Map<String, Value>) -> Result<Label, Problem> {
        labels::store::apply(kind, label.clone(), body, (self.context.new_id)())
    }

    /// The task, written to columns and read again.
    pub fn stored(&self) -> Option<Result<Task, String>> {
        let task = self.task.as_ref()?;
        let read = TaskRecord::read(&Row::of(task.values())).map_err(|error| error.to_string());
        Some(read.map(|read| {
            assert_eq!(&read, task, "what is stored is what is read");
            read.view()
        }))
    }

    /// The task, after a client has sent back all that it may change.
    ///
    /// # Errors
    ///
    /// What the API answers to that.
    pub fn sent_back(&self) -> Option<Result<Task, Problem>> {
        let before = self.task.as_ref()?;
        let Ok(Value::Object(mut body)) = serde_json::to_value(before.view()) else {
            return None;
        };
        body.retain(|name, _| WRITABLE.contains(&name.as_str()));
        let mut task = before.clone();
        let patched = edit::patch(&mut task, body, &self.context);
        Some(patched.map(|()| {
            assert_eq!(&task, before, "what is shown changes nothing");
            task.view()
        }))
    }

    /// Reads a query string of `GET /api/v1/tasks`, and gives back the limit.
    ///
    /// # Errors
    ///
    /// What the API answers.
    pub fn query(&self, query: &str) -> Result<u32, Problem> {
        let zone = self.person.zone();
        let query = TaskQuery::read(pairs(query)?, zone, self.context.now)?;
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
            id: self.person.id.parse().ok()?,
            email: None,
            zone: self.person.zone().clone(),
            says_zone: true,
        };
        let caller = mcp::Caller {
            user: &user,
            trace: &Traceparent::start(),
            headers,
        };
        let reply = mcp::answer(&caller, body).now_or_never()?;
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
