//! Every view, in light and dark, on a desktop and on a phone: what axe-core finds, and how it looks.

use std::path::{Path, PathBuf};

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::site::{ENTER, QUICK_ADD, Site, live};
use crate::webdriver::Browser;

/// How a view is shown.
#[derive(Clone, Copy)]
struct Look {
    name: &'static str,
    dark: bool,
    phone: bool,
}

const LOOKS: [Look; 4] = [
    Look {
        name: "light",
        dark: false,
        phone: false,
    },
    Look {
        name: "dark",
        dark: true,
        phone: false,
    },
    Look {
        name: "phone",
        dark: false,
        phone: true,
    },
    Look {
        name: "phone-dark",
        dark: true,
        phone: true,
    },
];

/// What the machine lacks.
pub(crate) fn missing_axe() -> Option<String> {
    (!axe().is_file()).then(|| "axe-core is not installed (npm ci in tests/lighthouse)".to_owned())
}

fn axe() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lighthouse/node_modules/axe-core/axe.min.js")
}

/// A system with something to see.
struct Filled {
    site: Site,
    category: String,
    tag: String,
    /// A recurring task with reminders, labels and notes.
    task: String,
    /// A task whose reminder was sent.
    sent: String,
}

impl Filled {
    async fn start() -> Self {
        let site = Site::start();
        let label = async |kind: &str, name: &str, color: &str| {
            let label = site
                .post(
                    &format!("/api/v1/{kind}"),
                    json!({ "name": name, "color": color }),
                )
                .await;
            label["id"].as_str().expect("an id").to_owned()
        };
        let home = label("categories", "Home", "#2563eb").await;
        let work = label("categories", "Work", "#d97706").await;
        let garden = label("tags", "garden", "#16a34a").await;
        let errand = label("tags", "errand", "#db2777").await;
        let now = Timestamp::now();
        let at = |seconds: i64| {
            let at = now + SignedDuration::from_secs(seconds);
            Timestamp::from_second(at.as_second())
                .expect("an instant")
                .to_string()
        };
        const DAY: i64 = 86_400;
        let tasks = [
            json!({ "title": "Pay the electricity bill", "due": at(-DAY), "priority": "high", "categoryId": home }),
            json!({ "title": "Answer the letter from the tax office", "due": at(-3 * DAY), "priority": "urgent", "categoryId": work, "description": "Reference 2026/114. The form is in the blue folder." }),
            json!({ "title": "Send the draft to Amélie", "due": "today", "priority": "high", "categoryId": work }),
            json!({ "title": "Stand-up", "due": "tomorrow 9:30am", "recurrence": "weekdays", "categoryId": work, "reminders": [{ "minutesBefore": 10 }] }),
            json!({ "title": "اتصل بأمي", "due": "tomorrow 6pm", "tagIds": [errand, garden] }),
            json!({ "title": "Rent", "due": at(4 * DAY), "recurrence": "monthly", "priority": "high", "categoryId": home, "reminders": [{ "minutesBefore": 1440 }] }),
            json!({ "title": "Renew the passport", "due": at(70 * DAY), "priority": "low" }),
            json!({ "title": "Read “A Philosophy of Software Design” once more, this time with a pencil, and write down which of its advice the team follows", "priority": "low", "tagIds": [errand] }),
        ];
        for task in tasks {
            site.create(task).await;
        }
        let task = site.create(json!({ "title": "Water the plants", "description": "The ferns twice.\nNot the cactus.", "due": "tomorrow 8pm", "recurrence": "every other day", "categoryId": home, "tagIds": [garden], "priority": "medium", "reminders": [{ "minutesBefore": 30 }, { "minutesBefore": 1440 }], "estimateMinutes": 15 })).await;
        let sent = site
            .create(
                json!({ "title": "Call the dentist", "due": at(60), "reminders": [{ "minutesBefore": 1 }] }),
            )
            .await;
        for title in ["Order seeds", "Book the train"] {
            let id = site.create(json!({ "title": title, "priority": "high" })).await;
            site.post(&format!("/api/v1/tasks/{id}/complete"), json!({}))
                .await;
        }
        site.post(
            "/api/v1/agents",
            json!({ "name": "Desk robot", "scope": "read", "days": 30 }),
        )
        .await;
        Self {
            site,
            category: home,
            tag: garden,
            task,
            sent,
        }
    }

    /// Shows every view, and calls `see` with its name once it is at rest.
    async fn tour(&self, look: Look, see: impl AsyncFn(&Browser, &str)) {
        let browser = Browser::start().await;
        dress(&browser, look).await;
        let site = &self.site;
        browser.open(&site.url("/")).await;
        browser.element(".sign-card").await;
        rest(&browser).await;
        see(&browser, "sign-in").await;
        browser.open(&site.program.link).await;
        live(&browser).await;

        let views = [
            ("today", "/".to_owned(), ".row"),
            ("upcoming", "/upcoming".to_owned(), ".row"),
            ("all", "/all".to_owned(), ".row"),
            (
                "filtered",
                "/all?sort=priority&priority=high,urgent".to_owned(),
                ".row",
            ),
            ("completed", "/completed".to_owned(), ".row"),
            ("category", format!("/category/{}", self.category), ".row"),
            ("tag", format!("/tag/{}", self.tag), ".row"),
            ("search", "/search?q=the".to_owned(), ".row"),
            ("search-nothing", "/search?q=zebra".to_owned(), ".empty"),
            ("settings", "/settings".to_owned(), ".main h1"),
            ("agents", "/settings/agents".to_owned(), ".table tbody tr"),
            ("task", format!("/?task={}", self.task), ".panel .trail-item"),
            (
                "trail",
                format!("/?task={}", self.sent),
                ".panel .trail-item[data-kind=sent]",
            ),
            (
                "task-missing",
                "/?task=01a22336-0000-7000-8000-000000000000".to_owned(),
                ".panel [role=alert]",
            ),
        ];
        for (name, path, shows) in views {
            site.show(&browser, &path).await;
            browser.element(shows).await;
            if name == "trail" {
                browser
                    .run("document.querySelector('.panel .trail').scrollIntoView({ block: 'end' })")
                    .await;
            }
            rest(&browser).await;
            see(&browser, name).await;
        }

        site.show(&browser, "/").await;
        browser
            .type_into(
                QUICK_ADD,
                "Pay rent every month on the 1st 9am !high #home remind 30m before",
            )
            .await;
        browser.element(".quick-chips [data-kind=reminder]").await;
        rest(&browser).await;
        see(&browser, "quick-add").await;
        browser.type_into(QUICK_ADD, "\u{e00c}Call Ann 03/04").await;
        browser.element(".quick-ask").await;
        rest(&browser).await;
        see(&browser, "quick-add-question").await;
        browser.type_into(QUICK_ADD, "\u{e00c}").await;
        browser.click("[aria-label=Sort]").await;
        browser.element(".menu").await;
        rest(&browser).await;
        see(&browser, "sort").await;

        site.show(&browser, "/").await;
        browser.click(".row .check").await;
        browser.element(".toast").await;
        rest(&browser).await;
        see(&browser, "undo").await;
        browser.click(".toast button:not(.close)").await;
        if look.phone {
            browser.click(".tabs [aria-controls=side]").await;
            browser.element(".scrim").await;
            rest(&browser).await;
            see(&browser, "lists").await;
        }

        site.show(&browser, "/").await;
        browser.set_offline(true).await;
        browser.element(".banner").await;
        rest(&browser).await;
        see(&browser, "offline").await;
        browser.set_offline(false).await;

        site.show(&browser, "/completed").await;
        browser.type_into("body", "?").await;
        browser.element("dialog[open]").await;
        rest(&browser).await;
        see(&browser, "keyboard").await;

        site.show(&browser, "/settings/agents").await;
        browser
            .type_into("#agent-name", &format!("Tour {}{ENTER}", look.name))
            .await;
        browser.element(".secret").await;
        rest(&browser).await;
        see(&browser, "agent-token").await;
        site.show(&browser, "/settings/agents").await;
        browser.click(".table .link-btn.danger").await;
        browser.element("dialog[open]").await;
        rest(&browser).await;
        see(&browser, "revoke").await;
    }
}

async fn dress(browser: &Browser, look: Look) {
    let scheme = if look.dark { "dark" } else { "light" };
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.devtools("Emulation.setEmulatedMedia", media).await;
    if look.phone {
        let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        browser.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let touch = json!({ "enabled": true });
        browser
            .devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }
}

/// Waits until nothing moves.
async fn rest(browser: &Browser) {
    browser
        .until("document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)")
        .await;
}

/// Where pictures are written: `target/screenshots`.
fn gallery() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_nudge"));
    let target = program
        .parent()
        .and_then(Path::parent)
        .expect("the target folder");
    let gallery = target.join("screenshots");
    std::fs::create_dir_all(&gallery).expect("the folder is made");
    gallery
}

pub(crate) async fn pictures() {
    let filled = Filled::start().await;
    let gallery = gallery();
    for look in LOOKS {
        let see = async |browser: &Browser, name: &str| {
            let is_wide = browser
                .value("document.documentElement.scrollWidth > document.documentElement.clientWidth")
                .await;
            browser
                .screenshot(&gallery.join(format!("{name}-{}.png", look.name)))
                .await;
            assert_eq!(is_wide, false, "{name} in {} scrolls sideways", look.name);
        };
        filled.tour(look, see).await;
    }
}

pub(crate) async fn accessible() {
    let source = std::fs::read_to_string(axe()).expect("axe-core");
    let filled = Filled::start().await;
    let found = std::sync::Mutex::new(Vec::new());
    for look in LOOKS {
        let see = async |browser: &Browser, name: &str| {
            if browser.value("typeof window.axe").await == "undefined" {
                browser.run(&source).await;
            }
            let result = browser
                .run_until_done("axe.run({ resultTypes: ['violations'] }).then(({ violations }) => done(violations.map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).slice(0, 3).join(' | ')}`)), (error) => done([String(error)]))")
                .await;
            let result = result.as_array().expect("a list").iter();
            let result = result.map(|violation| {
                format!(
                    "{name} in {}: {}",
                    look.name,
                    violation.as_str().unwrap_or_default()
                )
            });
            found.lock().expect("one thread").extend(result);
        };
        filled.tour(look, see).await;
    }
    let found = found.into_inner().expect("one thread");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Far more tasks than the window shows.
pub(crate) async fn ten_thousand() {
    let site = Site::start();
    for batch in 0..100 {
        let operations: Vec<Value> = (0..100)
            .map(|number| json!({ "op": "create", "task": { "title": format!("Task {}", batch * 100 + number) } }))
            .collect();
        let call = site
            .call(Method::POST, "/api/v1/tasks/bulk")
            .json(&json!({ "operations": operations }));
        let answer = call.send().await.expect("an answer");
        assert!(answer.status.is_success(), "{:?}", answer.body);
    }
    let browser = site.browser().await;
    site.show(&browser, "/all").await;
    browser
        .until("Number(document.querySelector('.row')?.getAttribute('aria-setsize')) >= 10000")
        .await;
    let rows = "document.querySelectorAll('.row').length";
    for part in 0..=20 {
        browser
            .run(&format!(
                "const main = document.querySelector('.main'); main.scrollTop = main.scrollHeight * {part} / 20;"
            ))
            .await;
        // What is in sight is there, and little else.
        browser
            .until("[...document.querySelectorAll('.row')].some((row) => { const { top } = row.getBoundingClientRect(); return top > 0 && top < innerHeight; })")
            .await;
        let count = browser.value(rows).await.as_u64().expect("a number");
        assert!((1..200).contains(&count), "{count} rows");
    }
    browser
        .until("[...document.querySelectorAll('.row')].some((row) => row.ariaPosInSet === row.ariaSetSize)")
        .await;
}
