//! Tokens that are revoked, and those that live too long.

use http::Method;
use nudge_test_kit::http::Answer;
use nudge_test_kit::tokens;
use serde_json::{Value, json};

use crate::host_log::{self, Line};
use crate::support::{Service, Setup, ZONE, json as body, send};

const REVOKE: &str = "/api/v1/me/tokens/revoke";
const OPERATOR: &str = "/internal/tokens/revocations";

/// How long a revocation may take.
const LATEST: u64 = 10;

/// A token of a user that was issued now.
fn issued(api: &Service, user: &str, id: Option<&str>) -> String {
    let now = api.clock.now();
    let mut claims = tokens::claims(user, ZONE, now);
    let second = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    claims["iat"] = json!(second);
    if let Some(id) = id {
        claims["jti"] = json!(id);
    }
    tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY)
}

async fn ask(api: &Service, method: Method, path: &str, token: &str) -> Answer {
    send(api.anybody().call(method, path).bearer(token)).await
}

/// The status of a request with a token.
async fn status(api: &Service, token: &str) -> u16 {
    ask(api, Method::GET, "/api/v1/tasks", token)
        .await
        .status
        .as_u16()
}

pub(crate) async fn a_user_revokes_on_every_replica(api: &Service, other: &Service) {
    let (old, of_bob) = (issued(api, "alice", None), issued(api, "bob", None));
    for replica in [api, other] {
        assert_eq!(status(replica, &old).await, 200);
    }
    assert_eq!(ask(api, Method::POST, REVOKE, &old).await.status, 204);
    let answer = ask(api, Method::GET, "/api/v1/tasks", &old).await;
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert!(body(&answer, 401)["detail"].to_string().contains("revoked"));
    assert_eq!(ask(api, Method::POST, REVOKE, &old).await.status, 401);
    assert_eq!(
        status(api, &issued(api, "alice", None)).await,
        401,
        "it cannot be told from those that were issued earlier in this second"
    );
    api.pass(1);
    let new = issued(api, "alice", None);
    assert_eq!(status(api, &new).await, 200);
    assert_eq!(status(api, &of_bob).await, 200);

    api.pass(LATEST - 1);
    assert_eq!(status(other, &old).await, 401, "on another replica");
    for token in [&new, &of_bob] {
        assert_eq!(status(other, token).await, 200);
    }
    let silent = tokens::mint("alice", ZONE, api.clock.now());
    let answer = ask(api, Method::GET, "/api/v1/tasks", &silent).await;
    assert!(body(&answer, 401)["detail"].to_string().contains("iat"));
}

#[tokio::test]
async fn a_user_revokes_the_tokens_that_were_issued_until_now() {
    let api = Service::start("api").await;
    let other = Setup::new("api").beside(&api).start().await;
    a_user_revokes_on_every_replica(&api, &other).await;
}

#[tokio::test]
async fn an_operator_revokes_all_tokens_of_a_user_or_one() {
    let api = Service::start("api").await;
    let [one, two] = ["one", "two"].map(|id| issued(&api, "alice", Some(id)));
    let of_bob = issued(&api, "bob", Some("one"));
    let revoke = async |what: Value| api.sidecar().post(OPERATOR, &what).await;
    let now = body(&revoke(json!({ "user": "alice", "id": "one" })).await, 200);
    assert_eq!(now, json!({ "revokedAt": "2026-11-21T12:00:00Z" }));
    assert_eq!(
        (
            status(&api, &one).await,
            status(&api, &two).await,
            status(&api, &of_bob).await
        ),
        (401, 200, 200)
    );
    body(&revoke(json!({ "user": "alice" })).await, 200);
    assert_eq!(
        (status(&api, &two).await, status(&api, &of_bob).await),
        (401, 200)
    );
    for wrong in [
        json!({}),
        json!({ "user": "" }),
        json!({ "user": "alice", "id": "" }),
        json!({ "user": "alice", "jti": "one" }),
    ] {
        assert_eq!(revoke(wrong.clone()).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn more_revocations_than_are_read_at_once_count_as_well() {
    let api = Service::start("api").await;
    let token = issued(&api, "zoe", Some("x"));
    assert_eq!(status(&api, &token).await, 200);
    api.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600) \
         INSERT INTO token_revocation SELECT 'user-' || i, '', 0 FROM n",
    );
    api.sql("INSERT INTO token_revocation VALUES ('zoe', 'x', 0)");
    api.pass(LATEST);
    assert_eq!(status(&api, &token).await, 401);
    assert_eq!(status(&api, &issued(&api, "zoe", Some("y"))).await, 200);
}

#[tokio::test]
async fn a_revocation_outlives_the_account_and_not_the_tokens() {
    let api = Service::start("api").await;
    let token = issued(&api, "alice", None);
    assert_eq!(ask(&api, Method::POST, REVOKE, &token).await.status, 204);
    api.pass(1);
    let new = issued(&api, "alice", None);
    assert_eq!(ask(&api, Method::DELETE, "/api/v1/me", &new).await.status, 202);
    super::me_leaving::gone(&api).await;
    assert_eq!(status(&api, &token).await, 401);
    let rows = || -> i64 {
        let sql = "SELECT COUNT(*) FROM token_revocation";
        api.database().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(rows(), 1);
    api.pass(367 * 24 * 60 * 60);
    super::relay(&api).await;
    assert_eq!(rows(), 0);
}

#[tokio::test]
async fn revocations_are_read_once_for_all_users_and_again_after_a_while() {
    let api = Service::start("api").await;
    let requests = async || {
        host_log::record();
        for name in ["alice", "bob", "carol"] {
            assert_eq!(api.user(name).get("/api/v1/tasks").await.status, 200);
        }
        let lines = host_log::take();
        let count = |part: &str| {
            let has = |line: &&Line| matches!(line, Line::Statement(sql) if sql.contains(part));
            lines.iter().filter(has).count()
        };
        (
            count("FROM token_revocation"),
            count("SELECT number FROM schema_migration"),
        )
    };
    requests().await;
    // An instance that is new reads them once.
    let (reads, new) = requests().await;
    assert_eq!(reads, new);
    api.pass(LATEST);
    let (reads, new) = requests().await;
    assert!(
        reads == 1 || reads == new + 1 || new > 0 && reads == new,
        "{reads} and {new}"
    );
}

#[tokio::test]
async fn a_token_that_is_valid_for_longer_than_the_maximum_is_refused() {
    const HOUR: u64 = 3_600;
    for (variable, hours) in [("", 720), ("1", 1), ("8784", 8_784)] {
        let api = Setup::new("api")
            .variable("token_max_hours", variable)
            .start()
            .await;
        let now = api
            .clock
            .now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let token = |lifetime: u64| {
            let mut claims = tokens::claims("alice", ZONE, api.clock.now());
            claims["iat"] = json!(now);
            claims["exp"] = json!(now + lifetime);
            tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY)
        };
        assert_eq!(status(&api, &token(hours * HOUR)).await, 200, "{hours}");
        let answer = ask(&api, Method::GET, "/api/v1/tasks", &token(hours * HOUR + 61)).await;
        let detail = body(&answer, 401)["detail"].to_string();
        assert!(detail.contains(&format!("more than {hours} hours")), "{detail}");
    }
    let api = Setup::new("api").variable("token_max_hours", "0").start().await;
    assert_eq!(api.user("alice").get("/api/v1/tasks").await.status, 503);
}

#[tokio::test]
async fn refused_tokens_fill_no_log() {
    let api = Service::start("api").await;
    let refused = async |token: &str| {
        assert_eq!(status(&api, token).await, 401);
    };
    let refused_lines = |lines: Vec<String>| {
        let of = |line: &&String| line.contains("\"unauthorized\"") || line.contains("unauthorized");
        lines.iter().filter(of).count()
    };
    host_log::record_guests();
    for _ in 0..20 {
        refused("x.y.z").await;
    }
    let first = refused_lines(host_log::take_guests());
    assert!((1..10).contains(&first), "one for each instance: {first}");
    api.pass(1);
    host_log::record_guests();
    refused("x.y.z").await;
    assert_eq!(refused_lines(host_log::take_guests()), 1);
}
