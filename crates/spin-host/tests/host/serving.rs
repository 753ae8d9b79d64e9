//! Requests and responses.

use std::cell::Cell;

use bytes::Bytes;
use expect_test::expect;
use http_body_util::channel::Channel;
use http_body_util::{BodyExt, Empty};
use spin_host::Limits;

use crate::support::{
    DEADLINE, Recorder, Setup, app, component, get, head, post, read, request, send, start,
};

#[tokio::test]
async fn answers_through_the_component_of_the_route() {
    let host = Setup::new(app("")).start().await;
    assert_eq!(get(&host, "/hello").await, (200, "hello".into()));
    assert_eq!(post(&host, "/echo", "some text").await, "some text");
    assert_eq!(get(&host, "/other").await.0, 418);
}

#[tokio::test]
async fn sends_the_component_the_same_headers_as_spin() {
    let manifest = app("").replace("/...", "/:first/...");
    let host = Setup::new(manifest).start().await;
    let request = request("/headers/b/?q=1")
        .header("connection", "close")
        .header("x-mine", "yes");
    let response = send(&host, request.body(Empty::<Bytes>::new()).expect("valid")).await;
    let (_, headers) = read(response).await;
    let client = headers
        .lines()
        .find_map(|line| line.strip_prefix("spin-client-addr: "))
        .expect("an address");
    let headers = headers.replace(client, "CLIENT");
    expect![[r#"
        spin-base-path: /
        spin-client-addr: CLIENT
        spin-component-route: /:first
        spin-full-url: http://nudge.example.com/headers/b/?q=1
        spin-matched-route: /:first/...
        spin-path-info: /b/
        spin-path-match-first: headers
        spin-raw-component-route: /:first/...
        x-mine: yes"#]]
    .assert_eq(&headers);
}

#[tokio::test]
async fn answers_404_if_no_route_matches_or_its_component_was_not_selected() {
    let manifest =
        app("").replace("/...", "/hello") + "[[trigger.http]]\nroute = \"/else\"\ncomponent = \"bridge\"\n";
    let setup = Setup::new(manifest + &component("bridge"));
    let host = start(setup.builder().components(["app"])).await;
    assert_eq!(get(&host, "/hello").await.0, 200);
    assert_eq!(get(&host, "/nowhere").await, (404, String::new()));
    assert_eq!(get(&host, "/else").await, (404, String::new()));
}

#[tokio::test]
async fn serves_the_well_known_paths_of_spin() {
    let host = Setup::new(app("")).start().await;
    assert_eq!(get(&host, "/.well-known/spin/health").await, (200, "OK".into()));
    let (_, info) = get(&host, "/.well-known/spin/info").await;
    expect![[r#"{"name":"test","version":"1.2.3"}"#]].assert_eq(&info);
    assert_eq!(get(&host, "/.well-known/spin/other").await.0, 404);
}

#[tokio::test]
async fn refuses_a_request_without_a_host() {
    let host = Setup::new(app("")).start().await;
    let request = http::Request::builder()
        .uri("/hello")
        .body(Empty::<Bytes>::new())
        .expect("valid");
    assert_eq!(read(send(&host, request).await).await, (400, String::new()));
}

#[tokio::test]
async fn streams_bodies_both_ways_at_once() {
    let host = Setup::new(app("")).start().await;
    let (mut chunks, body) = Channel::<Bytes>::new(1);
    let response = send(&host, request("/echo").method("POST").body(body).expect("valid"));
    let (response, sent) = tokio::join!(response, chunks.send_data(Bytes::from("first")));
    sent.expect("the request is open");
    let mut body = response.into_body();
    let first = body
        .frame()
        .await
        .expect("a frame")
        .expect("no error")
        .into_data()
        .expect("data");
    assert_eq!(first, "first");
    // The first chunk is back before the second exists.
    chunks
        .send_data(Bytes::from("second"))
        .await
        .expect("the request is open");
    drop(chunks);
    assert_eq!(body.collect().await.expect("no error").to_bytes(), "second");
}

#[tokio::test]
async fn an_endless_response_ends_when_the_client_disconnects() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        shutdown: 2 * DEADLINE,
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let mut body = send(
        &host,
        request("/count").body(Empty::<Bytes>::new()).expect("valid"),
    )
    .await
    .into_body();
    body.frame().await.expect("a frame").expect("no error");
    drop(body);
    // Only if the guest's task has ended does the shutdown return before its bound.
    tokio::time::timeout(DEADLINE, host.shutdown())
        .await
        .expect("no task is left");
}

#[tokio::test]
async fn reuses_an_instance_up_to_its_number_of_requests() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        requests_per_instance: 2,
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(get(&host, "/seen").await.1);
    }
    assert_eq!(seen, ["1", "2", "1", "2"]);
}

#[tokio::test]
async fn answers_many_requests_at_once_in_one_instance() {
    let setup = Setup::new(app(""));
    let host = start(setup.builder().limits(Limits {
        instances: 1,
        ..Limits::default()
    }))
    .await;
    // The first one ends only after the others, so they are answered concurrently.
    let ended = Cell::new(0);
    let counted = async |path| {
        assert_eq!(get(&host, path).await.0, 200);
        ended.replace(ended.get() + 1)
    };
    let order = tokio::join!(counted("/wait/1000"), counted("/wait/100"), counted("/hello"));
    assert_eq!(order.0, 2);
}

#[tokio::test]
async fn a_task_continues_after_the_response() {
    let mut recorder = Recorder::start().await;
    let address = recorder.address;
    let host = Setup::new(app(&format!("allowed_outbound_hosts = [\"http://{address}\"]")))
        .start()
        .await;
    assert_eq!(
        get(&host, &format!("/later?http://{address}/done")).await,
        (200, "later".into())
    );
    assert_eq!(recorder.arrived(), None);
    assert_eq!(recorder.next().await, "/done");
}

#[tokio::test]
async fn a_component_without_an_http_export_cannot_have_a_route() {
    let manifest = format!(
        "{}[[trigger.http]]\nroute = \"/\"\ncomponent = \"bridge\"\n{}",
        head(),
        component("bridge")
    );
    let error = Setup::new(manifest)
        .builder()
        .build()
        .await
        .err()
        .expect("refused");
    let text = crate::support::chain(&error);
    assert!(
        text.starts_with("component \"bridge\": has a route, but does not export"),
        "{text}"
    );
}
