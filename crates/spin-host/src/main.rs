//! `spin-host up`: serves a `spin.toml`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use spin_host::{Host, Manifest};
use tracing_subscriber::EnvFilter;

/// Runs the components of a spin.toml.
#[derive(Parser)]
#[command(version)]
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
    /// The folder for databases [default: .spin next to the manifest].
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// A folder that caches compiled components for the next start. Its content is executed: restrict write access to it.
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
    log_lines();
    let Command::Up(up) = Arguments::parse().command;
    let mut builder = Host::builder(Manifest::load(&up.file)?).listen(up.listen);
    if let Some(folder) = up.state_dir {
        builder = builder.state_dir(folder);
    }
    if let Some(folder) = up.cache_dir {
        builder = builder.cache_dir(folder);
    }
    for (name, value) in up.variables {
        builder = builder.variable(name, value);
    }
    if !up.component.is_empty() {
        builder = builder.components(up.component);
    }
    let host = builder
        .build()
        .await
        .with_context(|| format!("cannot serve {}", up.file.display()))?;
    tracing::info!("serving http://{}", host.local_addr());
    for (route, component) in host.routes() {
        tracing::info!(component, "route {route}");
    }
    host.serve(shutdown_signal()).await;
    Ok(())
}

/// Logs plain text to a terminal and JSON otherwise. `RUST_LOG` filters the lines.
fn log_lines() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        lines.init()
    } else {
        lines.json().init()
    }
}

async fn shutdown_signal() {
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
