//! What listens beside the api: sidecars and the mail server. And requests that are not quite HTTP.

use std::time::Duration;

use http::{Method, StatusCode};
use nudge_test_kit::http::Call;

use crate::raw;
use crate::target::Target;

/// Longer than a refusal takes that waits for nothing.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A caller without the sidecar's token sends a third of a body and waits; another one has the token of a user.
///
/// Before: no answer to the first one as long as it waited. The second one was refused.
pub(crate) async fn sidecar() {
    let target = Target::start(&[]).await;
    let mallory = target.user("mallory");
    for (app, address) in target.system.sidecars() {
        for path in [
            "/v1.0/invoke/api/method/api/v1/me",
            "/v1.0/secrets/secretstore/jwt-key",
            "/v1.0/secrets/secretstore/bulk",
            "/v1.0/metadata",
            "/v1.0/state/statestore/any",
            "/v1.0-alpha1/jobs/relay",
        ] {
            let answer = Call::new(address, Method::GET, path).bearer(&mallory.token);
            let answer = answer.send().await.unwrap();
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{app} {path}");
        }
    }
    for (app, address) in target.system.sidecars() {
        let head = format!(
            "POST /v1.0/publish/pubsub/task-reminders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: 3000000\r\n\r\n"
        );
        let mut stream = raw::send(address, &[head.as_bytes(), &[b' '; 1_000_000]].concat()).await;
        let (answer, _) = raw::read(&mut stream, AT_ONCE).await;
        assert_eq!(
            raw::status(&answer),
            401,
            "the sidecar of {app} reads a body before it looks at the token; within {AT_ONCE:?} it says {answer:?}"
        );
    }
}

/// What a page in a browser can send to any port: a form, whose body is a dialogue with a mail server.
///
/// Before: the email was stored.
pub(crate) async fn mail_in_a_web_request() {
    let target = Target::start(&[]).await;
    let dialogue = "HELO evil.example\r\nMAIL FROM:<x@evil.example>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\nSubject: From a page\r\n\
                    \r\nx\r\n.\r\nQUIT\r\n";
    for head in [
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\norigin: https://evil.example\r\ncontent-type: text/plain\r\ncontent-length: 150\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 150\r\n\r\n",
    ] {
        let mut stream = raw::send(target.mail().addr(), format!("{head}{dialogue}").as_bytes()).await;
        let (answer, ended) = raw::read(&mut stream, AT_ONCE).await;
        assert!(
            target.mail().emails().unwrap().is_empty(),
            "a web page wrote an email into the folder: {answer}"
        );
        assert!(ended, "the session goes on: {answer}");
    }
}

/// RFC 9112, section 3.2: a request with two `Host` fields, or an invalid one, is answered with 400.
///
/// Before: 200.
pub(crate) async fn two_hosts() {
    let target = Target::start(&[]).await;
    for hosts in [
        "host: a.example\r\nhost: b.example\r\n",
        "host: a.example\r\nhost: a.example\r\n",
        "host: user@a.example\r\n",
        "",
    ] {
        let request = format!("GET /health/live HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let mut stream = raw::send(target.address(), request.as_bytes()).await;
        let (answer, _) = raw::read(&mut stream, AT_ONCE).await;
        assert_eq!(raw::status(&answer), 400, "{hosts:?}: {answer}");
    }
}
