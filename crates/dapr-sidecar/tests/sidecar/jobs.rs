//! Jobs.

use std::time::Duration;

use dapr_sidecar::App;

use crate::bench::{BASICS, Bench, Scripted, assert_recorded};

const JOBS: &str = "/v1.0-alpha1/jobs";
const SECOND: Duration = Duration::from_secs(1);

/// Waits until a job no longer exists.
async fn gone(bench: &Bench, job: &str) {
    let path = format!("{JOBS}/{job}");
    let gone = async { while bench.get(&path).await.status != 500 {} };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("the job ends");
}

#[tokio::test]
async fn fires_with_exactly_the_data_and_is_then_deleted() {
    let (bench, app) = Bench::with_app(BASICS).await;
    let job = r#"{"dueTime": "1s", "data": {"n": 1, "hello": "world"}}"#;
    assert_eq!(bench.post(&format!("{JOBS}/j-obj"), job).await.status, 204);
    assert_recorded(&bench.get(&format!("{JOBS}/j-obj")).await, "job-get.txt");
    bench
        .step_until(SECOND, || !app.seen("/job/j-obj").is_empty())
        .await;
    let seen = &app.seen("/job/j-obj")[0];
    assert_eq!(
        (seen.method.as_str(), seen.text()),
        ("POST", r#"{"hello":"world","n":1}"#)
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("traceparent"), None);
    gone(&bench, "j-obj").await;
    assert_eq!(app.seen("/job/j-obj").len(), 1);
}

/// Returns once whatever is due has been fired: two jobs that are due now, one after the other, have come after it.
async fn what_is_due_has_fired(bench: &Bench, app: &Scripted) {
    for marker in ["marker-1", "marker-2"] {
        bench
            .post(&format!("{JOBS}/{marker}"), r#"{"dueTime": "0s", "data": 1}"#)
            .await;
        app.wait(&format!("/job/{marker}"), 1).await;
    }
}

#[tokio::test]
async fn does_not_fire_early() {
    let (bench, app) = Bench::with_app(BASICS).await;
    bench
        .post(&format!("{JOBS}/late"), r#"{"dueTime": "10s", "data": 1}"#)
        .await;
    bench.clock.advance(9 * SECOND);
    what_is_due_has_fired(&bench, &app).await;
    assert!(app.seen("/job/late").is_empty());
    bench.clock.advance(SECOND);
    app.wait("/job/late", 1).await;
}

#[tokio::test]
async fn an_existing_job_is_replaced_only_on_request() {
    let (bench, app) = Bench::with_app(BASICS).await;
    let path = format!("{JOBS}/j-obj");
    bench.post(&path, r#"{"dueTime": "1h", "data": "first"}"#).await;
    assert_recorded(
        &bench.post(&path, r#"{"dueTime": "1s", "data": "again"}"#).await,
        "job-exists.txt",
    );
    assert_eq!(
        bench
            .post(&path, r#"{"dueTime": "1s", "data": "over", "overwrite": true}"#)
            .await
            .status,
        204
    );
    bench.clock.advance(SECOND);
    assert_eq!(app.wait("/job/j-obj", 1).await[0].text(), "\"over\"");
}

#[tokio::test]
async fn a_deleted_job_does_not_fire() {
    let (bench, app) = Bench::with_app(BASICS).await;
    bench
        .post(&format!("{JOBS}/gone"), r#"{"dueTime": "1s", "data": 1}"#)
        .await;
    bench
        .post(&format!("{JOBS}/kept"), r#"{"dueTime": "1s", "data": 1}"#)
        .await;
    assert_eq!(bench.delete(&format!("{JOBS}/gone")).await.status, 204);
    assert_eq!(bench.delete(&format!("{JOBS}/never-was")).await.status, 204);
    bench.clock.advance(SECOND);
    app.wait("/job/kept", 1).await;
    assert!(app.seen("/job/gone").is_empty());
}

#[tokio::test]
async fn repeats_are_counted_and_missed_ticks_are_replayed() {
    let (bench, app) = Bench::with_app(BASICS).await;
    bench
        .post(
            &format!("{JOBS}/j-rep"),
            r#"{"schedule": "@every 1s", "repeats": 3, "data": {"x": 1}}"#,
        )
        .await;
    bench.clock.advance(SECOND);
    app.wait("/job/j-rep", 1).await;
    bench.clock.advance(60 * SECOND);
    app.wait("/job/j-rep", 3).await;
    gone(&bench, "j-rep").await;
    assert_eq!(app.seen("/job/j-rep").len(), 3);
}

#[tokio::test]
async fn a_failing_callback_is_retried_three_times_a_second_apart_and_then_lost() {
    let (bench, app) = Bench::with_app(BASICS).await;
    app.answers("/job/jf", &[(500, "")]);
    bench
        .post(&format!("{JOBS}/jf"), r#"{"dueTime": "0s", "data": {}}"#)
        .await;
    app.wait("/job/jf", 1).await;
    let before = bench.clock.now();
    bench
        .step_until(SECOND / 4, || app.seen("/job/jf").len() == 4)
        .await;
    let waited = bench.clock.now().duration_since(before).expect("time goes on");
    assert!(waited >= 3 * SECOND, "{waited:?}");
    gone(&bench, "jf").await;
    assert_eq!(app.seen("/job/jf").len(), 4);
}

#[tokio::test]
async fn a_404_counts_as_success_and_drop_gives_up_at_once() {
    let (bench, app) = Bench::with_app(BASICS).await;
    app.answers("/job/missing", &[(404, "")]);
    app.answers("/job/dropped", &[(500, "")]);
    bench
        .post(&format!("{JOBS}/missing"), r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    bench
        .post(
            &format!("{JOBS}/dropped"),
            r#"{"dueTime": "0s", "data": 1, "failurePolicy": {"drop": {}}}"#,
        )
        .await;
    for job in ["missing", "dropped"] {
        app.wait(&format!("/job/{job}"), 1).await;
        gone(&bench, job).await;
        assert_eq!(app.seen(&format!("/job/{job}")).len(), 1);
    }
}

#[tokio::test]
async fn a_job_without_data_does_not_call_the_app() {
    let (bench, app) = Bench::with_app(BASICS).await;
    assert_eq!(
        bench
            .post(&format!("{JOBS}/silent"), r#"{"dueTime": "1s"}"#)
            .await
            .status,
        204
    );
    assert_recorded(
        &bench.get(&format!("{JOBS}/silent")).await,
        "job-get-without-data.txt",
    );
    bench
        .post(&format!("{JOBS}/loud"), r#"{"dueTime": "2s", "data": 1}"#)
        .await;
    bench.clock.advance(2 * SECOND);
    app.wait("/job/loud", 1).await;
    assert!(app.seen("/job/silent").is_empty());
}

#[tokio::test]
async fn jobs_of_one_name_never_overlap() {
    let (bench, app) = Bench::with_app(BASICS).await;
    let gate = app.gate("/job/slow");
    bench
        .post(
            &format!("{JOBS}/slow"),
            r#"{"schedule": "@every 2s", "repeats": 3, "data": 1}"#,
        )
        .await;
    bench.clock.advance(10 * SECOND);
    app.wait("/job/slow", 1).await;
    // Other jobs make the runner look at the table again, where the slow one is still due.
    what_is_due_has_fired(&bench, &app).await;
    assert_eq!(app.seen("/job/slow").len(), 1);
    gate.notify_one();
    app.wait("/job/slow", 2).await;
}

#[tokio::test]
async fn fires_a_job_that_came_due_while_the_process_was_down() {
    let (bench, _app) = Bench::with_app(BASICS).await;
    bench
        .post(&format!("{JOBS}/due"), r#"{"dueTime": "10s", "data": 1}"#)
        .await;
    bench
        .post(
            &format!("{JOBS}/every"),
            r#"{"schedule": "@every 10s", "repeats": 100, "data": 1}"#,
        )
        .await;
    let clock = bench.clock.clone();
    let mut bench = {
        let restarted = bench.crash_and_restart(vec![App::new("orders")]).await;
        clock.advance(40 * SECOND);
        restarted
    };
    let app = Scripted::start().await;
    bench.serve(&[("orders", &app)]);
    app.wait("/job/due", 1).await;
    app.wait("/job/every", 4).await;
    what_is_due_has_fired(&bench, &app).await;
    assert_eq!((app.seen("/job/due").len(), app.seen("/job/every").len()), (1, 4));
}

#[tokio::test]
async fn a_job_whose_callback_was_interrupted_fires_again() {
    let (bench, app) = Bench::with_app(BASICS).await;
    let _gate = app.gate("/job/cut");
    bench
        .post(&format!("{JOBS}/cut"), r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    app.wait("/job/cut", 1).await;
    let mut bench = bench.crash_and_restart(vec![App::new("orders")]).await;
    let app = Scripted::start().await;
    bench.serve(&[("orders", &app)]);
    app.wait("/job/cut", 1).await;
}

#[tokio::test]
async fn calls_in_flight_do_not_exceed_the_limit_of_the_app() {
    let app = App {
        max_concurrency: Some(1),
        ..App::new("orders")
    };
    let mut bench = Bench::bind(BASICS, vec![app]).await;
    let app = Scripted::start().await;
    let gate = app.gate("/job/first");
    bench.serve(&[("orders", &app)]);
    bench.ready("orders").await;
    bench
        .post(&format!("{JOBS}/first"), r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    app.wait("/job/first", 1).await;
    bench
        .post(&format!("{JOBS}/second"), r#"{"dueTime": "0s", "data": 1}"#)
        .await;
    bench.settle().await;
    bench.settle().await;
    assert!(app.seen("/job/second").is_empty());
    gate.notify_one();
    app.wait("/job/second", 1).await;
}

#[tokio::test]
async fn refuses_as_recorded() {
    let (bench, _app) = Bench::with_app(BASICS).await;
    let cases = [
        ("j", r#"{"schedule": "*/5 * * * *"}"#, "job-bad-schedule.txt"),
        ("j", r#"{"data": 1}"#, "job-no-schedule.txt"),
        ("j", "", "job-no-schedule.txt"),
        ("j", r#"{"name": "x", "dueTime": "1s"}"#, "job-name-in-body.txt"),
        ("a%2Fb", r#"{"dueTime": "1s"}"#, "job-name-with-slash.txt"),
        ("a%7C%7Cb", r#"{"dueTime": "1s"}"#, "job-name-with-pipes.txt"),
        (
            "j",
            r#"{"dueTime": "0s", "failurePolicy": {"constant": {"interval": "500ms"}}}"#,
            "job-bad-interval.txt",
        ),
    ];
    for (name, body, fixture) in cases {
        assert_recorded(&bench.post(&format!("{JOBS}/{name}"), body).await, fixture);
    }
    assert_recorded(&bench.get(&format!("{JOBS}/zzz")).await, "job-get-missing.txt");
    assert_recorded(&bench.get(JOBS).await, "no-app-id.txt");
    assert_recorded(&bench.get("/v1.0/jobs/j").await, "no-app-id.txt");
    assert_eq!(
        bench
            .post(
                &format!("{JOBS}/order:1.2_x-y"),
                r#"{"dueTime": "1h", "data": 1, "foo": 1}"#
            )
            .await
            .status,
        204
    );
}
