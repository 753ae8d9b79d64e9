//! The table of tools.

mod labels;
mod line;
mod lists;
mod reminders;
mod tasks;

use std::future::Future;
use std::pin::Pin;

use nudge_contract::agent::Scope;
use serde_json::{Map, Value, json};

use super::arguments::{self, Arguments};
use super::call::{Call, Done};
use super::error::{FORBIDDEN, Failure};
use super::{schema, suggest};
use crate::auth::User;
use crate::caller::Identity;
use crate::tasks::labels::Kind;
use crate::tasks::search;

type Answering<'c> = Pin<Box<dyn Future<Output = Result<Done, Failure>> + Send + 'c>>;

/// What a call does to the user's data. Clients ask people before they let a model do some of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Reads,
    /// Adds something with every call.
    Adds,
    /// Adds or marks; a second call changes nothing.
    Sets,
    /// Replaces or removes; a second call changes nothing.
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
    run: for<'c> fn(&'c mut Call, Arguments) -> Answering<'c>,
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

    /// Whether a user, or an agent of theirs, may call it.
    pub(crate) fn is_for(&self, user: &User) -> bool {
        let reads_only = user
            .agent
            .as_ref()
            .is_some_and(|agent| agent.scope == Scope::Read);
        !reads_only || self.effect == Effect::Reads
    }

    /// What a call costs, where a plain request costs 1.
    pub(crate) fn cost(&self) -> u32 {
        match self.name {
            "search_tasks" => search::COST,
            _ => 1,
        }
    }

    /// Calls it.
    pub(crate) async fn call(
        &self,
        identity: &Identity,
        mut given: Map<String, Value>,
    ) -> Result<Done, Failure> {
        own(&identity.user, given.remove("user_id"))?;
        if !self.is_for(&identity.user) {
            return Err(Failure::new(
                FORBIDDEN,
                "this agent may only read, its scope is read: the user can create one with the scope write",
            ));
        }
        let given = arguments::plain(&(self.input)(), given);
        let mut call = Call::new(identity.clone());
        match (self.run)(&mut call, Arguments::new(given.clone())).await {
            Ok(done) => Ok(done),
            Err(mut failure) => {
                suggest::add(&mut call, &mut failure, &given).await;
                Err(failure)
            }
        }
    }
}

/// Only the token identifies the user. The argument may repeat it.
fn own(user: &User, user_id: Option<Value>) -> Result<(), Failure> {
    match user_id {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(id)) if id.is_empty() || id == user.id.as_str() => Ok(()),
        Some(_) => Err(Failure::new(
            FORBIDDEN,
            "user_id is not the user of the token: leave it out, the token identifies the user",
        )),
    }
}

/// The tool of that name.
pub(crate) fn named(name: &str) -> Option<&'static Tool> {
    ALL.iter().find(|tool| tool.name == name)
}

fn one_task() -> Value {
    schema::output(json!({ "task": schema::some_task() }))
}

/// All tools, in the order they are listed.
pub(crate) const ALL: &[Tool] = &[
    Tool {
        name: "add_task",
        title: "Add a task",
        description: "Creates a task from its fields, or from text. Calling it twice creates two tasks.",
        effect: Effect::Adds,
        input: tasks::add_input,
        output: one_task,
        run: |call, arguments| Box::pin(tasks::add(call, arguments)),
    },
    Tool {
        name: "list_tasks",
        title: "List tasks",
        description: "Lists the user's tasks, filtered and sorted, a page at a time. Use search_tasks to find a task by \
                      words of its title.",
        effect: Effect::Reads,
        input: lists::list_input,
        output: lists::page_output,
        run: |call, arguments| Box::pin(lists::list(call, arguments)),
    },
    Tool {
        name: "get_task",
        title: "Read a task",
        description: "Reads one task with its description and reminders.",
        effect: Effect::Reads,
        input: tasks::one_input,
        output: tasks::get_output,
        run: |call, arguments| Box::pin(tasks::get(call, arguments)),
    },
    Tool {
        name: "update_task",
        title: "Change a task",
        description: "Changes the given fields of a task. An empty string clears description, \
                      priority, category_id, due_date or recurrence_rule; an empty list clears tag_ids. A new due_date \
                      moves the reminders.",
        effect: Effect::Overwrites,
        input: tasks::update_input,
        output: one_task,
        run: |call, arguments| Box::pin(tasks::update(call, arguments)),
    },
    Tool {
        name: "complete_task",
        title: "Complete a task",
        description: "Marks a task as done and cancels its reminders. If the task recurs, the next occurrence is created. \
                      update_task with completed false reopens it.",
        effect: Effect::Sets,
        input: tasks::one_input,
        output: one_task,
        run: |call, arguments| Box::pin(tasks::complete(call, arguments)),
    },
    Tool {
        name: "delete_task",
        title: "Delete a task",
        description: "Deletes a task and cancels its reminders. This cannot be undone: ask the user first. A recurring \
                      task ends with it, unless scope is occurrence.",
        effect: Effect::Overwrites,
        input: tasks::delete_input,
        output: tasks::deleted_output,
        run: |call, arguments| Box::pin(tasks::delete(call, arguments)),
    },
    Tool {
        name: "search_tasks",
        title: "Search tasks",
        description: "Finds tasks by words of title and description. All words must occur; the last one may be a prefix. \
                      Case and accents do not matter.",
        effect: Effect::Reads,
        input: lists::search_input,
        output: lists::found_output,
        run: |call, arguments| Box::pin(lists::search(call, arguments)),
    },
    Tool {
        name: "set_reminder",
        title: "Set a reminder",
        description: "Adds an email reminder to a task: minutes before its due date, or at a time. Give exactly one of \
                      remind_before_minutes and remind_at. A task has at most 5 reminders.",
        effect: Effect::Sets,
        input: reminders::input,
        output: one_task,
        run: |call, arguments| Box::pin(reminders::set(call, arguments)),
    },
    Tool {
        name: "get_overdue_tasks",
        title: "Overdue tasks",
        description: "Lists pending tasks whose due date has passed, the oldest due date first.",
        effect: Effect::Reads,
        input: lists::overdue_input,
        output: lists::found_output,
        run: |call, arguments| Box::pin(lists::overdue(call, arguments)),
    },
    Tool {
        name: "get_upcoming_tasks",
        title: "Upcoming tasks",
        description: "Lists pending tasks that are due within a number of calendar days, counting today as the first; the next \
                      due date first.",
        effect: Effect::Reads,
        input: lists::upcoming_input,
        output: lists::found_output,
        run: |call, arguments| Box::pin(lists::upcoming(call, arguments)),
    },
    Tool {
        name: "create_category",
        title: "Create a category",
        description: "Creates a category. A task is in at most one. No other category may have the name.",
        effect: Effect::Adds,
        input: || labels::create_input(Kind::Category),
        output: || labels::one_output(Kind::Category),
        run: |call, arguments| Box::pin(labels::create(Kind::Category, call, arguments)),
    },
    Tool {
        name: "list_categories",
        title: "List categories",
        description: "Lists the user's categories by name.",
        effect: Effect::Reads,
        input: || labels::list_input(Kind::Category),
        output: || labels::list_output(Kind::Category),
        run: |call, arguments| Box::pin(labels::list(Kind::Category, call, arguments)),
    },
    Tool {
        name: "update_category",
        title: "Change a category",
        description: "Renames a category or changes its colour. Its tasks stay in it.",
        effect: Effect::Overwrites,
        input: || labels::update_input(Kind::Category),
        output: || labels::one_output(Kind::Category),
        run: |call, arguments| Box::pin(labels::update(Kind::Category, call, arguments)),
    },
    Tool {
        name: "delete_category",
        title: "Delete a category",
        description: "Deletes a category. Its tasks are kept, without a category.",
        effect: Effect::Overwrites,
        input: || labels::id_input(Kind::Category),
        output: || labels::deleted_output(Kind::Category),
        run: |call, arguments| Box::pin(labels::delete(Kind::Category, call, arguments)),
    },
    Tool {
        name: "create_tag",
        title: "Create a tag",
        description: "Creates a tag. A task has at most 10. No other tag may have the name.",
        effect: Effect::Adds,
        input: || labels::create_input(Kind::Tag),
        output: || labels::one_output(Kind::Tag),
        run: |call, arguments| Box::pin(labels::create(Kind::Tag, call, arguments)),
    },
    Tool {
        name: "list_tags",
        title: "List tags",
        description: "Lists the user's tags by name.",
        effect: Effect::Reads,
        input: || labels::list_input(Kind::Tag),
        output: || labels::list_output(Kind::Tag),
        run: |call, arguments| Box::pin(labels::list(Kind::Tag, call, arguments)),
    },
    Tool {
        name: "update_tag",
        title: "Change a tag",
        description: "Renames a tag or changes its colour. Its tasks keep it.",
        effect: Effect::Overwrites,
        input: || labels::update_input(Kind::Tag),
        output: || labels::one_output(Kind::Tag),
        run: |call, arguments| Box::pin(labels::update(Kind::Tag, call, arguments)),
    },
    Tool {
        name: "delete_tag",
        title: "Delete a tag",
        description: "Deletes a tag and removes it from its tasks. The tasks are kept.",
        effect: Effect::Overwrites,
        input: || labels::id_input(Kind::Tag),
        output: || labels::deleted_output(Kind::Tag),
        run: |call, arguments| Box::pin(labels::delete(Kind::Tag, call, arguments)),
    },
    Tool {
        name: "add_tag_to_task",
        title: "Tag a task",
        description: "Adds a tag to a task. A task that has it already is left as it is.",
        effect: Effect::Sets,
        input: labels::task_and_tag_input,
        output: one_task,
        run: |call, arguments| Box::pin(labels::attach(call, arguments)),
    },
    Tool {
        name: "remove_tag_from_task",
        title: "Untag a task",
        description: "Removes a tag from a task. A task that does not have it is left as it is.",
        effect: Effect::Overwrites,
        input: labels::task_and_tag_input,
        output: one_task,
        run: |call, arguments| Box::pin(labels::detach(call, arguments)),
    },
];
