//! The statement of a list. Every order has an index that gives it (`schema/`), so a page costs what a page holds, however
//! many tasks there are; a filter that few tasks pass reads on until the page is full.

use nudge_domain::Due;
use nudge_domain::id::UserId;
use nudge_domain::task::{Priority, Task};

use crate::db::{Database, Dialect, PRIORITY, Value, title};
use crate::error::ServiceError;
use crate::tasks::list::cursor::{Cursor, Key};
use crate::tasks::list::order::{Order, Sort};
use crate::tasks::list::query::{CategoryFilter, TagMatch, TaskQuery};
use crate::tasks::record;
use crate::tasks::search;

/// Due dates after and before all others, so that tasks without one come last in both orders.
const NO_DUE_LAST: i64 = 9_007_199_254_740_991;
const NO_DUE_FIRST: i64 = -1;

/// The expression that a list is sorted by.
fn key(dialect: Dialect, sort: Sort, order: Order) -> &'static str {
    match (sort, order) {
        (Sort::Due, Order::Ascending) => "COALESCE(due_at, 9007199254740991)",
        (Sort::Due, Order::Descending) => "COALESCE(due_at, -1)",
        (Sort::Priority, _) => PRIORITY,
        (Sort::Created, _) => "created_at",
        (Sort::Updated, _) => "updated_at",
        (Sort::Title, _) => title(dialect),
    }
}

/// The cursor of a page that ends with this task.
pub(crate) fn cursor(task: &Task, sort: Sort, order: Order) -> Cursor {
    let key = match (sort, order) {
        (Sort::Due, order) => Key::Number(task.due.as_ref().map_or(
            match order {
                Order::Ascending => NO_DUE_LAST,
                Order::Descending => NO_DUE_FIRST,
            },
            |due| Due::at(due).as_millisecond(),
        )),
        (Sort::Priority, _) => Key::Number(match task.priority {
            Priority::Low => 1,
            Priority::Medium => 2,
            Priority::High => 3,
            Priority::Urgent => 4,
        }),
        (Sort::Created, _) => Key::Number(task.created_at.as_millisecond()),
        (Sort::Updated, _) => Key::Number(task.updated_at.as_millisecond()),
        (Sort::Title, _) => Key::Text(task.title.as_str().to_ascii_lowercase()),
    };
    Cursor {
        sort,
        order,
        key,
        id: task.id,
    }
}

/// A statement that is being built.
struct Statement {
    conditions: String,
    parameters: Vec<Value>,
}

impl Statement {
    /// Adds a parameter and returns its placeholder.
    fn parameter(&mut self, value: impl Into<Value>) -> String {
        self.parameters.push(value.into());
        format!("${}", self.parameters.len())
    }

    fn parameters(&mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> String {
        let places: Vec<String> = values.into_iter().map(|value| self.parameter(value)).collect();
        places.join(", ")
    }

    fn condition(&mut self, condition: &str) {
        self.conditions.push_str(" AND ");
        self.conditions.push_str(condition);
    }
}

/// A page of a user's tasks.
pub(crate) async fn list(
    database: &Database,
    user_id: &UserId,
    query: &TaskQuery,
) -> Result<Vec<Task>, ServiceError> {
    let dialect = database.dialect();
    let mut statement = Statement {
        conditions: String::new(),
        parameters: vec![user_id.into()],
    };
    filter(&mut statement, query);
    let mut user = "user_id";
    if let Some(text) = &query.text {
        let next = statement.parameters.len() + 1;
        let condition = search::text_condition(database, user_id, text, next).await?;
        statement.condition(&condition.sql);
        statement.parameters.extend(condition.parameters);
        if condition.few && dialect == Dialect::Sqlite {
            // The plus takes a column out of the choice of an index: https://sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_
            user = "+user_id";
        }
    }
    let key = key(dialect, query.sort, query.order);
    if let Some(cursor) = &query.cursor {
        let value: Value = match &cursor.key {
            Key::Number(number) => (*number).into(),
            Key::Text(text) => text.as_str().into(),
        };
        let (value, id) = (statement.parameter(value), statement.parameter(&cursor.id));
        let (edge, beyond) = match query.order {
            Order::Ascending => (">=", ">"),
            Order::Descending => ("<=", "<"),
        };
        // The first comparison says where in the index to begin.
        statement.condition(&format!(
            "{key} {edge} {value} AND ({key} {beyond} {value} OR ({key} = {value} AND id {beyond} {id}))"
        ));
    }
    let (limit, offset) = (
        statement.parameter(query.limit),
        statement.parameter(query.offset),
    );
    let direction = match query.order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    };
    let columns = record::select();
    let sql = format!(
        "SELECT {columns} FROM task WHERE {user} = $1 AND deleted_at IS NULL{} \
         ORDER BY {key} {direction}, id {direction} LIMIT {limit} OFFSET {offset}",
        statement.conditions
    );
    let rows = database.query(&sql, statement.parameters).await?;
    Ok(record::read_all(&rows)?)
}

fn filter(statement: &mut Statement, query: &TaskQuery) {
    if let Some(status) = query.status {
        let status = statement.parameter(status.as_str());
        statement.condition(&format!("status = {status}"));
    }
    if !query.priorities.is_empty() {
        let priorities = statement.parameters(query.priorities.iter().map(|priority| priority.as_str()));
        statement.condition(&format!("priority IN ({priorities})"));
    }
    match query.category {
        CategoryFilter::Any => {}
        CategoryFilter::Without => statement.condition("category_id IS NULL"),
        CategoryFilter::In(category) => {
            let category = statement.parameter(&category);
            statement.condition(&format!("category_id = {category}"));
        }
    }
    match query.tag_match {
        _ if query.tags.is_empty() => {}
        TagMatch::Any => {
            let tags = statement.parameters(query.tags.iter());
            statement.condition(&format!(
                "id IN (SELECT task_id FROM task_tag WHERE tag_id IN ({tags}))"
            ));
        }
        TagMatch::All => {
            for tag in &query.tags {
                let tag = statement.parameter(tag);
                statement.condition(&format!(
                    "id IN (SELECT task_id FROM task_tag WHERE tag_id = {tag})"
                ));
            }
        }
    }
    if let Some(after) = query.due_after {
        let after = statement.parameter(after);
        statement.condition(&format!("due_at >= {after}"));
        if query.sort == Sort::Due && query.order == Order::Ascending {
            statement.condition(&format!("COALESCE(due_at, 9007199254740991) >= {after}"));
        }
    }
    if let Some(before) = query.due_before {
        let before = statement.parameter(before);
        statement.condition(&format!("due_at < {before}"));
        if query.sort == Sort::Due && query.order == Order::Ascending {
            statement.condition(&format!("COALESCE(due_at, 9007199254740991) < {before}"));
        }
    }
}
