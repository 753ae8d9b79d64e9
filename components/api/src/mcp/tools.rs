//! The table of tools.

mod labels;
mod lists;
mod reminders;
mod tasks;

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use nudge_component::trace::Traceparent;
use serde_json::{Map, Value, json};

use super::error::{FORBIDDEN, Failure};
use super::{arguments, schema, suggest};
use crate::auth::User;
use crate::tasks::labels::store::Kind;

/// A call of a tool.
pub(crate) struct Call {
    pub(crate) user: User,
    pub(crate) trace: Traceparent,
    pub(crate) now: Timestamp,
    pub(crate) arguments: Map<String, Value>,
}

/// What a tool has done.
pub(crate) struct Done {
    /// For people.
    pub(crate) text: String,
    /// For programs, as the tool's output schema says.
    pub(crate) structured: Value,
}

type Answering = Pin<Box<dyn Future<Output = Result<Done, Failure>> + Send>>;

/// What a call does to the user's data; clients ask people before they let a model do some of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    /// Adds, once more with every call.
    Adds,
    /// Adds or marks; a second call changes nothing.
    Sets,
    /// Replaces or takes away; a second call changes nothing.
    Overwrites,
}

/// A tool, as `tools/list` shows it and `tools/call` calls it.
pub(crate) struct Tool {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    input: fn() -> Value,
    output: fn() -> Value,
    run: fn(Call) -> Answering,
}

impl Tool {
    /// The tool for `tools/list`.
    pub(crate) fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": (self.input)(),
            "outputSchema": (self.output)(),
            "annotations": {
                "title": self.title,
                "readOnlyHint": self.effect == Effect::Reads,
                "destructiveHint": self.effect == Effect::Overwrites,
                "idempotentHint": self.effect != Effect::Adds,
                "openWorldHint": false,
            },
        })
    }

    /// Calls it.
    pub(crate) async fn call(&self, mut call: Call) -> Result<Done, Failure> {
        let user = call.user.clone();
        own(&user, call.arguments.remove("user_id"))?;
        call.arguments = arguments::plain(&(self.input)(), call.arguments);
        let arguments = call.arguments.clone();
        match (self.run)(call).await {
            Ok(done) => Ok(done),
            Err(mut failure) => {
                suggest::add(&user, &mut failure, &arguments).await;
                Err(failure)
            }
        }
    }
}

/// Only the token says who the user is; an argument may repeat it.
fn own(user: &User, user_id: Option<Value>) -> Result<(), Failure> {
    match user_id {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(id)) if id.is_empty() || id == user.id.as_str() => Ok(()),
        Some(_) => Err(Failure::new(
            FORBIDDEN,
            "user_id is not the user of the token: leave it out, the token says who the user is",
        )),
    }
}

/// The tool of that name.
pub(crate) fn named(name: &str) -> Option<&'static Tool> {
    ALL.iter().find(|tool| tool.name == name)
}

fn one_task() -> Value {
    schema::output(json!({ "task": schema::task() }))
}

/// All tools, in the order they are listed.
pub(crate) const ALL: &[Tool] = &[
    Tool {
        name: "add_task",
        title: "Add a task",
        description: "Creates a task. Give due_date for anything with a deadline, and recurrence_rule for what repeats. \
                      Calling it twice makes two tasks.",
        effect: Effect::Adds,
        input: tasks::add_input,
        output: one_task,
        run: |call| Box::pin(tasks::add(call)),
    },
    Tool {
        name: "list_tasks",
        title: "List tasks",
        description: "Lists the user's tasks, filtered and sorted, a page at a time. Use search_tasks to find a task by \
                      words of its title.",
        effect: Effect::Reads,
        input: lists::list_input,
        output: lists::page_output,
        run: |call| Box::pin(lists::list(call)),
    },
    Tool {
        name: "get_task",
        title: "Read a task",
        description: "Reads one task with its description and reminders.",
        effect: Effect::Reads,
        input: tasks::one_input,
        output: one_task,
        run: |call| Box::pin(tasks::get(call)),
    },
    Tool {
        name: "update_task",
        title: "Change a task",
        description: "Changes the given fields of a task and leaves the others. An empty string clears description, \
                      priority, category_id, due_date or recurrence_rule; an empty list clears tag_ids. Another due_date \
                      moves the reminders along.",
        effect: Effect::Overwrites,
        input: tasks::update_input,
        output: one_task,
        run: |call| Box::pin(tasks::update(call)),
    },
    Tool {
        name: "complete_task",
        title: "Complete a task",
        description: "Marks a task as done and cancels its reminders. Of a recurring task the next occurrence is created. \
                      update_task with completed false takes it back.",
        effect: Effect::Sets,
        input: tasks::one_input,
        output: one_task,
        run: |call| Box::pin(tasks::complete(call)),
    },
    Tool {
        name: "delete_task",
        title: "Delete a task",
        description: "Deletes a task and cancels its reminders. It cannot be taken back: ask the user first. A recurring \
                      task ends with it, unless scope is occurrence.",
        effect: Effect::Overwrites,
        input: tasks::delete_input,
        output: tasks::deleted_output,
        run: |call| Box::pin(tasks::delete(call)),
    },
    Tool {
        name: "search_tasks",
        title: "Search tasks",
        description: "Finds tasks by words of title and description; all words must occur, the last one may be a beginning. \
                      Case and accents do not matter.",
        effect: Effect::Reads,
        input: lists::search_input,
        output: lists::found_output,
        run: |call| Box::pin(lists::search(call)),
    },
    Tool {
        name: "set_reminder",
        title: "Set a reminder",
        description: "Adds a reminder by mail to a task: minutes before its due date, or at a time. Give exactly one of \
                      remind_before_minutes and remind_at. A task has at most 5 reminders.",
        effect: Effect::Sets,
        input: reminders::input,
        output: one_task,
        run: |call| Box::pin(reminders::set(call)),
    },
    Tool {
        name: "get_overdue_tasks",
        title: "Overdue tasks",
        description: "Lists pending tasks whose due date has passed, those that wait longest first.",
        effect: Effect::Reads,
        input: lists::overdue_input,
        output: lists::found_output,
        run: |call| Box::pin(lists::overdue(call)),
    },
    Tool {
        name: "get_upcoming_tasks",
        title: "Upcoming tasks",
        description: "Lists pending tasks that are due from now to the end of the last of so many days, today being the first; \
                      the next one first.",
        effect: Effect::Reads,
        input: lists::upcoming_input,
        output: lists::found_output,
        run: |call| Box::pin(lists::upcoming(call)),
    },
    Tool {
        name: "create_category",
        title: "Create a category",
        description: "Creates a category; a task is in at most one. The name must be free.",
        effect: Effect::Adds,
        input: || labels::create_input(Kind::Category),
        output: || labels::one_output(Kind::Category),
        run: |call| Box::pin(labels::create(Kind::Category, call)),
    },
    Tool {
        name: "list_categories",
        title: "List categories",
        description: "Lists the user's categories by name.",
        effect: Effect::Reads,
        input: labels::list_input,
        output: || labels::list_output(Kind::Category),
        run: |call| Box::pin(labels::list(Kind::Category, call)),
    },
    Tool {
        name: "update_category",
        title: "Change a category",
        description: "Renames a category or gives it another colour; its tasks stay in it.",
        effect: Effect::Overwrites,
        input: || labels::update_input(Kind::Category),
        output: || labels::one_output(Kind::Category),
        run: |call| Box::pin(labels::update(Kind::Category, call)),
    },
    Tool {
        name: "delete_category",
        title: "Delete a category",
        description: "Deletes a category. Its tasks stay, without a category.",
        effect: Effect::Overwrites,
        input: || labels::id_input(Kind::Category),
        output: || labels::deleted_output(Kind::Category),
        run: |call| Box::pin(labels::delete(Kind::Category, call)),
    },
    Tool {
        name: "create_tag",
        title: "Create a tag",
        description: "Creates a tag; a task has at most 10. The name must be free.",
        effect: Effect::Adds,
        input: || labels::create_input(Kind::Tag),
        output: || labels::one_output(Kind::Tag),
        run: |call| Box::pin(labels::create(Kind::Tag, call)),
    },
    Tool {
        name: "list_tags",
        title: "List tags",
        description: "Lists the user's tags by name.",
        effect: Effect::Reads,
        input: labels::list_input,
        output: || labels::list_output(Kind::Tag),
        run: |call| Box::pin(labels::list(Kind::Tag, call)),
    },
    Tool {
        name: "update_tag",
        title: "Change a tag",
        description: "Renames a tag or gives it another colour; its tasks keep it.",
        effect: Effect::Overwrites,
        input: || labels::update_input(Kind::Tag),
        output: || labels::one_output(Kind::Tag),
        run: |call| Box::pin(labels::update(Kind::Tag, call)),
    },
    Tool {
        name: "delete_tag",
        title: "Delete a tag",
        description: "Deletes a tag and takes it off its tasks. The tasks stay.",
        effect: Effect::Overwrites,
        input: || labels::id_input(Kind::Tag),
        output: || labels::deleted_output(Kind::Tag),
        run: |call| Box::pin(labels::delete(Kind::Tag, call)),
    },
    Tool {
        name: "add_tag_to_task",
        title: "Tag a task",
        description: "Puts a tag on a task. One that is there already stays.",
        effect: Effect::Sets,
        input: labels::wear_input,
        output: one_task,
        run: |call| Box::pin(labels::wear(call, true)),
    },
    Tool {
        name: "remove_tag_from_task",
        title: "Untag a task",
        description: "Takes a tag off a task. One that is not there stays away.",
        effect: Effect::Overwrites,
        input: labels::wear_input,
        output: one_task,
        run: |call| Box::pin(labels::wear(call, false)),
    },
];
