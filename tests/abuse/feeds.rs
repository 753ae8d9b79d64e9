//! Open change feeds, and ordinary requests until every instance has taken as many as it takes in its life.

use std::time::{Duration, Instant};

use http::Method;
use nudge_test_kit::http::Call;

use crate::honest::{SLOW, Times, Visitor};
use crate::raw;
use crate::target::Target;

/// Feeds of one user.
const FEEDS: usize = 50;

/// More than 32 instances take in their lives, 128 each.
const REQUESTS: usize = 4_500;

/// Before: after 4,361 requests in 7 s the next one waited for 10.0 s, and was refused. None of 49 feeds was.
pub(crate) async fn feeds_and_load() {
    let attack = "50 open feeds and 4,500 requests";
    let target = Target::start(&[]).await;
    let mallory = target.user("mallory");
    let visitor = Visitor::of(&target.user("alice"));
    let feed = format!(
        "GET /api/v1/changes?since=now HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\naccept: text/event-stream\r\n\r\n",
        mallory.address, mallory.token
    );
    let mut open = Vec::new();
    let mut refused = 0;
    let mut times = Vec::new();
    let live = Call::new(target.address(), Method::GET, "/health/live");
    let begun = Instant::now();
    for number in 0..REQUESTS {
        if number % (REQUESTS / FEEDS) == 0 {
            let mut stream = raw::send(mallory.address, feed.as_bytes()).await;
            match raw::status(&raw::head(&mut stream).await) {
                200 => open.push(stream),
                429 => refused += 1,
                status => panic!("a feed was answered with {status}"),
            }
        }
        let sent = Instant::now();
        let answer = live.clone().send().await;
        times.push(sent.elapsed());
        // The longest wait is what this is about.
        if sent.elapsed() > SLOW || answer.is_err() {
            break;
        }
    }
    let took: Duration = begun.elapsed();
    let visits = visitor.stop().await;
    eprintln!(
        "{attack}: {} feeds are open, {refused} were refused; {} requests in {took:?}: {}",
        open.len(),
        times.len(),
        Times::new(times.clone())
    );
    assert!(
        Times::new(times).longest() < SLOW,
        "{attack}: a request waited longer than {SLOW:?}"
    );
    visits.check(attack);
    assert!(refused > 0, "{attack}: one user may open {} feeds", open.len());
}
