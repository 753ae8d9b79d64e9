//! `nudge migrate`: which system reminds which users, Nudge or the one that it replaces.

use anyhow::{Context, Result};
use http::Method;
use nudge_contract::legacy::{MAX_USERS, Masters, SetMaster};
use nudge_contract::names::route;

use crate::cli;
use crate::sidecar::Sidecar;

/// Changes the setting if requested, and prints it.
pub(crate) fn run(options: &cli::Global, migrate: &cli::Migrate) -> Result<()> {
    let sidecar = Sidecar::find(&migrate.sidecar, &options.data_dir)?;
    let runtime = tokio::runtime::Runtime::new().context("the async runtime cannot start")?;
    let set = migrate.to.map(|master| SetMaster {
        master: master.into(),
        users: (!migrate.everybody).then(|| migrate.users.clone()),
    });
    let method = if set.is_some() { Method::POST } else { Method::GET };
    let masters: Masters = runtime.block_on(sidecar.ask(method, route::LEGACY_MASTERS, set.as_ref()))?;
    println!("everybody: {}", masters.everybody.as_str());
    let more = if masters.others.len() < MAX_USERS {
        ""
    } else {
        ", and more"
    };
    println!("but: {}{more}", masters.others.join(" "));
    println!("changes that wait for their task: {}", masters.waiting);
    Ok(())
}
