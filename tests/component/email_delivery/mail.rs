//! What the mail says, and to whom.

use expect_test::{expect, expect_file};
use serde_json::{Value, json};

use super::{DELIVERIES, answer, asked, decide, deliver, field, send_to, start};
use crate::sample::{REMINDER, reminder_due, task};
use crate::support::{Service, Setup};

/// The HTML of the last mail.
fn html(email: &Service) -> String {
    let mail = email.dapr.binding_calls().pop().expect("a mail");
    serde_json::from_str(&mail.data).expect("the binding takes a JSON text")
}

#[tokio::test]
async fn the_email_looks_like_this() {
    let email = start().await;
    let mut nasty = task();
    nasty["title"] = json!("Pay <rent> & \"more\"");
    nasty["description"] = json!("first line\n\n  second <b>line</b>\r\n<script>alert('x')</script>");
    decide(&email, send_to("alice@example.com", &nasty));
    // The event knows the task as it was; the mail shows it as it is.
    assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
    let html = html(&email);
    assert!(
        !html.contains("<rent>") && !html.contains("<b>") && !html.contains("<script>"),
        "{html}"
    );
    expect_file!["../../golden/emails/reminder.html"].assert_eq(&html);
}

/// Dapr's binding sends HTML alone, so a reader without HTML sees its source or removes the tags.
#[tokio::test]
async fn without_its_markup_the_email_is_one_statement_per_line_in_reading_order() {
    let email = start().await;
    let mut task = task();
    task["title"] = json!("Pay <rent> & \"more\"");
    task["description"] = json!("first line\n\n  - second <b>line</b>");
    decide(&email, send_to("alice@example.com", &task));
    assert_eq!(deliver(&email, &reminder_due(&task, 0)).await, "SUCCESS");
    expect![[r#"
        Pay <rent> & "more"
        Due Saturday, 21 November 2026 at 14:30 (Europe/Berlin)
        1 hour 30 minutes left
        Priority: high
        first line
          - second <b>line</b>
        You get this email because you set a reminder in Nudge.
        Stop these emails: https://nudge.example/email/stop/x"#]]
    .assert_eq(&nudge::html_to_text(&html(&email)));
}

#[tokio::test]
async fn every_email_sets_every_field_and_no_other() {
    let email = start().await;
    for (priority, x_priority) in [("urgent", "1"), ("high", "2"), ("medium", "3"), ("low", "4")] {
        let mut task = task();
        task["priority"] = json!(priority);
        task["title"] = json!("Pay <rent> & \"more\"");
        task["reminders"][0]["remindAt"] = json!(format!("2026-11-21T13:3{x_priority}:00+01:00"));
        decide(&email, send_to("alice@example.com", &task));
        deliver(&email, &reminder_due(&task, 0)).await;
        let mail = email.dapr.binding_calls().pop().expect("a mail");
        assert_eq!(
            (mail.binding.as_str(), mail.operation.as_str()),
            ("smtp", "create")
        );
        // The binding keeps what a mail leaves out for the next one, and Cc and Bcc could not be taken back.
        let mut names: Vec<&str> = mail.metadata.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["emailFrom", "emailTo", "priority", "subject"]);
        assert_eq!(field(&mail, "emailFrom"), "nudge@example.com");
        assert_eq!(field(&mail, "emailTo"), "alice@example.com");
        assert_eq!(field(&mail, "priority"), x_priority);
        assert_eq!(
            field(&mail, "subject"),
            "Reminder: Pay <rent> & \"more\"",
            "a subject is plain text"
        );
    }
    assert_eq!(email.dapr.binding_calls().len(), 4);
}

#[tokio::test]
async fn a_subject_that_readers_would_change_is_given_to_the_binding_in_ascii() {
    let email = start().await;
    let mut task = task();
    for (number, title, subject) in [
        (
            1,
            "=?UTF-8?B?SGVsbG8=?= world",
            "=?UTF-8?B?UmVtaW5kZXI6ID0/VVRGLTg/Qj9TR1ZzYkc4PT89IHdvcmxk?=",
        ),
        (2, "two  spaces", "=?UTF-8?Q?Reminder:_two__spaces?="),
        (
            3,
            "Milch für Jürgen",
            "=?UTF-8?Q?Reminder:_Milch_f=C3=BCr_J=C3=BCrgen?=",
        ),
        (4, "שלום", "=?UTF-8?B?UmVtaW5kZXI6INep15zXlded?="),
    ] {
        task["title"] = json!(title);
        task["reminders"][0]["remindAt"] = json!(format!("2026-11-21T13:3{number}:00+01:00"));
        decide(&email, send_to("alice@example.com", &task));
        deliver(&email, &reminder_due(&task, 0)).await;
        let mail = email.dapr.binding_calls().pop().expect("a mail");
        assert_eq!(field(&mail, "subject"), subject);
        assert!(
            html(&email).contains(&format!(">{title}</h1>")),
            "the body has it as it is"
        );
    }
}

#[tokio::test]
async fn an_international_domain_is_sent_in_ascii() {
    let email = start().await;
    decide(&email, send_to("user@bücher.example", &task()));
    deliver(&email, &reminder_due(&task(), 0)).await;
    let mail = email.dapr.binding_calls().pop().expect("a mail");
    assert_eq!(field(&mail, "emailTo"), "user@xn--bcher-kva.example");
}

#[tokio::test]
async fn emails_of_two_users_do_not_mix() {
    let email = start().await;
    answer(&email, |reminder| {
        let (address, title) = if reminder["reminderId"] == REMINDER {
            ("alice@example.com", "of alice")
        } else {
            ("bob@example.com", "of bob")
        };
        let mut task = task();
        task["title"] = json!(title);
        send_to(address, &task)
    });
    let (alice, bob) = (reminder_due(&task(), 0), reminder_due(&task(), 1));
    // At the same time, one of them may have to wait for another delivery.
    for _ in 0..2 {
        tokio::join!(deliver(&email, &alice), deliver(&email, &bob));
    }
    let mut emails: Vec<(String, String, bool)> = email
        .dapr
        .binding_calls()
        .iter()
        .map(|mail| {
            let (to, subject) = (
                field(mail, "emailTo").to_owned(),
                field(mail, "subject").to_owned(),
            );
            let own = mail.data.contains(subject.trim_start_matches("Reminder: "));
            (to, subject, own)
        })
        .collect();
    emails.sort();
    assert_eq!(
        emails,
        [
            (
                "alice@example.com".to_owned(),
                "Reminder: of alice".to_owned(),
                true
            ),
            ("bob@example.com".to_owned(), "Reminder: of bob".to_owned(), true),
        ]
    );
}

#[tokio::test]
async fn the_api_is_asked_about_the_instant_of_the_event() {
    let email = start().await;
    deliver(&email, &reminder_due(&task(), 0)).await;
    let about = json!({ "reminderId": REMINDER, "remindAt": "2026-11-21T13:30:00+01:00" });
    assert_eq!(asked(&email, DELIVERIES), [[about]]);
}

#[tokio::test]
async fn without_a_sender_no_email_is_sent_and_the_reminder_waits() {
    let email = Setup::new("email-delivery")
        .variable("mail_from", "")
        .start()
        .await;
    decide(&email, send_to("alice@example.com", &task()));
    assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
    assert!(email.dapr.binding_calls().is_empty());
    assert!(email.dapr.published("reminder-outcomes").is_empty());
}

#[tokio::test]
async fn a_task_without_due_and_description_makes_a_short_mail() {
    let email = start().await;
    let mut bare = task();
    bare["due"] = Value::Null;
    bare["description"] = Value::Null;
    decide(&email, send_to("alice@example.com", &bare));
    deliver(&email, &reminder_due(&bare, 1)).await;
    let html = html(&email);
    assert!(
        html.contains("Pay the rent") && !html.contains("Due") && !html.contains("Smith"),
        "{html}"
    );
}
