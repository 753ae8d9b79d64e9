use nudge_domain::id::{TaskId, UserId};
use uuid::Uuid;

#[test]
fn an_id_is_its_uuid_as_text_and_as_json() {
    let text = "0192d4c1-7f00-7000-8000-000000000001";
    let id: TaskId = text.parse().expect("a task id");
    assert_eq!(id.to_string(), text);
    assert_eq!(serde_json::to_string(&id).expect("JSON"), format!("\"{text}\""));
    assert_eq!(TaskId::from(*id.as_uuid()), id);
    assert_eq!(Uuid::from(id).to_string(), text);
}

#[test]
fn refuses_an_invalid_uuid_and_says_which_id_is_expected() {
    for text in [
        "",
        "1",
        "0192d4c1-7f00-7000-8000-00000000000g",
        &"x".repeat(10_000),
    ] {
        let error = text.parse::<TaskId>().expect_err("no UUID");
        assert_eq!(error.code(), "invalid_id");
        assert!(error.to_string().contains("task id"), "{error}");
        assert!(error.to_string().len() < 300, "quotes only the beginning");
    }
}

#[test]
fn a_user_id_has_1_to_128_characters_and_no_control_characters() {
    for text in ["a", "auth0|5f7c8ec7", "ü", &"ü".repeat(128)] {
        assert_eq!(text.parse::<UserId>().expect(text).as_str(), text);
    }
    for text in ["", "a\nb", "\u{0}", &"a".repeat(129)] {
        let error = text.parse::<UserId>().expect_err("not a user id");
        assert_eq!(error.code(), "invalid_user_id");
    }
    assert!(
        serde_json::from_str::<UserId>(r#""""#).is_err(),
        "reading JSON checks too"
    );
}
