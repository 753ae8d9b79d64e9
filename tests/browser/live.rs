//! Changes from elsewhere.

use serde_json::json;

use crate::site::{ENTER, QUICK_ADD, Site, live, row};

/// Marks the document: a reload removes the mark.
const MARK: &str = "window.notReloaded = true";

pub(crate) async fn two_windows() {
    let site = Site::start();
    let browser = site.browser().await;
    site.show(&browser, "/all").await;
    browser.run(MARK).await;
    let first = browser.window().await;

    // From another tab of this browser.
    let second = browser.new_tab().await;
    site.show(&browser, "/all").await;
    browser.run(MARK).await;
    browser.type_into(QUICK_ADD, &format!("From a tab{ENTER}")).await;
    browser.switch_to(&first).await;
    browser.until(&row("From a tab")).await;

    // From another browser.
    let other = site.browser().await;
    other
        .type_into(QUICK_ADD, &format!("From a browser tomorrow{ENTER}"))
        .await;
    browser.until(&row("From a browser")).await;

    // From a program: created, changed, deleted.
    let id = site.create(json!({ "title": "From a program" })).await;
    browser.until(&row("From a program")).await;
    site.patch(&id, json!({ "title": "Renamed" })).await;
    browser.until(&row("Renamed")).await;
    browser.switch_to(&second).await;
    for title in ["From a tab", "From a browser", "Renamed"] {
        browser.until(&row(title)).await;
    }
    let call = site.call(http::Method::DELETE, &format!("/api/v1/tasks/{id}"));
    assert!(call.send().await.expect("an answer").status.is_success());
    browser.until(&format!("!{}", row("Renamed"))).await;
    browser.switch_to(&first).await;
    browser.until(&format!("!{}", row("Renamed"))).await;
    for window in [&first, &second] {
        browser.switch_to(window).await;
        live(&browser).await;
        assert_eq!(browser.value("window.notReloaded === true").await, true);
    }
}
