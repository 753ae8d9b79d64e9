//! What one user may do and store, turned off.

/// The variables of `spin.toml` that limit one user, for tests whose users do more than people do.
pub const NONE: [(&str, &str); 10] = [
    ("rate_limit_per_minute", "0"),
    ("emails_per_user_and_day", "0"),
    ("emails_per_recipient_and_day", "0"),
    ("max_requests_in_flight", "0"),
    ("max_open_feeds", "0"),
    ("max_tasks", "0"),
    ("max_tags", "0"),
    ("max_categories", "0"),
    ("max_reminders_per_minute", "0"),
    ("max_kept_response_bytes", "0"),
];
