//! Addresses are personal data: no log line has one.

use nudge_test_kit::dapr::{Function, failed};

use super::{deliver, start};
use crate::host_log;
use crate::sample::{reminder_due, task};

#[tokio::test]
async fn an_address_in_an_error_of_the_binding_is_not_logged() {
    for reply in [
        "gomail: invalid address \"alice@example.com\": mail: no angle-addr",
        "450 4.2.0 <alice@example.com>: Recipient address rejected: greylisted",
        "451 4.3.0 alice@example.com is not known now",
        "535 5.7.8 the login of alice@example.com failed",
    ] {
        let email = start().await;
        email.dapr.fail_next(
            Function::Binding,
            failed(&format!(
                "error invoking output binding smtp: error from smtp binding, sending email failed: gomail: could not send email 1: {reply}"
            )),
        );
        host_log::record_guests();
        deliver(&email, &reminder_due(&task(), 0)).await;
        let lines = host_log::take_guests();
        assert!(lines.iter().all(|line| !line.contains("alice")), "{lines:#?}");
        // What an operator needs is there.
        let domain = lines.iter().any(|line| line.contains("***@example.com"));
        assert!(
            domain || reply.starts_with("gomail: invalid"),
            "{reply}: {lines:#?}"
        );
    }
}
