//! The whole system in one process.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use dapr_sidecar::{App, AppHealth, Options, Sidecars, Synchronous};
use http::HeaderName;
use mail_sink::MailSink;
use nudge_contract::names::{app, route};
use spin_host::{Host, Manifest, RunningHost};
use step_clock::Clock;

use crate::data_dir::{DataDir, Exclusive, Running, random_text};

/// The header in which a sidecar sends the app's token.
const APP_TOKEN: &str = "dapr-api-token";
/// The variable with the address at which users reach the application: unless it is set, that of this host.
const PUBLIC_URL: &str = "public_url";

/// The variable that lets the page accept the link of `nudge up`.
const LOCAL_SIGN_IN: &str = "local_sign_in";

/// What to start.
#[derive(Debug, Clone)]
pub struct SystemOptions {
    /// The checkout, which contains `spin.toml` and `dapr-components/`.
    pub root: PathBuf,
    /// The data folder.
    pub data: DataDir,
    /// The address of the application; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The time of day, for components, jobs and retries.
    pub clock: Clock,
    /// Whether the SQLite databases of the application and of the sidecars wait for the disk at each commit.
    pub synchronous: Synchronous,
    /// Values for variables of `spin.toml`, such as `database_url`.
    pub variables: BTreeMap<String, String>,
}

impl SystemOptions {
    /// Options with a free loopback port and the system's clock.
    pub fn new(root: impl Into<PathBuf>, data: DataDir) -> Self {
        Self {
            root: root.into(),
            data,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            clock: Clock::system(),
            synchronous: Synchronous::Full,
            variables: BTreeMap::new(),
        }
    }
}

/// A running system. Dropping it has the effect of a crash.
pub struct System {
    mail: MailSink,
    sidecars: Sidecars,
    host: RunningHost,
    sidecar_addresses: BTreeMap<String, SocketAddr>,
    data: DataDir,
    local_sign_in: bool,
    _exclusive: Exclusive,
}

impl System {
    /// Starts everything in this order: the mail sink, whose address goes into the secret store of the sidecars; the sidecars, whose
    /// addresses go into variables of the components; the components; the deliveries to them.
    ///
    /// # Errors
    ///
    /// A part cannot start; the message says which one and why.
    pub async fn start(options: SystemOptions) -> Result<Self> {
        let data = &options.data;
        let exclusive = data.take()?;
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let mail = MailSink::start(loopback, data.mail())
            .await
            .context("the mail sink cannot start")?;
        data.set_mail_server("127.0.0.1", mail.addr().port())?;

        // Each app has its own pair, valid for this run only. The api's is stored while the system runs, for `nudge import` and `nudge
        // migrate`.
        let mut tokens = BTreeMap::new();
        for id in app::ALL {
            tokens.insert(id, Tokens::random()?);
        }
        let mut sidecars = Sidecars::bind(Options {
            resources: ["common", "subscriptions", "local"]
                .map(|folder| options.root.join("dapr-components").join(folder))
                .to_vec(),
            working_dir: data.path().to_owned(),
            data: data.sidecar_store(),
            synchronous: options.synchronous,
            clock: options.clock.clone(),
            await_clock: Clock::system(),
            apps: tokens.iter().map(|(id, tokens)| sidecar_of(id, tokens)).collect(),
        })
        .await
        .context("the sidecars cannot start")?;
        let sidecar_addresses: BTreeMap<String, SocketAddr> = app::ALL
            .iter()
            .filter_map(|id| Some(((*id).to_owned(), sidecars.address(id)?)))
            .collect();

        let manifest = Manifest::load(options.root.join("spin.toml"))?;
        let mut builder = Host::builder(manifest)
            .listen(options.listen)
            .state_dir(data.path())
            .cache_dir(options.root.join("target/compiled"))
            .clock(options.clock)
            .variable("sqlite_synchronous", options.synchronous.name())
            .own_address(PUBLIC_URL);
        // The page must not accept a token from a link where users sign in with an identity provider.
        let local_sign_in = accepts_local_tokens(&options.variables);
        builder = builder.variable(LOCAL_SIGN_IN, local_sign_in.to_string());
        for (name, value) in options.variables {
            builder = builder.variable(name, value);
        }
        for (id, address) in &sidecar_addresses {
            builder = builder.variable(
                format!("{}_sidecar", id.replace('-', "_")),
                format!("http://{address}"),
            );
        }
        // A service has what the common variable and its own say, and the environment may set the common one.
        builder = builder
            .variable("dapr_api_token", "")
            .variable("dapr_app_token", "");
        for (id, tokens) in &tokens {
            let id = id.replace('-', "_");
            // Requests of users never take up what events, jobs and calls of other services need.
            builder = builder
                .reserve(HeaderName::from_static(APP_TOKEN), &tokens.app)
                .variable(format!("{id}_dapr_api_token"), &tokens.api)
                .variable(format!("{id}_dapr_app_token"), &tokens.app);
        }
        let host = builder
            .build()
            .await
            .context("the components cannot start")?
            .start();
        let base = format!("http://{}", host.local_addr());
        let urls = app::ALL
            .iter()
            .map(|id| Ok(((*id).to_owned(), base.parse()?)))
            .collect::<Result<_>>()?;
        sidecars.serve(urls);
        if let Some((sidecar, tokens)) = sidecar_addresses.get(app::API).zip(tokens.remove(app::API)) {
            data.set_running(&Running {
                local_sign_in,
                url: on_this_machine(host.local_addr()),
                sidecar: *sidecar,
                token: tokens.api,
            })?;
        }
        Ok(Self {
            mail,
            sidecars,
            host,
            sidecar_addresses,
            data: options.data,
            local_sign_in,
            _exclusive: exclusive,
        })
    }

    /// The URL of the application, such as `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.host.local_addr())
    }

    /// The URL of the application in a browser on this machine, even if it listens on all addresses.
    pub fn local_url(&self) -> String {
        on_this_machine(self.host.local_addr())
    }

    /// Whether the page accepts the tokens that [`mint`](crate::mint) makes, in the fragment of its URL.
    pub fn local_sign_in(&self) -> bool {
        self.local_sign_in
    }

    /// The id of each app, and the address of its sidecar.
    pub fn sidecars(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.sidecar_addresses
            .iter()
            .map(|(id, address)| (id.as_str(), *address))
    }

    /// The mail server, to read its emails, or to make it refuse some.
    pub fn mail(&self) -> &MailSink {
        &self.mail
    }

    /// The folder with the emails.
    pub fn mail_dir(&self) -> &Path {
        self.mail.dir()
    }

    /// Stops everything in the order that loses least: no new requests, then no new deliveries, then no emails.
    pub async fn shutdown(self) {
        self.data.forget_running();
        self.host.shutdown().await;
        self.sidecars.shutdown().await;
        self.mail.shutdown().await;
    }
}

/// Whether the page and the api accept the tokens that [`mint`](crate::mint) makes, given these variables and those of the environment.
fn accepts_local_tokens(variables: &BTreeMap<String, String>) -> bool {
    let value = |name: &str| {
        let environment = || std::env::var(format!("SPIN_VARIABLE_{}", name.to_uppercase())).ok();
        variables
            .get(name)
            .cloned()
            .or_else(environment)
            .unwrap_or_default()
    };
    value("oidc_issuer").is_empty() && (value("jwks_url").is_empty() || value("jwt_hs256") == "true")
}

fn on_this_machine(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// The tokens between an app and its sidecar.
struct Tokens {
    /// What the app sends to its sidecar.
    api: String,
    /// What the sidecar sends to its app.
    app: String,
}

impl Tokens {
    fn random() -> Result<Self> {
        Ok(Self {
            api: random_text()?,
            app: random_text()?,
        })
    }
}

fn sidecar_of(id: &str, tokens: &Tokens) -> App {
    App {
        api_token: Some(tokens.api.clone()),
        app_token: Some(tokens.app.clone()),
        // Dapr's defaults, except for the timeout, because the first probe may reach a component that has not run yet, and the threshold.
        // It is that of the deployments (decision 0022): probes show no token, so they wait among the requests of users, and deliveries
        // must not stop because of them.
        health: Some(AppHealth {
            path: route::health_of(id).to_owned(),
            interval: Duration::from_secs(5),
            threshold: 1000,
            timeout: Duration::from_secs(5),
        }),
        max_concurrency: app::max_concurrency(id).map(|limit| limit as usize),
        ..App::new(id)
    }
}
