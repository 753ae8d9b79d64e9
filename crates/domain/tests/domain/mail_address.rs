use nudge_domain::MailAddress;

#[test]
fn takes_one_plain_address_as_written() {
    let longest = format!("{}@example.com", "a".repeat(242));
    for text in [
        "alice@example.com",
        "a.b+c@mail.example.org",
        "Alice@Example.COM",
        "o'neil_%x@localhost",
        "grüße@bücher.example",
        &longest,
    ] {
        let address: MailAddress = text.parse().expect(text);
        assert_eq!((address.as_str(), address.to_string().as_str()), (text, text));
    }
}

#[test]
fn refuses_what_is_none_or_more_than_one() {
    let too_long = format!("{}@example.com", "a".repeat(243));
    for text in [
        "",
        "alice",
        "@",
        "@example.com",
        "alice@",
        "a@b@c",
        "a@b.c;d@e.f",
        "a@b.c,d@e.f",
        "a@b.c\r\nRCPT TO:<x@y.z>",
        "a@b.c\0",
        "A <a@b.c>",
        "a b@c.d",
        " a@b.c",
        "a@b.c\u{a0}",
        "\"a\"@b.c",
        "a(comment)@b.c",
        "a@[127.0.0.1]",
        "mailto:a@b.c",
        "a\\@b.c",
        &too_long,
    ] {
        let error = text.parse::<MailAddress>().expect_err(text);
        assert_eq!(error.code(), "invalid_email");
        assert!(error.to_string().contains("alice@example.com"), "{error}");
    }
}

#[test]
fn is_its_text_in_json_and_checked_when_read() {
    let address: MailAddress = serde_json::from_str(r#""alice@example.com""#).expect("an address");
    assert_eq!(
        serde_json::to_string(&address).expect("JSON"),
        r#""alice@example.com""#
    );
    assert!(serde_json::from_str::<MailAddress>(r#""a@b;c@d""#).is_err());
}
