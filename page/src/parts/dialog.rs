//! Modal dialogs: the browser's own, which keeps the focus inside and closes on Escape.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::parts::dynamic::{Piece, does, dynamic, effect, shown};

/// A dialog that is shown while `open` is true.
#[component]
pub(crate) fn Dialog(
    /// Whether it is shown. Closing it sets it to false.
    open: RwSignal<bool>,
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// For more than a question.
    #[prop(optional)]
    wide: bool,
    /// Built each time that it is opened.
    children: ChildrenFn,
) -> AnyView {
    let element = NodeRef::<html::Dialog>::new();
    effect(move |_| {
        let Some(dialog) = element.get() else { return };
        if open.get() {
            if !dialog.open() {
                // It fails only for a dialog that is not in the document.
                let _ = dialog.show_modal();
                // What it contains may be built only after it is shown, too late for the browser to find `autofocus`.
                request_animation_frame(move || {
                    let first = dialog.query_selector("[autofocus]").ok().flatten();
                    if let Some(first) = first.and_then(|first| first.dyn_into::<web_sys::HtmlElement>().ok())
                    {
                        let _ = first.focus();
                    }
                });
            }
        } else if dialog.open() {
            dialog.close();
        }
    });
    // A click beside the dialog has the dialog itself as its target.
    let click = move |event: web_sys::MouseEvent| {
        let on_backdrop = event
            .target()
            .zip(element.get_untracked())
            .is_some_and(|(target, dialog)| {
                let dialog: &web_sys::EventTarget = dialog.as_ref();
                target == *dialog
            });
        if on_backdrop {
            open.set(false);
        }
    };
    let children = StoredValue::new(children);
    view! {
        <dialog class="dialog" class:wide=wide node_ref=element aria-label=move || title.get() on:close=does(move |_: web_sys::Event| open.set(false)) on:click=does(click)>
            {shown(move || open.get(), move || view! {
                <div class="dialog-head">
                    <h2 dir="auto">{dynamic(move || title.get())}</h2>
                    <button class="icon-btn" aria-label="Close" on:click=does(move |_: web_sys::MouseEvent| open.set(false))>
                        <super::icon::Icon name="close"/>
                    </button>
                </div>
                {children.with_value(|children| children())}
            })}
        </dialog>
    }
    .piece()
}
