//! Short messages at the bottom of the page, with a way back.

use leptos::prelude::*;

use super::icon::Icon;
use crate::parts::dynamic::{Piece, does, each};
use crate::store::{Toast, use_store};

/// As many as fit above a list.
const MAX: usize = 3;

/// Shows the messages. The region is in the document from the start, so that screen readers announce what is put into it.
#[component]
pub(crate) fn Toasts() -> AnyView {
    let store = use_store();
    let newest = move || {
        let toasts = store.toasts().get();
        toasts
            .iter()
            .skip(toasts.len().saturating_sub(MAX))
            .cloned()
            .collect::<Vec<_>>()
    };
    let one = move |toast: Toast| {
        let id = toast.id;
        let undo = toast
            .undo
            .then(|| view! { <button type="button" on:click=does(move |_: web_sys::MouseEvent| store.undo(id))>"Undo"</button> });
        view! {
            <div class="toast" class:error=toast.error>
                <span class="text" dir="auto">{toast.text}</span>
                {undo}
                <button type="button" class="close" aria-label="Close" on:click=does(move |_: web_sys::MouseEvent| store.dismiss(id))><Icon name="close" small=true/></button>
            </div>
        }
        .piece()
    };
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {each(newest, |toast| u128::from(toast.id), one)}
        </div>
    }
    .piece()
}
