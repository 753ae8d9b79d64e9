//! Copying text.

use js_sys::Promise;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use crate::parts::dynamic::{Piece, does};
use crate::parts::icon::Icon;
use crate::store::{Store, use_store};

#[wasm_bindgen]
extern "C" {
    // Browsers have no clipboard for pages that were loaded without TLS from another machine.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "clipboard"], js_name = writeText)]
    fn write_text(text: &str) -> Result<Promise, JsValue>;
}

/// Copies a text and says so.
pub(crate) fn copy(store: Store, text: &str, done: &'static str) {
    let writing = write_text(text);
    spawn_local(async move {
        let copied = match writing {
            Ok(writing) => JsFuture::from(writing).await.is_ok(),
            Err(_) => false,
        };
        store.say(if copied {
            done
        } else {
            "This browser does not let the page copy. Select the text and copy it."
        });
    });
}

/// A button that copies a text.
pub(super) fn button(text: String, label: &'static str) -> AnyView {
    let store = use_store();
    view! {
        <button type="button" class="btn small" aria-label=label on:click=does(move |_: web_sys::MouseEvent| copy(store, &text, "Copied"))><Icon name="copy" small=true/>"Copy"</button>
    }
    .piece()
}
