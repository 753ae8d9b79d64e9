//! The program is killed with SIGKILL and started again, on the system's clock.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use serde_json::{Value, json};

use crate::support::{address, path, token};

/// `nudge up` in a process of its own. Dropping it kills it, as `kill -9` does.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start(data: &Path) -> Self {
        let root = components::built();
        let mut child = Command::new(env!("CARGO_BIN_EXE_nudge"))
            .current_dir(root)
            .args(["up", "--no-build", "--listen", "127.0.0.1:0"])
            // A test that polls sends more requests than a user may.
            .args([
                "--variable",
                "rate_limit_per_minute=0",
                "--variable",
                "token_max_hours=8784",
                "--data-dir",
            ])
            .arg(data)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        // The greeting has the address and ends with how to stop; a program that exits without it has failed.
        let lines: Vec<String> = output
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("Ctrl-C"))
            .collect();
        let line = lines
            .iter()
            .find(|line| line.trim_start().starts_with("API"))
            .expect("the program says that it is ready");
        let url = line.split_whitespace().nth(1).expect("an address follows");
        Self {
            address: address(url.trim_end_matches("/api/v1/tasks")),
            child,
        }
    }

    fn kill(mut self) {
        self.child.kill().expect("it is still running");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long something may take: longer than the lease of an email that a killed process was sending, and the jobs that then
/// send it.
const PATIENCE: Duration = Duration::from_secs(240);

async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(
            begun.elapsed() < PATIENCE,
            "it did not come to pass within {PATIENCE:?} that {what}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn in_seconds(seconds: i64) -> String {
    (Timestamp::now() + SignedDuration::from_secs(seconds)).to_string()
}

async fn send(
    program: &Program,
    token: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(StatusCode, Value)> {
    let call = Call::new(program.address, method, path).bearer(token);
    let answer = body.map_or(call.clone(), |body| call.json(body)).send().await?;
    let body = if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json()?
    };
    Ok((answer.status, body))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_kill_9_and_reminders_go_out_late_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let token = token(folder.path(), "alice", "UTC", SystemTime::now());
    let program = Program::start(folder.path());
    let due = json!({ "title": "Soon", "due": in_seconds(65), "reminders": [{ "minutesBefore": 1 }] });
    let (status, soon) = send(&program, &token, Method::POST, "/api/v1/tasks", Some(&due))
        .await
        .unwrap();
    assert_eq!(status, StatusCode::CREATED);
    // Killed right after the response: the event may be published or not.
    program.kill();

    let program = Program::start(folder.path());
    let (status, body) = send(&program, &token, Method::GET, &path(&soon), None)
        .await
        .unwrap();
    assert_eq!((status, &body["title"]), (StatusCode::OK, &json!("Soon")));
    wait_until("the reminder shows sent", async || {
        let (_, task) = send(&program, &token, Method::GET, &path(&soon), None)
            .await
            .unwrap();
        task["reminders"][0]["status"] == "sent"
    })
    .await;
    let printed = Command::new(env!("CARGO_BIN_EXE_nudge"))
        .args(["emails", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let start = "To: alice@example.com\nSubject: Reminder: Soon\n\nSoon\nDue ";
    assert!(printed.starts_with(start), "{printed}");
    assert_eq!(printed.matches("Subject:").count(), 1, "{printed}");

    let recurring = json!({ "title": "Again", "due": in_seconds(3_600), "recurrence": "daily" });
    let (_, again) = send(&program, &token, Method::POST, "/api/v1/tasks", Some(&recurring))
        .await
        .unwrap();
    let (status, _) = send(
        &program,
        &token,
        Method::POST,
        &format!("{}/complete", path(&again)),
        None,
    )
    .await
    .unwrap();
    assert_eq!(status, StatusCode::OK);
    program.kill();

    let program = Program::start(folder.path());
    wait_until("the next occurrence is there", async || {
        let (_, list) = send(
            &program,
            &token,
            Method::GET,
            "/api/v1/tasks?status=pending",
            None,
        )
        .await
        .unwrap();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|task| task["title"] == "Again")
            .count()
            == 1
    })
    .await;
}

/// How many emails there are of each task, by its title.
fn emails_of_tasks(data: &Path) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for email in nudge::emails(&data.join("mail")).expect("the folder of emails") {
        let title = email.subject.trim_start_matches("Reminder: ").to_owned();
        *count.entry(title).or_default() += 1;
    }
    count
}

/// The reminders whose email is recorded as sent, while nothing runs.
fn recorded_as_sent(data: &Path) -> BTreeSet<String> {
    let state = rusqlite::Connection::open(data.join("dapr.db")).expect("the sidecars' database");
    let mut records = state
        .prepare("SELECT key FROM state WHERE key LIKE '%||mail-%' AND value ->> 'phase' = 'done'")
        .expect("the table of states");
    let keys = records.query_map([], |row| row.get(0)).expect("keys");
    keys.map(|key: Result<String, _>| {
        let key = key.expect("a text");
        let (_, reminder) = key.split_once("||mail-").expect("a key of the inbox");
        reminder[..36].to_owned()
    })
    .collect()
}

/// When a kill strikes.
enum Strike {
    /// So many milliseconds after the writes.
    After(u64),
    /// When the first email of the round is there: it may not be recorded yet, and others are claimed but not sent.
    AtTheFirstEmail,
}

/// A task whose reminder must become an email.
struct Accepted {
    title: String,
    path: String,
    reminder: String,
    /// How many emails of it there may be, as the last kill left it: one, and one more if it struck between the mail server's
    /// 250 and the record that it was sent. SMTP cannot be asked whether it has an email.
    emails: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_again_and_again_loses_nothing_and_repeats_only_what_was_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let token = token(folder.path(), "alice", "UTC", SystemTime::now());
    let mut accepted: Vec<Accepted> = Vec::new();
    // Before the events are published, before the jobs fire, while emails go out, and after.
    let strikes = [
        Strike::After(0),
        Strike::After(30),
        Strike::After(500),
        Strike::After(4_600),
        Strike::AtTheFirstEmail,
        Strike::After(5_600),
    ];
    for (round, strike) in strikes.into_iter().enumerate() {
        let program = Program::start(folder.path());
        for number in 0..3 {
            let title = format!("Task {round}.{number}");
            let task =
                json!({ "title": title, "due": in_seconds(3_600), "reminders": [{ "at": in_seconds(5) }] });
            let (status, body) = send(&program, &token, Method::POST, "/api/v1/tasks", Some(&task))
                .await
                .unwrap();
            assert_eq!(status, StatusCode::CREATED, "{body}");
            accepted.push(Accepted {
                title,
                path: path(&body),
                reminder: body["reminders"][0]["id"].as_str().unwrap().to_owned(),
                emails: 1,
            });
        }
        match strike {
            Strike::After(delay) => tokio::time::sleep(Duration::from_millis(delay)).await,
            Strike::AtTheFirstEmail => {
                let first = async || {
                    let emails = emails_of_tasks(folder.path());
                    emails
                        .keys()
                        .any(|title| title.starts_with(&format!("Task {round}.")))
                };
                wait_until("the first email is there", first).await;
            }
        }
        program.kill();

        let (emails, recorded) = (emails_of_tasks(folder.path()), recorded_as_sent(folder.path()));
        let mut in_flight = 0;
        for task in &mut accepted {
            let sent = emails.get(&task.title).copied().unwrap_or_default();
            assert!(sent <= task.emails, "{} was sent {sent} times", task.title);
            if recorded.contains(&task.reminder) {
                assert!(sent > 0, "{} is recorded as sent, and was not", task.title);
                task.emails = sent;
            } else {
                task.emails = sent + 1;
                in_flight += usize::from(sent > 0);
            }
        }
        // Emails go out one after the other; each of these waits for its lease to run out.
        assert!(
            in_flight <= round + 1,
            "{in_flight} were not recorded: {emails:?}"
        );
    }
    let program = Program::start(folder.path());
    wait_until("every reminder shows sent", async || {
        for task in &accepted {
            let (status, task) = send(&program, &token, Method::GET, &task.path, None)
                .await
                .unwrap();
            assert_eq!(status, StatusCode::OK);
            if task["reminders"][0]["status"] != "sent" {
                return false;
            }
        }
        true
    })
    .await;
    let emails = emails_of_tasks(folder.path());
    let expected: BTreeMap<String, usize> = accepted
        .into_iter()
        .map(|task| (task.title, task.emails))
        .collect();
    assert_eq!(emails, expected);
}
