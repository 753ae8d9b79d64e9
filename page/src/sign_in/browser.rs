//! Storage, address, time and random numbers of the browser, and requests without a session.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestCredentials, RequestInit, Response, Storage};

/// In this tab: whose inputs it keeps.
const USER: &str = "nudge.user";

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    (js_sys::Date::now() / 1_000.0) as i64
}

/// Random bytes. None if the browser has no source of them, which none is known for.
pub(super) fn random() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let crypto = window().crypto().ok()?;
    crypto.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

/// What outlives this tab. None where the user does not allow it.
pub(super) fn device() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What this tab keeps when it is loaded again.
pub(super) fn tab() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Forgets what this tab keeps: what is typed and not sent is not the next user's.
pub(super) fn clear_tab() {
    if let Some(tab) = tab() {
        let _ = tab.clear();
    }
}

/// Keeps what this tab keeps only for the user that it was kept for.
pub(super) fn keep_tab_for(user: &str) {
    let Some(tab) = tab() else {
        return;
    };
    let before = tab.get_item(USER).ok().flatten();
    if before.is_some_and(|before| before != user) {
        clear_tab();
    }
    let _ = tab.set_item(USER, user);
}

/// Loads the page again, without what this tab keeps.
pub(super) fn start_over() {
    clear_tab();
    let _ = window().location().reload();
}

/// The origin of the page, such as `https://nudge.example.com`.
pub(super) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// The path and query in the address bar.
pub(super) fn address() -> String {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    path + &location.search().unwrap_or_default()
}

/// Changes the address bar, without a new entry in the history.
pub(super) fn set_address(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Leaves the page, without a way back to where it is now.
pub(super) fn leave(url: &str) {
    let _ = window().location().replace(url);
}

/// Status and body of a response.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// GET, with a bearer token for the API. None if there is no response.
pub(super) async fn get(url: &str, bearer: Option<&str>) -> Option<Answer> {
    let headers = Headers::new().ok()?;
    headers.set("Accept", "application/json").ok()?;
    if let Some(token) = bearer {
        headers.set("Authorization", &format!("Bearer {token}")).ok()?;
    }
    fetch(url, &init("GET", &headers)).await
}

/// POST of a form.
pub(super) async fn post(url: &str, form: &str) -> Option<Answer> {
    let headers = Headers::new().ok()?;
    headers.set("Accept", "application/json").ok()?;
    headers
        .set("Content-Type", "application/x-www-form-urlencoded")
        .ok()?;
    let init = init("POST", &headers);
    init.set_body(&JsValue::from_str(form));
    // Finished even if the page is left meanwhile.
    let _ = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    fetch(url, &init).await
}

fn init(method: &str, headers: &Headers) -> RequestInit {
    let init = RequestInit::new();
    init.set_method(method);
    init.set_headers(headers);
    init.set_cache(RequestCache::NoStore);
    init.set_credentials(RequestCredentials::Omit);
    init
}

async fn fetch(url: &str, init: &RequestInit) -> Option<Answer> {
    let response = JsFuture::from(window().fetch_with_str_and_init(url, init))
        .await
        .ok()?;
    let response: Response = response.dyn_into().ok()?;
    let body = JsFuture::from(response.text().ok()?).await.ok()?;
    Some(Answer {
        status: response.status(),
        body: body.as_string()?,
    })
}
