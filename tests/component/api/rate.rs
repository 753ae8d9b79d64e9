//! Requests of one user in a minute.

use crate::support::{Service, Setup, json};

async fn limited(limit: &str) -> Service {
    Setup::new("api")
        .variable("rate_limit_per_minute", limit)
        .start()
        .await
}

#[tokio::test]
async fn a_user_who_sends_too_many_requests_is_told_when_to_continue() {
    let api = limited("5").await;
    api.pass(20);
    let alice = api.user("alice");
    for _ in 0..5 {
        assert_eq!(alice.get("/api/v1/tasks").await.status, 200);
    }
    for _ in 0..3 {
        let answer = alice.get("/api/v1/tasks").await;
        let problem = json(&answer, 429);
        assert_eq!(problem["code"], "rate_limited");
        assert_eq!(answer.header("retry-after"), "40");
    }
    assert_eq!(
        api.user("bob").get("/api/v1/tasks").await.status,
        200,
        "each has their own"
    );
    assert_eq!(api.anybody().get("/health/live").await.status, 200);
    api.pass(40);
    assert_eq!(alice.get("/api/v1/tasks").await.status, 200);
}

#[tokio::test]
async fn the_count_is_one_for_all_processes() {
    let api = limited("6").await;
    for _ in 0..3 {
        assert_eq!(api.user("alice").get("/api/v1/tasks").await.status, 200);
    }
    let other = api.start_again_with("rate_limit_per_minute", "6").await;
    let mut allowed = 0;
    for _ in 0..6 {
        allowed += u32::from(other.user("alice").get("/api/v1/tasks").await.status == 200);
    }
    // The first process took two at once for its third request, and has one of them left.
    assert!((2..=3).contains(&allowed), "{allowed}");
}

#[tokio::test]
async fn zero_means_no_limit() {
    let api = limited("0").await;
    for _ in 0..20 {
        assert_eq!(api.user("alice").get("/api/v1/tasks").await.status, 200);
    }
}
