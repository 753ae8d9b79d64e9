use nudge_domain::Zone;

use crate::given::zone;

#[test]
fn takes_a_name_in_any_case_and_keeps_the_databases_spelling() {
    for (given, kept) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("AMERICA/NEW_YORK", "America/New_York"),
        ("utc", "UTC"),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ] {
        assert_eq!(zone(given).name(), kept);
    }
}

#[test]
fn refuses_what_does_not_say_when_clocks_change() {
    for text in [
        "",
        " ",
        "CET+1",
        "CET-1CEST",
        "EST5EDT,M3.2.0,M11.1.0",
        "+01:00",
        "-05",
        "Z",
        "Etc/Unknown",
        "Europe/Atlantis",
        "../../etc/passwd",
        "Europe/Berlin ",
        "Europe/Berlin\0",
    ] {
        let error = text.parse::<Zone>().expect_err(text);
        assert_eq!(error.code(), "invalid_time_zone", "{text}");
        assert!(error.to_string().contains("IANA name"), "{error}");
    }
}

#[test]
fn is_its_name_in_json() {
    let zone: Zone = serde_json::from_str(r#""europe/berlin""#).expect("a zone");
    assert_eq!(serde_json::to_string(&zone).expect("JSON"), r#""Europe/Berlin""#);
    assert!(serde_json::from_str::<Zone>(r#""Mars/Olympus""#).is_err());
}

#[test]
fn utc_is_the_zone_of_that_name() {
    assert_eq!(Zone::utc(), zone("UTC"));
}
