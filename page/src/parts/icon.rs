//! Icons: lines of one weight on a grid of 20, in the colour of the text beside them.

use leptos::prelude::*;

use crate::parts::dynamic::Piece;

/// An icon. It says nothing to a screen reader: the control that it is on has a label.
#[component]
pub(crate) fn Icon(
    /// Its name; an unknown one draws nothing.
    name: &'static str,
    /// 14 instead of 18 pixels.
    #[prop(optional)]
    small: bool,
) -> AnyView {
    let class = if small { "icon icon-s" } else { "icon" };
    view! { <svg class=class viewBox="0 0 20 20" aria-hidden="true" inner_html=drawing(name)></svg> }.piece()
}

/// The mark of Nudge: a ring with a tick, and the dot that nudges it.
#[component]
pub(crate) fn Mark() -> AnyView {
    view! { <svg class="brand-mark" viewBox="0 0 24 24" fill="none" aria-hidden="true" inner_html=MARK></svg> }.piece()
}

const MARK: &str = r#"<circle cx="10.4" cy="13.6" r="7.6" stroke="currentColor" stroke-width="2.4"/><path d="m7 13.8 2.5 2.5 4.4-5" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/><circle class="nudge" cx="19.4" cy="4.6" r="3"/>"#;

fn drawing(name: &str) -> &'static str {
    match name {
        "today" => {
            r#"<rect x="3" y="4.5" width="14" height="12.5" rx="3"/><path d="M3 8.5h14M7 2.8v3M13 2.8v3"/><circle cx="10" cy="12.7" r="1.6" fill="currentColor" stroke="none"/>"#
        }
        "upcoming" => {
            r#"<rect x="3" y="4.5" width="14" height="12.5" rx="3"/><path d="M3 8.5h14M7 2.8v3M13 2.8v3M7 12.7h6M11 10.7l2 2-2 2"/>"#
        }
        "all" => {
            r#"<path d="M3.5 10.5h3.6l1.2 2.3h3.4l1.2-2.3h3.6M3.5 10.5 5.6 5a1.6 1.6 0 0 1 1.5-1h5.8a1.6 1.6 0 0 1 1.5 1l2.1 5.5v3.7a1.8 1.8 0 0 1-1.8 1.8H5.3a1.8 1.8 0 0 1-1.8-1.8z"/>"#
        }
        "done" => r#"<circle cx="10" cy="10" r="7"/><path d="m6.9 10.2 2.2 2.2 4.1-4.6"/>"#,
        "check" => r#"<path d="m4.5 10.5 3.8 3.8 7.2-8.3"/>"#,
        "search" => r#"<circle cx="9" cy="9" r="5.5"/><path d="m13.2 13.2 3.8 3.8"/>"#,
        "plus" => r#"<path d="M10 4v12M4 10h12"/>"#,
        "gear" => {
            r#"<circle cx="10" cy="10" r="2.4"/><path d="M10 2.8v2M10 15.2v2M2.8 10h2M15.2 10h2M4.9 4.9l1.4 1.4M13.7 13.7l1.4 1.4M4.9 15.1l1.4-1.4M13.7 6.3l1.4-1.4"/>"#
        }
        "help" => {
            r#"<circle cx="10" cy="10" r="7"/><path d="M8 8a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.4M10 13.6v.1"/>"#
        }
        "repeat" => {
            r#"<path d="M4 9V8a3 3 0 0 1 3-3h8.5M13 2.5 15.5 5 13 7.5M16 11v1a3 3 0 0 1-3 3H4.5M7 17.5 4.5 15 7 12.5"/>"#
        }
        "bell" => {
            r#"<path d="M5 8.6a5 5 0 0 1 10 0c0 4 1.6 5.2 1.6 5.2H3.4S5 12.6 5 8.6zM8.5 16.5a1.7 1.7 0 0 0 3 0"/>"#
        }
        "note" => r#"<path d="M4 6h12M4 10h12M4 14h7"/>"#,
        "more" => r#"<path d="M4.5 10h.01M10 10h.01M15.5 10h.01" stroke-width="2.6"/>"#,
        "close" => r#"<path d="m5 5 10 10M15 5 5 15"/>"#,
        "sort" => r#"<path d="M6.5 4v12M3.5 13l3 3 3-3M13.5 16V4M10.5 7l3-3 3 3"/>"#,
        "filter" => r#"<path d="M3.5 6h13M6 10h8M8.5 14h3"/>"#,
        "flag" => r#"<path d="M5 17V4M5 4.5c3-2 6 2 10 0v7c-4 2-7-2-10 0"/>"#,
        "tag" => {
            r#"<path d="M3.5 10.6V5A1.5 1.5 0 0 1 5 3.5h5.6a1.5 1.5 0 0 1 1 .4l4.9 4.9a1.5 1.5 0 0 1 0 2.1l-5.6 5.6a1.5 1.5 0 0 1-2.1 0l-4.9-4.9a1.5 1.5 0 0 1-.4-1z"/><circle cx="7.3" cy="7.3" r="1"/>"#
        }
        "folder" => {
            r#"<path d="M3 6.5A1.5 1.5 0 0 1 4.5 5h3.2l1.8 2h6A1.5 1.5 0 0 1 17 8.5v5.9a1.6 1.6 0 0 1-1.6 1.6H4.6A1.6 1.6 0 0 1 3 14.4z"/>"#
        }
        "clock" => r#"<circle cx="10" cy="10" r="7"/><path d="M10 6v4.2l2.7 1.6"/>"#,
        "trash" => {
            r#"<path d="M4 5.5h12M8 5.5V3.8h4v1.7M5.5 5.5l.8 10a1.3 1.3 0 0 0 1.3 1.2h4.8a1.3 1.3 0 0 0 1.3-1.2l.8-10"/>"#
        }
        "cloud" => {
            r#"<path d="M6 15.5a3.5 3.5 0 0 1-.5-7 4.6 4.6 0 0 1 8.8-.9A3.9 3.9 0 0 1 14 15.5M3.5 3.5l13 13"/>"#
        }
        "menu" => r#"<path d="M3.5 6h13M3.5 10h13M3.5 14h13"/>"#,
        "copy" => {
            r#"<rect x="7" y="7" width="9.5" height="9.5" rx="2"/><path d="M13 4.5a1.5 1.5 0 0 0-1.5-1.3H5A1.8 1.8 0 0 0 3.2 5v6.5A1.5 1.5 0 0 0 4.5 13"/>"#
        }
        "right" => r#"<path d="m8 5 5 5-5 5"/>"#,
        "sun" => {
            r#"<circle cx="10" cy="10" r="3.2"/><path d="M10 3v1.4M10 15.6V17M3 10h1.4M15.6 10H17M5 5l1 1M14 14l1 1M5 15l1-1M14 6l1-1"/>"#
        }
        "warn" => r#"<path d="M10 3.5 2.8 16h14.4zM10 8.5v3.4M10 13.9v.1"/>"#,
        "trail" => {
            r#"<circle cx="5" cy="4.8" r="1.8"/><circle cx="5" cy="15.2" r="1.8"/><path d="M5 6.6v6.8M9.5 4.8H17M9.5 10H15M9.5 15.2H17"/>"#
        }
        "key" => r#"<circle cx="6.8" cy="13.2" r="3.3"/><path d="m9.2 10.8 7-7M13 7l2.4 2.4"/>"#,
        "mail" => r#"<rect x="3" y="5" width="14" height="10.5" rx="2.2"/><path d="m3.6 6.6 6.4 5 6.4-5"/>"#,
        "out" => {
            r#"<path d="M8.5 3.5h-3A1.5 1.5 0 0 0 4 5v10a1.5 1.5 0 0 0 1.5 1.5h3M8.5 10h8M13.5 7l3 3-3 3"/>"#
        }
        "download" => r#"<path d="M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 16.5h12"/>"#,
        "edit" => {
            r#"<path d="m4 16 .7-3.3 8.4-8.4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3l-8.4 8.4z"/>"#
        }
        "undo" => r#"<path d="M7 4.5 3.5 8 7 11.5M3.5 8H12a4.2 4.2 0 0 1 0 8.4H8.5"/>"#,
        "user" => r#"<circle cx="10" cy="7" r="3.2"/><path d="M3.8 16.5a6.3 6.3 0 0 1 12.4 0"/>"#,
        _ => "",
    }
}
