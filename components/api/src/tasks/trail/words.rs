//! What the trail says in words: why something waits or failed, and what its user can do.

use nudge_contract::api::HeldBack;

pub(super) const UNPUBLISHED: &str = "Its event is not published yet: the message broker does not accept it. Nudge tries again every 15 seconds, and \
     nothing is lost; if this goes on, tell the operator.";

pub(super) const NOT_LEASED: &str = "It waits for its turn: Nudge looks for due reminders every 30 seconds. If this goes on, tell the operator.";

pub(super) const QUIET_HOURS: &str = "You have quiet hours: the email is sent when they end. To get it at once, change the quiet hours in your settings.";

/// That old versions of a task were deleted.
pub(super) fn deleted(last: u32) -> String {
    format!("Versions 1 to {last} were deleted: only the newest versions of a task are kept.")
}

/// How many attempts it took, if more than one.
pub(super) fn sent(attempts_before: u32) -> Option<String> {
    (attempts_before > 0).then(|| format!("The mail server accepted it at attempt {}.", attempts_before + 1))
}

/// Why a reminder failed, and the way out. Some reasons name one of their own.
pub(super) fn failed(reason: &str) -> String {
    let mut words = sentence(reason);
    if !reason.contains("PATCH /api/v1/me") {
        words.push_str(if reason.contains("for a day") {
            " Check that the address in your settings is right, and tell the operator if it is."
        } else if reason.contains("the limit") {
            ""
        } else {
            " Set an address that can receive email in your settings (PATCH /api/v1/me)."
        });
    }
    words.push_str(" Then set the reminder again, or snooze it: this one is not tried any more.");
    words
}

/// Why a reminder was given back. Nudge tries again by itself, so mostly there is nothing to do.
pub(super) fn held_back(why: HeldBack) -> &'static str {
    match why {
        HeldBack::MailServerAway => {
            "The mail server cannot be reached, or does not let Nudge in. Nudge tries again until it is back; if this goes on, tell the operator."
        }
        HeldBack::SlowRecipient => {
            "The mail server took too long for an email to you, so your emails rest for a while. Nudge tries again for a day; \
             if this goes on, check the address in your settings."
        }
        HeldBack::RefusedForNow => {
            "The mail server did not accept the email for now. Nudge tries again for a day; if this goes on, check the address in your settings."
        }
        HeldBack::Queued => "Other emails were sent first. Nudge tries again at once.",
        HeldBack::BrokerRefused => {
            "The message broker did not accept it. Nudge tries again in a few seconds; if this goes on, tell the operator."
        }
        HeldBack::Other => "It could not be sent for now. Nudge tries again.",
    }
}

/// Words as a sentence.
fn sentence(words: &str) -> String {
    let mut characters = words.trim().trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => "The reason is not known.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_sentence_with_a_way_out_and_only_one() {
        for (reason, way_out) in [
            ("the mail server refused it with 550", "Set an address that can"),
            ("the email could not be sent for a day", "tell the operator"),
            (
                "set another one with PATCH /api/v1/me",
                "Then set the reminder again",
            ),
            ("", "Set an address that can"),
        ] {
            let words = failed(reason);
            assert!(words.contains(way_out), "{words}");
            assert!(words.starts_with(char::is_uppercase), "{words}");
            assert!(words.matches("PATCH /api/v1/me").count() <= 1, "{words}");
        }
    }
}
