use nudge_domain::MailAddress;

fn refused(text: &str) -> String {
    let error = text.parse::<MailAddress>().expect_err(text);
    assert_eq!(error.code(), "invalid_email");
    assert!(error.to_string().ends_with(&error.reason()), "{error}");
    error.reason()
}

#[test]
fn takes_one_plain_address_as_written_and_sends_it_so() {
    let longest_local = format!("{}@example.com", "a".repeat(64));
    let label = "d".repeat(63);
    let longest = format!("{}@{label}.{label}.{}.example", "a".repeat(64), "d".repeat(53));
    assert_eq!(longest.len(), 254);
    for text in [
        "alice@example.com",
        "a.b+c@mail.example.org",
        "Alice@Example.COM",
        "o'neil_%x@localhost",
        "!#$%&'*+-/=?^_`{|}~.0@example.com",
        "a@1.example",
        "a@r3---sn.example",
        "a@xn--bcher-kva.example",
        &longest_local,
        &longest,
    ] {
        let address: MailAddress = text.parse().expect(text);
        assert_eq!((address.as_str(), address.to_string().as_str()), (text, text));
        assert_eq!(address.to_ascii(), text);
    }
}

#[test]
fn an_international_domain_is_kept_as_written_and_sent_in_ascii() {
    for (text, sent) in [
        ("user@bücher.example", "user@xn--bcher-kva.example"),
        ("user@BÜCHER.example", "user@xn--bcher-kva.example"),
        // The same letter, composed from two characters.
        ("user@bu\u{308}cher.example", "user@xn--bcher-kva.example"),
        ("user@straße.example", "user@xn--strae-oqa.example"),
        ("user@пример.испытание", "user@xn--e1afmkfd.xn--80akhbyknj4f"),
        ("user@例え。テスト", "user@xn--r8jz45g.xn--zckzah"),
        ("user@ｅｘａｍｐｌｅ.com", "user@example.com"),
        ("user@XN--Bcher-KVA.example", "user@xn--bcher-kva.example"),
    ] {
        let address: MailAddress = text.parse().expect(text);
        assert_eq!((address.as_str(), address.to_ascii()), (text, sent));
    }
}

#[test]
fn refuses_text_that_is_not_one_address_with_the_reason() {
    let long = format!("a@{}.example", vec!["d".repeat(49); 5].join("."));
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("a@{}.example", "d".repeat(64));
    for (text, reason) in [
        ("", "it is empty"),
        ("alice", "it has no @"),
        ("@", "nothing before the @"),
        ("@example.com", "nothing before the @"),
        ("alice@", "nothing after the @"),
        ("a@b@c", "more than one"),
        ("a@b.c;d@e.f", "more than one"),
        ("a@b.c,d@e.f", "more than one"),
        ("a@b.c;", "more than one"),
        ("a@b.c\r\nRCPT TO:<x@y.z>", "invisible character U+000D"),
        ("a@b.c\0", "invisible character U+0000"),
        ("A <a@b.c>", "white space"),
        ("<a@b.c>", "without a name and without < and >"),
        ("a b@c.d", "white space"),
        (" a@b.c", "white space"),
        ("a@b.c\u{a0}", "white space"),
        ("a@b\u{3000}.c", "white space"),
        ("\"a\"@b.c", "quoted part before the @"),
        ("a(comment)@b.c", "comment"),
        ("a@b.c(comment)", "comment"),
        ("a@[127.0.0.1]", "IP address"),
        ("a@[IPv6:::1]", "IP address"),
        ("a@127.0.0.1", "ends with a number"),
        ("a@example.123", "ends with a number"),
        ("a@１２７.０.０.１", "ends with a number"),
        ("mailto:a@b.c", "`:` is not allowed before the @"),
        ("a\\@b.c", "`\\` is not allowed before the @"),
        ("a..b@example.com", "a dot before the @"),
        (".a@example.com", "a dot before the @"),
        ("a.@example.com", "a dot before the @"),
        (".@example.com", "a dot before the @"),
        ("a@example..com", "a dot after the @"),
        ("a@.example.com", "a dot after the @"),
        ("a@example.com.", "a dot after the @"),
        ("a@.", "a dot after the @"),
        ("a@bücher..example", "a dot after the @"),
        ("a@-example.com", "hyphen"),
        ("a@example-.com", "hyphen"),
        ("a@example.com-", "hyphen"),
        ("a@-bücher.example", "hyphen"),
        ("a@exam_ple.com", "`_` is not allowed after the @"),
        ("a@exam'ple.com", "`'` is not allowed after the @"),
        ("a@bücher_.example", "`_` is not allowed after the @"),
        (
            "grüße@example.com",
            "`ü` is before the @, and email is sent without SMTPUTF8",
        ),
        ("用户@例え.jp", "`用` is before the @"),
        ("a@xn--bcher-kva-.example", "hyphen"),
        ("a@xn--zzzzzzzzzz9999.example", "international domain name"),
        ("a@xn--abc.example", "international domain name"),
        ("a@\u{301}a.example", "international domain name"),
        ("a@a\u{ff0f}b.example", "international domain name"),
        (&long_local, "before the @ has more than 64 octets"),
        (&long_label, "label of its domain has more than 63 octets"),
        (&long, "more than 254 octets"),
        (
            &format!("a@{}.example", "ü".repeat(60)),
            "63 octets as it is sent",
        ),
        (&"a@".repeat(200), "more than 254 octets"),
    ] {
        let said = refused(text);
        assert!(said.contains(reason), "{text:?}: {said}");
    }
}

#[test]
fn no_invisible_character_passes_on_either_side() {
    for code in [
        0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028,
        0x202a, 0x202e, 0x2060, 0x2064, 0x2066, 0x2069, 0x206f, 0x2800, 0x3164, 0xfe0f, 0xfeff, 0xffa0,
        0xfff9, 0x1bca0, 0x1d173, 0xe0001, 0xe0041, 0xe0100, 0x85, 0x7f, 0x9b,
    ] {
        let hidden = char::from_u32(code).expect("a character");
        for text in [
            format!("al{hidden}ice@example.com"),
            format!("alice@exam{hidden}ple.com"),
            format!("alice@example.com{hidden}"),
            format!("{hidden}alice@example.com"),
        ] {
            assert!(
                refused(&text).contains(&format!("invisible character U+{code:04X}")),
                "{text:?}"
            );
        }
    }
}

/// A reason may stand where no address may, such as in an event.
#[test]
fn a_reason_does_not_repeat_the_address() {
    for text in [
        "carol..x@example.net",
        "carol@exam_ple.net",
        "carol@-example.net",
        "cárol@example.net",
    ] {
        let error = text.parse::<MailAddress>().expect_err(text);
        assert!(error.to_string().contains(text), "{error}");
        assert!(
            !error.reason().contains("rol") && !error.reason().contains("net"),
            "{error}"
        );
    }
}

#[test]
fn is_its_text_in_json_and_checked_when_read() {
    let address: MailAddress = serde_json::from_str(r#""alice@bücher.example""#).expect("an address");
    assert_eq!(
        serde_json::to_string(&address).expect("JSON"),
        r#""alice@bücher.example""#
    );
    assert!(serde_json::from_str::<MailAddress>(r#""a@b;c@d""#).is_err());
}

/// Each was accepted once, refused by mailers, and tried for a day.
#[test]
fn what_a_mailer_refuses_is_no_address() {
    for address in [
        "a..b@example.com".to_owned(),
        ".a@example.com".to_owned(),
        "a@x..".to_owned(),
        "postmaster@-".to_owned(),
        "a\u{200b}@example.com".to_owned(),
        "a@\u{200b}example.com".to_owned(),
        "a@example.com\u{202e}".to_owned(),
        format!("{}@example.com", "a".repeat(250)),
        "ünï@exämple.com".to_owned(),
    ] {
        assert!(address.parse::<MailAddress>().is_err(), "{address:?}");
    }
}
