//! What views show of the tasks.

use jiff::Timestamp;
use nudge_contract::task::Task;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::{Days, Model, Query, Snapshot, Sort};

use crate::server::{now, task};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// Today is a Tuesday in Berlin.
fn days() -> Days {
    Days {
        now: now(),
        ends: vec![
            at("2026-12-01T23:00:00Z"),
            at("2026-12-02T23:00:00Z"),
            at("2026-12-03T23:00:00Z"),
        ],
    }
}

fn due(n: u128, title: &str, due: &str) -> Task {
    Task {
        due: Some(due.parse().expect("an instant")),
        ..task(n, title)
    }
}

fn shown(tasks: Vec<Task>) -> Snapshot {
    let mut model = Model::default();
    model.read(tasks);
    model.snapshot().clone()
}

fn titles<'a>(tasks: impl IntoIterator<Item = &'a std::sync::Arc<Task>>) -> Vec<&'a str> {
    tasks.into_iter().map(|task| task.title.as_str()).collect()
}

fn a_week() -> Snapshot {
    shown(vec![
        due(1, "yesterday", "2026-11-30T09:00:00+01:00"),
        due(2, "just now", "2026-12-01T08:59:59+01:00"),
        due(3, "now", "2026-12-01T09:00:00+01:00"),
        due(4, "tonight", "2026-12-01T23:59:59+01:00"),
        due(5, "at midnight", "2026-12-02T00:00:00+01:00"),
        due(6, "on Thursday", "2026-12-03T12:00:00+01:00"),
        due(7, "at Christmas", "2026-12-24T12:00:00+01:00"),
        task(8, "some day"),
        Task {
            status: Status::Completed,
            ..due(9, "done", "2026-12-01T12:00:00+01:00")
        },
    ])
}

#[test]
fn today_is_what_was_due_and_what_is_due_until_midnight() {
    let today = a_week().today(&days(), &Query::default());
    assert_eq!(titles(&today.overdue), ["yesterday", "just now"]);
    assert_eq!(titles(&today.rest), ["now", "tonight"]);
}

#[test]
fn upcoming_is_by_day() {
    let upcoming = a_week().upcoming(&days(), &Query::default());
    let by_day: Vec<Vec<&str>> = upcoming.days.iter().map(titles).collect();
    assert_eq!(
        by_day,
        [vec!["now", "tonight"], vec!["at midnight"], vec!["on Thursday"]]
    );
    assert_eq!(titles(&upcoming.later), ["at Christmas"]);
    assert_eq!(titles(&upcoming.undated), ["some day"]);
}

#[test]
fn counts_are_those_of_the_views() {
    let counts = a_week().counts(&days());
    assert_eq!(
        (counts.overdue, counts.today, counts.upcoming, counts.all),
        (2, 4, 5, 8)
    );
}

#[test]
fn tasks_without_a_due_date_are_last_in_either_order() {
    let week = a_week();
    for reversed in [false, true] {
        let query = Query {
            reversed,
            ..Query::default()
        };
        assert_eq!(
            week.query(&query).last().map(|task| task.title.as_str()),
            Some("some day")
        );
    }
}

#[test]
fn orders_are_what_their_names_say() {
    let tasks = shown(vec![
        Task {
            priority: Priority::Low,
            created_at: at("2026-11-03T00:00:00Z"),
            updated_at: at("2026-11-03T00:00:00Z"),
            ..due(1, "b", "2026-12-05T00:00:00Z")
        },
        Task {
            priority: Priority::Urgent,
            created_at: at("2026-11-01T00:00:00Z"),
            updated_at: at("2026-11-05T00:00:00Z"),
            ..task(2, "C")
        },
        Task {
            priority: Priority::Urgent,
            created_at: at("2026-11-02T00:00:00Z"),
            updated_at: at("2026-11-04T00:00:00Z"),
            ..due(3, "a", "2026-12-06T00:00:00Z")
        },
    ]);
    let order = |sort, reversed| {
        titles(&tasks.query(&Query {
            sort,
            reversed,
            ..Query::default()
        }))
        .concat()
    };
    assert_eq!(order(Sort::Due, false), "baC");
    assert_eq!(order(Sort::Due, true), "abC");
    assert_eq!(order(Sort::Priority, false), "aCb");
    assert_eq!(order(Sort::Title, false), "abC");
    assert_eq!(order(Sort::Title, true), "Cba");
    assert_eq!(order(Sort::Created, false), "baC");
    assert_eq!(order(Sort::Updated, false), "Cab");
}

#[test]
fn filters_are_combined() {
    let category = uuid::Uuid::from_u128(50).into();
    let tag = uuid::Uuid::from_u128(51).into();
    let tasks = shown(vec![
        Task {
            category_id: Some(category),
            tag_ids: vec![tag],
            priority: Priority::High,
            description: Some("Ask for the ÉTUDE".to_owned()),
            ..task(1, "Call the bank")
        },
        Task {
            category_id: Some(category),
            ..task(2, "Call Anna")
        },
        task(3, "Bank holiday"),
    ]);
    let found = |query: Query| {
        titles(&tasks.query(&Query {
            sort: Sort::Title,
            ..query
        }))
        .join(", ")
    };
    let all = Query::default;
    assert_eq!(
        found(Query {
            category: Some(Some(category)),
            ..all()
        }),
        "Call Anna, Call the bank"
    );
    assert_eq!(
        found(Query {
            category: Some(None),
            ..all()
        }),
        "Bank holiday"
    );
    assert_eq!(
        found(Query {
            category: Some(Some(category)),
            tag: Some(tag),
            ..all()
        }),
        "Call the bank"
    );
    assert_eq!(
        found(Query {
            priorities: vec![Priority::High, Priority::Low],
            ..all()
        }),
        "Call the bank"
    );
    assert_eq!(
        found(Query {
            text: "BANK call".to_owned(),
            ..all()
        }),
        "Call the bank"
    );
    assert_eq!(
        found(Query {
            text: "étude".to_owned(),
            ..all()
        }),
        "Call the bank"
    );
    assert_eq!(
        found(Query {
            status: Status::Completed,
            ..all()
        }),
        ""
    );
}

#[test]
fn ten_thousand_tasks_are_read_sorted_and_counted() {
    let tasks = (0..10_000).map(|n| {
        let at = now() + jiff::SignedDuration::from_mins(i64::try_from(n * 7_919 % 100_000).expect("small"));
        Task {
            due: Some(at.into()),
            ..task(n + 1, &format!("Task {n}"))
        }
    });
    let tasks = shown(tasks.collect());
    let sorted = tasks.query(&Query::default());
    assert_eq!(sorted.len(), 10_000);
    assert!(sorted.is_sorted_by_key(|task| task.due.map(|due| due.at())));
    assert_eq!(
        tasks
            .query(&Query {
                text: "task 999".to_owned(),
                ..Query::default()
            })
            .len(),
        19
    );
    assert_eq!(tasks.counts(&days()).all, 10_000);
}

#[test]
fn a_snapshot_does_not_change_when_the_tasks_do() {
    let mut model = Model::default();
    model.read([task(1, "before")]);
    let before = model.snapshot().clone();
    assert!(before == *model.snapshot());
    model.read([Task {
        version: 2,
        ..task(1, "after")
    }]);
    assert_eq!(titles(before.all()), ["before"]);
    assert_eq!(titles(model.snapshot().all()), ["after"]);
    assert!(before != *model.snapshot());
}
