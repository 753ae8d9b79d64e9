//! Edits without a network, and edits that meet others.

use serde_json::json;

use crate::site::{ENTER, QUICK_ADD, Site, live, ring, row};
use crate::webdriver::Browser;

const WAITING: &str = "document.querySelector('.live[data-state=offline]')?.innerText";

async fn go_offline(browser: &Browser) {
    browser.set_offline(true).await;
    browser.until(&format!("{WAITING} === 'Offline'")).await;
}

pub(crate) async fn edits_are_kept() {
    let site = Site::start();
    site.create(json!({ "title": "Water the plants" })).await;
    let browser = site.browser().await;
    site.show(&browser, "/all").await;
    browser.until(&row("Water the plants")).await;
    go_offline(&browser).await;
    browser.type_into(QUICK_ADD, &format!("Buy milk{ENTER}")).await;
    browser.until(&row("Buy milk")).await;
    browser.click(&ring("Water the plants")).await;
    browser.until(&format!("!{}", row("Water the plants"))).await;
    browser
        .until(&format!("{WAITING} === 'Offline · 2 to send'"))
        .await;
    assert!(
        browser
            .element(".banner")
            .await
            .contains("2 changes are kept on this device")
    );
    assert!(site.titled("Buy milk").await.is_empty());

    // The page is left and loaded again: the edits are on the device.
    browser.open("about:blank").await;
    browser.set_offline(false).await;
    site.show(&browser, "/all").await;
    browser.until(&row("Buy milk")).await;
    site.until("Buy milk", |_| true).await;
    site.until("Water the plants", |task| task["status"] == "completed")
        .await;
    browser.until(&format!("!{}", row("Water the plants"))).await;

    // Without a reload, too.
    go_offline(&browser).await;
    browser.type_into(QUICK_ADD, &format!("Buy bread{ENTER}")).await;
    browser.until(&row("Buy bread")).await;
    browser.set_offline(false).await;
    live(&browser).await;
    site.until("Buy bread", |_| true).await;
    for title in ["Buy milk", "Buy bread"] {
        assert_eq!(site.titled(title).await.len(), 1, "{title} is sent once");
        let rows = format!(
            "[...document.querySelectorAll('.row-title')].filter((title) => title.textContent === '{title}').length"
        );
        assert_eq!(browser.value(&rows).await, 1);
    }
    assert_eq!(
        browser
            .value("Object.keys(localStorage).filter((key) => key.includes('/edit/')).length")
            .await,
        0,
        "nothing is left to send"
    );
}

/// Two people's edits of a task with the panel: title and priority here, title and notes elsewhere.
async fn in_conflict(site: &Site) -> (Browser, String) {
    let id = site
        .create(json!({ "title": "Plan", "description": "Draft" }))
        .await;
    let (here, elsewhere) = (site.browser().await, site.browser().await);
    let panel = format!("/all?task={id}");
    for browser in [&here, &elsewhere] {
        site.show(browser, &panel).await;
        browser.until("document.querySelector('.panel textarea')").await;
    }
    go_offline(&here).await;
    here.type_into(".panel [aria-label=Title]", &format!(" of mine{ENTER}"))
        .await;
    here.until(&format!("{WAITING} === 'Offline · 1 to send'")).await;
    elsewhere
        .type_into(".panel [aria-label=Title]", &format!(" of theirs{ENTER}"))
        .await;
    site.until("Plan of theirs", |_| true).await;
    here.set_offline(false).await;
    here.until("document.querySelector('.panel .conflict')").await;
    (here, id)
}

/// What the conflict shows.
async fn versions(browser: &Browser) -> serde_json::Value {
    browser
        .value("[...document.querySelectorAll('.conflict-row')].map((row) => [row.querySelector('.name').innerText, ...[...row.querySelectorAll('.version span:last-child')].map((text) => text.innerText)])")
        .await
}

pub(crate) async fn conflict() {
    let site = Site::start();
    let (browser, id) = in_conflict(&site).await;
    assert_eq!(
        versions(&browser).await,
        json!([["Title", "Plan of mine", "Plan of theirs"]])
    );
    assert_eq!(
        site.titled("Plan of theirs").await.len(),
        1,
        "nothing is decided yet"
    );
    browser.click(".conflict .btn.primary").await;
    site.until("Plan of mine", |_| true).await;
    browser.until("!document.querySelector('.conflict')").await;
    live(&browser).await;
    browser.until(&row("Plan of mine")).await;
    let task = site.get(&format!("/api/v1/tasks/{id}")).await;
    assert_eq!(task["description"], "Draft");
}

pub(crate) async fn conflict_given_up() {
    let site = Site::start();
    let (browser, _) = in_conflict(&site).await;
    browser.click(".version:not([aria-checked=true])").await;
    browser.click(".conflict .btn.primary").await;
    browser.until("!document.querySelector('.conflict')").await;
    live(&browser).await;
    browser.until(&row("Plan of theirs")).await;
    assert_eq!(site.titled("Plan of theirs").await.len(), 1);
    assert!(site.titled("Plan of mine").await.is_empty());
}
