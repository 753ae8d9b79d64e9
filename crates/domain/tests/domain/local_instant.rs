use jiff::Timestamp;
use jiff::tz::Offset;
use nudge_domain::{Due, LocalInstant, Zone};

#[test]
fn what_was_written_is_read_and_written_again_without_a_change() {
    for text in [
        "2026-12-01T09:00:00+01:00",
        "2026-12-01T09:00:00+00:00",
        "2026-12-01T08:00:00Z",
        "2026-12-01T08:00:00.125Z",
        "2026-12-01T03:15:00.5-04:45",
        "1969-12-31T23:59:59Z",
    ] {
        let instant: LocalInstant = text.parse().expect(text);
        assert_eq!(instant.to_string(), text);
        let json = serde_json::to_string(&instant).expect("JSON");
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<LocalInstant>(&json).ok(), Some(instant));
        assert_eq!(Some(instant.at()), text.parse().ok());
    }
}

#[test]
fn a_due_date_is_written_alike_as_one() {
    for (zone, at) in [
        ("Europe/Berlin", "2026-12-01T08:00:00Z"),
        ("America/St_Johns", "2026-07-01T08:00:00Z"),
        ("UTC", "2026-12-01T08:00:00Z"),
        // Its offset was -00:44:30 then.
        ("Africa/Monrovia", "1971-06-01T08:00:00Z"),
    ] {
        let zone: Zone = zone.parse().expect(zone);
        let due = Due::new(at.parse().expect(at), zone).expect(at);
        let instant = LocalInstant::from(&due);
        assert_eq!(instant.to_string(), due.to_string());
        assert_eq!(due.to_string().parse::<LocalInstant>().ok(), Some(instant));
        assert_eq!(instant.at(), due.at());
    }
}

#[test]
fn an_offset_with_seconds_is_written_in_utc() {
    let at: Timestamp = "1971-06-01T08:00:00Z".parse().expect("an instant");
    let offset = Offset::from_seconds(-2_670).expect("an offset");
    assert_eq!(LocalInstant::new(at, offset), at.into());
    assert_eq!(LocalInstant::new(at, offset).to_string(), "1971-06-01T08:00:00Z");
}

#[test]
fn the_same_instant_with_another_offset_is_not_equal_but_at_the_same_time() {
    let [berlin, utc] = ["2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z"]
        .map(|text| text.parse::<LocalInstant>().expect(text));
    assert_ne!(berlin, utc);
    assert_eq!(berlin.at(), utc.at());
}

#[test]
fn refuses_text_that_is_not_an_instant() {
    for text in [
        "",
        "soon",
        "2026-12-01",
        "2026-12-01T09:00:00",
        "2026-13-01T09:00:00Z",
    ] {
        let error = text.parse::<LocalInstant>().expect_err(text);
        assert_eq!(error.code(), "invalid_instant");
        assert!(
            error
                .to_string()
                .starts_with(&format!("`{text}` is not a timestamp")),
            "{error}"
        );
        assert!(
            serde_json::from_value::<LocalInstant>(text.into()).is_err(),
            "{text}"
        );
    }
    let long = "x".repeat(10_000);
    let error = long.parse::<LocalInstant>().expect_err("it is no date");
    assert!(error.to_string().len() < 300, "quotes only the beginning");
}
