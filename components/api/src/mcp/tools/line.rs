//! `add_task` with `text`: a task in one line.

use nudge_domain::LocalInstant;
use nudge_domain::quick_add::{Question, QuickAdd};
use nudge_domain::reminder::ReminderWhen;
use nudge_domain::task::{FieldName, Mistake, Patch, ReminderItem, ReminderTime, TaskFields};

use crate::mcp::call::Call;
use crate::mcp::error::Failure;
use crate::tasks::quick_add::{self, Line};

/// The argument.
pub(super) const TEXT: &str = "text";

/// The fields that a line says, beside those that it has no words for.
pub(super) async fn fields(call: &mut Call, text: &str, given: TaskFields) -> Result<TaskFields, Failure> {
    refuse_others(&given)?;
    let line = quick_add::read(call.open().await?, text, None).await?;
    refuse_unclear(&line.said)?;
    let Line { said, zone } = line;
    let reminders = said.reminders.into_iter().map(reminder).collect::<Vec<_>>();
    Ok(TaskFields {
        title: Patch::Value(said.title.into()),
        due: optional(said.due.map(|due| LocalInstant::from(&due).to_string())),
        zone: Patch::Value(zone),
        priority: optional(said.priority),
        category: optional(said.category),
        tags: Patch::Value(said.tags),
        recurrence: optional(said.recurrence.map(|rule| rule.to_string())),
        reminders: match reminders.is_empty() {
            true => Patch::Absent,
            false => Patch::Value(reminders),
        },
        ..given
    })
}

fn optional<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Absent, Patch::Value)
}

fn reminder(when: ReminderWhen) -> ReminderItem {
    let time = match when {
        ReminderWhen::MinutesBefore(minutes) => ReminderTime {
            minutes_before: Patch::Value(minutes),
            ..ReminderTime::default()
        },
        ReminderWhen::At(at) => ReminderTime {
            at: Patch::Value(at.to_string()),
            ..ReminderTime::default()
        },
    };
    ReminderItem::Read {
        id: Patch::Absent,
        time,
    }
}

/// What the line says cannot be given a second time.
fn refuse_others(given: &TaskFields) -> Result<(), Failure> {
    let others = [
        ("title", given.title.is_missing()),
        ("priority", given.priority.is_missing()),
        ("category_id", given.category.is_missing()),
        ("tag_ids", given.tags.is_missing()),
        ("due_date", given.due.is_missing()),
        ("recurrence_rule", given.recurrence.is_missing()),
    ];
    let message = "text says it: leave this out, or leave text out";
    let mistakes: Vec<Mistake> = others
        .into_iter()
        .filter(|(_, missing)| !missing)
        .map(|(name, _)| mistake(name, "not_with_text", message.to_owned()))
        .collect();
    refuse(mistakes)
}

/// What is ambiguous is asked, and a label is created only when it is meant.
fn refuse_unclear(said: &QuickAdd) -> Result<(), Failure> {
    let mut mistakes: Vec<Mistake> = said
        .questions
        .iter()
        .map(|question| mistake(TEXT, "ambiguous", asked(question)))
        .collect();
    let tags = said.new_tags.iter().map(|name| ("tag", "#", name));
    let category = said.new_category.iter().map(|name| ("category", "@", name));
    mistakes.extend(tags.chain(category).map(|(kind, mark, name)| {
        let plural = if kind == "tag" { "tags" } else { "categories" };
        let message = format!(
            "the user has no {kind} “{name}”: list_{plural} lists them, create_{kind} creates one, or leave {mark}{name} out"
        );
        mistake(TEXT, if kind == "tag" { "unknown_tag" } else { "unknown_category" }, message)
    }));
    refuse(mistakes)
}

/// A question with its choices, each a text to call the tool with.
fn asked(question: &Question) -> String {
    let choices: Vec<String> = question
        .choices
        .iter()
        .map(|choice| format!("“{}” ({})", choice.text, choice.label))
        .collect();
    match choices.is_empty() {
        true => question.message.clone(),
        false => format!(
            "{}. Ask the user, then call again with text: {}",
            question.message,
            choices.join(", or ")
        ),
    }
}

fn mistake(name: &str, code: &'static str, message: String) -> Mistake {
    Mistake::new(FieldName::Named(name.to_owned()), code, message)
}

fn refuse(mistakes: Vec<Mistake>) -> Result<(), Failure> {
    match mistakes.is_empty() {
        true => Ok(()),
        false => Err(Failure::invalid(mistakes)),
    }
}
