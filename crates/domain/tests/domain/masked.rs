use nudge_domain::masked::masked;
use serde_json::{Value, json};

#[test]
fn only_the_domain_of_an_address_is_left() {
    for (text, expected) in [
        ("alice@example.com", "***@example.com"),
        ("to=alice@example.com.", "***@example.com."),
        (
            "550 5.1.1 <o'neil+x=y/z@example.com>: no such user",
            "550 5.1.1 <***@example.com>: no such user",
        ),
        (
            "a@example.com,b@example.org;c@[127.0.0.1]",
            "***@example.com,***@example.org;***@[127.0.0.1]",
        ),
        ("grüße@bücher.example", "***@bücher.example"),
        ("\"quoted local\"@example.com", "\"***@example.com"),
        ("a@b@c", "***@***@c"),
        (
            "postgres://nudge:secret@db:5432/nudge",
            "postgres://nudge:***@db:5432/nudge",
        ),
    ] {
        let found = masked(text);
        assert_eq!(found, expected, "{text}");
        assert!(!found.contains("alice") && !found.contains("quoted"), "{found}");
    }
}

#[test]
fn a_text_without_an_address_stays_as_it_is() {
    for text in [
        "",
        "@",
        "a @ b",
        "@example.com",
        "meet me @home",
        "alice@",
        "alice@ home",
        "<>@x",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn a_line_of_json_stays_valid() {
    for message in [
        "line\nalice@example.com",
        "zero\u{1}alice@example.com",
        "\"alice\"@example.com",
        "\"alice smith\"@example.com",
        "\\alice@example.com",
        "\u{200b}alice@example.com\u{202e}",
        "@home, said alice@example.com",
        "error: \"alice@example.com\": \"no\"",
    ] {
        let line = json!({ "message": message, "at": "@home", "code": 1 }).to_string();
        let read: Value = serde_json::from_str(&masked(&line)).expect(message);
        let shown = read["message"].as_str().expect("a string");
        assert!(shown.contains("***@example.com"), "{shown}");
        assert!(!shown.contains("lice"), "{shown}");
    }
}
