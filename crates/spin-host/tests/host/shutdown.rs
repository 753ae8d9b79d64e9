//! Shutdown of a host.

use std::time::Duration;

use spin_host::Limits;
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Recorder, Setup, app, get, start};

#[tokio::test]
async fn requests_in_flight_and_tasks_after_responses_are_finished() {
    let mut recorder = Recorder::start().await;
    let address = recorder.address;
    let host = Setup::new(app(&format!("allowed_outbound_hosts = [\"http://{address}\"]")))
        .start()
        .await;
    get(&host, &format!("/later?http://{address}/done")).await;
    host.shutdown().await;
    assert_eq!(recorder.arrived().as_deref(), Some("/done"));
}

#[tokio::test]
async fn an_endless_request_does_not_block_the_shutdown() {
    let mut recorder = Recorder::start().await;
    let address = recorder.address;
    let setup = Setup::new(app(&format!("allowed_outbound_hosts = [\"http://{address}\"]")));
    let limits = Limits {
        shutdown: Duration::from_millis(100),
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let socket = host.local_addr();
    // The response has been sent, but its task still runs.
    get(&host, &format!("/later?http://{address}/started")).await;
    recorder.next().await;
    let waiting = TcpStream::connect(socket).await.expect("the host listens");
    waiting
        .try_write(b"GET /wait/60000 HTTP/1.1\r\nhost: x\r\n\r\n")
        .expect("room for a request");
    tokio::time::timeout(DEADLINE / 2, host.shutdown())
        .await
        .expect("the limit holds");
    assert!(TcpStream::connect(socket).await.is_err(), "still listening");
}
