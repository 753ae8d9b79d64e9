//! The room that a change needs under the limits of its owner. The statement that stores the change checks it, so that concurrent
//! changes exceed a limit by their number at most, and nothing is read before.
//!
//! Only changes that users ask for need room. What the system stores never fails by a quota: the next occurrence of a series, a
//! reminder that is moved out of quiet hours, and what comes from a system that Nudge replaces (decision 0043).

use std::collections::BTreeMap;

use jiff::Timestamp;
use nudge_domain::id::UserId;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Task;

use crate::db::{Database, DbError, Value};
use crate::limit::{Limit, OverLimit, SettingError};

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// The condition that a reminder is scheduled, and its minute, in the words of the index.
const MINUTE_OF_USER: &str = "status = 'scheduled' AND remind_at / 60000";

/// How often the limit of tasks a series may exceed it. Its next occurrence is stored in any case, so a completion that leads to one
/// is refused instead, much later than a new task.
const OCCURRENCES: u32 = 2;

/// What a change needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Its owner must have fewer tasks than this.
    tasks: Option<u32>,
    /// Maximum number of reminders in a minute.
    reminders: u32,
    /// Minutes since 1970 that get more scheduled reminders, and how many the task then has there.
    minutes: BTreeMap<i64, u32>,
}

impl Room {
    /// For a new task.
    pub(crate) async fn of_new(task: &Task) -> Result<Self, SettingError> {
        Ok(Self {
            tasks: Limit::Tasks.most().await?,
            ..Self::of_reminders(None, task).await?
        })
    }

    /// For the next version of a task. `followed` says that it leads to the next occurrence of its series.
    pub(crate) async fn of_change(before: &Task, after: &Task, followed: bool) -> Result<Self, SettingError> {
        let tasks = match followed {
            true => Limit::Tasks.most().await?,
            false => None,
        };
        Ok(Self {
            tasks: tasks.map(|most| most.saturating_mul(OCCURRENCES)),
            ..Self::of_reminders(Some(before), after).await?
        })
    }

    async fn of_reminders(before: Option<&Task>, after: &Task) -> Result<Self, SettingError> {
        let minutes = more(before, after);
        if minutes.is_empty() {
            return Ok(Self::default());
        }
        let Some(reminders) = Limit::RemindersPerMinute.most().await? else {
            return Ok(Self::default());
        };
        Ok(Self {
            tasks: None,
            reminders,
            minutes,
        })
    }

    /// The conditions that there is room, each with ` AND ` before it. `owner` and `task` are expressions for the user and the task;
    /// `place` adds a parameter and returns its name.
    pub(crate) fn conditions(
        &self,
        owner: &str,
        task: &str,
        mut place: impl FnMut(Value) -> String,
    ) -> String {
        let mut sql = String::new();
        if let Some(tasks) = self.tasks {
            let most = place(tasks.into());
            sql += &format!(" AND COALESCE((SELECT tasks FROM usage WHERE user_id = {owner}), 0) < {most}");
        }
        for (minute, count) in &self.minutes {
            // The last one of the others that there may be is not followed by another.
            let Some(others) = self.reminders.checked_sub(*count) else {
                // Not alone: what was placed before must stay in the statement.
                sql += " AND FALSE";
                continue;
            };
            let (minute, others) = (place((*minute).into()), place(others.into()));
            sql += &format!(
                " AND NOT EXISTS (SELECT 1 FROM reminder WHERE {MINUTE_OF_USER} = {minute} AND user_id = {owner} \
                 AND task_id <> {task} LIMIT 1 OFFSET {others})"
            );
        }
        sql
    }

    /// Which limit a change that was not stored is over, if it is one.
    pub(crate) async fn over(
        &self,
        database: &Database,
        user_id: &UserId,
        task: &Task,
    ) -> Result<Option<OverLimit>, DbError> {
        if let Some(most) = self.tasks {
            let sql = "SELECT tasks FROM usage WHERE user_id = $1";
            let rows = database.query(sql, [user_id.into()]).await?;
            let tasks = rows.first().map_or(Ok(0), |row| row.int(0))?;
            if tasks >= most.into() {
                return Ok(Some(OverLimit::quota(Limit::Tasks, most)));
            }
        }
        for (minute, count) in &self.minutes {
            let sql = format!(
                "SELECT COUNT(*) FROM reminder WHERE {MINUTE_OF_USER} = $2 AND user_id = $1 AND task_id <> $3"
            );
            let parameters = [user_id.into(), (*minute).into(), (&task.id).into()];
            let rows = database.query(&sql, parameters).await?;
            let others = rows.first().map_or(Ok(0), |row| row.int(0))?;
            if others + i64::from(*count) > self.reminders.into() {
                return Ok(Some(OverLimit::quota(Limit::RemindersPerMinute, self.reminders)));
            }
        }
        Ok(None)
    }
}

/// The minutes in which a task has more scheduled reminders than before.
fn more(before: Option<&Task>, after: &Task) -> BTreeMap<i64, u32> {
    let known = before.map(by_minute).unwrap_or_default();
    let mut minutes = by_minute(after);
    minutes.retain(|minute, count| known.get(minute).is_none_or(|known| known < count));
    minutes
}

fn by_minute(task: &Task) -> BTreeMap<i64, u32> {
    let mut minutes = BTreeMap::new();
    for reminder in &task.reminders {
        if reminder.status == ReminderStatus::Scheduled {
            *minutes.entry(minute(reminder.remind_at)).or_default() += 1;
        }
    }
    minutes
}

/// The minute of an instant, since 1970. Due dates are not before that.
fn minute(at: Timestamp) -> i64 {
    at.as_millisecond() / MINUTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conditions_name_each_parameter_that_they_place() {
        let room = Room {
            tasks: Some(3),
            reminders: 2,
            // There is room in the first minute and the last, and never in the one between.
            minutes: BTreeMap::from([(1, 1), (2, 3), (3, 2)]),
        };
        let mut placed = 0;
        let sql = room.conditions("$1", "$2", |_| {
            placed += 1;
            format!("${}", placed + 2)
        });
        assert!(sql.contains(" AND FALSE"), "{sql}");
        for number in 3..=placed + 2 {
            assert!(
                sql.contains(&format!("${number}")),
                "${number} of {placed}: {sql}"
            );
        }
    }
}
