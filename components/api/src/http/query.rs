//! Query strings: the parameters of lists.

use nudge_component::Problem;

use crate::input::fields::Query;
use crate::tasks::list::query::{DEFAULT_LIMIT, ListTasks, MAX_DAYS, MAX_LIMIT, MAX_OFFSET, TagMatch};
use crate::tasks::list::read;
use crate::tasks::service::Scope;

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

/// Reads the query string of `GET /api/v1/tasks`.
pub(crate) fn list_tasks(pairs: Vec<(String, String)>) -> Result<ListTasks, Problem> {
    let query = Query::new(pairs, &PARAMETERS)?;
    let mut wanted = ListTasks {
        limit: limit(&query, DEFAULT_LIMIT, MAX_LIMIT)?,
        ..ListTasks::default()
    };
    if let Some(text) = query.text("status") {
        wanted.status = read::status("status", text)?;
    }
    if let Some(text) = query.text("priority") {
        wanted.priorities = read::priorities("priority", text)?;
    }
    if let Some(text) = query.text("categoryId") {
        wanted.category = read::category("categoryId", text)?;
    }
    if let Some(text) = query.text("tagIds") {
        wanted.tags = read::tags("tagIds", text)?;
    }
    wanted.tag_match = match query.text("tagMatch") {
        None | Some("any") => TagMatch::Any,
        Some("all") => TagMatch::All,
        Some(_) => return Err(Problem::field("tagMatch", "invalid_tag_match", "use any or all")),
    };
    wanted.due_after = query.text("dueAfter").map(str::to_owned);
    wanted.due_before = query.text("dueBefore").map(str::to_owned);
    wanted.overdue = flag(&query, "overdue")?;
    wanted.upcoming_days = query
        .text("upcomingDays")
        .map(|text| read::number("upcomingDays", "invalid_upcoming_days", text, 1..=MAX_DAYS))
        .transpose()?;
    wanted.text = query.text("text").map(str::to_owned);
    wanted.sort = query
        .text("sort")
        .map(|text| {
            text.parse().map_err(|()| {
                Problem::field(
                    "sort",
                    "invalid_sort",
                    "use due, priority, created, updated or title",
                )
            })
        })
        .transpose()?;
    wanted.order = query
        .text("order")
        .map(|text| read::order("order", text))
        .transpose()?;
    if let Some(text) = query.text("offset") {
        wanted.offset = read::number("offset", "invalid_offset", text, 0..=MAX_OFFSET)?;
    }
    wanted.cursor = query.text("cursor").map(str::to_owned);
    Ok(wanted)
}

/// The parameter `limit`.
pub(crate) fn limit(query: &Query, default: u32, most: u32) -> Result<u32, Problem> {
    match query.text("limit") {
        None => Ok(default),
        Some(text) => Ok(read::number("limit", "invalid_limit", text, 1..=most)?),
    }
}

fn flag(query: &Query, name: &str) -> Result<bool, Problem> {
    match query.text(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::field(name, "wrong_type", "use true or false")),
    }
}

/// How much of a recurring task is deleted, by its word.
pub(super) fn scope(word: Option<&str>) -> Result<Scope, Problem> {
    let Some(word) = word else {
        return Ok(Scope::default());
    };
    Scope::WORDS
        .into_iter()
        .find_map(|(known, scope)| (known == word).then_some(scope))
        .ok_or_else(|| Problem::field("scope", "invalid_scope", "use series or occurrence"))
}

#[cfg(test)]
mod tests {
    use nudge_domain::task::{Priority, Status};
    use uuid::Uuid;

    use super::*;
    use crate::error::ServiceError;
    use crate::tasks::list::cursor::Cursor;
    use crate::tasks::list::order::{Order, Sort};
    use crate::tasks::list::query::TaskQuery;

    fn read(text: &str) -> Result<TaskQuery, Problem> {
        let pairs = text
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let query = list_tasks(pairs)?.resolve(
            &"Europe/Berlin".parse().unwrap(),
            "2026-03-27T12:00:00Z".parse().unwrap(),
        );
        query.map_err(|mistakes| ServiceError::from(mistakes).into())
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
            ("tagIds=7", "tagIds: `7` is not a valid UUID"),
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
            id: Uuid::from_u128(7).into(),
        };
        assert!(read(&format!("sort=title&cursor={cursor}")).is_ok());
        assert!(read(&format!("sort=title&order=desc&cursor={cursor}")).is_err());
        assert!(read(&format!("cursor={cursor}")).is_err());
    }
}
