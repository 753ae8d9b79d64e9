use std::fmt::Debug;
use std::str::FromStr;

use nudge_domain::WordError;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Priority, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn check<T>(words: &[(T, &str)], refusal: &str)
where
    T: Copy + Debug + ToString + PartialEq + FromStr<Err = WordError> + Serialize + DeserializeOwned,
{
    for (value, word) in words {
        assert_eq!(value.to_string(), *word);
        assert_eq!(word.parse::<T>().as_ref(), Ok(value));
        assert_eq!(serde_json::to_value(value).expect("JSON"), *word);
        assert_eq!(serde_json::from_value::<T>((*word).into()).expect("JSON"), *value);
        assert!(word.to_uppercase().parse::<T>().is_err(), "words are lower case");
    }
    let error = "soon".parse::<T>().expect_err("no such word");
    assert_eq!(format!("{}: {error}", error.code()), refusal);
}

#[test]
fn words_are_the_same_as_text_and_as_json_and_others_are_refused() {
    check(
        &[
            (Priority::Low, "low"),
            (Priority::Medium, "medium"),
            (Priority::High, "high"),
            (Priority::Urgent, "urgent"),
        ],
        "invalid_priority: `soon` is not a priority: use low, medium, high or urgent",
    );
    check(
        &[(Status::Pending, "pending"), (Status::Completed, "completed")],
        "invalid_status: `soon` is not a status: use pending or completed",
    );
    check(
        &[
            (ReminderStatus::Scheduled, "scheduled"),
            (ReminderStatus::Sent, "sent"),
            (ReminderStatus::Failed, "failed"),
            (ReminderStatus::Cancelled, "cancelled"),
        ],
        "invalid_reminder_status: `soon` is not a reminder status: use scheduled, sent, failed or cancelled",
    );
    check(
        &[
            (RecurrenceFrom::Due, "due"),
            (RecurrenceFrom::Completion, "completion"),
        ],
        "invalid_recurrence_from: `soon` is not a start to count a recurrence from: use due or completion",
    );
}
