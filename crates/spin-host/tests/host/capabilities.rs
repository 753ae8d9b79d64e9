//! What a component can reach, and what it cannot.

use std::time::{Duration, SystemTime};

use step_clock::Clock;

use crate::support::{Log, Recorder, Setup, app, chain, get, post, start};

#[tokio::test]
async fn variables_are_expanded_and_others_are_undefined() {
    let manifest =
        app("variables = { greeting = \"{{ word }}, you\" }") + "[variables]\nword = { default = \"hi\" }\n";
    let setup = Setup::new(manifest);
    let host = setup.start().await;
    assert_eq!(get(&host, "/variable/greeting").await.1, "hi, you");
    assert_eq!(get(&host, "/variable/word").await.1, "Error::Undefined(\"word\")");
    assert!(
        get(&host, "/variable/No")
            .await
            .1
            .starts_with("Error::InvalidName")
    );
    let host = start(setup.builder().variable("word", "hello")).await;
    assert_eq!(get(&host, "/variable/greeting").await.1, "hello, you");
}

#[tokio::test]
async fn an_outbound_request_reaches_only_the_hosts_of_the_manifest() {
    let log = Log::start();
    let mut recorder = Recorder::start().await;
    let (address, port) = (recorder.address, recorder.address.port());
    let manifest =
        app("allowed_outbound_hosts = [\"{{ sidecar }}\"]") + "[variables]\nsidecar = { required = true }\n";
    let setup = Setup::new(manifest);
    let host = start(setup.builder().variable("sidecar", format!("http://{address}"))).await;
    assert_eq!(
        get(&host, &format!("/fetch?http://{address}/yes")).await.1,
        "recorded"
    );
    assert_eq!(recorder.next().await, "/yes");
    for url in [
        format!("http://localhost:{port}/no"),
        format!("https://{address}/no"),
        "http://127.0.0.1:1/no".into(),
    ] {
        assert_eq!(
            get(&host, &format!("/fetch?{url}")).await.1,
            "ErrorCode::HttpRequestDenied",
            "{url}"
        );
    }
    assert_eq!(recorder.arrived(), None);
    assert!(log.text().contains(&format!("denied: add the address to allowed_outbound_hosts component=\"app\" destination=http://localhost:{port}")), "{}", log.text());
}

#[tokio::test]
async fn an_unreachable_server_is_an_error_for_the_guest() {
    let closed = Recorder::start().await.address;
    let setup = Setup::new(app("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]"));
    let host = setup.start().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    assert_ne!(address, closed);
    assert_eq!(
        get(&host, &format!("/fetch?http://{address}/")).await.1,
        "ErrorCode::ConnectionRefused"
    );
}

#[tokio::test]
async fn an_unsupported_entry_is_refused_with_the_name_of_the_component() {
    let error = Setup::new(app("allowed_outbound_hosts = [\"http://self\"]"))
        .builder()
        .build()
        .await
        .err();
    assert_eq!(
        chain(&error.expect("refused")),
        "component \"app\": allowed_outbound_hosts entry \"http://self\" allows requests to the application itself, \
         which is not supported"
    );
}

#[tokio::test]
async fn instances_share_a_database_that_survives_a_restart() {
    let setup = Setup::new(app("sqlite_databases = [\"default\"]"));
    let limits = spin_host::Limits {
        requests_per_instance: 1,
        ..Default::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    post(&host, "/sql/default", "CREATE TABLE t (a, b)").await;
    // Each request has its own instance; the transaction belongs to the shared connection, as on Spin.
    post(&host, "/sql/default", "BEGIN").await;
    assert_eq!(
        post(
            &host,
            "/sql/default",
            "INSERT INTO t VALUES (1, 'x'), (2.5, NULL) RETURNING a"
        )
        .await,
        "a\n1\n2.5"
    );
    post(&host, "/sql/default", "COMMIT").await;
    host.shutdown().await;
    let host = setup.start().await;
    assert_eq!(
        post(&host, "/sql/default", "SELECT * FROM t").await,
        "a,b\n1,x\n2.5,null"
    );
    assert!(setup.folder.path().join(".spin/sqlite_db.db").exists());
}

#[tokio::test]
async fn only_the_first_statement_runs_and_files_cannot_be_attached() {
    let setup = Setup::new(app("sqlite_databases = [\"default\"]"));
    let host = setup.start().await;
    post(
        &host,
        "/sql/default",
        "CREATE TABLE one (a); CREATE TABLE two (a)",
    )
    .await;
    assert_eq!(
        post(&host, "/sql/default", "SELECT name FROM sqlite_master").await,
        "name\none"
    );
    assert_eq!(
        post(&host, "/sql/default", "ATTACH 'other.db' AS other").await,
        "Error::Io(\"not authorized\")"
    );
    assert_eq!(
        post(&host, "/sql/default", "SELECT b FROM one").await,
        "Error::Io(\"no such column: b in SELECT b FROM one at offset 7\")"
    );
}

#[tokio::test]
async fn a_database_that_the_manifest_does_not_list_is_denied() {
    let host = Setup::new(app("sqlite_databases = [\"other\"]")).start().await;
    assert_eq!(
        post(&host, "/sql/default", "SELECT 1").await,
        "Error::AccessDenied"
    );
    assert_eq!(post(&host, "/sql/other", "SELECT 1 AS one").await, "one\n1");
}

#[tokio::test]
async fn guests_see_the_clock_of_the_host() {
    let clock = Clock::stepped(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
    let setup = Setup::new(app(""));
    let host = start(setup.builder().clock(clock.clone())).await;
    assert_eq!(get(&host, "/now").await.1, "1000");
    clock.advance(Duration::from_secs(23));
    assert_eq!(get(&host, "/now").await.1, "1023");
}

#[tokio::test]
async fn guests_see_their_environment_but_not_that_of_the_host() {
    let host = Setup::new(app("environment = { MINE = \"yes\" }")).start().await;
    assert_eq!(get(&host, "/environment/MINE").await.1, "yes");
    assert_eq!(get(&host, "/environment/PATH").await.1, "none");
}

#[tokio::test]
async fn guests_can_read_but_not_write_their_files() {
    let setup = Setup::new(app("files = [{ source = \"web\", destination = \"/\" }]"));
    std::fs::create_dir(setup.folder.path().join("web")).expect("writable");
    std::fs::write(setup.folder.path().join("web/page.html"), "<p>").expect("writable");
    let host = setup.start().await;
    assert_eq!(get(&host, "/file/page.html").await.1, "<p>");
    assert!(get(&host, "/file/../spin.toml").await.1 != "<p>");
    assert_ne!(get(&host, "/write/page.html").await.1, "written");
}

#[tokio::test]
async fn output_of_guests_is_logged_line_by_line() {
    let log = Log::start();
    let host = Setup::new(app("")).start().await;
    get(&host, "/print").await;
    let text = log.text();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("spin_host::guest"))
        .map(str::trim)
        .collect();
    assert_eq!(
        lines,
        [
            "INFO spin_host::guest: one component=\"app\" stream=\"stdout\"",
            "INFO spin_host::guest: two component=\"app\" stream=\"stdout\"",
            "INFO spin_host::guest: three component=\"app\" stream=\"stdout\"",
            "INFO spin_host::guest: four component=\"app\" stream=\"stderr\"",
        ]
    );
}

#[tokio::test]
async fn a_postgres_server_that_the_manifest_does_not_list_is_denied() {
    let log = Log::start();
    let host = Setup::new(app("allowed_outbound_hosts = [\"postgres://db.example.com\"]"))
        .start()
        .await;
    for (address, reason) in [
        (
            "postgres://u:secret@127.0.0.1:1/d",
            "address postgres://127.0.0.1:1 is not permitted",
        ),
        (
            "postgres://u:secret@db.example.com:5433/d",
            "address postgres://db.example.com:5433 is not permitted",
        ),
        (
            "postgres://db.example.com/d?hostaddr=127.0.0.1",
            "hostaddr is not permitted",
        ),
        (
            "postgres://db.example.com/d?sslmode=require",
            "TLS is not supported by this host",
        ),
        ("postgres:///d?host=/tmp", "Unix sockets are not permitted"),
    ] {
        let error = post(&host, &format!("/pg/none?{address}"), "SELECT 1").await;
        assert!(
            error.contains("ConnectionFailed") && error.contains(reason),
            "{address}: {error}"
        );
    }
    assert!(
        log.text().contains("destination=\"postgres://127.0.0.1:1\""),
        "{}",
        log.text()
    );
    assert!(!log.text().contains("secret"), "{}", log.text());
}
