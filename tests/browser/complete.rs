//! Completing, and taking it back.

use serde_json::json;

use crate::site::{Site, live, ring, row};

const UNDO: &str = ".toast button:not(.close)";

pub(crate) async fn and_undo() {
    let site = Site::start();
    site.create(json!({ "title": "Water the plants" })).await;
    let browser = site.browser().await;
    site.show(&browser, "/all").await;

    browser.click(&ring("Water the plants")).await;
    assert!(
        browser
            .element(".toast .text")
            .await
            .contains("Completed: Water the plants")
    );
    browser.until(&format!("!{}", row("Water the plants"))).await;
    browser.click(UNDO).await;
    browser.until(&row("Water the plants")).await;
    live(&browser).await;
    assert_eq!(site.titled("Water the plants").await[0]["status"], "pending");

    // Without an undo it is sent.
    browser.click(&ring("Water the plants")).await;
    site.until("Water the plants", |task| task["status"] == "completed")
        .await;
    site.show(&browser, "/completed").await;
    browser.until(&row("Water the plants")).await;

    // And reopened.
    browser.click(&ring("Water the plants")).await;
    site.until("Water the plants", |task| task["status"] == "pending")
        .await;
    site.show(&browser, "/all").await;
    browser.until(&row("Water the plants")).await;
}

pub(crate) async fn recurring() {
    let site = Site::start();
    site.create(json!({ "title": "Stand-up", "due": "2031-03-03T09:30", "recurrence": "every day" }))
        .await;
    let browser = site.browser().await;
    site.show(&browser, "/all").await;
    let date = "[...document.querySelectorAll('.row:not(.done) time')].map((time) => time.getAttribute('datetime').slice(0, 16)).join()";
    assert_eq!(
        browser.until(&format!("{date} || null")).await,
        "2031-03-03T09:30"
    );
    browser.click(&ring("Stand-up")).await;
    browser.until(&format!("{date} === '2031-03-04T09:30'")).await;
    let next = site.until("Stand-up", |task| task["status"] != "completed").await;
    assert_ne!(next["due"], "2031-03-03T09:30:00Z", "{next:#}");
}
