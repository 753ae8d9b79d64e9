//! What the browser knows about time zones: the page ships no calendar and no zones.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// The zone of the browser, such as `Europe/Berlin`.
pub(crate) fn zone() -> String {
    let options = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &Object::new()).resolved_options();
    Reflect::get(&options, &JsValue::from_str("timeZone"))
        .ok()
        .and_then(|zone| zone.as_string())
        .unwrap_or_else(|| "UTC".to_owned())
}
