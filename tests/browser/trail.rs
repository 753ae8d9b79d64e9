//! What happened to a task, on the page.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::site::Site;

pub(crate) async fn of_a_sent_reminder() {
    let site = Site::start();
    let browser = site.browser().await;
    // Its reminder is due when the task arrives.
    let due = Timestamp::now() + SignedDuration::from_secs(60);
    let due = Timestamp::from_second(due.as_second()).expect("an instant");
    let id = site
        .create(json!({ "title": "Call the dentist", "due": due.to_string(), "reminders": [{ "minutesBefore": 1 }] }))
        .await;
    site.show(&browser, &format!("/all?task={id}")).await;
    // Without a reload.
    browser
        .until("document.querySelector('.trail-item[data-kind=sent]')")
        .await;
    browser
        .until("document.querySelectorAll('.trail-item[data-kind=published]').length === 2")
        .await;
    let kinds = browser
        .value("[...document.querySelectorAll('.trail-item')].map((item) => item.dataset.kind).sort()")
        .await;
    assert_eq!(
        kinds,
        json!([
            "changed",
            "changed",
            "handed_over",
            "leased",
            "published",
            "published",
            "reminder_due",
            "sent"
        ])
    );
    // Each step has a time and a title; the trace leads through the delivery.
    let complete = browser
        .value("[...document.querySelectorAll('.trail-item')].every((item) => item.firstElementChild.innerText && /\\d:\\d\\d/.test(item.querySelector('time').innerText))")
        .await;
    assert_eq!(complete, true);
    let traces = browser
        .value("[...document.querySelectorAll('.trail-item')].filter((item) => ['leased', 'handed_over', 'sent'].includes(item.dataset.kind)).map((item) => item.querySelector('[aria-label^=\"Copy the trace id\"]').title)")
        .await;
    let traces = traces.as_array().expect("a list");
    assert_eq!(traces.len(), 3);
    assert!(traces.iter().all(|trace| *trace == traces[0]), "{traces:?}");
    let reminder = browser.element(".panel .line").await;
    assert!(reminder.to_lowercase().contains("sent"), "{reminder}");
}
