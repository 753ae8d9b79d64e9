//! What is shown instead of the tasks.

use leptos::prelude::*;
use oidc_client::Fault;

use crate::parts::dynamic::{Piece, does, dynamic, memo};
use crate::parts::icon::Mark;

use super::account::{Account, Phase, Way, use_account};
use super::again::Again;
use super::begin::begin;
use super::notice::{COMMAND, Notice, words};
/// The page of the user who is signed in, or the way to sign in.
#[component]
pub(crate) fn Gate(
    /// What is shown until that is known, as HTML.
    shell: String,
    /// What only a user sees. It stays where it is when a session ends.
    children: ChildrenFn,
) -> impl IntoView {
    let account = Account::new();
    provide_context(account);
    begin(account);
    let shown = memo(move |_| match account.phase().get() {
        Phase::SignedIn(_) | Phase::Ended(..) => None,
        phase => Some(phase),
    });
    dynamic(move || match shown.get() {
        None => view! { {children()} <Again/> }.piece(),
        Some(Phase::SignedOut(notice)) => view! { <Screen notice/> }.piece(),
        Some(Phase::Forwarded) => view! {
            <Card title="You are signed in">
                <p>"Close this window, and go on in the other one."</p>
            </Card>
        }
        .piece(),
        Some(_) => view! { <div style:display="contents" inner_html=shell.clone()></div> }.piece(),
    })
}

#[component]
fn Card(title: &'static str, children: Children) -> AnyView {
    view! {
        <main class="sign">
            <div class="sign-card">
                <Mark/>
                <h1>{title}</h1>
                {children()}
            </div>
        </main>
    }
    .piece()
}

/// How to sign in.
#[component]
fn Screen(notice: Notice) -> AnyView {
    let account = use_account();
    let said = words(&notice).map(|words| view! { <p class="refusal" role="alert">{words}</p> });
    let way = match (account.way(), &notice) {
        (Way::Provider(_), Notice::Provider(error)) if error.fault() == Fault::Operator => {
            view! { <Retry/> }.piece()
        }
        (Way::Provider(_), _) => view! {
            <p>"Your tasks, and reminders that reach you."</p>
            <button type="button" class="btn primary big" on:click=does(move |_: web_sys::MouseEvent| account.sign_in())>"Sign in"</button>
        }
        .piece(),
        (Way::Local, _) => view! {
            <p>"Nudge runs on this machine. Open the link that it printed when it started, or get another one in its folder:"</p>
            <p class="sign-note"><code>{COMMAND}</code></p>
        }
        .piece(),
        (Way::Unknown, _) => view! { <Retry/> }.piece(),
    };
    view! { <Card title="Nudge">{said} {way}</Card> }.piece()
}

#[component]
fn Retry() -> AnyView {
    let retry = move |_| {
        let _ = window().location().reload();
    };
    view! { <button type="button" class="btn primary big" on:click=does(retry)>"Try again"</button> }.piece()
}
