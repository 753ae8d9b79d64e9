//! The data of the account: export, signing out everywhere, deletion.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::wasm_bindgen;

use super::form::Form;
use super::section;
use crate::parts::dialog::Dialog;
use crate::parts::dynamic::{Piece, does, dynamic, memo};
use crate::parts::icon::Icon;
use crate::sign_in::use_account;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = URL, js_name = createObjectURL)]
    fn create_object_url(blob: &web_sys::Blob) -> String;
    #[wasm_bindgen(js_namespace = URL, js_name = revokeObjectURL)]
    fn revoke_object_url(url: &str);
}

/// What is to be typed before an account is deleted.
const SURE: &str = "delete my account";

pub(super) fn data() -> AnyView {
    let form = Form::new();
    let (leaving, deleting) = (RwSignal::new(false), RwSignal::new(false));
    let link = NodeRef::<html::A>::new();
    let export = move |_| {
        form.busy.set(true);
        spawn_local(async move {
            let exported = form.store.api().export().await;
            let error = match exported {
                Ok(blob) => {
                    if let Some(Some(link)) = link.try_get_untracked() {
                        let url = create_object_url(&blob);
                        link.set_href(&url);
                        link.click();
                        set_timeout(
                            move || revoke_object_url(&url),
                            std::time::Duration::from_secs(60),
                        );
                    }
                    None
                }
                Err(error) => Some(error),
            };
            form.done(error);
        });
    };
    let body = view! {
        <div class="set-line">
            <span>"Everything that Nudge knows about you, as one JSON document"</span>
            <button type="button" class="btn end" disabled=form.busy on:click=does(export)><Icon name="download"/>"Export"</button>
            <a class="visually-hidden" download="nudge-export.json" tabindex="-1" aria-hidden="true" node_ref=link></a>
        </div>
        {form.state(&[])}
        <div class="set-line">
            <span>"Sign out of all browsers and programs, and remove all agents"</span>
            <button type="button" class="btn end" on:click=does(move |_: web_sys::MouseEvent| leaving.set(true))><Icon name="out"/>"Sign out everywhere"</button>
        </div>
        <div class="set-line">
            <span>"Close the account and delete all data"</span>
            <button type="button" class="btn danger end" on:click=does(move |_: web_sys::MouseEvent| deleting.set(true))><Icon name="trash"/>"Delete account…"</button>
        </div>
        <Dialog open=leaving title="Sign out everywhere?">{dynamic(move || sign_out(leaving))}</Dialog>
        <Dialog open=deleting title="Delete your account?">{dynamic(move || delete(deleting))}</Dialog>
    };
    section("Your data", "It is yours.", body.piece())
}

fn sign_out(open: RwSignal<bool>) -> AnyView {
    let (form, account) = (Form::new(), use_account());
    let revoke = move |_| {
        form.busy.set(true);
        spawn_local(async move {
            match form.store.api().revoke_tokens().await {
                Ok(()) => account.sign_out(),
                Err(error) => form.done(Some(error)),
            }
        });
    };
    view! {
        <div class="dialog-body">
            <p>"Every token that was issued until now is refused within 10 seconds: this browser, others, programs and agents. Sign in again to go on; agents need new tokens."</p>
            {form.state(&[])}
        </div>
        <div class="dialog-foot">
            <button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| open.set(false))>"Cancel"</button>
            <button type="button" class="btn primary danger" disabled=form.busy on:click=does(revoke)>"Sign out everywhere"</button>
        </div>
    }
    .piece()
}

fn delete(open: RwSignal<bool>) -> AnyView {
    let (form, account) = (Form::new(), use_account());
    let typed = RwSignal::new(String::new());
    let sure = memo(move |_| typed.with(|typed| typed.trim().eq_ignore_ascii_case(SURE)));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !sure.get_untracked() || form.busy.get_untracked() {
            return;
        }
        form.busy.set(true);
        spawn_local(async move {
            match form.store.api().delete_account().await {
                Ok(()) => account.sign_out(),
                Err(error) => form.done(Some(error)),
            }
        });
    };
    view! {
        <form on:submit=does(submit)>
            <div class="dialog-body">
                <p>"All tasks, reminders, categories, tags, agents and settings are deleted, usually within half a minute. No more reminders are sent. This cannot be undone; export your data first if you may need it."</p>
                <p>"If you sign in again later, you begin with an empty account."</p>
                <div class="field">
                    <label for="set-sure">"To confirm, type "<b>{SURE}</b></label>
                    <input class="input" id="set-sure" autocomplete="off" autofocus=true prop:value=typed on:input=does(move |event: web_sys::Event| typed.set(event_target_value(&event)))/>
                </div>
                {form.state(&[])}
            </div>
            <div class="dialog-foot">
                <button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| open.set(false))>"Cancel"</button>
                <button type="submit" class="btn primary danger" disabled=move || !sure.get() || form.busy.get()>"Delete my account"</button>
            </div>
        </form>
    }
    .piece()
}
