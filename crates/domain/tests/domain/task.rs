use nudge_domain::task::{CategoryName, Color, Description, Priority, Status, TagName, Title};

#[test]
fn trims_titles_and_names() {
    assert_eq!(
        "  Pay rent \n".parse::<Title>().expect("a title").as_str(),
        "Pay rent"
    );
    assert_eq!(" home ".parse::<CategoryName>().expect("a name").as_str(), "home");
    assert_eq!(" urgent ".parse::<TagName>().expect("a name").as_str(), "urgent");
}

#[test]
fn counts_characters_not_bytes() {
    assert!("ü".repeat(200).parse::<Title>().is_ok());
    assert!("ü".repeat(201).parse::<Title>().is_err());
    assert!("ü".repeat(50).parse::<CategoryName>().is_ok());
    assert!("ü".repeat(51).parse::<CategoryName>().is_err());
    assert!("ü".repeat(30).parse::<TagName>().is_ok());
    assert!("ü".repeat(31).parse::<TagName>().is_err());
    assert!("ü".repeat(10_000).parse::<Description>().is_ok());
    assert!("ü".repeat(10_001).parse::<Description>().is_err());
}

#[test]
fn says_what_is_wrong_with_a_value_and_how_to_mend_it() {
    let messages = [
        " ".parse::<Title>().expect_err("empty"),
        "a\rBcc: b".parse::<Title>().expect_err("two lines"),
        "x".repeat(31).parse::<TagName>().expect_err("too long"),
        "a\0b".parse::<Description>().expect_err("NUL"),
        "red".parse::<Color>().expect_err("no digits"),
    ]
    .map(|error| format!("{}: {error}", error.code()));
    assert_eq!(
        messages,
        [
            "invalid_title: the title is empty: give at least one character",
            "invalid_title: the title contains a control character: remove it",
            "invalid_tag_name: the tag name is too long: at most 30 characters are allowed",
            "invalid_description: the description contains a control character: remove it",
            "invalid_color: `red` is not a colour: write # and six hexadecimal digits, such as #1e90ff",
        ]
    );
}

#[test]
fn a_description_may_be_empty_and_may_have_lines() {
    for text in ["", "one\r\n\ttwo\n"] {
        assert_eq!(text.parse::<Description>().expect("a description").as_str(), text);
    }
}

#[test]
fn stores_colours_in_lower_case() {
    assert_eq!("#1E90fF".parse::<Color>().expect("a colour").as_str(), "#1e90ff");
    for text in [
        "", "#", "1e90ff", "#1e90f", "#1e90fff", "#1e90fg", "#ééé", " #1e90ff",
    ] {
        assert!(text.parse::<Color>().is_err(), "{text}");
    }
}

#[test]
fn orders_priorities_and_takes_medium_by_default() {
    assert!(
        Priority::Low < Priority::Medium
            && Priority::Medium < Priority::High
            && Priority::High < Priority::Urgent
    );
    assert_eq!(Priority::default(), Priority::Medium);
    assert_eq!(Status::default(), Status::Pending);
}

#[test]
fn reading_json_checks_values() {
    assert!(serde_json::from_str::<Title>(r#"" ""#).is_err());
    assert!(serde_json::from_str::<Color>(r#""blue""#).is_err());
    assert_eq!(
        serde_json::from_str::<Title>(r#"" a ""#)
            .expect("a title")
            .to_string(),
        "a"
    );
}
