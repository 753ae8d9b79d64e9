//! The page: tasks in a browser, over the public API.
//!
//! | file | holds |
//! | --- | --- |
//! | `app.rs` | the layout, and which view is shown |
//! | `route.rs` | the address bar |
//! | `words.rs` | dates and times in words |
//! | `api/` | requests to the API |
//! | `store.rs`, `live.rs` | what is known about the tasks, and changes made elsewhere |
//! | `sign_in/` | who uses the page |
//! | `views/`, `quick_add/`, `keys.rs`, `../style/` | lists of tasks, the line for new ones, the keyboard |
//! | `parts/` | what all views use |
//! | `task/` | one task |
//! | `settings/` | the account |

#![allow(
    unreachable_pub,
    reason = "the attribute `component` makes each function `pub`"
)]

mod api;
mod app;
mod keys;
mod live;
mod parts;
mod quick_add;
mod route;
mod settings;
mod sign_in;
mod store;
mod task;
mod views;
mod words;

use leptos::prelude::*;
use wasm_bindgen::JsCast;

fn main() {
    settings::theme::apply();
    let root = document().get_element_by_id("app");
    if let Some(root) = root.and_then(|root| root.dyn_into().ok()) {
        let root: web_sys::HtmlElement = root;
        // The skeleton that was shown while the module loaded remains until the page knows who uses it.
        let shell = root.inner_html();
        root.set_inner_html("");
        leptos::mount::mount_to(
            root,
            || view! { <sign_in::Gate shell><app::App/></sign_in::Gate> },
        )
        .forget();
    }
}
