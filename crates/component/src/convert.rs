//! Converts events of the WIT package to those of the contract.
//!
//! A handler that is called through WIT and one that is called over HTTP are the same function on the contract's
//! types; this module converts between them. A string that is not a valid id or enum value is refused, as it is in JSON.

use std::fmt::Display;
use std::str::FromStr;

use nudge_contract::event::{self, SCHEMA_VERSION};
use nudge_contract::task;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{Priority, Status};

use crate::events as wit;

fn drop(reason: String) -> wit::Disposition {
    wit::Disposition::Drop(reason)
}

/// Reads an id or an instant.
fn read<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, wit::Disposition> {
    text.parse().map_err(|error| drop(format!("{field}: {error}")))
}

fn maybe<T: FromStr<Err: Display>>(field: &str, text: Option<String>) -> Result<Option<T>, wit::Disposition> {
    text.map(|text| read(field, &text)).transpose()
}

impl TryFrom<wit::Reminder> for task::Reminder {
    type Error = wit::Disposition;

    fn try_from(reminder: wit::Reminder) -> Result<Self, Self::Error> {
        let (minutes_before, at) = match reminder.time {
            wit::ReminderTime::MinutesBefore(minutes) => (Some(minutes), None),
            wit::ReminderTime::At(instant) => (None, Some(instant)),
        };
        Ok(Self {
            id: read("reminder.id", &reminder.id)?,
            minutes_before,
            at: maybe("reminder.at", at)?,
            remind_at: read("reminder.remind-at", &reminder.remind_at)?,
            status: match reminder.status {
                wit::ReminderStatus::Scheduled => ReminderStatus::Scheduled,
                wit::ReminderStatus::Sent => ReminderStatus::Sent,
                wit::ReminderStatus::Failed => ReminderStatus::Failed,
                wit::ReminderStatus::Cancelled => ReminderStatus::Cancelled,
            },
        })
    }
}

impl TryFrom<wit::Task> for task::Snapshot {
    type Error = wit::Disposition;

    fn try_from(task: wit::Task) -> Result<Self, Self::Error> {
        Ok(Self {
            user_id: read("task.user-id", &task.user_id)?,
            series_start: maybe("task.series-start", task.series_start)?,
            task: task::Task {
                id: read("task.id", &task.id)?,
                title: task.title,
                description: task.description,
                status: match task.status {
                    wit::Status::Pending => Status::Pending,
                    wit::Status::Completed => Status::Completed,
                },
                priority: match task.priority {
                    wit::Priority::Low => Priority::Low,
                    wit::Priority::Medium => Priority::Medium,
                    wit::Priority::High => Priority::High,
                    wit::Priority::Urgent => Priority::Urgent,
                },
                due: maybe("task.due", task.due)?,
                time_zone: task.time_zone,
                estimate_minutes: task.estimate_minutes,
                category_id: maybe("task.category-id", task.category_id)?,
                tag_ids: task
                    .tag_ids
                    .iter()
                    .map(|text| read("task.tag-ids", text))
                    .collect::<Result<_, _>>()?,
                recurrence: task.recurrence,
                recurrence_from: read("task.recurrence-from", &task.recurrence_from)?,
                reminders: task
                    .reminders
                    .into_iter()
                    .map(task::Reminder::try_from)
                    .collect::<Result<_, _>>()?,
                series_id: maybe("task.series-id", task.series_id)?,
                occurrence: task.occurrence,
                version: task.version,
                created_at: read("task.created-at", &task.created_at)?,
                updated_at: read("task.updated-at", &task.updated_at)?,
                completed_at: maybe("task.completed-at", task.completed_at)?,
            },
        })
    }
}

impl TryFrom<wit::Origin> for event::Origin {
    type Error = wit::Disposition;

    fn try_from(origin: wit::Origin) -> Result<Self, Self::Error> {
        Ok(Self {
            event_id: origin.event_id,
            at: read("origin.at", &origin.at)?,
        })
    }
}

impl TryFrom<wit::TaskEvent> for event::TaskEvent {
    type Error = wit::Disposition;

    fn try_from(event: wit::TaskEvent) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            change: match event.change {
                wit::Change::Created => event::Change::Created,
                wit::Change::Updated => event::Change::Updated,
                wit::Change::Completed => event::Change::Completed,
                wit::Change::Reopened => event::Change::Reopened,
                wit::Change::Deleted => event::Change::Deleted,
            },
            changed: event.changed,
            task: event.task.try_into()?,
            // `nudge:events` has no fields for what only the trail of a task needs.
            by: None,
            deliveries: Vec::new(),
            traceparent: event.traceparent,
            origin: event.origin.map(event::Origin::try_from).transpose()?,
        })
    }
}

impl TryFrom<wit::TaskCompleted> for event::TaskEvent {
    type Error = wit::Disposition;

    fn try_from(event: wit::TaskCompleted) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            change: event::Change::Completed,
            changed: Vec::new(),
            task: event.task.try_into()?,
            by: None,
            deliveries: Vec::new(),
            traceparent: event.traceparent,
            // Changes from another system are not published on `task-recurrence`.
            origin: None,
        })
    }
}

impl TryFrom<wit::ReminderDue> for event::ReminderDue {
    type Error = wit::Disposition;

    fn try_from(event: wit::ReminderDue) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            reminder_id: read("reminder-id", &event.reminder_id)?,
            remind_at: read("remind-at", &event.remind_at)?,
            lease_id: maybe("lease-id", event.lease_id)?,
            handed_over_at: None,
            minutes_left: event.minutes_left,
            task: event.task.try_into()?,
            traceparent: event.traceparent,
        })
    }
}

impl TryFrom<wit::NoticeRequested> for event::NoticeRequested {
    type Error = wit::Disposition;

    fn try_from(event: wit::NoticeRequested) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            notice_id: read("notice-id", &event.notice_id)?,
            user_id: read("user-id", &event.user_id)?,
        })
    }
}

impl TryFrom<wit::DeliveryOutcome> for event::DeliveryOutcome {
    type Error = wit::Disposition;

    fn try_from(event: wit::DeliveryOutcome) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            reminder_id: read("reminder-id", &event.reminder_id)?,
            task_id: read("task-id", &event.task_id)?,
            remind_at: read("remind-at", &event.remind_at)?,
            failure: match event.delivery {
                wit::Delivery::Sent => None,
                wit::Delivery::Failed(reason) => Some(reason),
            },
            at: read("at", &event.at)?,
            lease_id: None,
            handed_over_at: None,
            attempts: 0,
            traceparent: event.traceparent,
        })
    }
}

#[cfg(test)]
mod tests {
    use nudge_contract::event::{Change, DeliveryOutcome, Origin, ReminderDue, TaskEvent};
    use nudge_contract::task::Snapshot;
    use serde_json::json;

    use super::*;

    const TASK: &str = "018f0000-0000-7000-8000-000000000001";
    const REMINDER: &str = "018f0000-0000-7000-8000-0000000000a1";
    const LEASE: &str = "0193f0c1-7a00-7000-8000-0000000000b1";
    const SERIES: &str = "018f0000-0000-7000-8000-0000000000f1";
    const CATEGORY: &str = "018f0000-0000-7000-8000-0000000000c1";
    const TAG: &str = "018f0000-0000-7000-8000-0000000000d1";
    const DUE: &str = "2026-12-01T09:00:00+01:00";
    const EARLIER: &str = "2026-12-01T08:30:00+01:00";
    const NOW: &str = "2026-11-21T12:00:00.5Z";
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    pub(super) fn snapshot() -> Snapshot {
        serde_json::from_value(json!({
            "userId": "alice",
            "id": TASK,
            "title": "Pay the rent",
            "description": "to Mrs Smith",
            "status": "completed",
            "priority": "high",
            "due": DUE,
            "timeZone": "Europe/Berlin",
            "estimateMinutes": 45,
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

    fn wit_task() -> wit::Task {
        let reminder = |time, remind_at: &str, status| wit::Reminder {
            id: REMINDER.to_owned(),
            time,
            remind_at: remind_at.to_owned(),
            status,
        };
        wit::Task {
            id: TASK.to_owned(),
            user_id: "alice".to_owned(),
            title: "Pay the rent".to_owned(),
            description: Some("to Mrs Smith".to_owned()),
            status: wit::Status::Completed,
            priority: wit::Priority::High,
            due: Some(DUE.to_owned()),
            time_zone: "Europe/Berlin".to_owned(),
            estimate_minutes: Some(45),
            category_id: Some(CATEGORY.to_owned()),
            tag_ids: vec![TAG.to_owned()],
            recurrence: Some("FREQ=DAILY".to_owned()),
            recurrence_from: "completion".to_owned(),
            reminders: vec![
                reminder(
                    wit::ReminderTime::MinutesBefore(30),
                    EARLIER,
                    wit::ReminderStatus::Sent,
                ),
                reminder(
                    wit::ReminderTime::At(EARLIER.to_owned()),
                    DUE,
                    wit::ReminderStatus::Cancelled,
                ),
            ],
            series_id: Some(SERIES.to_owned()),
            series_start: Some(EARLIER.to_owned()),
            occurrence: 3,
            version: 2,
            created_at: NOW.to_owned(),
            updated_at: NOW.to_owned(),
            completed_at: Some(NOW.to_owned()),
        }
    }

    pub(super) fn task_event() -> TaskEvent {
        TaskEvent {
            schema_version: 1,
            change: Change::Completed,
            changed: vec!["status".to_owned()],
            task: snapshot(),
            by: None,
            deliveries: Vec::new(),
            traceparent: Some(TRACE.to_owned()),
            origin: Some(Origin {
                event_id: "e1".to_owned(),
                at: NOW.parse().expect("an instant"),
            }),
        }
    }

    pub(super) fn reminder_due() -> ReminderDue {
        ReminderDue {
            schema_version: 1,
            reminder_id: REMINDER.parse().expect("an id"),
            remind_at: EARLIER.parse().expect("an instant"),
            lease_id: Some(LEASE.parse().expect("an id")),
            handed_over_at: None,
            minutes_left: Some(-7),
            task: snapshot(),
            traceparent: Some(TRACE.to_owned()),
        }
    }

    pub(super) fn outcome() -> DeliveryOutcome {
        DeliveryOutcome {
            schema_version: 1,
            reminder_id: REMINDER.parse().expect("an id"),
            task_id: TASK.parse().expect("an id"),
            remind_at: EARLIER.parse().expect("an instant"),
            failure: Some("no such mailbox".to_owned()),
            at: NOW.parse().expect("an instant"),
            lease_id: None,
            handed_over_at: None,
            attempts: 0,
            traceparent: Some(TRACE.to_owned()),
        }
    }

    #[test]
    fn nothing_of_an_event_is_lost() {
        let event = wit::TaskEvent {
            change: wit::Change::Completed,
            task: wit_task(),
            changed: vec!["status".to_owned()],
            traceparent: Some(TRACE.to_owned()),
            origin: Some(wit::Origin {
                event_id: "e1".to_owned(),
                at: NOW.to_owned(),
            }),
        };
        assert_eq!(event.try_into().ok(), Some(task_event()));

        let event = wit::TaskCompleted {
            task: wit_task(),
            traceparent: Some(TRACE.to_owned()),
        };
        let expected = TaskEvent {
            changed: Vec::new(),
            origin: None,
            ..task_event()
        };
        assert_eq!(event.try_into().ok(), Some(expected));

        let event = wit::ReminderDue {
            reminder_id: REMINDER.to_owned(),
            remind_at: EARLIER.to_owned(),
            lease_id: Some(LEASE.to_owned()),
            minutes_left: Some(-7),
            task: wit_task(),
            traceparent: Some(TRACE.to_owned()),
        };
        assert_eq!(event.try_into().ok(), Some(reminder_due()));

        let mut event = wit::DeliveryOutcome {
            reminder_id: REMINDER.to_owned(),
            task_id: TASK.to_owned(),
            remind_at: EARLIER.to_owned(),
            delivery: wit::Delivery::Failed("no such mailbox".to_owned()),
            at: NOW.to_owned(),
            traceparent: Some(TRACE.to_owned()),
        };
        assert_eq!(event.clone().try_into().ok(), Some(outcome()));
        event.delivery = wit::Delivery::Sent;
        let expected = DeliveryOutcome {
            failure: None,
            ..outcome()
        };
        assert_eq!(event.try_into().ok(), Some(expected));
    }

    #[test]
    fn what_is_not_an_id_or_a_timestamp_is_dropped_by_the_name_of_its_field() {
        type Change = fn(&mut wit::Task);
        let mut changes: Vec<(&str, Change)> = Vec::new();
        changes.push(("task.id: `x`", |task| task.id = "x".to_owned()));
        changes.push(("task.user-id: ``", |task| task.user_id.clear()));
        changes.push(("task.due: `x`", |task| task.due = Some("x".to_owned())));
        changes.push(("task.category-id: `x`", |task| {
            task.category_id = Some("x".to_owned())
        }));
        changes.push(("task.tag-ids: `x`", |task| task.tag_ids = vec!["x".to_owned()]));
        changes.push(("task.series-start: `x`", |task| {
            task.series_start = Some("x".to_owned())
        }));
        changes.push(("task.updated-at: ", |task| task.updated_at = "x".to_owned()));
        changes.push(("task.recurrence-from: ", |task| {
            task.recurrence_from = "x".to_owned()
        }));
        for (words, change) in changes {
            let mut task = wit_task();
            change(&mut task);
            match Snapshot::try_from(task) {
                Err(wit::Disposition::Drop(reason)) => assert!(reason.starts_with(words), "{reason}"),
                other => panic!("{words}: {other:?}"),
            }
        }
    }
}

/// The events of the WIT package and those of the contract have the same fields.
#[cfg(test)]
mod fields {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use nudge_contract::event::{Change, NoticeRequested};
    use nudge_contract::task::Reminder;
    use nudge_domain::reminder::ReminderStatus;
    use nudge_domain::series::RecurrenceFrom;
    use nudge_domain::task::{Priority, Status};
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use wit_parser::{Resolve, Type, TypeDefKind};

    use super::tests::{outcome, reminder_due, snapshot, task_event};

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

        let notice = NoticeRequested {
            schema_version: 1,
            notice_id: uuid::Uuid::nil(),
            user_id: task.user_id.clone(),
        };
        assert_eq!(
            types.fields("notice-requested"),
            without(contract(&notice), ["schemaVersion"])
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
}
