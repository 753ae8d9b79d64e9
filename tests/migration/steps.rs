//! The steps of `docs/MIGRATION.md`, there and back.

use std::time::{Duration, Instant};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::compare::{effects, settled};
use crate::old::GROUPS;
use crate::system::{World, until};
use crate::traffic::{Shared, Side, Traffic, USERS};

/// Writes between two steps.
const WRITES: u64 = 60;

/// Number of rows whose events Kafka has deleted.
const OLD_ROWS: usize = 120;

const BOTH: [Side; 2] = [Side::Old, Side::Nudge];

pub(crate) async fn all() {
    let mut world = World::start().await;
    prepare(&world).await;
    let traffic = Traffic::start(&world);
    traffic.more(WRITES).await;
    settled("only old", &world, &traffic.shared, &[Side::Old]).await;

    shadow(&mut world, &traffic).await;
    let reminded = remind_in_the_old(&world, &traffic.shared).await;

    // Dual: users 1 and 2 first.
    let switch = master(&world, &["--to", "nudge", "--users", "1,2"]).await;
    traffic.send(&["1", "2"], Side::Nudge);
    traffic.more(WRITES).await;
    let drained = settled("dual", &world, &traffic.shared, &BOTH).await;
    say("switch of two users", switch, drained);
    assert_eq!(master_lines(&world).await, ["everybody: legacy", "but: 1 2"]);

    cut_over(&mut world, &traffic).await;
    remind_in_nudge(&world, &traffic.shared).await;

    // Back to dual: 3 and 4 return.
    let back = back_to_old(&mut world, &traffic, &["3", "4"]).await;
    traffic.more(WRITES).await;
    let drained = settled("back to dual", &world, &traffic.shared, &BOTH).await;
    say("return of two users", back, drained);
    let begun = Instant::now();
    master(&world, &["--to", "legacy", "--everybody"]).await;
    traffic.send(&USERS, Side::Old);
    let back = begun.elapsed();
    traffic.more(WRITES).await;
    let drained = settled("back to old", &world, &traffic.shared, &BOTH).await;
    say("return of everybody", back, drained);

    // Forward for good.
    cut_over(&mut world, &traffic).await;
    effects(&world).await;
    retire(&mut world, traffic).await;
    let subjects = world.subjects();
    assert_eq!(
        subjects,
        ["Reminder: Reminded by Nudge"],
        "one mail, and none of {reminded}"
    );
}

fn say(what: &str, command: Duration, drained: Duration) {
    println!(
        "{what}: {command:?} until they write elsewhere, {drained:?} until both systems were alike, 0 s without writing"
    );
}

/// The old application with all its consumers, and rows whose events Kafka no longer has.
async fn prepare(world: &World) {
    for (group, _) in GROUPS {
        world.old.start_group(group).await;
    }
    let rows = format!(
        "INSERT INTO categories (user_id, name, color) VALUES ('1', 'Home', '#2563eb'), ('1', 'Work', NULL);
         INSERT INTO tags (user_id, name, color) VALUES ('1', 'green', '#00ff00'), ('2', 'green', '#00ff00');
         INSERT INTO tasks (user_id, title, description, priority, due_date, completed, category_id, recurrence_rule, updated_at)
           SELECT (n % 4 + 1)::text, 'Row ' || n, 'row ' || n, CASE WHEN n % 5 > 0 THEN 'high' END,
             CASE WHEN n % 3 = 0 THEN timestamp '2027-03-01 09:00' + n * interval '1 minute' END, n % 7 = 0,
             CASE WHEN n % 4 = 0 THEN 1 END, CASE WHEN n % 6 = 0 THEN 'every monday' END, timestamp '2026-01-01 08:00:00.123456'
           FROM generate_series(1, {OLD_ROWS}) n;
         INSERT INTO task_tags SELECT id, 1 FROM tasks WHERE user_id = '1';
         INSERT INTO tasks (user_id, title, recurrence_rule) VALUES ('1', 'Recurs from when?', 'daily');"
    );
    world.old_tables.batch_execute(&rows).await.expect("rows");
}

/// Nudge has all data but no users yet: import, then the events.
async fn shadow(world: &mut World, traffic: &Traffic) {
    master(world, &["--to", "legacy", "--everybody"]).await;
    let begun = Instant::now();
    let (good, text) = world.import().await;
    println!("first import, while users wrote ({:?}):\n{text}", begun.elapsed());
    assert!(!good, "a row must be refused: {text}");
    assert!(
        text.contains("categories: read 2, created 2, updated 0, unchanged 0, refused 0"),
        "{text}"
    );
    assert!(
        text.contains("recurrence_rule: a recurring task needs a due date"),
        "{text}"
    );
    let mend = "UPDATE tasks SET due_date = '2027-03-01 09:00', updated_at = now() AT TIME ZONE 'utc' WHERE title = 'Recurs from when?'";
    world.old_tables.batch_execute(mend).await.expect("mended");
    world.start_adapter(false).await;
    let (good, text) = world.import().await;
    assert!(good, "{text}");
    traffic.more(WRITES).await;
    settled("shadow", world, &traffic.shared, &BOTH).await;
    {
        let _no_writes = traffic.shared.gate.write().await;
        let (good, text) = world.import().await;
        println!("import again:\n{text}");
        assert!(good && text.contains("created 0, updated 0"), "{text}");
        let tasks = text
            .lines()
            .find(|line| line.starts_with("tasks: "))
            .expect("tasks");
        assert!(
            tasks.contains("created 0, updated 0, unchanged") && tasks.ends_with("refused 0"),
            "{tasks}"
        );
    }
    let labels =
        "SELECT count(*) FROM task JOIN category ON category.id = category_id WHERE category.name = 'Home'";
    let row = world.tables.query_one(labels, &[]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), (OLD_ROWS / 4) as i64);
    let row = world
        .old_tables
        .query_one("SELECT count(*) FROM seen WHERE of_nudge", &[])
        .await
        .expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0, "a shadow writes nothing");

    world.old.write_raw("task-events", "no event").await;
    let dead = async || {
        let messages = world.old.messages("nudge-dead-letter").await;
        messages
            .iter()
            .any(|text| text.contains("it is not an event of the legacy system") && text.contains("no event"))
    };
    until(
        "what is no event is on the dead-letter topic, with the reason",
        dead,
    )
    .await;
}

/// A mirrored user is reminded only by the old system.
async fn remind_in_the_old(world: &World, shared: &Shared) -> &'static str {
    let title = "Reminded by the old one";
    let due = Timestamp::now() + SignedDuration::from_mins(30);
    let body = json!({ "title": title, "due_date": due.to_string() });
    let (status, task) = world.old.ask(Method::POST, "/users/3/tasks", &body).await;
    assert_eq!(status, 201);
    let reminders = async || -> String {
        let sql = "SELECT reminders FROM task WHERE title = $1";
        let rows = world.tables.query(sql, &[&title]).await.expect("rows");
        rows.first().map(|row| row.get(0)).unwrap_or_default()
    };
    // The reminder's hour has come already, so Nudge's job has fired, and the api said no.
    until("it is armed in Nudge", async || {
        reminders().await.contains("scheduled")
    })
    .await;
    let (status, _) = world
        .old
        .ask(
            Method::POST,
            &format!("/tasks/{}/remind", task["id"]),
            &Value::Null,
        )
        .await;
    assert_eq!(status, 200);
    until("Nudge knows that it was sent", async || {
        reminders().await.contains("\"sent\"")
    })
    .await;
    assert!(world.subjects().is_empty(), "{:?}", world.subjects());
    assert!(shared.refused.lock().unwrap().is_empty());
    title
}

/// Users who moved are reminded by Nudge, and the old tables reflect it.
async fn remind_in_nudge(world: &World, shared: &Shared) {
    let due = Timestamp::now() + SignedDuration::from_mins(30);
    let body = json!({ "title": "Reminded by Nudge", "due": due.to_string(), "reminders": [{ "minutesBefore": 45 }] });
    let (status, _) = shared.ask_nudge("1", Method::POST, "/api/v1/tasks", &body).await;
    assert_eq!(status, 201);
    let sent = async || {
        let sql = "SELECT 1 FROM tasks WHERE title = 'Reminded by Nudge' AND reminder_sent";
        !world.old_tables.query(sql, &[]).await.expect("rows").is_empty()
    };
    until("the old tables know of Nudge's reminder", sent).await;
}

/// All users move; the old services stop, and Nudge goes on in the place of the one that made next occurrences.
async fn cut_over(world: &mut World, traffic: &Traffic) {
    let shared = &traffic.shared;
    let key = format!("straggler {}", Timestamp::now().as_millisecond());
    let user = USERS
        .into_iter()
        .find(|user| shared.side(user) == Side::Old)
        .expect("some users write there still");
    shared.create_as(user, &key, true).await;
    let begun = Instant::now();
    world.old.stop_group("recurring-task-service").await;
    world.old.stop_group("notification-service").await;
    // Completed where the next occurrence is not made any more.
    let id = shared.shown(Side::Old, &key, 1).await.expect("the task");
    shared.complete_one(user, &key, &id).await;
    let command = master(world, &["--to", "nudge", "--everybody"]).await;
    traffic.send(&USERS, Side::Nudge);
    let switched = begun.elapsed();
    world.start_adapter(true).await;
    traffic.more(WRITES).await;
    let drained = settled("cut over", world, shared, &BOTH).await;
    println!("cut over: the command took {command:?}");
    say("cut over", switched, drained);
    let sql = "SELECT count(*) FROM tasks WHERE description = $1 AND id >= 1000000000";
    let row = world.old_tables.query_one(sql, &[&key]).await.expect("a count");
    assert_eq!(
        row.get::<_, i64>(0),
        1,
        "Nudge made the next occurrence of what was completed in between"
    );
    until("Nudge has taken what the old service left", async || {
        nothing_left(world).await
    })
    .await;
}

/// Whether the group of the old recurring-task service has committed everything.
async fn nothing_left(world: &World) -> bool {
    let offsets = world.old.offsets("recurring-task-service").await;
    !offsets.is_empty() && offsets.iter().all(|(committed, end)| committed == end)
}

/// The old service takes its place in the group back, then its users.
async fn back_to_old(world: &mut World, traffic: &Traffic, users: &[&str]) -> Duration {
    let begun = Instant::now();
    world.start_adapter(false).await;
    for group in ["notification-service", "recurring-task-service"] {
        world.old.start_group(group).await;
    }
    master(world, &["--to", "legacy", "--users", &users.join(",")]).await;
    traffic.send(users, Side::Old);
    begun.elapsed()
}

/// The old application and the adapter stop; Nudge stays.
async fn retire(world: &mut World, traffic: Traffic) {
    for group in ["audit", "nudge-apply"] {
        world.old.stop_group(group).await;
    }
    world.stop_adapter();
    traffic.more(WRITES / 2).await;
    let shared = traffic.end().await;
    settled("retired", world, &shared, &[Side::Nudge]).await;
    println!(
        "{} times a user did not see a task yet where they had just been sent",
        shared.not_shown.load(std::sync::atomic::Ordering::Relaxed)
    );
}

/// Runs `nudge migrate`; returns how long it took.
async fn master(world: &World, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let (good, text) = world.nudge(&[&["migrate"], arguments].concat()).await;
    assert!(good, "{text}");
    begun.elapsed()
}

async fn master_lines(world: &World) -> Vec<String> {
    let (good, text) = world.nudge(&["migrate"]).await;
    assert!(
        good && text.contains("changes that wait for their task: 0"),
        "{text}"
    );
    text.lines().take(2).map(str::to_owned).collect()
}
