//! `nudge up`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nudge::{DataDir, System, SystemOptions};

use crate::cli::{Global, SignIn};
use crate::sign_in::{self, Link};

pub(crate) fn run(options: &Global, who: &SignIn) -> Result<()> {
    crate::log::start();
    let root = checkout()?;
    if !options.no_build {
        say("Building the WebAssembly components (the first build takes a few minutes)");
        nudge_component_build::build(&root, &mut say)?;
    }
    crate::process::prepare();
    let data = DataDir::open(&options.data_dir)?;
    tokio::runtime::Runtime::new()
        .context("the async runtime cannot start")?
        .block_on(serve(root, data, options, who))
}

async fn serve(root: PathBuf, data: DataDir, options: &Global, who: &SignIn) -> Result<()> {
    // Registered before anything starts, so that Ctrl-C during the start exits cleanly, too.
    let stop = stop_signal()?;
    tokio::pin!(stop);
    let begun = Instant::now();
    say(
        "Starting: mail sink, four sidecars, four services, the page (new components are compiled to machine code once)",
    );
    let system = SystemOptions {
        listen: options.listen,
        synchronous: options.synchronous,
        variables: options.variables.iter().cloned().collect(),
        ..SystemOptions::new(root, data.clone())
    };
    let system = tokio::select! {
        started = System::start(system) => started?,
        () = &mut stop => return Ok(()),
    };
    let page = system.local_url();
    let link = match system.local_sign_in() {
        true => Some(Link::new(options, who, &data, &page)?),
        false => None,
    };
    greet(&system, &data, &options.data_dir, link.as_ref(), begun);
    if let Some(warning) = exposure(options.listen) {
        say(&warning);
    }
    let opening = async {
        if who.open {
            sign_in::open(link.as_ref().map_or(&page, |link| &link.url)).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        () = &mut stop => {}
        () = opening => {}
    }
    say("Stopping: requests in flight are answered first");
    system.shutdown().await;
    say("Stopped. All data is kept for the next `nudge up`");
    Ok(())
}

fn greet(system: &System, data: &DataDir, folder: &Path, link: Option<&Link>, begun: Instant) {
    let url = system.url();
    let elsewhere = if folder == Path::new(".nudge") {
        String::new()
    } else {
        format!(" --data-dir {}", folder.display())
    };
    let sidecars: Vec<String> = system
        .sidecars()
        .map(|(id, address)| format!("{id} {address}"))
        .collect();
    let page = match link {
        Some(link) => format!(
            "Open the page. This link signs you in as {user} for {validity}; `cargo run -q -- sign-in{elsewhere}` prints another one.\n\n\
             {url}",
            user = link.user,
            validity = link.validity(),
            url = link.url,
        ),
        None => format!(
            "Open the page, and sign in with your identity provider: {}",
            system.local_url()
        ),
    };
    let greeting = format!(
        r#"
Nudge is ready ({seconds:.1} s). {page}

  Page      {url}
  API       {url}/api/v1/tasks
  Health    {url}/health/ready
  Email     {mail}   every email is stored here as an .eml file; none leaves this machine
  Data      {data}
  Sidecars  {sidecars}

Or try the API, in another terminal: a task that is due in 70 seconds, and an email a minute before.

  TOKEN=$(cargo run -q -- token alice --email alice@example.com --time-zone Europe/Berlin{elsewhere} | tail -n 1)
  DUE=$(date -u -d '+70 seconds' +%FT%TZ 2>/dev/null || date -u -v+70S +%FT%TZ)
  curl -i {url}/api/v1/tasks -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"title":"Pay rent","priority":"high","due":"'$DUE'","reminders":[{{"minutesBefore":1}}]}}'

About 10 seconds later the email is there:

  cargo run -q -- emails{elsewhere}

Ctrl-C ends it."#,
        seconds = begun.elapsed().as_secs_f64(),
        mail = data.mail().display(),
        data = data.path().display(),
        sidecars = sidecars.join(", "),
    );
    // Standard output may be closed, which is not a reason to stop.
    let _ = writeln!(std::io::stdout(), "{greeting}");
}

/// What to know about an address that others can reach.
fn exposure(listen: SocketAddr) -> Option<String> {
    (!listen.ip().to_canonical().is_loopback()).then(|| {
        format!(
            "WARNING: other machines can reach {listen}, and this is plain HTTP: anyone on the way can read tokens and tasks, and \
             use the tokens. Put a proxy that speaks TLS in front, and let nudge listen on 127.0.0.1 (docs/CONFIGURATION.md)"
        )
    })
}

/// The checkout: the current folder or one of its parents, or otherwise the folder in which this was built.
fn checkout() -> Result<PathBuf> {
    let here = std::env::current_dir().context("there is no current folder")?;
    let built_in = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here
        .ancestors()
        .map(Path::to_owned)
        .chain([built_in])
        .find(|folder| folder.join("spin.toml").is_file() && folder.join("dapr-components").is_dir());
    match found {
        Some(folder) => Ok(folder),
        None => bail!("there is no spin.toml here: run nudge in the checkout"),
    }
}

fn say(line: &str) {
    eprintln!("nudge: {line}");
}

/// Completes on Ctrl-C and on SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("SIGTERM cannot be awaited")?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_that_others_can_reach_is_warned_about() {
        for (address, warned) in [
            ("127.0.0.1:3000", false),
            ("127.9.9.9:3000", false),
            ("[::1]:3000", false),
            ("[::ffff:127.0.0.1]:3000", false),
            ("0.0.0.0:3000", true),
            ("[::]:3000", true),
            ("192.168.1.7:3000", true),
        ] {
            assert_eq!(exposure(address.parse().unwrap()).is_some(), warned, "{address}");
        }
    }
}
