//! Refusals in words, beside their fields.

use nudge_page_model::{Answer, Problem};

#[test]
fn a_message_is_found_by_its_field_and_by_what_contains_it() {
    let body = r#"{"status":400,"title":"Bad Request","detail":"two things","code":"validation_error","errors":[
        {"field":"title","code":"invalid_title","message":"the title is empty: give at least one visible character"},
        {"field":"reminders[1].at","code":"invalid_reminder","message":"this time has passed"}]}"#;
    let problem = Problem::read(400, body, None);
    assert_eq!(
        problem.beside("title"),
        Some("the title is empty: give at least one visible character")
    );
    assert_eq!(problem.beside("reminders"), Some("this time has passed"));
    assert_eq!(problem.beside("reminders[1]"), Some("this time has passed"));
    assert_eq!(problem.beside("reminders[0]"), None);
    assert_eq!(problem.beside("titl"), None);
    assert_eq!(
        problem.other_than(&["title"]),
        ["Reminders[1].at: this time has passed."]
    );
    assert_eq!(problem.sentence(), "Two things.");
}

#[test]
fn a_body_that_is_no_problem_still_gives_a_sentence() {
    for status in [400, 401, 404, 408, 413, 415, 429, 431, 500, 502, 503, 504] {
        for body in [
            "",
            "<html>Bad Gateway</html>",
            "[]",
            "{\"detail\":\"\"}",
            "{\"errors\":7}",
        ] {
            let sentence = Problem::read(status, body, None).sentence();
            assert!(
                sentence.ends_with('.') && sentence.starts_with(char::is_uppercase),
                "{status} {body}: {sentence}"
            );
        }
    }
}

#[test]
fn an_answer_is_repeated_refused_or_waits_for_a_sign_in() {
    let answer = |status, code: &str| {
        Answer::from_problem(Problem {
            status,
            code: code.to_owned(),
            retry_after: Some(3),
            ..Problem::default()
        })
    };
    assert_eq!(answer(401, "unauthorized"), Answer::SignedOut);
    assert_eq!(answer(404, "not_found"), Answer::Gone);
    assert_eq!(answer(412, "version_mismatch"), Answer::Stale);
    for (status, code) in [(429, "rate_limited"), (503, "unavailable"), (503, "")] {
        assert!(
            matches!(
                answer(status, code),
                Answer::Later {
                    seconds: Some(3),
                    all: true,
                    limited: false
                }
            ),
            "{status}"
        );
    }
    for (status, code) in [
        (500, "internal_error"),
        (502, ""),
        (408, "body_too_slow"),
        (400, "body_incomplete"),
        (404, ""),
    ] {
        assert!(
            matches!(
                answer(status, code),
                Answer::Later {
                    all: false,
                    limited: true,
                    ..
                }
            ),
            "{status}"
        );
    }
    assert!(matches!(
        answer(409, "idempotency_key_in_flight"),
        Answer::Later {
            all: false,
            limited: false,
            ..
        }
    ));
    for (status, code) in [
        (400, "validation_error"),
        (409, "quota_exceeded"),
        (409, "account_leaving"),
        (422, "idempotency_key_reused"),
        (413, "body_too_large"),
    ] {
        assert!(
            matches!(answer(status, code), Answer::Refused(_)),
            "{status} {code}"
        );
    }
}
