//! The token of a new agent, and what to copy into the common clients.

use leptos::html;
use leptos::prelude::*;

use super::clipboard;
use crate::api::NewAgent;
use crate::parts::dynamic::{Piece, does, dynamic, effect};

/// A client, and where its configuration goes.
const CLIENTS: [(&str, &str); 4] = [
    ("Claude Code", "Run this in a terminal:"),
    (
        "Cursor, Claude Desktop",
        "Put this into the file of MCP servers, such as ~/.cursor/mcp.json:",
    ),
    ("VS Code", "Put this into .vscode/mcp.json:"),
    ("REST", "Try the token in a terminal:"),
];

fn configuration(client: usize, origin: &str, token: &str) -> String {
    match client {
        0 => [
            "claude mcp add --transport http nudge ",
            origin,
            "/mcp --header \"Authorization: Bearer ",
            token,
            "\"",
        ]
        .concat(),
        1 => server("mcpServers", origin, token),
        2 => server("servers", origin, token),
        _ => [
            "curl -sS ",
            origin,
            "/api/v1/tasks -H \"Authorization: Bearer ",
            token,
            "\"",
        ]
        .concat(),
    }
}

fn server(of: &str, origin: &str, token: &str) -> String {
    [
        "{\n  \"",
        of,
        "\": {\n    \"nudge\": {\n      \"type\": \"http\",\n      \"url\": \"",
        origin,
        "/mcp\",\n      \"headers\": { \"Authorization\": \"Bearer ",
        token,
        "\" }\n    }\n  }\n}",
    ]
    .concat()
}

/// The token, which is not shown again. It gets the focus, so that it is seen.
pub(super) fn secret(made: NewAgent, close: impl Fn() + Copy + 'static) -> AnyView {
    let origin = window().location().origin().unwrap_or_default();
    let token = made.token.clone();
    let client = RwSignal::new(0_usize);
    let element = NodeRef::<html::Div>::new();
    effect(move |_| {
        if let Some(element) = element.get() {
            let _ = element.focus();
            element.scroll_into_view();
        }
    });
    let buttons = CLIENTS.iter().enumerate().map(|(place, (name, _))| {
        view! { <button type="button" aria-pressed=move || (client.get() == place).to_string() on:click=does(move |_: web_sys::MouseEvent| client.set(place))>{*name}</button> }
    });
    let buttons = buttons.collect::<Vec<_>>();
    let about = move || CLIENTS.get(client.get()).map(|(_, about)| *about);
    let code = move || {
        let text = configuration(client.get(), &origin, &token);
        view! { <div class="code"><pre tabindex="0">{text.clone()}</pre>{clipboard::button(text, "Copy the configuration")}</div> }
    };
    let title = ["Copy the token of “", &made.agent.name, "” now"].concat();
    view! {
        <div class="secret" role="group" aria-label="Token of the new agent" tabindex="-1" node_ref=element>
            <h3 dir="auto">{title}</h3>
            <p class="hint">"It is shown once: Nudge keeps only a hash of it."</p>
            <div class="copy"><code tabindex="0">{made.token.clone()}</code>{clipboard::button(made.token, "Copy the token")}</div>
            <div class="segments" role="group" aria-label="Client">{buttons}</div>
            <p class="hint">{dynamic(about)}</p>
            {dynamic(code)}
            <div class="btn-row"><button type="button" class="btn" on:click=does(move |_: web_sys::MouseEvent| close())>"I have copied it"</button></div>
        </div>
    }
    .piece()
}
