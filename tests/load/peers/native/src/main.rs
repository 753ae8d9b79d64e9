//! `nudge-native up`: serves a `spin.toml` as `spin-host up` does, with the components' own source built without WebAssembly.

mod components;
mod manifest;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::manifest::Manifest;
use crate::server::Server;

/// Runs Nudge's components without WebAssembly.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the application until Ctrl-C or SIGTERM.
    Up(Up),
}

#[derive(clap::Args)]
struct Up {
    /// The manifest.
    #[arg(short, long = "from", default_value = "spin.toml")]
    file: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The folder for databases [default: .spin beside the manifest].
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Taken and not used: there is nothing to compile.
    #[arg(long)]
    cache_dir: Option<PathBuf>,
    /// Set a variable of the application; may be given more than once.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Serve only this component; may be given more than once.
    #[arg(short, long = "component-id")]
    component: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("is not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> Result<()> {
    let Command::Up(up) = Arguments::parse().command;
    let state_dir = up.state_dir.unwrap_or_else(|| up.file.with_file_name(".spin"));
    let manifest = Manifest::load(&up.file)?;
    let server = Server::new(&manifest, up.variables, &up.component, &state_dir)
        .with_context(|| format!("cannot serve {}", up.file.display()))?;
    let listener = tokio::net::TcpListener::bind(up.listen)
        .await
        .with_context(|| format!("cannot listen on {}", up.listen))?;
    // Standard output has the components' log.
    eprintln!("serving http://{}", listener.local_addr()?);
    server.serve(listener, asked_to_stop()).await
}

async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = interrupt.await;
}
