//! Due dates in words, as short as the place allows.

use jiff::civil::Date;
use nudge_domain::LocalInstant;
use nudge_page_model::day;

use super::clock::{self, Clock, Form};
use leptos::prelude::*;

/// A due date in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// Its words; none where the heading above says all.
    pub(crate) text: String,
    /// `overdue`, `today` or `later`.
    pub(crate) when: &'static str,
}

/// Whether it is due on a day without a time: at the end of the day.
pub(crate) fn all_day(due: &LocalInstant) -> bool {
    due.to_string().get(10..19) == Some("T23:59:59")
}

/// The day of a due date, as its own zone counts.
pub(crate) fn day_of(due: &LocalInstant) -> Option<Date> {
    day::read(due.to_string().get(..10)?)
}

/// `Tue, 1 December, 09:00`, in the person's zone.
pub(crate) fn moment(clock: Clock, instant: &LocalInstant) -> String {
    let zone = clock.zone.get();
    let at = instant.at();
    let date = clock::date_of(at, &zone);
    let mut words = clock::write(Form::WeekdayDay, at, &zone);
    if date.year() != clock.today.get().year() {
        words.push_str(&[" ", &date.year().to_string()].concat());
    }
    if !all_day(instant) {
        words.push_str(&[", ", &clock::write(Form::Time, at, &zone)].concat());
    }
    words
}

/// A due date in a row. `under_day`: a heading names the day already.
pub(crate) fn due(clock: Clock, due: &LocalInstant, under_day: bool) -> Due {
    let zone = clock.zone.get();
    let at = due.at();
    let today = clock.today.get();
    let date = clock::date_of(at, &zone);
    let days = day::between(today, date);
    let when = match () {
        () if at < clock.now.get() => "overdue",
        () if days == 0 => "today",
        () => "later",
    };
    let time = (!all_day(due)).then(|| clock::write(Form::Time, at, &zone));
    let day = match days {
        0 if time.is_some() => None,
        _ => Some(day_words(days, at, &zone, today.year() == date.year())),
    };
    let text = match (day, time) {
        _ if under_day && days >= 0 && all_day(due) => String::new(),
        _ if under_day && days >= 0 => clock::write(Form::Time, at, &zone),
        (Some(day), Some(time)) if (1..=6).contains(&days) => format!("{day} {time}"),
        (Some(day), _) => day,
        (None, time) => time.unwrap_or_default(),
    };
    Due { text, when }
}

fn day_words(days: i32, at: jiff::Timestamp, zone: &str, same_year: bool) -> String {
    match days {
        -1 => "Yesterday".to_owned(),
        0 => "Today".to_owned(),
        1 => "Tomorrow".to_owned(),
        2..=6 => clock::write(Form::Weekday, at, zone),
        _ if same_year => clock::write(Form::Short, at, zone),
        _ => clock::write(Form::ShortYear, at, zone),
    }
}

/// The heading of a day: `Tomorrow`, `Monday` or `Mon, 14 December`, and beside it what that leaves out.
pub(crate) fn heading(today: Date, date: Date) -> (String, String) {
    let Some(at) = day::midnight(date) else {
        return (date.to_string(), String::new());
    };
    let write = |form| clock::write(form, at, "UTC");
    match day::between(today, date) {
        0 => ("Today".to_owned(), write(Form::WeekdayDay)),
        -1 => ("Yesterday".to_owned(), write(Form::WeekdayDay)),
        1 => ("Tomorrow".to_owned(), write(Form::WeekdayDay)),
        2..=6 => (write(Form::Weekday), write(Form::Day)),
        _ if today.year() == date.year() => (write(Form::WeekdayDay), String::new()),
        _ => (write(Form::WeekdayDay), date.year().to_string()),
    }
}

/// The heading of a month that is far away: `March`, `March 2028`.
pub(crate) fn month(today: Date, month: Date) -> String {
    let name = day::midnight(month).map(|at| clock::write(Form::Month, at, "UTC"));
    let name = name.unwrap_or_default();
    if today.year() == month.year() {
        name
    } else {
        format!("{name} {}", month.year())
    }
}
