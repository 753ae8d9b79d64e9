//! Steps of a trail in words.

use super::words;
use crate::api::{By, TrailItem};

/// What happened.
pub(super) fn title(item: &TrailItem) -> String {
    match item.kind.as_str() {
        "changed" => [&who(item.by.as_ref()), " ", &changed(item)].concat(),
        "published" => "Event published".to_owned(),
        "unpublished" => "Event waits to be published".to_owned(),
        "reminder_due" => "Reminder was due".to_owned(),
        "leased" => "Reminder picked up".to_owned(),
        "handed_over" => "Handed to the message broker".to_owned(),
        "sent" => "Email accepted by the mail server".to_owned(),
        "failed" => "Email not sent".to_owned(),
        "held_back" => "Email held back".to_owned(),
        "versions_deleted" => "Older steps were deleted".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Whether it says why something is wrong.
pub(super) fn needs_attention(kind: &str) -> bool {
    matches!(kind, "failed" | "held_back" | "unpublished")
}

/// Details of a step.
pub(super) fn more(item: &TrailItem) -> Vec<String> {
    let mut more = Vec::new();
    if let Some(version) = item
        .version
        .filter(|_| matches!(item.kind.as_str(), "changed" | "published"))
    {
        more.push(["version ", &version.to_string()].concat());
    }
    if let Some(late) = item.late_by_seconds {
        more.push(lateness(late));
    }
    more
}

fn who(by: Option<&By>) -> String {
    let Some(by) = by else {
        return "Someone".to_owned();
    };
    match (by.kind.as_str(), &by.name) {
        ("user", _) => "You".to_owned(),
        ("agent", Some(name)) => name.clone(),
        ("agent", None) => "An agent".to_owned(),
        ("nudge", _) => "Nudge".to_owned(),
        ("link", _) => "You, by a link in an email,".to_owned(),
        ("import", _) => "The import".to_owned(),
        _ => "Someone".to_owned(),
    }
}

fn changed(item: &TrailItem) -> String {
    match item.change.as_deref() {
        Some("created") => "created it".to_owned(),
        Some("completed") => "completed it".to_owned(),
        Some("reopened") => "reopened it".to_owned(),
        Some("deleted") => "deleted it".to_owned(),
        _ if item.changed.is_empty() => "changed it".to_owned(),
        _ => {
            let names: Vec<String> = item
                .changed
                .iter()
                .map(|field| words::field_name(field).to_lowercase())
                .collect();
            ["changed ", &names.join(", ")].concat()
        }
    }
}

/// `0.2 s late`, `3 min late`, `on time`
fn lateness(seconds: f64) -> String {
    let tenths = (seconds * 10.0) as i64;
    match tenths {
        ..=0 => "on time".to_owned(),
        1..=599 => [
            &(tenths / 10).to_string(),
            ".",
            &(tenths % 10).to_string(),
            " s after the due second",
        ]
        .concat(),
        600..=35_999 => [&(tenths / 600).to_string(), " min late"].concat(),
        _ => [&(tenths / 36_000).to_string(), " h late"].concat(),
    }
}
