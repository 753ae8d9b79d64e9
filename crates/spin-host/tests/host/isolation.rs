//! Requests do not affect each other.

use std::time::Duration;

use spin_host::Limits;

use crate::support::{Log, Setup, app, get, start};

#[tokio::test]
async fn a_trap_is_a_500_without_a_body_and_the_next_request_is_served() {
    let log = Log::start();
    let host = Setup::new(app("")).start().await;
    assert_eq!(get(&host, "/trap").await, (500, String::new()));
    assert_eq!(get(&host, "/seen").await, (200, "1".into()));
    let text = log.text();
    assert!(
        text.contains("instance ended") && text.contains("component=\"app\""),
        "{text}"
    );
    assert!(text.contains("asked to trap"), "{text}");
}

#[tokio::test]
async fn a_loop_is_stopped_while_other_requests_are_served() {
    let log = Log::start();
    let setup = Setup::new(app(""));
    let limits = Limits {
        cpu: Duration::from_secs(1),
        concurrent_requests: 1,
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let endless = get(&host, "/loop");
    let others = async {
        // The loop and the other requests run on the same thread.
        for _ in 0..5 {
            assert_eq!(get(&host, "/hello").await.0, 200);
        }
        log.text().contains("computed for")
    };
    let ((status, _), stopped_before_others) = tokio::join!(endless, others);
    assert_eq!(status, 500);
    assert!(
        !stopped_before_others,
        "the loop ended before the other requests were served"
    );
    assert!(
        log.text()
            .contains("computed for 1s without waiting for anything"),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn waiting_does_not_count_as_computing() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        cpu: Duration::from_millis(100),
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    assert_eq!(get(&host, "/wait/500").await, (200, "waited".into()));
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused_to_the_guest() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        memory_bytes: 32 << 20,
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    assert_eq!(get(&host, "/memory/64").await, (500, String::new()));
    assert_eq!(get(&host, "/memory/8").await, (200, (8 << 20).to_string()));
}

#[tokio::test]
async fn answers_503_when_every_instance_is_busy_for_too_long() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        instances: 1,
        concurrent_requests: 1,
        queue: Duration::from_millis(50),
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let (slow, refused) = tokio::join!(biased; get(&host, "/wait/1000"), get(&host, "/hello"));
    let mut statuses = [slow.0, refused.0];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 503]);
}

#[tokio::test]
async fn a_request_that_takes_too_long_fails() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        request: Some(Duration::from_millis(100)),
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    assert_eq!(get(&host, "/wait/60000").await, (500, String::new()));
    assert_eq!(get(&host, "/hello").await.0, 200);
}
