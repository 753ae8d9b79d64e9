//! Now, and the days of the person's calendar.

use crate::parts::dynamic::memo;
use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use js_sys::Intl::DateTimeFormat;
use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::*;
use nudge_domain::LocalInstant;
use nudge_page_model::{Days, day};
use wasm_bindgen::{JsCast, JsValue};

/// Days that Upcoming shows one by one.
const DAYS: i32 = 15;

/// A way to write an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// `09:00` or `9:00 AM`
    Time,
    /// `Monday`
    Weekday,
    /// `3 Dec`
    Short,
    /// `3 Dec 2027`
    ShortYear,
    /// `3 December`
    Day,
    /// `December`
    Month,
    /// `Mon, 14 December`
    WeekdayDay,
    /// `Saturday, 28 November`
    Long,
    /// For computing: `11/28/2026, 09:00:00`
    Parts,
}

impl Form {
    fn options(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Time => &[("hour", "numeric"), ("minute", "2-digit")],
            Self::Weekday => &[("weekday", "long")],
            Self::Short => &[("day", "numeric"), ("month", "short")],
            Self::ShortYear => &[("day", "numeric"), ("month", "short"), ("year", "numeric")],
            Self::Day => &[("day", "numeric"), ("month", "long")],
            Self::Month => &[("month", "long")],
            Self::WeekdayDay => &[("weekday", "short"), ("day", "numeric"), ("month", "long")],
            Self::Long => &[("weekday", "long"), ("day", "numeric"), ("month", "long")],
            Self::Parts => &[
                ("year", "numeric"),
                ("month", "2-digit"),
                ("day", "2-digit"),
                ("hour", "2-digit"),
                ("minute", "2-digit"),
                ("second", "2-digit"),
                ("hourCycle", "h23"),
            ],
        }
    }
}

thread_local! {
    // Making a formatter takes longer than using it a hundred times.
    static FORMATS: RefCell<BTreeMap<(String, Form), Function>> = const { RefCell::new(BTreeMap::new()) };
}

/// Writes an instant in a zone.
pub(crate) fn write(form: Form, at: Timestamp, zone: &str) -> String {
    let format = FORMATS.with_borrow_mut(|formats| {
        formats
            .entry((zone.to_owned(), form))
            .or_insert_with(|| formatter(form, zone))
            .clone()
    });
    let date = JsValue::from_f64(at.as_millisecond() as f64);
    format
        .call1(&JsValue::NULL, &date)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

fn formatter(form: Form, zone: &str) -> Function {
    let locale = if form == Form::Parts {
        "en-US".to_owned()
    } else {
        language()
    };
    let locales = Array::of1(&locale.into());
    let options = |zone: Option<&str>| {
        let options = Object::new();
        for (name, value) in form
            .options()
            .iter()
            .copied()
            .chain(zone.map(|zone| ("timeZone", zone)))
        {
            // Setting a property of a plain object does not fail.
            let _ = Reflect::set(&options, &name.into(), &value.into());
        }
        options
    };
    // A constructor that refuses an unknown zone throws, which `DateTimeFormat::new` cannot return.
    let constructor = Reflect::get(&js_sys::global(), &"Intl".into())
        .and_then(|intl| Reflect::get(&intl, &"DateTimeFormat".into()));
    let made = constructor
        .ok()
        .and_then(|constructor| constructor.dyn_into::<Function>().ok())
        .and_then(|constructor| {
            Reflect::construct(&constructor, &Array::of2(&locales, &options(Some(zone)))).ok()
        });
    let format: DateTimeFormat = match made {
        Some(made) => made.unchecked_into(),
        None => DateTimeFormat::new(&locales, &options(None)),
    };
    format.format()
}

/// The page is in English; of its variants, the person's own decides about the clock and the order of day and month.
fn language() -> String {
    let languages = window().navigator().languages();
    let mut languages = languages.iter().filter_map(|language| language.as_string());
    languages
        .find(|language| language.starts_with("en"))
        .unwrap_or_else(|| "en-GB".to_owned())
}

/// The date of an instant in a zone.
pub(crate) fn date_of(at: Timestamp, zone: &str) -> Date {
    civil(at, zone).map_or(Date::ZERO, |(date, _)| date)
}

/// Date, and seconds since its midnight.
fn civil(at: Timestamp, zone: &str) -> Option<(Date, i64)> {
    let text = write(Form::Parts, at, zone);
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse::<i16>().unwrap_or(0));
    let mut next = || numbers.next();
    let (month, day, year) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some((
        date,
        i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second),
    ))
}

/// The beginning of a day in a zone. Where clocks skip midnight, the first instant after it.
fn beginning(date: Date, zone: &str) -> Option<Timestamp> {
    let wanted = utc(date)?;
    let first = wanted - offset(wanted, zone)?;
    let second = wanted - offset(first, zone)?;
    let best = if offset(second, zone)? + second == wanted {
        second
    } else {
        first.max(second)
    };
    Timestamp::from_second(best).ok()
}

/// Seconds that the clocks of a zone are ahead of UTC at a Unix second.
fn offset(at: i64, zone: &str) -> Option<i64> {
    let (day, seconds) = civil(Timestamp::from_second(at).ok()?, zone)?;
    Some(utc(day)? + seconds - at)
}

/// The Unix second of a midnight in UTC.
fn utc(date: Date) -> Option<i64> {
    day::midnight(date).map(Timestamp::as_second)
}

/// The clock of the page. A context. A copy is the same: a reference, since many closures hold one.
#[derive(Clone, Copy)]
pub(crate) struct Clock(&'static Times);

/// What the clock shows.
pub(crate) struct Times {
    /// Now; it ticks.
    pub(crate) now: Signal<Timestamp>,
    /// The person's zone.
    pub(crate) zone: Signal<String>,
    /// Today, in that zone.
    pub(crate) today: Memo<Date>,
    /// Now and the ends of the next days.
    pub(crate) days: Memo<Days>,
}

impl std::ops::Deref for Clock {
    type Target = Times;

    fn deref(&self) -> &Times {
        self.0
    }
}

impl Clock {
    /// Provides the context.
    pub(crate) fn provide(zone: Signal<String>) -> Self {
        let now = RwSignal::new(read());
        let tick = move || now.set(read());
        if let Ok(interval) = set_interval_with_handle(tick, std::time::Duration::from_secs(20)) {
            on_cleanup(move || interval.clear());
        }
        // Timers of a hidden page rest.
        let shown = window_event_listener(leptos::ev::focus, move |_| tick());
        on_cleanup(move || shown.remove());
        let today = memo(move |_| zone.with(|zone| date_of(now.get(), zone)));
        let ends = memo(move |_| {
            let today = today.get();
            let end = |days: i32| zone.with(|zone| beginning(day::plus(today, days)?, zone));
            (1..=DAYS).filter_map(end).collect::<Vec<Timestamp>>()
        });
        let days = memo(move |_| Days {
            now: now.get(),
            ends: ends.get(),
        });
        let clock = Self(Box::leak(Box::new(Times {
            now: now.into(),
            zone,
            today,
            days,
        })));
        provide_context(clock);
        clock
    }

    /// The context.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// The day so many days from today, and its last second: when a task is due that has a day and no time.
    pub(crate) fn end_of(self, days: i32) -> Option<(Date, LocalInstant)> {
        let zone = self.zone.get_untracked();
        let date = day::plus(self.today.get_untracked(), days)?;
        let next = beginning(date.tomorrow().ok()?, &zone)?;
        let at = Timestamp::from_second(next.as_second() - 1).ok()?;
        let offset = i32::try_from(offset(at.as_second(), &zone)?).ok()?;
        Some((date, LocalInstant::new(at, Offset::from_seconds(offset).ok()?)))
    }
}

fn read() -> Timestamp {
    Timestamp::from_millisecond(js_sys::Date::now() as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}
