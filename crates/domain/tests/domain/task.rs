use nudge_domain::characters::{isolated, name_key};
use nudge_domain::task::{
    AgentName, CategoryName, Color, Description, Priority, Status, TagName, Title, ValueError,
};

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
    assert!("ü".repeat(50).parse::<AgentName>().is_ok());
    assert!("ü".repeat(51).parse::<AgentName>().is_err());
    assert!("ü".repeat(10_000).parse::<Description>().is_ok());
    assert!("ü".repeat(10_001).parse::<Description>().is_err());
}

#[test]
fn says_what_is_wrong_with_a_value_and_how_to_fix_it() {
    let messages = [
        " ".parse::<Title>().expect_err("empty"),
        "a\rBcc: b".parse::<Title>().expect_err("two lines"),
        "a\u{1b}[1mb".parse::<CategoryName>().expect_err("an escape"),
        "\u{200b}".parse::<TagName>().expect_err("nothing to be seen"),
        "x".repeat(31).parse::<TagName>().expect_err("too long"),
        "\u{200b}".parse::<AgentName>().expect_err("nothing to be seen"),
        "a\0b".parse::<Description>().expect_err("NUL"),
        "red".parse::<Color>().expect_err("no digits"),
    ]
    .map(|error| format!("{}: {error}", error.code()));
    assert_eq!(
        messages,
        [
            "invalid_title: the title is empty: give at least one visible character",
            "invalid_title: the title has a line break: put it on one line",
            "invalid_category_name: the category name contains a control character: remove it",
            "invalid_tag_name: the tag name is empty: give at least one visible character",
            "invalid_tag_name: the tag name is too long: at most 30 characters are allowed",
            "invalid_agent_name: the agent name is empty: give at least one visible character",
            "invalid_description: the description contains a control character: remove it",
            "invalid_color: `red` is not a colour: write # and six hexadecimal digits, such as #1e90ff",
        ]
    );
}

/// Every text that is a title or a name on one line.
fn one_line(text: &str) -> [Result<String, ValueError>; 4] {
    [
        text.parse::<Title>().map(String::from),
        text.parse::<CategoryName>().map(String::from),
        text.parse::<TagName>().map(String::from),
        text.parse::<AgentName>().map(String::from),
    ]
}

#[test]
fn a_text_that_shows_nothing_is_empty() {
    for text in [
        "",
        " \t\n",
        "\u{a0}\u{1680}\u{2003}\u{202f}\u{205f}\u{3000}",
        "\u{200b}",
        "\u{200c}\u{200d}",
        "\u{200e}\u{200f}\u{61c}",
        "\u{202a}\u{202e}\u{202c}",
        "\u{2066}\u{2067}\u{2068}\u{2069}",
        "\u{2060}\u{2063}\u{feff}",
        "\u{ad}",
        "\u{34f}",
        "\u{115f}\u{1160}\u{3164}\u{ffa0}",
        "\u{17b4}\u{180e}",
        "\u{2800}\u{2800}",
        "\u{fe0f}\u{fe00}\u{e0100}",
        "\u{e0067}\u{e0062}\u{e007f}",
        "\u{301}\u{308}",
        "\u{20e3}",
        "\u{93e}\u{94d}",
        "\u{e31}\u{e49}",
        "\u{fff9}\u{fffb}",
        "\u{1d159}",
        "\u{ffff}\u{fdd0}\u{1fffe}",
        " \u{200b} \u{301} \u{3164} ",
    ] {
        for refused in one_line(text) {
            let error = refused.expect_err("nothing to be seen");
            assert!(matches!(error, ValueError::Empty { .. }), "{text:?}: {error}");
        }
    }
}

#[test]
fn a_title_is_on_one_line() {
    for line_break in [
        "\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}",
    ] {
        for refused in one_line(&format!("a{line_break}b")) {
            let error = refused.expect_err("two lines");
            assert!(
                matches!(error, ValueError::LineBreak { .. }),
                "{line_break:?}: {error}"
            );
        }
        for taken in one_line(&format!("{line_break}a{line_break}")) {
            assert_eq!(
                taken.as_deref(),
                Ok("a"),
                "{line_break:?}: white space around it is none of it"
            );
        }
    }
    for control in ["\0", "\u{7}", "\t", "\u{1b}", "\u{7f}", "\u{9b}"] {
        for refused in one_line(&format!("a{control}b")) {
            let error = refused.expect_err("no text");
            assert!(
                matches!(error, ValueError::ControlCharacter { .. }),
                "{control:?}: {error}"
            );
        }
    }
}

#[test]
fn what_a_language_needs_is_kept_as_it_is() {
    for text in [
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "❤\u{fe0f}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}",
        "\u{202a}+49 123\u{202c}",
        "\u{200f}שלום (abc)\u{200f}",
        "\u{2067}שלום\u{2069} abc",
        "e\u{301}",
        "é",
        "Donau\u{ad}dampf",
        "3 \u{d7} 4",
        "ㄱ",
        "ー",
        "!",
        "\u{e000}",
    ] {
        for taken in one_line(text) {
            assert_eq!(taken.as_deref(), Ok(text), "{text:?}");
        }
    }
}

#[test]
fn white_space_around_a_title_is_cut_off_and_spaces_of_no_width_with_it() {
    for text in [
        "\u{a0}a\u{3000}",
        "\u{feff}a",
        "a\u{200b}\u{2028}",
        "\u{200b} a \u{200b}",
    ] {
        for taken in one_line(text) {
            assert_eq!(taken.as_deref(), Ok("a"), "{text:?}");
        }
    }
}

#[test]
fn composing_a_title_does_not_change_how_long_it_may_be() {
    assert!("e\u{301}".repeat(100).parse::<Title>().is_ok());
    assert!("e\u{301}".repeat(101).parse::<Title>().is_err());
    assert!("\u{fdfa}".repeat(200).parse::<Title>().is_ok());
}

#[test]
fn a_text_in_a_line_keeps_its_direction_to_itself() {
    for (text, shown) in [
        ("שלום", "שלום"),
        ("a\u{200f}b", "a\u{200f}b"),
        ("a\u{202e}b", "\u{2068}a\u{202e}b\u{2069}"),
        ("\u{202a}+49\u{202c}", "\u{2068}\u{202a}+49\u{202c}\u{2069}"),
        ("\u{2067}a\u{2069}", "\u{2068}\u{2067}a\u{2069}\u{2069}"),
        ("\u{2067}a", "\u{2068}\u{2067}a\u{2069}\u{2069}"),
        ("a\u{2069}\u{202e}b", "\u{2068}\u{2068}a\u{2069}\u{202e}b\u{2069}"),
        (
            "\u{2069}\u{2066}",
            "\u{2068}\u{2068}\u{2069}\u{2066}\u{2069}\u{2069}",
        ),
    ] {
        assert_eq!(isolated(text), shown, "{text:?}");
    }
}

#[test]
fn names_that_look_the_same_have_one_key() {
    for (one, other) in [
        ("Home", "home"),
        ("Café", "Cafe\u{301}"),
        ("CAFÉ", "café"),
        ("Straße", "STRASSE"),
        ("ΟΔΟΣ", "οδος"),
        ("Ｈｏｍｅ", "home"),
        ("ﾎｰﾑ", "ホーム"),
        ("ho\u{200b}me", "home"),
        ("ho\u{ad}me\u{fe0f}", "home"),
        ("at\u{a0}home", "at  home"),
        ("가", "\u{1100}\u{1161}"),
        ("ǅ", "ǆ"),
    ] {
        assert_eq!(name_key(one), name_key(other), "{one} {other}");
        assert_eq!(name_key(&name_key(one)), name_key(one), "{one}");
    }
    for (one, other) in [
        ("Café", "Cafe"),
        ("home", "homes"),
        ("b-side", "bside"),
        ("ホーム", "ほーむ"),
        ("दान", "दिन"),
        ("ısı", "isi"),
        ("a b", "ab"),
    ] {
        assert_ne!(name_key(one), name_key(other), "{one} {other}");
    }
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
