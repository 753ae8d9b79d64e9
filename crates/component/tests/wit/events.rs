//! The events of the WIT package and those of the contract have the same fields.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nudge_contract::event::{Change, DeliveryOutcome, Origin, ReminderDue, TaskEvent};
use nudge_contract::task::{Reminder, Snapshot};
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Priority, Status};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wit_parser::{Resolve, Type, TypeDefKind};

const TASK: &str = "018f0000-0000-7000-8000-000000000001";
const REMINDER: &str = "018f0000-0000-7000-8000-0000000000a1";
const SERIES: &str = "018f0000-0000-7000-8000-0000000000f1";
const CATEGORY: &str = "018f0000-0000-7000-8000-0000000000c1";
const TAG: &str = "018f0000-0000-7000-8000-0000000000d1";
const DUE: &str = "2026-12-01T09:00:00+01:00";
const EARLIER: &str = "2026-12-01T08:30:00+01:00";
const NOW: &str = "2026-11-21T12:00:00.5Z";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The interface `nudge:events/types`.
struct Types(Resolve);

/// Names of fields, and whether a value may lack them.
type Fields = BTreeMap<String, bool>;

impl Types {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let mut resolve = Resolve::default();
        for package in ["dapr", "events"] {
            resolve.push_path(folder.join(package)).expect(package);
        }
        Self(resolve)
    }

    fn kind(&self, name: &str) -> &TypeDefKind {
        let interface = self.0.interfaces.iter().map(|(_, interface)| interface);
        let types = interface.filter(|interface| {
            let package = interface.package.map(|package| &self.0.packages[package].name);
            interface.name.as_deref() == Some("types")
                && package.is_some_and(|package| package.name == "events")
        });
        let id = types.flat_map(|types| types.types.get(name)).next().expect(name);
        &self.0.types[*id].kind
    }

    /// The fields of a record, named as in JSON. A variant stands for its cases that carry something, of which one is there.
    fn fields(&self, record: &str) -> Fields {
        let TypeDefKind::Record(record) = self.kind(record) else {
            panic!("{record} is not a record");
        };
        let mut fields = Fields::new();
        for field in &record.fields {
            let kind = match field.ty {
                Type::Id(id) => Some(&self.0.types[id].kind),
                _ => None,
            };
            match kind {
                Some(TypeDefKind::Variant(variant)) => {
                    let cases = variant.cases.iter().filter(|case| case.ty.is_some());
                    fields.extend(cases.map(|case| (camel(&case.name), true)));
                }
                Some(TypeDefKind::Option(_)) => drop(fields.insert(camel(&field.name), true)),
                _ => drop(fields.insert(camel(&field.name), false)),
            }
        }
        fields
    }

    fn cases(&self, name: &str) -> BTreeSet<String> {
        let TypeDefKind::Enum(cases) = self.kind(name) else {
            panic!("{name} is not an enum");
        };
        cases.cases.iter().map(|case| camel(&case.name)).collect()
    }
}

/// `remind-at` as `remindAt`.
fn camel(kebab: &str) -> String {
    let mut words = kebab.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_uppercase());
        name.push_str(rest);
    }
    name
}

/// The fields of a type of the contract; those that can be null are optional. `full` has those that are left out otherwise.
fn contract<T: DeserializeOwned + serde::Serialize>(full: &T) -> Fields {
    let Ok(Value::Object(full)) = serde_json::to_value(full) else {
        panic!("it is not an object");
    };
    let optional = |name: &String| {
        let mut with_null = full.clone();
        with_null.insert(name.clone(), Value::Null);
        serde_json::from_value::<T>(with_null.into()).is_ok()
    };
    full.keys().map(|name| (name.clone(), optional(name))).collect()
}

/// The words of an enumeration of the contract, which reading any other word names.
fn words<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(json!("?"))
        .expect_err("not a word")
        .to_string();
    let (_, expected) = error.split_once("expected").expect("the words");
    expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn without<const N: usize>(mut fields: Fields, names: [&str; N]) -> Fields {
    for name in names {
        assert!(fields.remove(name).is_some(), "{name} is not a field");
    }
    fields
}

fn snapshot() -> Snapshot {
    serde_json::from_value(json!({
        "userId": "alice",
        "id": TASK,
        "title": "Pay the rent",
        "description": "to Mrs Smith",
        "status": "completed",
        "priority": "high",
        "due": DUE,
        "timeZone": "Europe/Berlin",
        "categoryId": CATEGORY,
        "tagIds": [TAG],
        "recurrence": "FREQ=DAILY",
        "recurrenceFrom": "completion",
        "reminders": [
            { "id": REMINDER, "minutesBefore": 30, "remindAt": EARLIER, "status": "sent" },
            { "id": REMINDER, "at": EARLIER, "remindAt": DUE, "status": "cancelled" },
        ],
        "seriesId": SERIES,
        "seriesStart": EARLIER,
        "occurrence": 3,
        "version": 2,
        "createdAt": NOW,
        "updatedAt": NOW,
        "completedAt": NOW,
    }))
    .expect("a task")
}

fn task_event() -> TaskEvent {
    TaskEvent {
        schema_version: 1,
        change: Change::Completed,
        changed: vec!["status".to_owned()],
        task: snapshot(),
        traceparent: Some(TRACE.to_owned()),
        origin: Some(Origin {
            event_id: "e1".to_owned(),
            at: NOW.parse().expect("an instant"),
        }),
    }
}

fn reminder_due() -> ReminderDue {
    ReminderDue {
        schema_version: 1,
        reminder_id: REMINDER.parse().expect("an id"),
        remind_at: EARLIER.parse().expect("an instant"),
        minutes_left: Some(-7),
        task: snapshot(),
        traceparent: Some(TRACE.to_owned()),
    }
}

fn outcome() -> DeliveryOutcome {
    DeliveryOutcome {
        schema_version: 1,
        reminder_id: REMINDER.parse().expect("an id"),
        task_id: TASK.parse().expect("an id"),
        remind_at: EARLIER.parse().expect("an instant"),
        failure: Some("no such mailbox".to_owned()),
        at: NOW.parse().expect("an instant"),
        traceparent: Some(TRACE.to_owned()),
    }
}

/// The version of the WIT package stands for `schemaVersion`.
#[test]
fn records_have_the_fields_of_the_contract() {
    let types = Types::read();
    let task = snapshot();
    let event = contract(&task_event());
    assert_eq!(types.fields("task"), contract(&task));
    assert_eq!(types.fields("origin"), contract(&task_event().origin));
    assert_eq!(
        types.fields("task-event"),
        without(event.clone(), ["schemaVersion"])
    );
    assert_eq!(
        types.fields("task-completed"),
        without(event, ["schemaVersion", "change", "changed", "origin"])
    );
    assert_eq!(
        types.fields("reminder-due"),
        without(contract(&reminder_due()), ["schemaVersion"])
    );

    let both = Reminder {
        at: task.task.reminders[1].at,
        ..task.task.reminders[0].clone()
    };
    assert_eq!(types.fields("reminder"), contract(&both));

    let mut ended = types.fields("delivery-outcome");
    let failure = ended.remove("failed").expect("a case of its delivery");
    ended.insert("failure".to_owned(), failure);
    assert_eq!(ended, without(contract(&outcome()), ["schemaVersion"]));
}

#[test]
fn enumerations_have_the_words_of_the_contract() {
    let types = Types::read();
    assert_eq!(types.cases("change"), words::<Change>());
    assert_eq!(types.cases("priority"), words::<Priority>());
    assert_eq!(types.cases("status"), words::<Status>());
    assert_eq!(types.cases("reminder-status"), words::<ReminderStatus>());
    assert_eq!(
        words::<RecurrenceFrom>(),
        BTreeSet::from(["due", "completion"].map(str::to_owned))
    );
}
