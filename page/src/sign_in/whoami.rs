//! The user, and signing out.

use leptos::prelude::*;

use crate::parts::dynamic::{Piece, does, dynamic, follows};
use crate::parts::icon::Icon;

use super::account::use_account;

/// Who is signed in, and the way out. If edits wait, it asks before.
#[component]
pub(crate) fn Whoami(
    /// The number of edits that are not sent yet.
    #[prop(into)]
    waiting: Signal<usize>,
) -> AnyView {
    let account = use_account();
    let asks = RwSignal::new(false);
    let name = move || account.who().map(|who| who.shown().to_owned());
    let email = move || account.who().and_then(|who| who.email);
    let leave = move |_| match waiting.get_untracked() {
        0 => account.sign_out(),
        _ => asks.set(true),
    };
    let question = move || {
        asks.get().then(|| view! {
            <div class="whoami-ask" role="alertdialog" aria-label="Sign out">
                <p>
                    {dynamic(move || match waiting.get() {
                        1 => "One change has not been sent yet.".to_owned(),
                        count => format!("{count} changes have not been sent yet."),
                    })}
                    " They stay on this device until you sign in here again."
                </p>
                <div class="btn-row">
                    <button type="button" class="btn small" on:click=does(move |_: web_sys::MouseEvent| asks.set(false))>"Stay"</button>
                    <button type="button" class="btn small danger" on:click=does(move |_: web_sys::MouseEvent| account.sign_out())>"Sign out"</button>
                </div>
            </div>
        })
    };
    view! {
        {dynamic(question)}
        <div class="whoami">
            <bdi class="clip" title=follows(email)>{dynamic(name)}</bdi>
            <button type="button" class="icon-btn" aria-label="Sign out" title="Sign out" on:click=does(leave)>
                <Icon name="out"/>
            </button>
        </div>
    }
    .piece()
}
