//! Tools that find tasks.

use jiff::Timestamp;
use nudge_contract::task::Task;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::error::ServiceError;
use crate::mcp::arguments::Arguments;
use crate::mcp::call::{Call, Done};
use crate::mcp::error::Failure;
use crate::mcp::{schema, task, text};
use crate::tasks::list::order::Sort;
use crate::tasks::list::query::{CategoryFilter, DEFAULT_LIMIT, ListTasks, MAX_DAYS, MAX_LIMIT, MAX_OFFSET};
use crate::tasks::list::read;
use crate::tasks::{record, search, service};

/// Days of `get_upcoming_tasks` when the caller does not say.
const DEFAULT_DAYS: u32 = 7;

/// Maximum number of results of `search_tasks` when the caller does not say.
const DEFAULT_RESULTS: u32 = 20;

const SORTS: [(&str, Sort); 5] = [
    ("created_at", Sort::Created),
    ("due_date", Sort::Due),
    ("priority", Sort::Priority),
    ("updated_at", Sort::Updated),
    ("title", Sort::Title),
];

fn limit(default: u32) -> Value {
    let description = format!("Maximum number of tasks in the answer; {default} by default.");
    schema::number(1, MAX_LIMIT, &description)
}

pub(super) fn list_input() -> Value {
    let due = "An instant, a local time, a date (its beginning) or a phrase such as \"next monday\" or \"end of month\" \
               (the end of its last day).";
    schema::input(
        json!({
            "status": schema::choice(&["all", "pending", "completed"], "all by default."),
            "priority": schema::text("low, medium, high or urgent; separate several by commas."),
            "category_id": schema::text("UUID of a category, or none for tasks without one."),
            "tag_ids": schema::uuids(20, "Tasks that have at least one of these tags."),
            "due_before": schema::text(&format!("Due before this. {due}")),
            "due_after": schema::text(&format!("Due at this or later. {due}")),
            "sort_by": schema::choice(
                &SORTS.map(|(word, _)| word),
                "created_at by default, due_date with due_before or due_after.",
            ),
            "sort_order": schema::choice(
                &["asc", "desc"],
                "By default asc for due_date and title, else desc. Tasks without due_date come last.",
            ),
            "limit": limit(DEFAULT_LIMIT),
            "offset": schema::number(0, MAX_OFFSET, "Number of tasks to skip: next_offset of the page before."),
        }),
        &[],
    )
}

pub(super) fn page_output() -> Value {
    schema::output(json!({
        "tasks": schema::some_tasks(),
        "count": { "type": "integer" },
        "has_more": { "type": "boolean" },
        "next_offset": { "type": ["integer", "null"] },
    }))
}

pub(super) fn found_output() -> Value {
    schema::output(json!({
        "tasks": schema::some_tasks(),
        "count": { "type": "integer" },
        "has_more": { "type": "boolean" },
    }))
}

pub(super) fn search_input() -> Value {
    let query = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Words of title or description, such as \"pay rent\".",
    });
    schema::input(
        json!({ "query": query, "limit": limit(DEFAULT_RESULTS) }),
        &["query"],
    )
}

pub(super) fn overdue_input() -> Value {
    schema::input(json!({ "limit": limit(DEFAULT_LIMIT) }), &[])
}

pub(super) fn upcoming_input() -> Value {
    schema::input(
        json!({
            "days": schema::number(1, MAX_DAYS, "Calendar days, counting today as the first; 7 by default."),
            "limit": limit(DEFAULT_LIMIT),
        }),
        &[],
    )
}

fn read_limit(text: Option<String>, default: u32) -> Result<u32, ServiceError> {
    text.map_or(Ok(default), |text| {
        read::number("limit", "invalid_limit", &text, 1..=MAX_LIMIT)
    })
}

/// Reads the arguments of `list_tasks`.
fn read_list(mut arguments: Arguments) -> Result<ListTasks, Failure> {
    let status = arguments.parameter("status");
    let priority = arguments.parameter("priority");
    let category = arguments.parameter("category_id");
    let tags = arguments.parameter("tag_ids");
    let due_before = arguments.parameter("due_before");
    let due_after = arguments.parameter("due_after");
    let sort = arguments.choice("sort_by", "invalid_sort_by", &SORTS);
    let order = arguments.parameter("sort_order");
    let limit = arguments.parameter("limit");
    let offset = arguments.parameter("offset");
    arguments.finish()?;
    Ok(ListTasks {
        limit: read_limit(limit, DEFAULT_LIMIT)?,
        status: status.map_or(Ok(None), |text| read::status("status", &text))?,
        priorities: read::priorities("priority", &priority.unwrap_or_default())?,
        category: category.map_or(Ok(CategoryFilter::Any), |text| {
            read::category("category_id", &text)
        })?,
        tags: read::tags("tag_ids", &tags.unwrap_or_default())?,
        due_after,
        due_before,
        sort,
        order: order.map(|text| read::order("sort_order", &text)).transpose()?,
        offset: offset.map_or(Ok(0), |text| {
            read::number("offset", "invalid_offset", &text, 0..=MAX_OFFSET)
        })?,
        ..ListTasks::default()
    })
}

/// `list_tasks`.
pub(super) async fn list(call: &mut Call, arguments: Arguments) -> Result<Done, Failure> {
    let wanted = read_list(arguments)?;
    let (query, page) = service::list(call.open().await?, &wanted, Timestamp::now()).await?;
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
pub(super) async fn search(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let words = arguments.parameter("query").unwrap_or_default();
    if words.trim().is_empty() {
        arguments.error("query", "required", "say which words to look for");
    }
    let limit = arguments.parameter("limit");
    arguments.finish()?;
    let limit = read_limit(limit, DEFAULT_RESULTS)?;
    let caller = call.open().await?;
    let (tasks, next) = search::page(&caller.database, &caller.user.id, &words, limit, None).await?;
    let tasks = tasks.iter().map(record::view).collect();
    Ok(found(" found", tasks, next.is_some()))
}

/// `get_overdue_tasks`.
pub(super) async fn overdue(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let limit = arguments.parameter("limit");
    arguments.finish()?;
    let wanted = ListTasks {
        overdue: true,
        limit: read_limit(limit, DEFAULT_LIMIT)?,
        ..ListTasks::default()
    };
    listed(call.open().await?, &wanted, " overdue").await
}

/// `get_upcoming_tasks`.
pub(super) async fn upcoming(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let days = arguments.parameter("days");
    let limit = arguments.parameter("limit");
    arguments.finish()?;
    let limit = read_limit(limit, DEFAULT_LIMIT)?;
    let days = days.map_or(Ok(DEFAULT_DAYS), |text| {
        read::number("days", "invalid_upcoming_days", &text, 1..=MAX_DAYS)
    })?;
    let wanted = ListTasks {
        upcoming_days: Some(days),
        limit,
        ..ListTasks::default()
    };
    listed(call.open().await?, &wanted, " due soon").await
}

async fn listed(caller: &Caller, wanted: &ListTasks, what: &str) -> Result<Done, Failure> {
    let (_, page) = service::list(caller, wanted, Timestamp::now()).await?;
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
    let shown: Vec<Value> = tasks.iter().map(task::view).collect();
    Done {
        text: text::tasks(&headline, &tasks),
        structured: json!({ "tasks": shown, "count": tasks.len(), "has_more": has_more }),
    }
}
