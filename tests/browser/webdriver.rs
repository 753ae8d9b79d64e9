//! Chromium, over WebDriver (W3C): only what the tests need of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http::Method;
use nudge_test_kit::http::Call;
use serde_json::{Value, json};

/// How long something may take, in real time, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the machine lacks.
pub(crate) fn missing() -> Option<String> {
    ["chromium", "chromedriver"]
        .into_iter()
        .find(|program| !is_installed(program))
        .map(|program| {
            format!("{program} is not installed (Debian: apt-get install chromium chromium-driver)")
        })
}

pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

/// A browser without a window. Dropping it ends it.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let output = BufReader::new(driver.stdout.take().expect("it is piped"));
        let port = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says its port");
        let mut browser = Self {
            driver,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            session: String::new(),
        };
        let options = json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"] });
        let capabilities =
            json!({ "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } });
        let started = browser
            .send(
                Method::POST,
                "/session",
                Some(json!({ "capabilities": capabilities })),
            )
            .await;
        started["sessionId"]
            .as_str()
            .expect("a session")
            .clone_into(&mut browser.session);
        browser
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let call = Call::new(self.address, method.clone(), path);
        let call = match &body {
            Some(body) => call.json(body),
            None => call,
        };
        let answer = call.send().await.expect("chromedriver answers");
        let value: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert!(
            answer.status.is_success(),
            "{method} {path} {body:?}: {:#}",
            value["value"]
        );
        value["value"].clone()
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        let path = format!("/session/{}/{command}", self.session);
        self.send(Method::POST, &path, Some(body)).await
    }

    async fn get(&self, command: &str) -> Value {
        let path = format!("/session/{}/{command}", self.session);
        self.send(Method::GET, &path, None).await
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    pub(crate) async fn reload(&self) {
        self.post("refresh", json!({})).await;
    }

    /// The address in the address bar.
    pub(crate) async fn address(&self) -> String {
        self.get("url").await.as_str().expect("an address").to_owned()
    }

    /// The value of an expression in the page.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.post("execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// Waits until an expression in the page is true. Returns its value.
    pub(crate) async fn until(&self, expression: &str) -> Value {
        let is_true = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && value != "";
        self.wait_for(expression, expression, is_true).await
    }

    /// Waits until an element is there. Returns its text.
    pub(crate) async fn element(&self, selector: &str) -> String {
        let expression = format!("(document.querySelector({selector:?}) ?? {{}}).innerText ?? null");
        let text = self.wait_for(selector, &expression, Value::is_string).await;
        text.as_str().expect("a text").to_owned()
    }

    /// Waits until the value of an expression is as wanted. `what` names it if it never is.
    async fn wait_for(&self, what: &str, expression: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.value(expression).await;
            if is_wanted(&value) {
                return value;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "timed out waiting for {what} at {}; the page says:\n{}",
                self.address().await,
                self.value("document.body.innerText")
                    .await
                    .as_str()
                    .unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs statements in the page.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// Runs statements in the page, which end by calling `done` with a value.
    pub(crate) async fn run_until_done(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.post("execute/async", json!({ "script": script, "args": [] }))
            .await
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) {
        self.post(
            "goog/cdp/execute",
            json!({ "cmd": command, "params": parameters }),
        )
        .await;
    }

    /// Takes the network away from the tab, or gives it back.
    pub(crate) async fn set_offline(&self, offline: bool) {
        let conditions =
            json!({ "offline": offline, "latency": 0, "download_throughput": -1, "upload_throughput": -1 });
        self.post(
            "chromium/network_conditions",
            json!({ "network_conditions": conditions }),
        )
        .await;
    }

    /// Writes a picture of the visible part.
    pub(crate) async fn screenshot(&self, file: &Path) {
        let picture = self.get("screenshot").await;
        let picture = base64::Engine::decode(
            &base64::prelude::BASE64_STANDARD,
            picture.as_str().expect("a picture"),
        )
        .expect("Base64");
        std::fs::write(file, picture).expect("the picture is written");
    }

    async fn find(&self, selector: &str) -> String {
        self.element(selector).await;
        let found = self
            .post("element", json!({ "using": "css selector", "value": selector }))
            .await;
        let (_, id) = found
            .as_object()
            .and_then(|found| found.iter().next())
            .expect("an element");
        id.as_str().expect("its id").to_owned()
    }

    /// Waits for an element, and clicks it as a user does.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&format!("element/{element}/click"), json!({})).await;
    }

    /// Waits for an element, and types.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.post(&format!("element/{element}/value"), json!({ "text": text }))
            .await;
    }

    pub(crate) async fn window(&self) -> String {
        self.get("window").await.as_str().expect("a window").to_owned()
    }

    pub(crate) async fn windows(&self) -> usize {
        self.get("window/handles").await.as_array().map_or(0, Vec::len)
    }

    /// Opens a tab, and goes on there.
    pub(crate) async fn new_tab(&self) -> String {
        let opened = self.post("window/new", json!({ "type": "tab" })).await;
        let tab = opened["handle"].as_str().expect("a tab").to_owned();
        self.switch_to(&tab).await;
        tab
    }

    pub(crate) async fn switch_to(&self, window: &str) {
        self.post("window", json!({ "handle": window })).await;
    }

    /// Ends the session, and with it the browser. In a drop nothing can be awaited.
    fn end(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.session, self.address
        )?;
        let mut first = String::new();
        BufReader::new(stream).read_line(&mut first)?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.end();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
