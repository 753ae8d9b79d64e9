//! Both systems' tables beside each other and beside what users were told, and what each consumer group did.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::system::{PATIENCE, World};
use crate::traffic::{Shared, Side};

/// A task as both systems have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    user: String,
    title: String,
    priority: String,
    completed: bool,
    due: Option<i64>,
}

type Rows = BTreeMap<String, Vec<Row>>;

async fn rows(side: Side, world: &World) -> Rows {
    let (tables, sql): (&Client, _) = match side {
        Side::Old => (
            &world.old_tables,
            "SELECT description, user_id, title, COALESCE(priority, 'medium'), completed, \
             floor(extract(epoch FROM due_date) * 1000)::bigint FROM tasks WHERE description IS NOT NULL",
        ),
        Side::Nudge => (
            &world.tables,
            "SELECT description, user_id, title, priority, status = 'completed', due_at FROM task \
             WHERE deleted_at IS NULL AND description IS NOT NULL",
        ),
    };
    let mut rows = Rows::new();
    for row in tables.query(sql, &[]).await.expect("rows") {
        rows.entry(row.get(0)).or_default().push(Row {
            user: row.get(1),
            title: row.get(2),
            priority: row.get(3),
            completed: row.get(4),
            due: row.get(5),
        });
    }
    rows.values_mut().for_each(|rows| rows.sort());
    rows
}

/// What differs from what users were told.
fn differences(rows: &Rows, shared: &Shared) -> Vec<String> {
    let told = shared.told.lock().unwrap();
    let mut found = Vec::new();
    for (key, told) in told.iter() {
        let there = rows.get(key).map(Vec::as_slice).unwrap_or_default();
        let (count, completed) = match told.completions {
            Some(completions) => (completions + 1, completions),
            None => (
                usize::from(!told.deleted),
                usize::from(told.completed && !told.deleted),
            ),
        };
        let right = there.len() == count
            && there.iter().filter(|row| row.completed).count() == completed
            && there
                .iter()
                .all(|row| row.user == told.user && row.title == told.title && row.priority == told.priority);
        if !right {
            found.push(format!("{key}: told {told:?}, there is {there:?}"));
        }
    }
    let unknown = rows
        .keys()
        .filter(|key| !told.contains_key(*key) && !key.starts_with("row "));
    found.extend(unknown.map(|key| format!("{key}: it was not written by a user")));
    found
}

/// While no user writes, waits until these systems have what users were told, and the same as each other. How long that took.
pub(crate) async fn settled(step: &str, world: &World, shared: &Shared, sides: &[Side]) -> Duration {
    let _no_writes = shared.gate.write().await;
    let begun = Instant::now();
    loop {
        let mut found = Vec::new();
        let mut all = Vec::new();
        for side in sides {
            let rows = rows(*side, world).await;
            let of_side = differences(&rows, shared);
            found.extend(of_side.iter().map(|difference| format!("{side:?}: {difference}")));
            all.push(rows);
        }
        if let [one, other] = &all[..] {
            let keys = one.keys().chain(other.keys());
            let different = keys.filter(|key| one.get(*key) != other.get(*key));
            found.extend(different.map(|key| {
                format!(
                    "{key}: {:?} in the old one, {:?} in Nudge",
                    one.get(key),
                    other.get(key)
                )
            }));
        }
        if found.is_empty() {
            let refused = shared.refused.lock().unwrap();
            assert!(refused.is_empty(), "{step}: refused: {refused:#?}");
            println!(
                "{step}: {} writes accepted, 0 refused, {} tasks alike in {sides:?} {:?} after the last write",
                shared.accepted.load(Ordering::Relaxed),
                all[0].values().map(Vec::len).sum::<usize>(),
                begun.elapsed()
            );
            return begun.elapsed();
        }
        if begun.elapsed() > PATIENCE {
            let dead = world.old.messages("nudge-dead-letter").await;
            let offsets = world.old.offsets("recurring-task-service").await;
            panic!(
                "{step}: {} differences: {:#?}\nput aside: {dead:#?}\noffsets of recurring-task-service: {offsets:?}",
                found.len(),
                &found[..found.len().min(5)]
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// No group of the old application took a message twice, or acted twice on an event, and the audit saw every one.
pub(crate) async fn effects(world: &World) {
    let count = async |sql: &str| -> i64 {
        let row = world.old_tables.query_one(sql, &[]).await.expect("a count");
        row.get(0)
    };
    let twice = "SELECT count(*) FROM (SELECT 1 FROM seen GROUP BY group_id, topic, place, at_offset HAVING count(*) > 1) t";
    assert_eq!(count(twice).await, 0, "messages that a group took twice");
    let acted = "SELECT count(*) FROM (SELECT 1 FROM seen WHERE acted GROUP BY group_id, event_id HAVING count(*) > 1) t";
    assert_eq!(count(acted).await, 0, "events that a group acted on twice");
    let unseen = "SELECT count(*) FROM (SELECT topic, place FROM seen WHERE group_id = 'audit' GROUP BY topic, place \
         HAVING count(*) < max(at_offset) + 1) t";
    // The one message that is no JSON is in no user's list.
    assert_eq!(
        count(unseen).await,
        1,
        "partitions with messages that the audit missed"
    );
    let repeated = count(
        "SELECT count(*) FROM (SELECT 1 FROM seen WHERE group_id = 'audit' GROUP BY event_id HAVING count(*) > 1) t",
    )
    .await;
    let of_nudge =
        count("SELECT count(DISTINCT event_id) FROM seen WHERE group_id = 'audit' AND of_nudge").await;
    let of_old =
        count("SELECT count(DISTINCT event_id) FROM seen WHERE group_id = 'audit' AND NOT of_nudge").await;
    println!(
        "old topics: {of_old} events of the old application, {of_nudge} of Nudge, {repeated} of them published again with their id; \
         0 taken twice by a group, 0 acted on twice"
    );
}
