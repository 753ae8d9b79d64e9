//! The time zone.

use js_sys::Array;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::form::Form;
use super::section;
use crate::parts::dynamic::{Piece, does, dynamic, effect, memo};
use crate::words;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = Intl, js_name = supportedValuesOf)]
    fn supported_values_of(what: &str) -> Result<Array, JsValue>;
}

/// The IANA names that the browser knows.
fn zones() -> Vec<String> {
    let known = supported_values_of("timeZone").unwrap_or_default();
    known.iter().filter_map(|name| name.as_string()).collect()
}

pub(super) fn you() -> AnyView {
    let form = Form::new();
    let current = memo(move |_| form.me(|me| me.time_zone.clone()));
    let select = NodeRef::<html::Select>::new();
    effect(move |_| {
        let Some(select) = select.get() else { return };
        let current = current.get();
        let mut names = zones();
        for name in ["UTC", current.as_str()] {
            if !name.is_empty() && !names.iter().any(|known| known == name) {
                names.insert(0, name.to_owned());
            }
        }
        // Hundreds of options at once. Names of zones need no escaping.
        let is_name = |name: &&String| {
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c))
        };
        let options: Vec<String> = names
            .iter()
            .filter(is_name)
            .map(|name| ["<option>", name, "</option>"].concat())
            .collect();
        select.set_inner_html(&options.concat());
        select.set_value(&current);
    });
    let here = words::zone();
    let offer = {
        let here = here.clone();
        move || {
            let (differs, here) = (
                current.with(|current| !current.is_empty() && *current != here),
                here.clone(),
            );
            differs.then(|| {
                let label = ["Use ", &here, ", the zone of this browser"].concat();
                view! { <div><button type="button" class="btn small" on:click=does(move |_: web_sys::MouseEvent| form.save("timeZone", here.as_str().into()))>{label}</button></div> }
            })
        }
    };
    let body = view! {
        <div class="field">
            <label for="set-zone">"Time zone"</label>
            <select
                class="select"
                id="set-zone"
                node_ref=select
                aria-invalid=move || form.is_wrong("timeZone").then_some("true")
                aria-describedby="set-timeZone-wrong"
                on:change=does(move |event: web_sys::Event| form.save("timeZone", event_target_value(&event).into()))
            ></select>
            {form.wrong("timeZone")}
        </div>
        {dynamic(offer)}
        <p class="hint">"It decides how dates that you type are read and how emails are written. Existing tasks keep their times."</p>
        {form.state(&["timeZone"])}
    };
    section("Time", "Where your day begins and ends.", body.piece())
}
