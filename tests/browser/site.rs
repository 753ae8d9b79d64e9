//! A system, and a browser that is signed in to it.

use http::Method;
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::Program;
use crate::webdriver::Browser;

/// The line for a new task.
pub(crate) const QUICK_ADD: &str = "#quick-add";
/// Of WebDriver.
pub(crate) const ENTER: &str = "\u{e007}";

/// A running system.
pub(crate) struct Site {
    pub(crate) program: Program,
    /// Of the local user.
    pub(crate) token: String,
    _folder: TempDir,
}

impl Site {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Program::start(folder.path());
        let (_, token) = program.link.split_once("#token=").expect("a link with a token");
        Self {
            token: token.to_owned(),
            program,
            _folder: folder,
        }
    }

    /// The address of a view.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.program.address)
    }

    /// A new browser, signed in.
    pub(crate) async fn browser(&self) -> Browser {
        let browser = Browser::start().await;
        self.sign_in(&browser).await;
        browser
    }

    pub(crate) async fn sign_in(&self, browser: &Browser) {
        browser.open(&self.program.link).await;
        live(browser).await;
    }

    /// Opens a view in a browser that is signed in, and waits until changes arrive.
    pub(crate) async fn show(&self, browser: &Browser, path: &str) {
        browser.open(&self.url(path)).await;
        live(browser).await;
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.program.address, method, path).bearer(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        good(self.call(Method::GET, path).send().await.expect("an answer"))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let call = self.call(Method::POST, path).json(&body);
        good(call.send().await.expect("an answer"))
    }

    /// Creates a task, and returns its id.
    pub(crate) async fn create(&self, task: Value) -> String {
        let task = self.post("/api/v1/tasks", task).await;
        task["id"].as_str().expect("an id").to_owned()
    }

    /// Changes a task from elsewhere.
    pub(crate) async fn patch(&self, id: &str, patch: Value) {
        let path = format!("/api/v1/tasks/{id}");
        let task = self.get(&path).await;
        let call = self
            .call(Method::PATCH, &path)
            .header("if-match", format!("\"{}\"", task["version"]))
            .body("application/merge-patch+json", patch.to_string());
        good(call.send().await.expect("an answer"));
    }

    /// All tasks with this title.
    pub(crate) async fn titled(&self, title: &str) -> Vec<Value> {
        let page = self.get("/api/v1/tasks?limit=100").await;
        let mut items = page["items"].as_array().expect("a list").clone();
        items.retain(|task| task["title"] == title);
        items
    }

    /// Waits until the API has one task with this title that is as `is` says.
    pub(crate) async fn until(&self, title: &str, is: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let found = self.titled(title).await;
            if let Some(task) = found.iter().find(|task| is(task)) {
                return task.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("no such task: {:#}", json!(self.titled(title).await));
    }
}

fn good(answer: Answer) -> Value {
    assert!(answer.status.is_success(), "{}: {:?}", answer.status, answer.body);
    answer.json().unwrap_or_default()
}

/// Waits until changes arrive.
pub(crate) async fn live(browser: &Browser) {
    browser
        .until("document.querySelector('.live[data-state=live]')?.textContent === 'Up to date'")
        .await;
}

/// True when a row has this title.
pub(crate) fn row(title: &str) -> String {
    format!(
        "[...document.querySelectorAll('.row-title')].some((title) => title.textContent === {})",
        json!(title)
    )
}

/// The ring of the row with this title.
pub(crate) fn ring(title: &str) -> String {
    format!(".row .check[aria-label*='“{title}”']")
}
