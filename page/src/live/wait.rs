//! Pauses that end early when there is reason to hope.

use std::cell::RefCell;
use std::time::Duration;

use js_sys::{Function, Promise};
use leptos::prelude::{set_timeout, window};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

thread_local! {
    static WAITING: RefCell<Vec<Function>> = const { RefCell::new(Vec::new()) };
}

/// Waits for some milliseconds, or until [`wake`].
pub(crate) async fn pause(milliseconds: u32) {
    let mut mine = None;
    let promise = Promise::new(&mut |resolve, _| {
        let delay = i32::try_from(milliseconds).unwrap_or(i32::MAX);
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, delay);
        mine = Some(resolve.clone());
        WAITING.with_borrow_mut(|waiting| waiting.push(resolve));
    });
    let _ = JsFuture::from(promise).await;
    WAITING.with_borrow_mut(|waiting| waiting.retain(|resolve| Some(resolve) != mine.as_ref()));
}

/// Ends all pauses.
pub(super) fn wake() {
    for resolve in WAITING.take() {
        let _ = resolve.call0(&JsValue::NULL);
    }
}

/// Waits, whatever happens.
pub(crate) async fn sleep(time: Duration) {
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout(
            move || {
                let _ = resolve.call0(&JsValue::NULL);
            },
            time,
        );
    });
    let _ = JsFuture::from(promise).await;
}
