//! Views of the tasks: filtered, sorted, by day.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use nudge_contract::task::Task;
use nudge_domain::id::{CategoryId, TagId};
use nudge_domain::task::{Priority, Status};

use crate::snapshot::{Row, Snapshot};

/// Which tasks, and in which order.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Pending or completed ones.
    pub status: Status,
    /// Only of this category; `Some(None)` for tasks without one.
    pub category: Option<Option<CategoryId>>,
    /// Only with this tag.
    pub tag: Option<TagId>,
    /// Only of these priorities; all if empty.
    pub priorities: Vec<Priority>,
    /// Only with all of these words, or beginnings of words, in title or description.
    pub text: String,
    /// The order.
    pub sort: Sort,
    /// The other way round; tasks without a due date stay last.
    pub reversed: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            status: Status::Pending,
            category: None,
            tag: None,
            priorities: Vec::new(),
            text: String::new(),
            sort: Sort::Due,
            reversed: false,
        }
    }
}

/// An order of tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By due date, those without one last; then by priority.
    #[default]
    Due,
    /// The most urgent first; then by due date.
    Priority,
    /// By title, whatever the case.
    Title,
    /// The newest first.
    Created,
    /// The last changed first.
    Updated,
    /// The last completed first.
    Completed,
}

/// The clock and the calendar of the user, which the page does not have: the caller passes them in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    /// Now.
    pub now: Timestamp,
    /// The ends of today and of the days after it, ascending.
    pub ends: Vec<Timestamp>,
}

/// Pending tasks that are due today.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Today {
    /// Due before now.
    pub overdue: Vec<Arc<Task>>,
    /// Due from now until the end of the day.
    pub rest: Vec<Arc<Task>>,
}

/// Pending tasks that are due from now on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upcoming {
    /// One list per day of [`Days::ends`]; the first has the rest of today.
    pub days: Vec<Vec<Arc<Task>>>,
    /// After the last of these days.
    pub later: Vec<Arc<Task>>,
    /// Without a due date.
    pub undated: Vec<Arc<Task>>,
}

/// Numbers of pending tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Due before now.
    pub overdue: usize,
    /// Due until the end of today, with the overdue ones.
    pub today: usize,
    /// Due from now on.
    pub upcoming: usize,
    /// All.
    pub all: usize,
    /// By category; those without one are not in it.
    pub category: BTreeMap<CategoryId, usize>,
    /// By tag.
    pub tag: BTreeMap<TagId, usize>,
}

impl Snapshot {
    /// The tasks of a query, in its order.
    pub fn query(&self, query: &Query) -> Vec<Arc<Task>> {
        sorted(self.rows_of(query), query)
    }

    /// The tasks of a query that are due today, or were before.
    pub fn today(&self, days: &Days, query: &Query) -> Today {
        let end = days.ends.first().copied().unwrap_or(days.now);
        let due_today = |row: &&Row| row.task.due.is_some_and(|due| due.at() < end);
        let rows = self.rows_of(query).filter(due_today);
        let overdue = |row: &&Row| row.task.due.is_some_and(|due| due.at() < days.now);
        let (overdue, rest): (Vec<&Row>, Vec<&Row>) = rows.partition(overdue);
        Today {
            overdue: sorted(overdue.into_iter(), query),
            rest: sorted(rest.into_iter(), query),
        }
    }

    /// The tasks of a query that are due from now on, by day.
    pub fn upcoming(&self, days: &Days, query: &Query) -> Upcoming {
        let mut lists: Vec<Vec<&Row>> = vec![Vec::new(); days.ends.len()];
        let (mut later, mut undated) = (Vec::new(), Vec::new());
        for row in self.rows_of(query) {
            let Some(due) = row.task.due.map(|due| due.at()) else {
                undated.push(row);
                continue;
            };
            if due < days.now {
                continue;
            }
            // A day ends before its end.
            let day = days.ends.partition_point(|end| *end <= due);
            lists.get_mut(day).unwrap_or(&mut later).push(row);
        }
        Upcoming {
            days: lists
                .into_iter()
                .map(|list| sorted(list.into_iter(), query))
                .collect(),
            later: sorted(later.into_iter(), query),
            undated: sorted(undated.into_iter(), query),
        }
    }

    /// How many pending tasks there are.
    pub fn counts(&self, days: &Days) -> Counts {
        let mut counts = Counts::default();
        let end = days.ends.first().copied().unwrap_or(days.now);
        for row in self.rows_of(&Query::default()) {
            counts.all += 1;
            if let Some(due) = row.task.due.map(|due| due.at()) {
                counts.overdue += usize::from(due < days.now);
                counts.today += usize::from(due < end);
                counts.upcoming += usize::from(due >= days.now);
            }
            if let Some(category) = row.task.category_id {
                *counts.category.entry(category).or_default() += 1;
            }
            for tag in &row.task.tag_ids {
                *counts.tag.entry(*tag).or_default() += 1;
            }
        }
        counts
    }

    fn rows_of(&self, query: &Query) -> impl Iterator<Item = &Row> {
        let text = query.text.to_lowercase();
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        self.0.rows.values().map(Arc::as_ref).filter(move |row| {
            let task = &row.task;
            task.status == query.status
                && query.category.is_none_or(|category| task.category_id == category)
                && query.tag.is_none_or(|tag| task.tag_ids.contains(&tag))
                && (query.priorities.is_empty() || query.priorities.contains(&task.priority))
                && words
                    .iter()
                    .all(|word| row.title.contains(word) || row.text.contains(word))
        })
    }
}

fn sorted<'a>(rows: impl Iterator<Item = &'a Row>, query: &Query) -> Vec<Arc<Task>> {
    let mut rows: Vec<&Row> = rows.collect();
    rows.sort_unstable_by(|a, b| compare(a, b, query));
    rows.into_iter().map(|row| row.task.clone()).collect()
}

fn compare(a: &Row, b: &Row, query: &Query) -> Ordering {
    let (one, two) = (&a.task, &b.task);
    let turned = |order: Ordering| if query.reversed { order.reverse() } else { order };
    let due = |task: &Task| task.due.map(|due| due.at());
    let by_due = |reversed: bool| match (due(one), due(two)) {
        (Some(a), Some(b)) if reversed => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    let urgency = |task: &Task| Reverse(task.priority);
    let order = match query.sort {
        Sort::Due => by_due(query.reversed).then_with(|| urgency(one).cmp(&urgency(two))),
        Sort::Priority => turned(urgency(one).cmp(&urgency(two))).then_with(|| by_due(false)),
        Sort::Title => turned(a.title.cmp(&b.title)),
        Sort::Created => turned(two.created_at.cmp(&one.created_at)),
        Sort::Updated => turned(two.updated_at.cmp(&one.updated_at)),
        Sort::Completed => turned(two.completed_at.cmp(&one.completed_at)),
    };
    order.then_with(|| one.id.cmp(&two.id))
}
