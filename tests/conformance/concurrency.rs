//! The limit of concurrent calls to an app, `--app-max-concurrency`, which keeps emails from being mixed up.

use serde_json::json;
use test_app::ANY;

use crate::bench::{Setup, Subject, World};

/// Calls of each kind.
const EACH: usize = 6;

/// Kinds: events of two topics, jobs, invocations.
const KINDS: usize = 4;

fn setup() -> Setup {
    Setup::default().topic("a").topic("b").jobs()
}

/// Makes the sidecar call its app in every way, all at the same time; returns when every call has been answered.
async fn call_in_every_way(world: &World) {
    let post = async |path: &str, body: String, status: u16| {
        assert_eq!(world.post(path, &body).await.status, status, "{path}");
    };
    let calls = (0..EACH).map(|number| {
        let post = &post;
        async move {
            let job = format!("/v1.0-alpha1/jobs/job-{number}");
            let (event, due) = (
                json!(number).to_string(),
                json!({ "dueTime": "0s", "data": number }),
            );
            tokio::join!(
                post("/v1.0/publish/pubsub/a", event.clone(), 204),
                post("/v1.0/publish/pubsub/b", event.clone(), 204),
                post(&job, due.to_string(), 204),
                post("/v1.0/invoke/orders/method/invoked", event, 200),
            )
        }
    });
    futures::future::join_all(calls).await;
}

pub(crate) async fn without_a_limit_calls_of_the_app_overlap(subject: Subject) {
    let world = setup().start(&subject).await;
    let gate = world.app().gate(ANY);
    let answer = async {
        // None is answered before that many are there: the invocations at least, none of which waits for another call.
        world.app().wait_for_any(EACH).await;
        loop {
            gate.notify_waiters();
            assert_eq!(world.get("/v1.0/metadata").await.status, 200);
        }
    };
    tokio::select! {
        () = call_in_every_way(&world) => {}
        () = answer => {}
    }
    assert!(world.app().most_in_flight() >= EACH);
}

pub(crate) async fn with_a_limit_of_one_no_two_calls_of_the_app_overlap(subject: Subject) {
    let world = setup().max_concurrency(1).start(&subject).await;
    let gate = world.app().gate(ANY);
    let answer = async {
        for number in 1..=EACH * KINDS {
            world.app().wait_for_any(number).await;
            // Time for another one to come, were it let through.
            for _ in 0..3 {
                assert_eq!(world.get("/v1.0/metadata").await.status, 200);
            }
            gate.notify_one();
        }
    };
    tokio::join!(call_in_every_way(&world), answer);
    assert_eq!(world.app().most_in_flight(), 1);
    for (path, count) in [("/on/a", EACH), ("/on/b", EACH), ("/invoked", EACH)] {
        assert_eq!(world.app().seen(path).len(), count, "{path}");
    }
}

const TIMEOUT: &str = "
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: timeout}
spec:
  policies: {timeouts: {second: 1s}}
  targets: {components: {pubsub: {inbound: {timeout: second}}}}
";

/// So the limit does not guarantee that the app works on one call at a time: it may still work on one that the sidecar gave up on.
pub(crate) async fn a_delivery_that_took_too_long_makes_room_for_the_next(subject: Subject) {
    let world = setup()
        .resiliency(TIMEOUT)
        .max_concurrency(1)
        .start(&subject)
        .await;
    // The gate is never opened.
    let _gate = world.app().gate("/on/a");
    assert_eq!(world.post("/v1.0/publish/pubsub/a", "1").await.status, 204);
    world.app().wait("/on/a", 1).await;
    // A delivery waits for its turn within its own second, which ends right after that of the first one for an event that is published
    // right after it. So there are more of them.
    for number in 0..100 {
        let published = world.post("/v1.0/publish/pubsub/b", &number.to_string()).await;
        assert_eq!(published.status, 204);
    }
    world.app().wait("/on/b", 1).await;
}
