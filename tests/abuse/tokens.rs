//! Tokens that someone else has got hold of.

use std::process::Command;
use std::time::{Duration, Instant};

use nudge::{DataDir, TokenRequest, mint};

use http::{Method, StatusCode};

use crate::target::{Target, User};

/// Longer than a revocation takes.
const REVOKED: Duration = Duration::from_secs(20);

async fn status(user: &User) -> StatusCode {
    let answer = user.call(Method::GET, "/api/v1/me").send().await.unwrap();
    answer.status
}

/// Before: there was no way to do so.
pub(crate) async fn stolen() {
    let target = Target::start(&[]).await;
    let (mallory, alice) = (target.user("mallory"), target.user("alice"));
    assert_eq!(status(&mallory).await, StatusCode::OK);
    let revoke = Command::new(env!("CARGO_BIN_EXE_nudge"))
        .args(["token", "revoke", "--user", "mallory", "--data-dir"])
        .arg(target.folder.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&revoke.stderr);
    assert!(revoke.status.success(), "a token cannot be revoked: {error}");
    let begun = Instant::now();
    while status(&mallory).await != StatusCode::UNAUTHORIZED {
        assert!(
            begun.elapsed() < REVOKED,
            "a revoked token is accepted for longer than {REVOKED:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    eprintln!("a revoked token was accepted for {:?}", begun.elapsed());
    assert_eq!(status(&alice).await, StatusCode::OK);
}

/// Before: 200.
pub(crate) async fn long_lived() {
    let target = Target::start(&[]).await;
    let request = TokenRequest {
        user: "mallory".to_owned(),
        email: None,
        time_zone: None,
        hours: 87_600,
    };
    let data = DataDir::open(target.folder.path()).unwrap();
    let mallory = User {
        address: target.address(),
        token: mint(&data, &request, jiff::Timestamp::now().as_second()).unwrap(),
    };
    assert_eq!(
        status(&mallory).await,
        StatusCode::UNAUTHORIZED,
        "a token is valid for ten years"
    );
}
