//! What is shown instead of the tasks.

use leptos::prelude::*;
use oidc_client::Fault;

use super::account::{Account, Phase, Way, use_account};
use super::again::Again;
use super::begin::begin;
use super::notice::{COMMAND, Notice, words};
/// The mark of Nudge.
const MARK: &str = r##"<circle cx="10.4" cy="13.6" r="7.6" stroke="currentColor" stroke-width="2.4"/><path d="m7 13.8 2.5 2.5 4.4-5" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/><circle class="nudge" cx="19.4" cy="4.6" r="3"/>"##;

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
    let shown = Memo::new(move |_| match account.phase().get() {
        Phase::SignedIn(_) | Phase::Ended(..) => None,
        phase => Some(phase),
    });
    move || match shown.get() {
        None => view! { {children()} <Again/> }.into_any(),
        Some(Phase::SignedOut(notice)) => view! { <Screen notice/> }.into_any(),
        Some(Phase::Forwarded) => view! {
            <Card title="You are signed in">
                <p>"Close this window, and go on in the other one."</p>
            </Card>
        }
        .into_any(),
        Some(_) => view! { <div style:display="contents" inner_html=shell.clone()></div> }.into_any(),
    }
}

#[component]
fn Card(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <main class="sign">
            <div class="sign-card">
                <svg class="brand-mark" viewBox="0 0 24 24" fill="none" aria-hidden="true" inner_html=MARK></svg>
                <h1>{title}</h1>
                {children()}
            </div>
        </main>
    }
}

/// How to sign in.
#[component]
fn Screen(notice: Notice) -> impl IntoView {
    let account = use_account();
    let said = words(&notice).map(|words| view! { <p class="refusal" role="alert">{words}</p> });
    let way = match (account.way(), &notice) {
        (Way::Provider(_), Notice::Provider(error)) if error.fault() == Fault::Operator => {
            view! { <Retry/> }.into_any()
        }
        (Way::Provider(_), _) => view! {
            <p>"Your tasks, and reminders that reach you."</p>
            <button type="button" class="btn primary big" on:click=move |_| account.sign_in()>"Sign in"</button>
        }
        .into_any(),
        (Way::Local, _) => view! {
            <p>"Nudge runs on this machine. Open the link that it printed when it started, or get another one in its folder:"</p>
            <p class="sign-note"><code>{COMMAND}</code></p>
        }
        .into_any(),
        (Way::Unknown, _) => view! { <Retry/> }.into_any(),
    };
    view! { <Card title="Nudge">{said} {way}</Card> }
}

#[component]
fn Retry() -> impl IntoView {
    let retry = move |_| {
        let _ = window().location().reload();
    };
    view! { <button type="button" class="btn primary big" on:click=retry>"Try again"</button> }
}
