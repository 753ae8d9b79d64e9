//! The program is killed with SIGKILL and started again, on the system's clock.

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
            .args(["--variable", "rate_limit_per_minute=0", "--data-dir"])
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

async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "timed out waiting until {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn killing_again_and_again_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let token = token(folder.path(), "alice", "UTC", SystemTime::now());
    let mut accepted = Vec::new();
    // Kills come at different times after the writes: before the event is published, before the job fires, about when
    // the emails go out, and after.
    for (round, delay) in [0_u64, 30, 500, 4_600, 5_000, 5_600].into_iter().enumerate() {
        let program = Program::start(folder.path());
        for number in 0..3 {
            let title = format!("Task {round}.{number}");
            let task =
                json!({ "title": title, "due": in_seconds(3_600), "reminders": [{ "at": in_seconds(5) }] });
            let (status, body) = send(&program, &token, Method::POST, "/api/v1/tasks", Some(&task))
                .await
                .unwrap();
            assert_eq!(status, StatusCode::CREATED, "{body}");
            accepted.push((title, path(&body)));
        }
        tokio::time::sleep(Duration::from_millis(delay)).await;
        program.kill();
    }
    let program = Program::start(folder.path());
    wait_until("every reminder shows sent", async || {
        for (_, path) in &accepted {
            let (status, task) = send(&program, &token, Method::GET, path, None).await.unwrap();
            assert_eq!(status, StatusCode::OK);
            if task["reminders"][0]["status"] != "sent" {
                return false;
            }
        }
        true
    })
    .await;
    let subjects: Vec<String> = nudge::emails(&folder.path().join("mail"))
        .unwrap()
        .into_iter()
        .map(|email| email.subject)
        .collect();
    for (title, _) in &accepted {
        assert!(
            subjects.contains(&format!("Reminder: {title}")),
            "{title} is lost: {subjects:?}"
        );
    }
    // SMTP cannot be asked whether it has an email: a kill between its 250 and the next state write sends that one again, and
    // one email at most is on its way per partition. Anything beyond that is a duplicate that must not exist.
    let kills = 6;
    assert!(subjects.len() <= accepted.len() + kills, "{subjects:?}");
}
