//! An agent, from its creation to its end, on the page and over MCP.

use http::{Method, StatusCode};
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};

use crate::site::{ENTER, Site, row};

async fn add_task(site: &Site, token: &str, title: &str) -> Answer {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "add_task", "arguments": { "title": title } }
    });
    Call::new(site.program.address, Method::POST, "/mcp")
        .bearer(token)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .json(&message)
        .send()
        .await
        .expect("an answer")
}

fn result(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    let value = answer.json().expect("JSON");
    assert_ne!(value["result"]["isError"], true, "{value:#}");
    value["result"].clone()
}

pub(crate) async fn life() {
    let site = Site::start();
    let browser = site.browser().await;
    site.show(&browser, "/settings/agents").await;
    browser
        .type_into("#agent-name", &format!("Desk robot{ENTER}"))
        .await;
    let token = browser.element(".secret .copy code").await;
    assert!(token.starts_with("nudge_"), "{token}");
    let configuration = browser.element(".secret .code pre").await;
    assert!(
        configuration.contains(&token) && configuration.contains(&site.url("/mcp")),
        "{configuration}"
    );

    // It works over MCP, and what it adds appears.
    site.show(&browser, "/all").await;
    result(&add_task(&site, &token, "From the robot").await);
    browser.until(&row("From the robot")).await;
    let task = site.until("From the robot", |_| true).await;
    let id = task["id"].as_str().expect("an id");

    // The trail names it.
    site.show(&browser, &format!("/all?task={id}")).await;
    let step = browser.element(".trail-item[data-kind=changed]").await;
    assert!(step.contains("Desk robot"), "{step}");

    // The token is not shown again, its last use is.
    site.show(&browser, "/settings/agents").await;
    let line = browser.element(".table tbody tr").await;
    assert!(
        line.contains("Desk robot") && line.contains("Read and write"),
        "{line}"
    );
    let used = browser.element(".table [data-name='Last used']").await;
    assert!(used.contains("today"), "{used}");
    assert_eq!(
        browser
            .value(&format!("document.body.innerText.includes({})", json!(token)))
            .await,
        false
    );

    // Revoked on the page, it is refused.
    browser.click(".table .link-btn.danger").await;
    browser.click("dialog[open] .btn.primary.danger").await;
    browser
        .until("document.querySelector('.toast .text')?.innerText.includes('is revoked')")
        .await;
    browser.until("!document.querySelector('.table tbody tr')").await;
    let mut answer = add_task(&site, &token, "Too late").await;
    // At most ten seconds later.
    for _ in 0..100 {
        if answer.status == StatusCode::UNAUTHORIZED {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = add_task(&site, &token, "Too late").await;
    }
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.header("www-authenticate").starts_with("Bearer"),
        "{:?}",
        answer.headers
    );
}
