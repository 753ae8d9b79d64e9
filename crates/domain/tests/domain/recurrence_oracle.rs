//! The engine against the `rrule` crate, on rules drawn at random (`PROPTEST_CASES=20000` looks longer).
//!
//! Left out is only where both differ on purpose (see the docs of `recurrence`): `BYWEEKNO` without `BYDAY`, `BYSETPOS`
//! by week, `BYDAY` with and without numbers in one list, and times that a zone skips or repeats.

use jiff::Span;
use nudge_domain::{Due, Rule, RuleError};
use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;
use rrule::RRuleSet;

use crate::given::zone;

/// Occurrences that are compared.
const MOST: u16 = 15;

/// The first second of 2100, from which on the oracle's time zones know no daylight saving.
const YEAR_2100: i64 = 4_102_444_800;

const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values
        .into_iter()
        .map(|value| value.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

/// `;NAME=1,2` for some of the numbers, or nothing.
fn numbers(name: &'static str, allowed: Vec<i16>) -> impl Strategy<Value = String> {
    prop::option::weighted(0.4, btree_set(select(allowed), 1..4)).prop_map(move |numbers| {
        numbers.map_or(String::new(), |numbers| format!(";{name}={}", joined(numbers)))
    })
}

fn signed(most: i16) -> Vec<i16> {
    (-most..=most).filter(|number| *number != 0).collect()
}

/// Weekdays, all without a number or all with one up to `most`. The oracle refuses -5, so 5 is left to the unit tests.
fn weekdays(most: i16) -> impl Strategy<Value = String> {
    let plain = btree_set(select(WEEKDAYS.to_vec()), 1..4)
        .prop_map(joined)
        .boxed();
    let days = if most == 0 {
        plain
    } else {
        let numbered = btree_set((select(signed(most)), select(WEEKDAYS.to_vec())), 1..4)
            .prop_map(|days| joined(days.into_iter().map(|(ordinal, day)| format!("{ordinal}{day}"))));
        prop_oneof![plain, numbered].boxed()
    };
    days.prop_map(|days| format!(";BYDAY={days}"))
}

fn maybe(part: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::option::weighted(0.6, part).prop_map(Option::unwrap_or_default)
}

fn rules() -> impl Strategy<Value = String> {
    let months = || numbers("BYMONTH", (1..=12).collect());
    let month_days = || numbers("BYMONTHDAY", signed(31));
    let daily = (months(), month_days(), maybe(weekdays(0)))
        .prop_map(|(months, days, weekdays)| format!("FREQ=DAILY{months}{days}{weekdays}"));
    let weekly =
        (months(), maybe(weekdays(0))).prop_map(|(months, days)| format!("FREQ=WEEKLY{months}{days}"));
    let positions = || numbers("BYSETPOS", signed(4));
    let monthly = (months(), month_days(), maybe(weekdays(4)), positions()).prop_map(
        |(months, days, weekdays, positions)| format!("FREQ=MONTHLY{months}{days}{weekdays}{positions}"),
    );
    let yearly = (
        months(),
        month_days(),
        maybe(weekdays(4)),
        numbers("BYYEARDAY", signed(366)),
        positions(),
    )
        .prop_map(|(months, days, weekdays, year_days, positions)| {
            format!("FREQ=YEARLY{months}{days}{weekdays}{year_days}{positions}")
        });
    // The oracle loses the January days of some last weeks, so these are left to the unit tests.
    let by_week = (weekdays(0), btree_set(1_i16..=51, 1..4))
        .prop_map(|(weekdays, weeks)| format!("FREQ=YEARLY;BYWEEKNO={}{weekdays}", joined(weeks)));
    let body = prop_oneof![daily, weekly, monthly, yearly, by_week];
    (body, 1_u16..=5, select(WEEKDAYS.to_vec())).prop_map(|(body, interval, week_start)| {
        // With another first day, the oracle loses the January days of some last weeks.
        let week_start = if body.contains("BYWEEKNO") {
            "MO"
        } else {
            week_start
        };
        format!("{body};INTERVAL={interval};WKST={week_start}")
    })
}

/// How a rule ends: with a count, or so many days after its start.
fn ends() -> impl Strategy<Value = Option<Result<u32, i64>>> {
    prop_oneof![
        2 => Just(None),
        1 => (1_u32..14).prop_map(|count| Some(Ok(count))),
        1 => (0_i64..4_000).prop_map(|days| Some(Err(days))),
    ]
}

proptest! {
    #[test]
    fn agrees_with_the_rrule_crate(
        body in rules(),
        end in ends(),
        day in 0_i64..11_000,
        zone_name in select(vec!["UTC", "Europe/Berlin", "America/New_York"]),
    ) {
        let noon = jiff::civil::date(1997, 1, 1).at(12, 0, 0, 0) + Span::new().days(day);
        let start = Due::parse(&noon.to_string(), &zone(zone_name)).expect("a due");
        let text = match end {
            None => body,
            Some(Ok(count)) => format!("{body};COUNT={count}"),
            Some(Err(days)) => {
                let until = (start.at() + Span::new().hours(24 * days)).strftime("%Y%m%dT%H%M%SZ");
                format!("{body};UNTIL={until}")
            }
        };
        let rule: Rule = match text.parse() {
            Ok(rule) => rule,
            Err(RuleError::NeverMatches | RuleError::SetPosAlone) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{text}: {error}"))),
        };
        prop_assert_eq!(&rule.to_string().parse::<Rule>().expect("its own text"), &rule, "canonical text parses back");

        let local = noon.strftime("%Y%m%dT%H%M%S");
        let oracle: RRuleSet = format!("DTSTART;TZID={zone_name}:{local}\nRRULE:{text}")
            .parse()
            .map_err(|error| TestCaseError::fail(format!("{text}: the oracle refuses it: {error}")))?;
        let known = oracle.all(MOST);
        let (expected, beyond): (Vec<i64>, Vec<i64>) =
            known.dates.iter().map(|date| date.timestamp()).partition(|second| *second < YEAR_2100);
        // The oracle gives up silently on rare rules; then it knows a part only.
        let most = usize::from(MOST);
        let complete = !known.limited || expected.len() == most || !beyond.is_empty();
        let most = if complete { most } else { expected.len() };
        let found = rule.occurrences(&start).map(|at| at.as_second()).take_while(|second| *second < YEAR_2100);
        let found: Vec<i64> = found.take(most).collect();
        prop_assert_eq!(found, expected, "{} from {} in {}", text, local, zone_name);
    }

    #[test]
    fn next_after_is_the_first_of_all_occurrences_that_is_strictly_after(
        text in rules(),
        day in 0_i64..11_000,
        later in 0_i64..400_000_000,
    ) {
        let Ok(rule) = text.parse::<Rule>() else { return Ok(()) };
        let noon = jiff::civil::date(1997, 1, 1).at(12, 0, 0, 0) + Span::new().days(day);
        let start = Due::parse(&noon.to_string(), &zone("America/Santiago")).expect("a due");
        let after = start.at() + jiff::SignedDuration::from_secs(later);
        let next = rule.next_after(&start, after);
        prop_assert!(next.is_none_or(|next| next > after));
        prop_assert_eq!(next, rule.occurrences(&start).find(|at| *at > after), "{}", text);
    }

    #[test]
    fn count_gives_exactly_that_many(count in 1_u32..500, frequency in select(vec!["DAILY", "WEEKLY", "MONTHLY;BYDAY=1MO"])) {
        let start = Due::parse("2026-03-02T09:00", &zone("Europe/Berlin")).expect("a due");
        let rule: Rule = format!("FREQ={frequency};COUNT={count}").parse().expect("a rule");
        prop_assert_eq!(u32::try_from(rule.occurrences(&start).count()), Ok(count));
    }
}
