//! What people, scripts and models send: no body and no query panics, what is refused is their mistake, and a task that is
//! accepted keeps the rules, is stored as it is shown and can be sent back as it is shown.
//!
//! Each line is a request: its kind, of which the first letter counts, a space, and the body. Requests follow one another
//! as those of one person do.

#![no_main]

use std::cell::Cell;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use nudge_api::fuzzing::{Call, Desk, MAX_ERRORS, Problem};
use nudge_contract::task::Task;
use nudge_domain::recurrence::Rule;
use nudge_domain::{Due, Zone};
use serde_json::Value;
use uuid::Uuid;

/// Maximum number of requests per input.
const MAX_LINES: usize = 12;

/// Bytes that a refusal may have, however long the body is that it is about.
const MAX_REFUSAL: usize = 128 * 1024;

thread_local! {
    static IDS: Cell<u128> = const { Cell::new(0) };
}

/// Ids count up, so that an input always does the same.
fn new_id() -> Uuid {
    Uuid::from_u128(IDS.replace(IDS.get() + 1))
}

fuzz_target!(|data: &[u8]| {
    IDS.set(1);
    let now = Timestamp::from_second(1_774_659_600).expect("in range");
    let mut desk = Desk::new("alice".parse().expect("a user id"), Zone::utc(), now, new_id);
    for line in data.split(|byte| *byte == b'\n').take(MAX_LINES) {
        let (kind, body) = match line.iter().position(|byte| *byte == b' ') {
            Some(space) => (&line[..space], &line[space + 1..]),
            None => (line, &[][..]),
        };
        let call = match kind.first() {
            Some(b'c') => Call::Create,
            Some(b'p') => Call::Patch,
            Some(b'd') => Call::MoveDue,
            Some(b'r') => Call::AddReminder,
            Some(b'm') => Call::MoveReminder,
            Some(b's') => Call::Snooze,
            Some(b'i') => Call::Me,
            Some(b'l') => Call::Category,
            Some(b't') => Call::Tag,
            Some(b'w') => {
                wait(&mut desk, body);
                continue;
            }
            Some(b'q') => {
                query(&desk, body);
                continue;
            }
            Some(b'a') => {
                message(&desk, body);
                continue;
            }
            _ => continue,
        };
        let before = desk.task();
        match desk.handle(call, body) {
            Ok(()) => {
                if let Some(task) = desk.task() {
                    keeps_the_rules(&task);
                    assert_eq!(
                        desk.stored(),
                        Some(Ok(task.clone())),
                        "it is stored as it is shown"
                    );
                    match desk.sent_back() {
                        Some(Ok(back)) => assert_eq!(back, task),
                        other => panic!("{task:?} cannot be sent back: {other:?}"),
                    }
                }
            }
            Err(problem) => {
                refused(&problem);
                assert_eq!(desk.task(), before);
            }
        }
        for label in desk.labels() {
            let text = |name: &str| label[name].as_str().expect("a text").to_owned();
            assert!((1..=50).contains(&text("name").chars().count()), "{label}");
            assert_eq!((text("color").len(), &text("color")[..1]), (7, "#"), "{label}");
        }
    }
});

/// `wait 1774659600`: seconds since 1970, at most until 2106.
fn wait(desk: &mut Desk, body: &[u8]) {
    let seconds = std::str::from_utf8(body)
        .ok()
        .and_then(|text| text.parse::<u32>().ok());
    if let Some(seconds) = seconds {
        desk.wait_until(Timestamp::from_second(seconds.into()).expect("in range"));
    }
}

fn query(desk: &Desk, body: &[u8]) {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    match desk.query(text) {
        Ok(limit) => assert!((1..=100).contains(&limit)),
        Err(problem) => refused(&problem),
    }
}

/// An MCP message: with the headers of the newest revision when it names one, else without.
fn message(desk: &Desk, body: &[u8]) {
    let mut headers = http::HeaderMap::new();
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let version = &sent["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
    for (header, value) in [
        ("mcp-protocol-version", version),
        ("mcp-method", &sent["method"]),
        ("mcp-name", &sent["params"]["name"]),
    ] {
        if let Some(value) = value.as_str().and_then(|text| text.parse().ok()) {
            headers.insert(header, value);
        }
    }
    let (status, answer) = desk
        .message(&headers, body)
        .expect("nothing waits without a database");
    assert!([200, 202, 400, 404].contains(&status), "{status}");
    assert_eq!(answer.is_none(), status == 202);
    for answer in answer.iter().flat_map(|answer| match answer {
        Value::Array(answers) => answers.as_slice(),
        one => std::slice::from_ref(one),
    }) {
        assert_eq!(answer["jsonrpc"], "2.0");
        assert!(
            answer["error"]["code"].is_i64() != answer["result"].is_object(),
            "{answer}"
        );
        assert_ne!(answer["error"]["code"], -32603, "no defect: {answer}");
    }
}

fn keeps_the_rules(task: &Task) {
    assert!(
        (1..=200).contains(&task.title.chars().count()),
        "{:?}",
        task.title
    );
    assert!(task.description.iter().all(|text| text.chars().count() <= 10_000));
    assert!(task.tag_ids.len() <= 10);
    assert!(task.reminders.len() <= 5);
    for reminder in &task.reminders {
        assert!(reminder.minutes_before.is_some() != reminder.at.is_some());
        assert_eq!(
            task.reminders
                .iter()
                .filter(|other| other.id == reminder.id)
                .count(),
            1
        );
    }
    let zone: Zone = task.time_zone.parse().expect("its zone is one");
    if let Some(due) = &task.due {
        Due::new(due.at(), zone).expect("its due is read again");
    }
    if let Some(text) = &task.recurrence {
        let rule: Rule = text.parse().expect("its rule is read again");
        assert_eq!(rule.to_string(), *text);
        assert!(task.due.is_some());
    }
    assert_eq!(task.recurrence.is_some(), task.series_id.is_some());
    let written = serde_json::to_vec(task).expect("it can be written");
    assert_eq!(serde_json::from_slice::<Task>(&written).ok().as_ref(), Some(task));
}

/// A refusal says what the caller has to mend, and says it briefly.
fn refused(problem: &Problem) {
    assert!(problem.status().is_client_error(), "{problem:?}");
    assert!(!problem.detail().is_empty());
    assert!(problem.errors().len() <= MAX_ERRORS);
    for error in problem.errors() {
        // A field may have the empty name.
        assert!(!error.code.is_empty() && !error.message.is_empty());
        assert!(error.message.chars().count() <= 400, "{error:?}");
    }
    let size = problem.clone().into_value().to_string().len();
    assert!(size <= MAX_REFUSAL, "{size} bytes");
}
