//! A task in one line.

use serde_json::json;

use crate::site::{ENTER, QUICK_ADD, Site, row};

const LINE: &str = "Pay rent every month on the 1st 9am !high #home remind 30m before";

pub(crate) async fn one_line() {
    let site = Site::start();
    let browser = site.browser().await;
    browser.type_into(QUICK_ADD, LINE).await;

    // How it is understood, while it is typed.
    browser
        .until("document.querySelector('.quick-chips [data-kind=reminder]')")
        .await;
    let chips = browser
        .value("[...document.querySelectorAll('.quick-chips .chip')].map((chip) => [chip.dataset.kind, chip.querySelector('bdi').innerText])")
        .await;
    let due = chips[0][1].as_str().expect("the due date").to_owned();
    assert!(due.contains('9') && due.contains('1'), "{due}");
    assert_eq!(
        chips,
        json!([
            ["due", due],
            ["recurrence", "every month on the 1st"],
            ["priority", "High"],
            ["tag", "home"],
            ["reminder", "30 minutes before"]
        ])
    );
    assert_eq!(browser.element(".quick-title").await, "Pay rent");
    assert_eq!(
        browser
            .value("document.querySelectorAll('.quick-next span').length")
            .await,
        4,
        "three dates and what they are"
    );
    assert!(
        site.get("/api/v1/tags").await["items"]
            .as_array()
            .expect("a list")
            .is_empty(),
        "a preview creates nothing"
    );

    browser.type_into(QUICK_ADD, ENTER).await;
    browser
        .until("document.querySelector('#quick-add').value === ''")
        .await;
    let task = site.until("Pay rent", |_| true).await;
    assert!(
        task["due"].as_str().expect("a due date").contains("-01T09:00"),
        "{task:#}"
    );
    assert!(
        task["recurrence"]
            .as_str()
            .expect("a rule")
            .contains("FREQ=MONTHLY"),
        "{task:#}"
    );
    assert_eq!(task["priority"], "high");
    assert_eq!(task["reminders"][0]["minutesBefore"], 30);
    let tags = site.get("/api/v1/tags").await;
    assert_eq!(tags["items"][0]["name"], "home");
    assert_eq!(task["tagIds"], json!([tags["items"][0]["id"]]));

    site.show(&browser, "/upcoming").await;
    browser.until(&row("Pay rent")).await;
    assert_eq!(
        browser
            .value(
                "[...document.querySelectorAll('.side-item bdi')].some((item) => item.innerText === 'home')"
            )
            .await,
        true,
        "the new tag is on the side"
    );
}

pub(crate) async fn question() {
    let site = Site::start();
    let browser = site.browser().await;
    browser.type_into(QUICK_ADD, "Call Ann 03/04").await;
    assert!(!browser.element(".quick-ask p").await.is_empty());
    browser.type_into(QUICK_ADD, ENTER).await;
    browser.click(".quick-ask .btn").await;
    browser
        .until(
            "!document.querySelector('.quick-ask') && document.querySelector('.quick-chips [data-kind=due]')",
        )
        .await;
    assert!(site.titled("Call Ann").await.is_empty(), "nothing is guessed");
    browser.type_into(QUICK_ADD, ENTER).await;
    let task = site.until("Call Ann", |_| true).await;
    assert!(task["due"].is_string(), "{task:#}");
}
