//! What is shown with the tasks once a session has ended.

use leptos::prelude::*;

use super::account::{Phase, Way, use_account};
use super::notice::{COMMAND, Notice, words};
use crate::parts::dynamic::{Piece, does, dynamic};

/// A line over the tasks: they and what is typed remain, and what was changed is sent after the next sign-in.
#[component]
pub(super) fn Again() -> impl IntoView {
    let account = use_account();
    dynamic(move || match account.phase().get() {
        Phase::Ended(_, notice) => Some(view! {
            <div class="banner error session-ended" role="alert">
                <span>{says(&notice)} " Nothing that you entered is lost."</span>
                {match account.way() {
                    Way::Provider(_) => view! {
                        <button type="button" class="btn small primary" on:click=does(move |_: web_sys::MouseEvent| account.sign_in_again())>"Sign in again"</button>
                    }
                    .piece(),
                    _ => view! { <span>"In the folder of Nudge, run " <code>{COMMAND}</code></span> }.piece(),
                }}
                {dynamic(move || account.blocked_url().get().map(|url| view! {
                    <a class="link-btn" href=url target="_blank" rel="noopener">"Your browser blocked the window: open it in a tab"</a>
                }))}
            </div>
        }),
        _ => None,
    })
}

fn says(notice: &Notice) -> String {
    match notice {
        Notice::LinkExpired => "You are signed out, because your link is no longer valid.".to_owned(),
        notice => words(notice).unwrap_or_else(|| "You are signed out.".to_owned()),
    }
}
