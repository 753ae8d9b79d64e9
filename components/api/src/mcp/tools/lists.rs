//! Tools that find tasks. They are queries of `GET /api/v1/tasks`.

use nudge_component::Problem;
use nudge_contract::task::Task;
use serde_json::{Value, json};

use super::{Call, Done};
use crate::auth::User;
use crate::db::Database;
use crate::mcp::arguments::Arguments;
use crate::mcp::error::Failure;
use crate::mcp::{schema, text, view};
use crate::tasks::list::query::{MAX_DAYS, MAX_LIMIT, TaskQuery};
use crate::tasks::record::TaskRecord;
use crate::tasks::search;
use crate::tasks::service;

/// Days of `get_upcoming_tasks` when the caller does not say.
const DAYS: &str = "7";

/// Tasks of `search_tasks` when the caller does not say.
const FOUND: u32 = 20;

type Pairs = Vec<(String, String)>;

fn limit(usual: u32) -> Value {
    schema::number(
        1,
        MAX_LIMIT,
        &format!("Most tasks of the answer; {usual} when not said."),
    )
}

pub(super) fn list_input() -> Value {
    let due = "An instant, a local time, a date (its beginning) or a phrase such as \"next monday\" or \"end of month\" \
               (what comes after its last day).";
    schema::input(
        json!({
            "status": schema::choice(&["all", "pending", "completed"], "all when not said."),
            "priority": schema::text("low, medium, high or urgent; several between commas."),
            "category_id": schema::text("UUID of a category, or none for tasks without one."),
            "tag_ids": schema::uuids(20, "Tasks that have at least one of these tags."),
            "due_before": schema::text(&format!("Due before this. {due}")),
            "due_after": schema::text(&format!("Due at this or later. {due}")),
            "sort_by": schema::choice(
                &["created_at", "due_date", "priority", "updated_at", "title"],
                "created_at when not said, due_date with due_before or due_after.",
            ),
            "sort_order": schema::choice(
                &["asc", "desc"],
                "When not said asc for due_date and title, else desc. Tasks without due_date come last.",
            ),
            "limit": limit(50),
            "offset": schema::number(0, 1_000_000, "Tasks to leave out at the beginning: next_offset of the page before."),
        }),
        &[],
    )
}

pub(super) fn page_output() -> Value {
    schema::output(json!({
        "tasks": { "type": "array", "items": schema::task() },
        "count": schema::number(0, MAX_LIMIT, "Tasks of this page."),
        "has_more": schema::flag("Whether there are more."),
        "next_offset": {
            "type": ["integer", "null"],
            "description": "The offset of the next page; null on the last.",
        },
    }))
}

pub(super) fn found_output() -> Value {
    schema::output(json!({
        "tasks": { "type": "array", "items": schema::task() },
        "count": schema::number(0, MAX_LIMIT, "Tasks of this answer."),
        "has_more": schema::flag("Whether there are more."),
    }))
}

pub(super) fn search_input() -> Value {
    let query = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Words of title or description, such as \"pay rent\".",
    });
    schema::input(json!({ "query": query, "limit": limit(FOUND) }), &["query"])
}

pub(super) fn overdue_input() -> Value {
    schema::input(json!({ "limit": limit(50) }), &[])
}

pub(super) fn upcoming_input() -> Value {
    schema::input(
        json!({
            "days": schema::number(1, MAX_DAYS, "Whole days of the calendar, today being the first; 7 when not said."),
            "limit": limit(50),
        }),
        &[],
    )
}

/// `list_tasks`.
pub(super) async fn list(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let mut pairs = Pairs::new();
    arguments.pair(&mut pairs, "status", "status");
    arguments.pair(&mut pairs, "priority", "priority");
    arguments.pair(&mut pairs, "category_id", "categoryId");
    arguments.pair(&mut pairs, "tag_ids", "tagIds");
    arguments.pair(&mut pairs, "due_before", "dueBefore");
    arguments.pair(&mut pairs, "due_after", "dueAfter");
    arguments.choice(
        &mut pairs,
        "sort_by",
        "sort",
        &[
            ("created_at", "created"),
            ("due_date", "due"),
            ("priority", "priority"),
            ("updated_at", "updated"),
            ("title", "title"),
        ],
    );
    arguments.pair(&mut pairs, "sort_order", "order");
    arguments.pair(&mut pairs, "limit", "limit");
    arguments.pair(&mut pairs, "offset", "offset");
    arguments.finish()?;
    let (query, page) = service::list_by(&call.user, pairs, call.now).await?;
    let has_more = page.next_cursor.is_some();
    let next = query.offset.saturating_add(query.limit);
    let mut done = found("", page.items, has_more);
    if has_more {
        done.text
            .push_str(&format!("\nThere are more: call again with offset {next}."));
    }
    if let Some(structured) = done.structured.as_object_mut() {
        let next = has_more.then_some(next);
        structured.insert("next_offset".to_owned(), json!(next));
    }
    Ok(done)
}

/// `search_tasks`.
pub(super) async fn search(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let mut words = Pairs::new();
    arguments.pair(&mut words, "query", "query");
    let words = words.pop().map(|(_, text)| text).unwrap_or_default();
    if words.trim().is_empty() {
        arguments.error("query", "required", "say which words to look for");
    }
    let mut pairs = Pairs::new();
    arguments.pair(&mut pairs, "limit", "limit");
    if pairs.is_empty() {
        pairs.push(("limit".to_owned(), FOUND.to_string()));
    }
    arguments.finish()?;
    let limit = TaskQuery::read(pairs, &call.user.zone, call.now)?.limit;
    let database = Database::open().await.map_err(Problem::from)?;
    let (tasks, next) = search::page(&database, call.user.id.as_str(), &words, limit, None).await?;
    let tasks = tasks.iter().map(TaskRecord::view).collect();
    Ok(found(" found", tasks, next.is_some()))
}

/// `get_overdue_tasks`.
pub(super) async fn overdue(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let mut pairs = vec![("overdue".to_owned(), "true".to_owned())];
    arguments.pair(&mut pairs, "limit", "limit");
    arguments.finish()?;
    queried(&call.user, call.now, pairs, " overdue").await
}

/// `get_upcoming_tasks`.
pub(super) async fn upcoming(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let mut pairs = Pairs::new();
    arguments.pair(&mut pairs, "days", "upcomingDays");
    if pairs.is_empty() {
        pairs.push(("upcomingDays".to_owned(), DAYS.to_owned()));
    }
    arguments.pair(&mut pairs, "limit", "limit");
    arguments.finish()?;
    queried(&call.user, call.now, pairs, " due soon").await
}

async fn queried(user: &User, now: jiff::Timestamp, pairs: Pairs, what: &str) -> Result<Done, Failure> {
    let (_, page) = service::list_by(user, pairs, now).await?;
    let has_more = page.next_cursor.is_some();
    let mut done = found(what, page.items, has_more);
    if has_more {
        done.text.push_str("\nThere are more.");
    }
    Ok(done)
}

fn found(what: &str, tasks: Vec<Task>, has_more: bool) -> Done {
    let headline = format!("{}{what}", text::count(tasks.len(), "task", "tasks"));
    let headline = if tasks.is_empty() {
        format!("{headline}.")
    } else {
        format!("{headline}:")
    };
    let shown: Vec<Value> = tasks.iter().map(view::task).collect();
    Done {
        text: text::tasks(&headline, &tasks),
        structured: json!({ "tasks": shown, "count": tasks.len(), "has_more": has_more }),
    }
}
