//! Dates and times in words, as the browser writes them in the person's language: the page ships no calendar and no zones.

use js_sys::{Date, Object, Reflect};
use nudge_domain::LocalInstant;
use wasm_bindgen::JsValue;

/// Day and time of day in an IANA zone: `Tue, Dec 1, 9:00 AM`. In the zone of the browser if it does not know that one.
pub(crate) fn moment(instant: &LocalInstant, zone: &str) -> String {
    let options = [
        ("weekday", "short"),
        ("month", "short"),
        ("day", "numeric"),
        ("hour", "numeric"),
        ("minute", "2-digit"),
    ];
    written(instant, zone, &options)
}

/// Writes an instant with options of `Intl.DateTimeFormat`.
fn written(instant: &LocalInstant, zone: &str, options: &[(&str, &str)]) -> String {
    let object = Object::new();
    for (name, value) in options.iter().chain(&[("timeZone", zone)]) {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    let date = Date::new(&JsValue::from_f64(instant.at().as_millisecond() as f64));
    let language = leptos::prelude::window().navigator().language();
    date.to_locale_string(language.as_deref().unwrap_or("en"), &object)
        .into()
}

/// The zone of the browser, such as `Europe/Berlin`.
pub(crate) fn zone() -> String {
    let options = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &Object::new()).resolved_options();
    Reflect::get(&options, &JsValue::from_str("timeZone"))
        .ok()
        .and_then(|zone| zone.as_string())
        .unwrap_or_else(|| "UTC".to_owned())
}
