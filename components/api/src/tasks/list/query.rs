//! Which tasks a list holds, and in which order.

use std::fmt::Display;

use jiff::{Timestamp, ToSpan};
use nudge_component::Problem;
use nudge_domain::task::{Priority, Status};
use nudge_domain::{Due, Zone};
use uuid::Uuid;

use crate::input::fields::Query;
use crate::tasks::list::cursor::Cursor;
use crate::tasks::list::order::{Order, Sort};

/// Items of a page when the caller does not say.
const DEFAULT_LIMIT: u32 = 50;

/// Most items of a page.
pub(crate) const MAX_LIMIT: u32 = 100;

/// Most labels and priorities of one filter.
const MAX_CHOICES: usize = 20;

/// Most days of `upcomingDays`: a leap year.
pub(crate) const MAX_DAYS: u32 = 366;

/// What a page of tasks is made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskQuery {
    /// None: whatever their status.
    pub(crate) status: Option<Status>,
    /// Empty: any.
    pub(crate) priorities: Vec<Priority>,
    pub(crate) category: CategoryFilter,
    /// Empty: whatever their tags.
    pub(crate) tags: Vec<Uuid>,
    pub(crate) tag_match: TagMatch,
    /// First instant of their due dates.
    pub(crate) due_after: Option<Timestamp>,
    /// First instant that is too late.
    pub(crate) due_before: Option<Timestamp>,
    /// Words that all of them have.
    pub(crate) text: Option<String>,
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    /// Most tasks that are wanted.
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
    In(Uuid),
}

/// How many of the tags a task must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagMatch {
    Any,
    All,
}

/// The parameters of `GET /api/v1/tasks`.
const PARAMETERS: [&str; 15] = [
    "status",
    "priority",
    "categoryId",
    "tagIds",
    "tagMatch",
    "dueBefore",
    "dueAfter",
    "overdue",
    "upcomingDays",
    "text",
    "sort",
    "order",
    "limit",
    "cursor",
    // For scripts that count pages; a cursor stays right while tasks come and go.
    "offset",
];

/// Whether parameters have texts that mean another instant in another time zone.
pub(crate) fn names_days(pairs: &[(String, String)]) -> bool {
    let in_zone = ["dueBefore", "dueAfter", "upcomingDays"];
    pairs.iter().any(|(name, _)| in_zone.contains(&name.as_str()))
}

impl TaskQuery {
    /// Reads the query string of `GET /api/v1/tasks`. Due texts are read in `zone`.
    pub(crate) fn read(pairs: Vec<(String, String)>, zone: &Zone, now: Timestamp) -> Result<Self, Problem> {
        let query = Query::new(pairs, &PARAMETERS)?;
        let mut wanted = Self {
            limit: limit(&query, DEFAULT_LIMIT, MAX_LIMIT)?,
            ..Self::default()
        };
        wanted.status =
            match query.text("status") {
                None | Some("all") => None,
                Some(text) => Some(text.parse().map_err(|_| {
                    Problem::field("status", "invalid_status", "use pending, completed or all")
                })?),
            };
        wanted.priorities = list(&query, "priority", |text| {
            text.parse::<Priority>()
                .map_err(|error| (error.code(), error.to_string()))
        })?;
        wanted.category = match query.text("categoryId") {
            None => CategoryFilter::Any,
            Some("none") => CategoryFilter::Without,
            Some(text) => CategoryFilter::In(text.parse().map_err(|_| {
                Problem::field("categoryId", "wrong_type", "give the UUID of a category, or none")
            })?),
        };
        wanted.tags = list(&query, "tagIds", |text| {
            text.parse::<Uuid>().map_err(|_| {
                (
                    "wrong_type",
                    format!("`{}` is no UUID", text.chars().take(40).collect::<String>()),
                )
            })
        })?;
        wanted.tag_match = match query.text("tagMatch") {
            None | Some("any") => TagMatch::Any,
            Some("all") => TagMatch::All,
            Some(_) => return Err(Problem::field("tagMatch", "invalid_tag_match", "use any or all")),
        };
        wanted.due_after = instant(&query, "dueAfter", zone, now)?;
        wanted.due_before = instant(&query, "dueBefore", zone, now)?;
        if flag(&query, "overdue")? {
            wanted.overdue(now);
        }
        if let Some(text) = query.text("upcomingDays") {
            wanted.upcoming(number(text, "upcomingDays", 1, MAX_DAYS)?, zone, now);
        }
        wanted.text = query.text("text").map(str::to_owned);
        let by_due = wanted.due_after.is_some() || wanted.due_before.is_some();
        wanted.sort = match query.text("sort") {
            None if by_due => Sort::Due,
            None => Sort::Created,
            Some(text) => text.parse().map_err(|()| {
                Problem::field(
                    "sort",
                    "invalid_sort",
                    "use due, priority, created, updated or title",
                )
            })?,
        };
        wanted.order = match query.text("order") {
            None => wanted.sort.usual_order(),
            Some(text) => text
                .parse()
                .map_err(|()| Problem::field("order", "invalid_order", "use asc or desc"))?,
        };
        if let Some(text) = query.text("offset") {
            wanted.offset = number(text, "offset", 0, 1_000_000)?;
        }
        wanted.cursor = query
            .text("cursor")
            .map(|text| {
                text.parse::<Cursor>()
                    .ok()
                    .filter(|cursor| cursor.sort == wanted.sort && cursor.order == wanted.order)
                    .ok_or_else(|| {
                        Problem::field(
                            "cursor",
                            "invalid_cursor",
                            "give the nextCursor of the page before with the same sort and order, or none",
                        )
                    })
            })
            .transpose()?;
        Ok(wanted)
    }

    /// Only what is pending and should have been done.
    pub(crate) fn overdue(&mut self, now: Timestamp) {
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

/// The parameter `limit`.
pub(crate) fn limit(query: &Query, default: u32, most: u32) -> Result<u32, Problem> {
    query
        .text("limit")
        .map_or(Ok(default), |text| number(text, "limit", 1, most))
}

fn number(text: &str, name: &str, least: u32, most: u32) -> Result<u32, Problem> {
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            Problem::field(
                name,
                format!("invalid_{}", snake(name)),
                format!("give a whole number from {least} to {most}"),
            )
        })
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn flag(query: &Query, name: &str) -> Result<bool, Problem> {
    match query.text(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::field(name, "wrong_type", "use true or false")),
    }
}

/// An instant, in the forms of a due date. A day means its beginning here: "before the 3rd" leaves all of the 3rd out, and
/// "after the 3rd" has all of it. "Before the end of the month" has all of the month.
fn instant(query: &Query, name: &str, zone: &Zone, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query.text(name) else {
        return Ok(None);
    };
    match Due::bound(text, zone, now) {
        Ok(due) => Ok(Some(due.at())),
        Err(error) => Err(Problem::field(name, error.code(), error.to_string())),
    }
}

/// Values between commas.
fn list<T: PartialEq>(
    query: &Query,
    name: &str,
    read: impl Fn(&str) -> Result<T, (&'static str, String)>,
) -> Result<Vec<T>, Problem> {
    let mut items = Vec::new();
    for text in query.text(name).unwrap_or_default().split(',').map(str::trim) {
        if text.is_empty() {
            continue;
        }
        let item = read(text).map_err(|(code, message)| Problem::field(name, code, message))?;
        if items.contains(&item) {
            continue;
        }
        if items.len() >= MAX_CHOICES {
            return Err(too_many(name, MAX_CHOICES));
        }
        items.push(item);
    }
    Ok(items)
}

fn too_many(name: &str, most: impl Display) -> Problem {
    Problem::field(name, "too_many", format!("give at most {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TaskQuery, Problem> {
        let pairs = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        TaskQuery::read(
            pairs,
            &"Europe/Berlin".parse().unwrap(),
            "2026-03-27T12:00:00Z".parse().unwrap(),
        )
    }

    #[test]
    fn nothing_said_is_everything_newest_first() {
        assert_eq!(read("").unwrap(), TaskQuery::default());
    }

    #[test]
    fn overdue_and_upcoming_are_pending_and_ordered_by_due() {
        let overdue = read("overdue=true").unwrap();
        assert_eq!((overdue.status, overdue.sort), (Some(Status::Pending), Sort::Due));
        assert_eq!(overdue.due_before.unwrap().to_string(), "2026-03-27T12:00:00Z");

        let upcoming = read("upcomingDays=1").unwrap();
        assert_eq!(upcoming.due_after.unwrap().to_string(), "2026-03-27T12:00:00Z");
        assert_eq!(upcoming.due_before.unwrap().to_string(), "2026-03-27T23:00:00Z");
    }

    #[test]
    fn upcoming_days_are_whole_days_of_the_calendar_and_today_is_the_first() {
        for (zone, now, days, until) in [
            // Clocks go forward in between: the last of three days ends at midnight in summer time.
            ("Europe/Berlin", "2026-03-27T12:00:00Z", 3, "2026-03-29T22:00:00Z"),
            ("Europe/Berlin", "2026-03-27T22:59:59Z", 1, "2026-03-27T23:00:00Z"),
            ("Europe/Berlin", "2026-03-27T23:00:00Z", 1, "2026-03-28T23:00:00Z"),
            ("Europe/Berlin", "2026-10-24T22:00:00Z", 1, "2026-10-25T23:00:00Z"),
            // Midnight does not come there on 8 March.
            (
                "America/Havana",
                "2026-03-07T12:00:00Z",
                1,
                "2026-03-08T05:00:00Z",
            ),
            // The last hour of 29 October comes twice there.
            ("Africa/Cairo", "2026-10-29T20:30:00Z", 1, "2026-10-29T22:00:00Z"),
            (
                "Asia/Kathmandu",
                "2026-06-10T18:14:59Z",
                7,
                "2026-06-16T18:15:00Z",
            ),
            ("UTC", "2026-06-10T00:00:00Z", 366, "2027-06-11T00:00:00Z"),
        ] {
            let mut query = TaskQuery::default();
            query.upcoming(days, &zone.parse().unwrap(), now.parse().unwrap());
            assert_eq!(
                query.due_before.unwrap().to_string(),
                until,
                "{days} from {now} in {zone}"
            );
        }
    }

    #[test]
    fn the_end_of_something_has_its_last_day_before_it() {
        for (text, expected) in [
            ("end of day", "2026-03-27T23:00:00Z"),
            ("end of week", "2026-03-29T22:00:00Z"),
            ("end of month", "2026-03-31T22:00:00Z"),
            ("eom", "2026-03-31T22:00:00Z"),
            ("end of next month", "2026-04-30T22:00:00Z"),
            ("end of quarter", "2026-03-31T22:00:00Z"),
            ("end of year", "2026-12-31T23:00:00Z"),
            ("end of march", "2026-03-31T22:00:00Z"),
            ("last day of the month", "2026-03-30T22:00:00Z"),
            ("start of the month", "2026-02-28T23:00:00Z"),
            ("this week", "2026-03-22T23:00:00Z"),
            ("today at 9am", "2026-03-27T08:00:00Z"),
        ] {
            for name in ["dueAfter", "dueBefore"] {
                let query = read(&format!("{name}={text}")).unwrap();
                let found = query.due_after.or(query.due_before).unwrap();
                assert_eq!(found.to_string(), expected, "{name}={text}");
            }
        }
    }

    #[test]
    fn a_day_means_its_beginning_however_it_is_named() {
        // It is Friday.
        for (text, expected) in [
            ("2026-03-28", "2026-03-27T23:00:00Z"),
            (" 2026-03-28 ", "2026-03-27T23:00:00Z"),
            ("today", "2026-03-26T23:00:00Z"),
            ("tomorrow", "2026-03-27T23:00:00Z"),
            ("friday", "2026-04-02T22:00:00Z"),
            ("next monday", "2026-03-29T22:00:00Z"),
            ("dec 24", "2026-12-23T23:00:00Z"),
            ("tomorrow 9am", "2026-03-28T08:00:00Z"),
            ("this evening", "2026-03-27T17:00:00Z"),
            ("in 2 days", "2026-03-29T11:00:00Z"),
        ] {
            for name in ["dueAfter", "dueBefore"] {
                let query = read(&format!("{name}={text}")).unwrap();
                let found = query.due_after.or(query.due_before).unwrap();
                assert_eq!(found.to_string(), expected, "{name}={text}");
            }
        }
    }

    #[test]
    fn values_between_commas_count_once() {
        let query = read("priority=high,urgent,high").unwrap();
        assert_eq!(query.priorities, [Priority::High, Priority::Urgent]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, code) in [
            ("limit=0", "limit: give a whole number from 1 to 100"),
            ("limit=101", "limit: give a whole number from 1 to 100"),
            (
                "upcomingDays=367",
                "upcomingDays: give a whole number from 1 to 366",
            ),
            ("sort=name", "sort: use due, priority, created, updated or title"),
            ("order=up", "order: use asc or desc"),
            ("overdue=yes", "overdue: use true or false"),
            ("tagMatch=some", "tagMatch: use any or all"),
            ("tagIds=7", "tagIds: `7` is no UUID"),
            ("status=open", "status: use pending, completed or all"),
            ("cursor=x", "cursor: give the nextCursor"),
            ("limit=5&limit=6", "limit: give it once"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.detail().starts_with(code), "{text}: {}", problem.detail());
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_order() {
        let cursor = Cursor {
            sort: Sort::Title,
            order: Order::Ascending,
            key: crate::tasks::list::cursor::Key::Text("pay rent".to_owned()),
            id: Uuid::from_u128(7),
        };
        assert!(read(&format!("sort=title&cursor={cursor}")).is_ok());
        assert!(read(&format!("sort=title&order=desc&cursor={cursor}")).is_err());
        assert!(read(&format!("cursor={cursor}")).is_err());
    }
}
