//! Which tasks a view shows, in which order and under which headings.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::{Days, Query, Snapshot, Sort, day};

use crate::parts::clock;
use crate::parts::list::{Group, Heading, List, Part};
use crate::parts::when;
use crate::route::{Route, View};

/// The tasks of the view of a route.
pub(crate) fn list(route: &Route, tasks: &Snapshot, days: &Days, today: Date, zone: &str) -> List {
    let query = query(route);
    match route.view {
        View::Today => due_today(tasks, days, &query),
        View::Upcoming if query.sort == Sort::Due => upcoming(tasks, days, &query, today),
        View::Completed if query.sort == Sort::Completed => completed(tasks, &query, today, zone),
        _ if query.sort == Sort::Due && !query.reversed => by_urgency(tasks, days, &query),
        _ => List::new([plain(&tasks.query(&query))]),
    }
}

/// What the address says about filters and order.
pub(crate) fn query(route: &Route) -> Query {
    let completed = route.view == View::Completed;
    let sort = match route.sort.as_deref() {
        Some("priority") => Sort::Priority,
        Some("title") => Sort::Title,
        Some("created") => Sort::Created,
        Some("updated") => Sort::Updated,
        _ if completed => Sort::Completed,
        _ => Sort::Due,
    };
    Query {
        status: if completed {
            Status::Completed
        } else {
            Status::Pending
        },
        category: match &route.view {
            // An id that is none finds nothing.
            View::Category(id) => Some(Some(id.parse().unwrap_or_else(|_| uuid::Uuid::nil().into()))),
            _ => None,
        },
        tag: match &route.view {
            View::Tag(id) => Some(id.parse().unwrap_or_else(|_| uuid::Uuid::nil().into())),
            _ => None,
        },
        priorities: priorities(route),
        text: route
            .query
            .clone()
            .filter(|_| route.view == View::Search)
            .unwrap_or_default(),
        sort,
        reversed: false,
    }
}

/// The priorities that the address asks for.
pub(crate) fn priorities(route: &Route) -> Vec<Priority> {
    let named = route.priority.as_deref().unwrap_or_default().split(',');
    named.filter_map(|name| name.parse().ok()).collect()
}

fn ids(tasks: &[Arc<Task>]) -> Vec<TaskId> {
    tasks.iter().map(|task| task.id).collect()
}

fn plain(tasks: &[Arc<Task>]) -> Part {
    Part {
        group: None,
        tasks: ids(tasks),
    }
}

fn part(group: Group, title: impl Into<String>, note: impl Into<String>, tasks: &[Arc<Task>]) -> Part {
    let heading = Heading {
        title: title.into(),
        note: note.into(),
        count: tasks.len(),
    };
    Part {
        group: Some((group, heading)),
        tasks: ids(tasks),
    }
}

fn due_today(tasks: &Snapshot, days: &Days, query: &Query) -> List {
    let today = tasks.today(days, query);
    if today.overdue.is_empty() {
        return List::new([plain(&today.rest)]);
    }
    List::new([
        part(Group::Overdue, "Overdue", "", &today.overdue),
        part(Group::Today, "Today", "", &today.rest),
    ])
}

fn upcoming(tasks: &Snapshot, days: &Days, query: &Query, today: Date) -> List {
    let upcoming = tasks.upcoming(days, query);
    let days = upcoming.days.iter().zip(0..).filter_map(|(tasks, day)| {
        let date = day::plus(today, day)?;
        let (title, note) = when::heading(today, date);
        Some(part(Group::Day(date), title, note, tasks))
    });
    // What is far away is grouped by months.
    let mut months: BTreeMap<Date, Vec<Arc<Task>>> = BTreeMap::new();
    for task in &upcoming.later {
        if let Some(month) = task
            .due
            .as_ref()
            .and_then(when::day_of)
            .and_then(|date| date.with().day(1).build().ok())
        {
            months.entry(month).or_default().push(task.clone());
        }
    }
    let months = months
        .iter()
        .map(|(month, tasks)| part(Group::Month(*month), when::month(today, *month), "", tasks));
    List::new(days.chain(months))
}

/// Overdue tasks first, those without a due date last.
fn by_urgency(tasks: &Snapshot, days: &Days, query: &Query) -> List {
    let found = tasks.query(query);
    let late = found.partition_point(|task| task.due.is_some_and(|due| due.at() < days.now));
    let dated = found.partition_point(|task| task.due.is_some());
    let (late, rest) = found.split_at_checked(late).unwrap_or((&[], &found));
    let (dated, undated) = rest
        .split_at_checked(dated.saturating_sub(late.len()))
        .unwrap_or((rest, &[]));
    if late.is_empty() && (dated.is_empty() || undated.is_empty()) {
        return List::new([plain(&found)]);
    }
    List::new([
        part(Group::Overdue, "Overdue", "", late),
        part(Group::Dated, "Due", "", dated),
        part(Group::Undated, "No due date", "", undated),
    ])
}

/// Pending tasks, and under a heading the completed ones.
pub(crate) fn open_and_completed(pending: &[Arc<Task>], completed: &[Arc<Task>]) -> List {
    List::new([plain(pending), part(Group::Completed, "Completed", "", completed)])
}

fn completed(tasks: &Snapshot, query: &Query, today: Date, zone: &str) -> List {
    let mut parts: Vec<(Date, Vec<Arc<Task>>)> = Vec::new();
    for task in tasks.query(query) {
        let date = clock::date_of(task.completed_at.unwrap_or(task.updated_at), zone);
        match parts.last_mut() {
            Some((of, tasks)) if *of == date => tasks.push(task),
            _ => parts.push((date, vec![task])),
        }
    }
    List::new(parts.iter().map(|(date, tasks)| {
        let (title, note) = when::heading(today, *date);
        part(Group::Done(*date), title, note, tasks)
    }))
}
