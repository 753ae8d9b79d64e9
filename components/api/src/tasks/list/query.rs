//! Which tasks a list holds, and in which order.
//!
//! [`ListTasks`] is what a caller asks for. It becomes a [`TaskQuery`] once the time zone is known in which its dates are read.

use jiff::{Timestamp, ToSpan};
use nudge_domain::id::{CategoryId, TagId};
use nudge_domain::task::{FieldName, Mistake, Priority, Status};
use nudge_domain::{Due, Zone};

use crate::tasks::list::cursor::Cursor;
use crate::tasks::list::order::{Order, Sort};

/// Items of a page when the caller does not say.
pub(crate) const DEFAULT_LIMIT: u32 = 50;

/// Maximum number of items per page.
pub(crate) const MAX_LIMIT: u32 = 100;

/// Maximum number of tasks to leave out at the beginning.
pub(crate) const MAX_OFFSET: u32 = 1_000_000;

/// Maximum number of labels or priorities per filter.
pub(crate) const MAX_CHOICES: usize = 20;

/// Maximum of `upcomingDays`: a leap year.
pub(crate) const MAX_DAYS: u32 = 366;

/// The query for a page of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskQuery {
    /// None: whatever their status.
    pub(crate) status: Option<Status>,
    /// Empty: any.
    pub(crate) priorities: Vec<Priority>,
    pub(crate) category: CategoryFilter,
    /// Empty: whatever their tags.
    pub(crate) tags: Vec<TagId>,
    pub(crate) tag_match: TagMatch,
    /// First instant of their due dates.
    pub(crate) due_after: Option<Timestamp>,
    /// First instant that is too late.
    pub(crate) due_before: Option<Timestamp>,
    /// Words that all of them have.
    pub(crate) text: Option<String>,
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    /// Maximum number of tasks.
    pub(crate) limit: u32,
    /// Tasks to leave out at the beginning; for callers that know no cursor.
    pub(crate) offset: u32,
    /// Where the page before ended.
    pub(crate) cursor: Option<Cursor>,
}

impl Default for TaskQuery {
    fn default() -> Self {
        Self {
            status: None,
            priorities: Vec::new(),
            category: CategoryFilter::Any,
            tags: Vec::new(),
            tag_match: TagMatch::Any,
            due_after: None,
            due_before: None,
            text: None,
            sort: Sort::Created,
            order: Order::Descending,
            limit: DEFAULT_LIMIT,
            offset: 0,
            cursor: None,
        }
    }
}

/// Which category tasks are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CategoryFilter {
    Any,
    /// In none.
    Without,
    In(CategoryId),
}

/// How many of the tags a task must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagMatch {
    Any,
    All,
}

/// A list as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListTasks {
    /// None: whatever their status.
    pub(crate) status: Option<Status>,
    /// Empty: any.
    pub(crate) priorities: Vec<Priority>,
    pub(crate) category: CategoryFilter,
    /// Empty: whatever their tags.
    pub(crate) tags: Vec<TagId>,
    pub(crate) tag_match: TagMatch,
    /// A date, which means its beginning, or a phrase.
    pub(crate) due_after: Option<String>,
    /// The same for the first instant that is too late.
    pub(crate) due_before: Option<String>,
    /// Only what is pending and should have been done.
    pub(crate) overdue: bool,
    /// Only what is pending and due within so many days of the user's calendar, of which today is the first.
    pub(crate) upcoming_days: Option<u32>,
    /// Words that all of them have.
    pub(crate) text: Option<String>,
    /// None: by due date where the list is limited by it, else by creation.
    pub(crate) sort: Option<Sort>,
    /// None: the usual one of what is sorted by.
    pub(crate) order: Option<Order>,
    pub(crate) limit: u32,
    pub(crate) offset: u32,
    /// As it was given out.
    pub(crate) cursor: Option<String>,
}

impl Default for ListTasks {
    fn default() -> Self {
        Self {
            status: None,
            priorities: Vec::new(),
            category: CategoryFilter::Any,
            tags: Vec::new(),
            tag_match: TagMatch::Any,
            due_after: None,
            due_before: None,
            overdue: false,
            upcoming_days: None,
            text: None,
            sort: None,
            order: None,
            limit: DEFAULT_LIMIT,
            offset: 0,
            cursor: None,
        }
    }
}

impl ListTasks {
    /// Whether it has dates whose instants depend on the time zone.
    pub(crate) fn names_days(&self) -> bool {
        self.due_after.is_some() || self.due_before.is_some() || self.upcoming_days.is_some()
    }

    /// The query that it means to a user in `zone`.
    ///
    /// # Errors
    ///
    /// A date that is not one, or a cursor that was not given out for this order.
    pub(crate) fn resolve(&self, zone: &Zone, now: Timestamp) -> Result<TaskQuery, Vec<Mistake>> {
        let mut query = TaskQuery {
            status: self.status,
            priorities: self.priorities.clone(),
            category: self.category,
            tags: self.tags.clone(),
            tag_match: self.tag_match,
            due_after: bound(self.due_after.as_deref(), FieldName::DueAfter, zone, now)?,
            due_before: bound(self.due_before.as_deref(), FieldName::DueBefore, zone, now)?,
            text: self.text.clone(),
            limit: self.limit,
            offset: self.offset,
            ..TaskQuery::default()
        };
        if self.overdue {
            query.overdue(now);
        }
        if let Some(days) = self.upcoming_days {
            query.upcoming(days, zone, now);
        }
        let by_due = query.due_after.is_some() || query.due_before.is_some();
        query.sort = self
            .sort
            .unwrap_or(if by_due { Sort::Due } else { Sort::Created });
        query.order = self.order.unwrap_or(query.sort.usual_order());
        query.cursor = self
            .cursor
            .as_deref()
            .map(|text| cursor(text, query.sort, query.order))
            .transpose()?;
        Ok(query)
    }
}

fn cursor(text: &str, sort: Sort, order: Order) -> Result<Cursor, Vec<Mistake>> {
    text.parse::<Cursor>()
        .ok()
        .filter(|cursor| cursor.sort == sort && cursor.order == order)
        .ok_or_else(|| {
            vec![Mistake::new(
                FieldName::Cursor,
                "invalid_cursor",
                "give the nextCursor of the page before with the same sort and order, or none",
            )]
        })
}

/// An instant, in the forms of a due date. A day means its beginning here: "before the 3rd" leaves all of the 3rd out, and
/// "after the 3rd" has all of it. "Before the end of the month" has all of the month.
fn bound(
    text: Option<&str>,
    field: FieldName,
    zone: &Zone,
    now: Timestamp,
) -> Result<Option<Timestamp>, Vec<Mistake>> {
    match text.map(|text| Due::bound(text, zone, now)) {
        None => Ok(None),
        Some(Ok(due)) => Ok(Some(due.at())),
        Some(Err(error)) => Err(vec![Mistake::new(field, error.code(), error)]),
    }
}

impl TaskQuery {
    /// Only what is pending and should have been done.
    fn overdue(&mut self, now: Timestamp) {
        self.status = Some(Status::Pending);
        self.due_before = Some(self.due_before.map_or(now, |before| before.min(now)));
    }

    /// Only what is pending and due from now to the end of the last of so many days of the user's calendar, of which today is
    /// the first.
    pub(crate) fn upcoming(&mut self, days: u32, zone: &Zone, now: Timestamp) {
        self.status = Some(Status::Pending);
        self.due_after = Some(self.due_after.map_or(now, |after| after.max(now)));
        // The first instant of the day after, also where clocks skip midnight.
        let until = zone
            .time_zone()
            .to_datetime(now)
            .date()
            .checked_add(i64::from(days).days())
            .and_then(|date| date.to_zoned(zone.time_zone().clone()))
            .map_or(Timestamp::MAX, |zoned| zoned.timestamp());
        self.due_before = Some(self.due_before.map_or(until, |before| before.min(until)));
    }
}
