//! Every kind of failure of the API: the page says it in words, and loses no input.

use serde_json::{Value, json};

use crate::site::{ENTER, QUICK_ADD, Site, live, row};
use crate::webdriver::Browser;

/// Answers requests in place of the API: as many as `left` says of this method whose path matches.
const WRAP: &str = r"
window.realFetch ??= window.fetch;
window.fetch = (url, init = {}) => {
  const fault = window.fault;
  if (!fault || fault.left === 0 || (init.method ?? 'GET') !== fault.method || !new RegExp(fault.path).test(url))
    return window.realFetch(url, init);
  fault.left -= 1;
  if (fault.status === 0) return Promise.reject(new TypeError('Failed to fetch'));
  return Promise.resolve(new Response(fault.body, { status: fault.status, headers: fault.headers }));
};
";

/// A number could be read as a time.
const LETTERS: [char; 8] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

#[derive(Clone)]
struct Fault {
    /// 0: no answer.
    status: u16,
    body: String,
    headers: Value,
}

impl Fault {
    fn problem(status: u16, code: &str, detail: &str, errors: Value) -> Self {
        let body =
            json!({ "status": status, "title": "Refused", "detail": detail, "code": code, "errors": errors });
        Self {
            status,
            body: body.to_string(),
            headers: json!({ "content-type": "application/problem+json" }),
        }
    }

    fn field(name: &str) -> Self {
        let errors = json!([{ "field": name, "code": "invalid", "message": "must be something else" }]);
        Self::problem(400, "invalid_request", "the request is not valid", errors)
    }

    fn plain(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.to_owned(),
            headers: json!({}),
        }
    }

    fn conflict() -> Self {
        Self::problem(
            409,
            "quota_exceeded",
            "you have as many as you may have: delete some",
            json!([]),
        )
    }

    fn stale() -> Self {
        Self::problem(
            412,
            "version_mismatch",
            "the version is not the current one",
            json!([]),
        )
    }

    fn too_many() -> Self {
        let headers = json!({ "content-type": "application/problem+json", "retry-after": "1" });
        Self {
            headers,
            ..Self::problem(429, "rate_limited", "too many requests", json!([]))
        }
    }

    /// Faults that pass.
    fn passing() -> [Self; 5] {
        [
            Self::too_many(),
            Self::plain(500, "panicked at src/lib.rs"),
            Self::plain(503, ""),
            Self::plain(201, "{\"id\":"),
            Self::plain(0, ""),
        ]
    }

    /// Puts it before so many requests; without a number before all.
    async fn inject(&self, browser: &Browser, method: &str, path: &str, times: Option<u32>) {
        let fault = json!({
            "method": method, "path": path, "left": times.map_or(-1, i64::from),
            "status": self.status, "body": self.body, "headers": self.headers
        });
        browser.run(&format!("{WRAP} window.fault = {fault};")).await;
    }
}

async fn heal(browser: &Browser) {
    browser.run("window.fault = null").await;
}

/// What a person can read.
fn assert_words(text: &str, of: &Fault) {
    assert!(
        text.len() > 12
            && text.contains(' ')
            && !text.contains(['{', '<'])
            && !text.contains("panicked")
            && !text.contains("undefined"),
        "{}: {text:?}",
        of.status
    );
}

async fn input(browser: &Browser, selector: &str) -> Value {
    browser
        .value(&format!("document.querySelector({selector:?}).value"))
        .await
}

pub(crate) async fn of_a_form() {
    let site = Site::start();
    let browser = site.browser().await;
    site.show(&browser, "/settings/agents").await;
    let faults = [Fault::field("name"), Fault::conflict(), Fault::stale()];
    for (number, fault) in faults.into_iter().chain(Fault::passing()).enumerate() {
        // Names are unique.
        let name = format!("Robot {}", LETTERS[number]);
        browser.type_into("#agent-name", &name).await;
        fault.inject(&browser, "POST", "/api/v1/agents$", Some(1)).await;
        browser.type_into("#agent-name", ENTER).await;
        assert_words(&browser.element("form .refusal").await, &fault);
        if fault.status == 400 {
            assert_eq!(
                browser.element("#agent-name + .refusal").await,
                "Must be something else.",
                "beside its field"
            );
            assert_eq!(
                browser
                    .value("document.querySelector('#agent-name').getAttribute('aria-invalid')")
                    .await,
                "true"
            );
        }
        assert_eq!(input(&browser, "#agent-name").await, name.as_str());
        browser.type_into("#agent-name", ENTER).await;
        browser.click(".secret .btn-row .btn").await;
        browser.until("!document.querySelector('.secret')").await;
    }
}

pub(crate) async fn of_the_preview() {
    let site = Site::start();
    let browser = site.browser().await;
    site.show(&browser, "/all").await;
    let faults = [Fault::field("text"), Fault::conflict(), Fault::stale()];
    for (number, fault) in faults.into_iter().chain(Fault::passing()).enumerate() {
        let title = format!("Line {}", LETTERS[number]);
        fault.inject(&browser, "POST", "/tasks/parse$", None).await;
        browser.type_into(QUICK_ADD, &format!("{title}{ENTER}")).await;
        if fault.status == 0 {
            // Without a network it is added as it stands.
            browser.until(&row(&title)).await;
            heal(&browser).await;
        } else {
            assert_words(&browser.element(".quick .refusal").await, &fault);
            assert_eq!(input(&browser, QUICK_ADD).await, title.as_str());
            heal(&browser).await;
            browser.type_into(QUICK_ADD, ENTER).await;
        }
        site.until(&title, |_| true).await;
        browser
            .until("document.querySelector('#quick-add').value === ''")
            .await;
    }
}

pub(crate) async fn of_an_edit() {
    let site = Site::start();
    let browser = site.browser().await;
    site.show(&browser, "/all").await;

    // What is not allowed goes back to where it was typed.
    Fault::field("title")
        .inject(&browser, "POST", "/api/v1/tasks$", Some(1))
        .await;
    browser.type_into(QUICK_ADD, &format!("Not allowed{ENTER}")).await;
    let banner = browser.element(".banner.error").await;
    assert!(
        banner.contains("Not allowed") && banner.contains("Must be something else"),
        "{banner}"
    );
    browser.click(".banner.error .link-btn").await;
    browser
        .until("document.querySelector('#quick-add').value === 'Not allowed'")
        .await;
    browser.until("!document.querySelector('.banner.error')").await;
    browser.type_into(QUICK_ADD, ENTER).await;
    site.until("Not allowed", |_| true).await;

    // What cannot be now can be tried again.
    Fault::conflict()
        .inject(&browser, "POST", "/api/v1/tasks$", Some(1))
        .await;
    browser
        .type_into(QUICK_ADD, &format!("One too many{ENTER}"))
        .await;
    let banner = browser.element(".banner.error").await;
    assert!(
        banner.contains("One too many") && banner.contains("You have as many as you may have"),
        "{banner}"
    );
    heal(&browser).await;
    browser.click(".banner.error .link-btn").await;
    let line = input(&browser, QUICK_ADD).await;
    if line == "One too many" {
        browser.type_into(QUICK_ADD, ENTER).await;
    }
    site.until("One too many", |_| true).await;

    // What passes is waited for.
    for (number, fault) in Fault::passing().into_iter().enumerate() {
        let title = format!("Wait {}", LETTERS[number]);
        fault.inject(&browser, "POST", "/api/v1/tasks$", Some(2)).await;
        browser.type_into(QUICK_ADD, &format!("{title}{ENTER}")).await;
        browser.until(&row(&title)).await;
        site.until(&title, |_| true).await;
        assert_eq!(site.titled(&title).await.len(), 1);
        live(&browser).await;
        browser.until(&row(&title)).await;
    }
}

pub(crate) async fn of_a_field() {
    const TITLE: &str = ".panel [aria-label=Title]";
    let site = Site::start();
    let browser = site.browser().await;
    let id = site.create(json!({ "title": "Plan" })).await;
    site.show(&browser, &format!("/all?task={id}")).await;

    Fault::field("title")
        .inject(&browser, "PATCH", "/api/v1/tasks/", Some(1))
        .await;
    browser.type_into(TITLE, &format!(" B{ENTER}")).await;
    let refusal = browser.element(".panel .title-field .refusal").await;
    assert!(refusal.contains("Must be something else"), "{refusal}");
    assert_eq!(input(&browser, TITLE).await, "Plan B");
    browser.type_into(TITLE, &format!(" and C{ENTER}")).await;
    site.until("Plan B and C", |_| true).await;
    browser.until("!document.querySelector('.panel .refusal')").await;

    // A version that is not current, while nothing else was changed, is no conflict.
    let faults = [Fault::stale()].into_iter().chain(Fault::passing());
    let mut title = "Plan B and C".to_owned();
    for (number, fault) in faults.enumerate() {
        fault.inject(&browser, "PATCH", "/api/v1/tasks/", Some(1)).await;
        browser.type_into(TITLE, &format!(" {number}{ENTER}")).await;
        title.push_str(&format!(" {number}"));
        site.until(&title, |_| true).await;
        live(&browser).await;
        assert_eq!(input(&browser, TITLE).await, title.as_str());
        assert_eq!(
            browser
                .value("document.querySelector('.conflict, .panel .refusal')")
                .await,
            Value::Null
        );
    }
}

pub(crate) async fn of_the_session() {
    let site = Site::start();
    let browser = site.browser().await;
    site.show(&browser, "/all").await;
    let refused = Fault::problem(401, "unauthorized", "the token has expired", json!([]));
    refused.inject(&browser, "POST", "/api/v1/tasks", None).await;
    browser
        .type_into(QUICK_ADD, &format!("Half a thought{ENTER}"))
        .await;
    let notice = browser.element(".session-ended").await;
    assert!(notice.contains("Nothing that you entered is lost"), "{notice}");
    let line = input(&browser, QUICK_ADD).await;
    assert!(
        line == "Half a thought" || browser.value(&row("Half a thought")).await == true,
        "{line}"
    );

    heal(&browser).await;
    site.sign_in(&browser).await;
    if input(&browser, QUICK_ADD).await == "Half a thought" {
        browser.type_into(QUICK_ADD, ENTER).await;
    }
    site.until("Half a thought", |_| true).await;
    assert_eq!(site.titled("Half a thought").await.len(), 1);
}
