//! Requests whose bodies never arrive, and answers that are never read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::honest::{LATE, Reminders, Visitor, check_late};
use crate::raw;
use crate::target::{Target, in_seconds};

/// More than all instances of the api take at once: 32 × 16.
const REQUESTS: usize = 530;

/// Before: 503 after 10.0 s for each request of another user, and none of 16 reminders was sent until the connections were closed.
pub(crate) async fn bodies_that_never_arrive() {
    let attack = "530 requests whose bodies never arrive";
    let target = Target::start(&[]).await;
    let mallory = target.user("mallory");
    let first = in_seconds(8);
    let others = Reminders::create(&target, "bob", first, 4, 2, 4).await;
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n",
        mallory.address, mallory.token
    );
    let mut open = Vec::new();
    for _ in 0..REQUESTS {
        open.push(raw::send(mallory.address, head.as_bytes()).await);
    }
    let visitor = Visitor::of(&target.user("alice"));
    let late = others.late(&target, Duration::from_secs(15)).await;
    let visits = visitor.stop().await;
    // Those that are still open are answered, or closed, by themselves.
    let mut statuses = BTreeMap::<u16, usize>::new();
    for mut stream in open {
        let (answer, _) = raw::read(&mut stream, Duration::from_millis(100)).await;
        *statuses.entry(raw::status(&answer)).or_default() += 1;
    }
    eprintln!("{attack}: their answers have the statuses {statuses:?}");
    visits.check(attack);
    check_late(attack, &late, LATE);
    assert!(
        statuses.keys().all(|status| [408, 429].contains(status)),
        "{attack}: their answers have the statuses {statuses:?}; 0 is none"
    );
}

/// How long an answer may stay that is not read: twice the time limit of the host.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// A list of 4 MB, more than the kernel keeps for a connection, that 100 clients ask for and do not read.
///
/// Before: other users noticed nothing, but the answers were still there after 90 s.
pub(crate) async fn answers_that_are_never_read() {
    let attack = "100 answers that are never read";
    let target = Target::start(&[]).await;
    let mallory = target.user("mallory");
    let description = "\u{1F300}".repeat(10_000);
    let task = json!({ "title": "Mallory", "description": description });
    for _ in 0..20 {
        mallory.create_all(vec![task.clone(); 5]).await;
    }
    let first = in_seconds(8);
    let others = Reminders::create(&target, "bob", first, 4, 2, 4).await;
    let request = format!(
        "GET /api/v1/tasks?limit=100 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        mallory.address, mallory.token
    );
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(raw::send_without_reading(mallory.address, request.as_bytes()).await);
    }
    let begun = Instant::now();
    let visitor = Visitor::of(&target.user("alice"));
    let late = others.late(&target, Duration::from_secs(15)).await;
    let visits = visitor.stop().await;
    visits.check(attack);
    check_late(attack, &late, LATE);

    // Reading is the only way to see whether an answer is still there, so each is looked at once.
    let mut refused = 0;
    let given_up = loop {
        let mut stream = open.pop().expect("there are more than looks");
        let (answer, _) = raw::read(&mut stream, Duration::from_secs(2)).await;
        match (raw::status(&answer), answer.len()) {
            (200, 4_000_000..) => {
                assert!(
                    begun.elapsed() < GIVEN_UP,
                    "{attack}: they are still there after {GIVEN_UP:?}"
                );
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            (200, _) => break begun.elapsed(),
            (429, _) => refused += 1,
            (status, length) => panic!("{status}, {length} bytes"),
        }
    };
    eprintln!("{attack}: given up after {given_up:?}; {refused} were refused");
}
