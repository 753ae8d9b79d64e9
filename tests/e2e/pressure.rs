//! What clients send slowly does not stop what the system does by itself.

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::Bench;

/// More than the 512 requests that the api's instances handle at once, from users each of whom has only a few.
const STUCK: usize = 540;

#[tokio::test(flavor = "multi_thread")]
async fn reminders_are_sent_while_bodies_of_hundreds_of_requests_do_not_arrive() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "Europe/Berlin");
    alice
        .create(json!({ "title": "Pay rent", "reminders": [{ "at": bench.in_seconds(5) }] }))
        .await;
    let address: SocketAddr = bench
        .system()
        .url()
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let mut stuck = tokio::task::JoinSet::new();
    for number in 0..STUCK {
        let token = bench
            .user(&format!("user-{}", number / 9), "UTC")
            .token()
            .to_owned();
        // A request that is given up is sent again, so that the pressure lasts.
        stuck.spawn(async move {
            loop {
                stay(address, &token).await;
            }
        });
    }
    bench
        .wait_until("no request of a user is answered any more", async |bench| {
            let call = bench.call(Method::GET, "/health/live").send();
            tokio::time::timeout(Duration::from_secs(1), call).await.is_err()
        })
        .await;
    bench
        .step_until("the email is there", 30, async |bench| bench.emails().len() == 1)
        .await;
    assert_eq!(stuck.len(), STUCK, "the requests were sent until the end");
}

/// Sends a request without its body, and waits until the connection is closed.
async fn stay(address: SocketAddr, token: &str) {
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n"
    );
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.read_to_end(&mut Vec::new()).await
    };
    if exchange.await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
