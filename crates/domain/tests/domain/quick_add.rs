//! A task in one line: what is taken from it, what stays in the title, and what is asked.

use nudge_domain::Due;
use nudge_domain::id::{CategoryId, TagId};
use nudge_domain::quick_add::{Labels, PartKind, QuickAdd, QuickAddError, read};
use nudge_domain::reminder::ReminderWhen;
use uuid::Uuid;

use crate::given::{instant, zone};

const CORPUS: &str = include_str!("../../../../tests/corpus/quick-add.txt");
/// Wednesday, 10 June 2026, 10:30 in Berlin.
const NOW: &str = "2026-06-10T08:30:00Z";

fn labels() -> Labels {
    let id = Uuid::from_u128;
    Labels::new(
        [
            (CategoryId::from(id(1)), "Work"),
            (CategoryId::from(id(2)), "Home office"),
        ],
        [(TagId::from(id(3)), "home"), (TagId::from(id(4)), "follow up")],
    )
}

fn said(line: &str) -> Result<QuickAdd, QuickAddError> {
    read(line, &zone("Europe/Berlin"), instant(NOW), &labels())
}

fn local(due: &Due) -> String {
    let local = due.local();
    match due.is_end_of_day() {
        true => local.date().to_string(),
        false => local.strftime("%Y-%m-%dT%H:%M").to_string(),
    }
}

fn kind(about: PartKind) -> &'static str {
    match about {
        PartKind::Title => "title",
        PartKind::Due => "due",
        PartKind::Recurrence => "recurrence",
        PartKind::Priority => "priority",
        PartKind::Tag => "tag",
        PartKind::Category => "category",
        PartKind::Reminder => "reminder",
    }
}

/// A line and what it says, in the form of the corpus.
fn row(line: &str) -> String {
    let task = match said(line) {
        Ok(task) => task,
        Err(error) => return format!("{line} | {error}"),
    };
    let mut rest: Vec<String> = Vec::new();
    rest.extend(task.priority.map(|priority| priority.to_string()));
    rest.extend(task.tags.iter().map(|_| "tag".to_owned()));
    rest.extend(task.new_tags.iter().map(|name| format!("new-tag:{name}")));
    rest.extend(task.category.map(|_| "category".to_owned()));
    rest.extend(
        task.new_category
            .iter()
            .map(|name| format!("new-category:{name}")),
    );
    rest.extend(task.reminders.iter().map(|when| match when {
        ReminderWhen::MinutesBefore(minutes) => format!("{minutes}m"),
        ReminderWhen::At(at) => format!(
            "at:{}",
            local(&Due::new(*at, zone("Europe/Berlin")).expect("in range"))
        ),
    }));
    let asked: Vec<&str> = task
        .questions
        .iter()
        .map(|question| kind(question.about))
        .collect();
    let due = task.due.as_ref().map(local).unwrap_or_default();
    let rule = task.recurrence.map(|rule| rule.to_string()).unwrap_or_default();
    let columns = [
        line,
        task.title.as_str(),
        &due,
        &rule,
        &rest.join(" "),
        &asked.join(" "),
    ];
    columns.join(" | ").replace("  ", " ").trim_end().to_owned()
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    CORPUS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
        .map(|line| (line.split(" | ").next().expect("a line"), line))
}

#[test]
fn each_line_of_the_corpus_says_what_is_written_there() {
    let mut wrong = Vec::new();
    for (line, expected) in lines() {
        let found = row(line);
        if found != expected.trim_end().replace("  ", " ") {
            wrong.push(format!("expected {expected}\n   found {found}"));
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lines().count() >= 80);
}

/// The questions of a line and of each choice of it.
#[test]
fn each_choice_answers_its_question() {
    for (line, _) in lines() {
        for question in said(line).expect("a line of the corpus").questions {
            assert!(!question.choices.is_empty(), "{line}: no choices");
            for choice in &question.choices {
                let chosen = said(&choice.text);
                let Ok(chosen) = chosen else {
                    panic!("{line} → {}: {}", choice.text, chosen.expect_err("refused"));
                };
                let same = |other: &nudge_domain::quick_add::Question| other.message == question.message;
                assert!(
                    !chosen.questions.iter().any(same),
                    "{line} → {} asks the same: {}",
                    choice.text,
                    question.message
                );
            }
        }
    }
}

fn choices(line: &str) -> Vec<String> {
    let task = said(line).expect("a line");
    let questions = task.questions.into_iter();
    questions
        .flat_map(|question| question.choices)
        .map(|choice| choice.text)
        .collect()
}

#[test]
fn the_choices_are_the_whole_line_with_one_reading_each() {
    for (line, expected) in [
        (
            "Call mom at 5 !high",
            &[
                "Call mom at 5am !high",
                "Call mom at 5pm !high",
                r"Call mom \at \5 !high",
            ][..],
        ),
        (
            "Call mom tomorrow at 5, please",
            &[
                "Call mom tomorrow at 5am, please",
                "Call mom tomorrow at 5pm, please",
                r"Call mom \tomorrow \at \5, please",
            ],
        ),
        ("Dentist 13/1/27", &["Dentist 13/1/2027", r"Dentist \13/1/27"]),
        (
            "Dentist 3/4",
            &["Dentist apr 3", "Dentist mar 4", r"Dentist \3/4"],
        ),
        (
            "Gym every 3rd friday",
            &[
                "Gym every 3 weeks on friday",
                "Gym every month on the 3rd friday",
                r"Gym \every \3rd \friday",
            ],
        ),
        (
            "Invoice bimonthly",
            &[
                "Invoice every 2 months",
                "Invoice on the 1st and 15th",
                r"Invoice \bimonthly",
            ],
        ),
        (
            "Review monthly on friday",
            &[
                "Review every friday",
                "Review monthly on the first friday",
                r"Review \monthly \on \friday",
            ],
        ),
        ("Call mom !high !low", &["Call mom !high", "Call mom !low"]),
        ("@work Call mom @home", &["@work Call mom", "Call mom @home"]),
        (
            "Call today at 9am",
            &["Call tomorrow at 9am", r"Call \today \at \9am"],
        ),
        (
            "Dentist friday 2pm remind 30m",
            &[
                "Dentist friday 2pm remind 30m before",
                "Dentist friday 2pm remind in 30m",
                r"Dentist friday 2pm \remind \30m",
                "Dentist friday 2pm",
            ],
        ),
    ] {
        assert_eq!(choices(line), expected, "{line}");
    }
}

#[test]
fn a_line_has_a_title_and_the_limits_of_a_task() {
    let refused = |line: &str| said(line).expect_err("refused").code();
    for line in ["", "  ", "tomorrow 9am", "#home !high", "\u{200b}"] {
        assert_eq!(refused(line), "required", "{line:?}");
    }
    assert_eq!(refused(&"x".repeat(1001)), "line_too_long");
    assert_eq!(refused(&"x".repeat(201)), "invalid_title");
    assert_eq!(
        said(&format!("{} tomorrow", "x".repeat(200)))
            .expect("a task")
            .title
            .as_str()
            .len(),
        200
    );
    assert_eq!(refused(&format!("a #{}", "x".repeat(31))), "invalid_tag_name");
    assert_eq!(
        refused(&format!("a @{}", "x".repeat(51))),
        "invalid_category_name"
    );
    let tags: Vec<String> = (0..11).map(|number| format!("#t{number}")).collect();
    assert_eq!(refused(&format!("a {}", tags.join(" "))), "too_many_tags");
    let reminders: Vec<String> = (1..7).map(|hours| format!("remind {hours}h before")).collect();
    assert_eq!(
        refused(&format!("a tomorrow 9am {}", reminders.join(" "))),
        "too_many_reminders"
    );
}

#[test]
fn parts_are_in_order_and_say_where_they_are() {
    let line = "🎂 Cake for “Ann” tomorrow 9am, !high #follow up";
    let task = said(line).expect("a task");
    let parts: Vec<(&str, &str)> = task
        .parts
        .iter()
        .map(|part| {
            (
                kind(part.kind),
                line.get(part.range.clone()).expect("a part of the line"),
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            ("title", "🎂 Cake for “Ann”"),
            ("due", "tomorrow 9am"),
            ("priority", "!high"),
            ("tag", "#follow up"),
        ]
    );
    assert_eq!(task.title.as_str(), "🎂 Cake for “Ann”");
}

#[test]
fn names_that_look_the_same_are_the_same_label() {
    for line in ["a #HOME", "a #home,", "a #\"home\"", "a #ｈｏｍｅ #home"] {
        let task = said(line).expect("a task");
        assert_eq!((task.tags.len(), task.new_tags.len()), (1, 0), "{line}");
    }
    let task = said("a @home office #\"new one\" #New #new").expect("a task");
    assert_eq!(task.category, Some(CategoryId::from(Uuid::from_u128(2))));
    assert_eq!(task.new_tags, ["new one", "New"]);
}

#[test]
fn the_first_date_of_a_recurrence_is_the_first_from_now_in_its_zone() {
    for (line, zone_name, now, due) in [
        // The last day of a month, and one that has passed today.
        (
            "a every month on the 31st",
            "UTC",
            "2026-02-10T12:00:00Z",
            "2026-02-28T23:59:59Z",
        ),
        (
            "a every day 9am",
            "UTC",
            "2026-02-10T09:00:00Z",
            "2026-02-11T09:00:00Z",
        ),
        (
            "a every day 9am",
            "UTC",
            "2026-02-10T08:59:59Z",
            "2026-02-10T09:00:00Z",
        ),
        // Clocks skip 02:30 on 29 March 2026, and show it twice on 25 October.
        (
            "a every sunday 2:30am",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:30:00Z",
        ),
        (
            "a every sunday 2:30am",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
        ),
        // It is tomorrow there.
        (
            "a every thursday",
            "Pacific/Auckland",
            "2026-06-10T13:00:00Z",
            "2026-06-11T11:59:59Z",
        ),
        (
            "a every february 29",
            "UTC",
            "2026-06-10T12:00:00Z",
            "2027-02-28T23:59:59Z",
        ),
    ] {
        let task = read(line, &zone(zone_name), instant(now), &Labels::default()).expect("a task");
        let found = task.due.expect("a due date").at().to_string();
        assert_eq!(found, due, "{line} in {zone_name} at {now}");
    }
}

#[test]
fn no_line_panics_and_long_ones_take_no_longer_than_they_are_long() {
    let words = [
        "every", "at", "5", "the", "1st", "of", "month", "#", "@", "!", "\\", "\"", "“", "remind", "before",
        "in", "and", ",", "9am", "monday", "until", "for", "3/4", "\u{200f}", "🎉", "friday,", "(", "a.m.",
        "-", "@5",
    ];
    let mut seed = 7_usize;
    for _ in 0..300 {
        let mut line = String::from("x");
        while line.chars().count() < 400 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            line.push(' ');
            line.push_str(words[(seed >> 33) % words.len()]);
            if (seed >> 20).is_multiple_of(9) {
                break;
            }
        }
        let _ = said(&line);
    }
    for word in ["at ", "every ", "5 ", "#a ", "\"", "and ", "remind "] {
        let _ = said(&word.repeat(1000 / word.len()));
    }
}
