//! The identity provider: redirects, renewal, sign-out.

use nudge_contract::page::OidcConfig;
use oidc_client::{Callback, Client, Error, Metadata, Pending, Prompt, Session};

use super::browser::{self, Answer};

/// On this device: at which issuer the user has signed in, so that a reload asks it again without a click. Not who it was.
pub(super) const HINT: &str = "nudge.signed-in";

/// In this tab, followed by the state: a request whose response is awaited.
const PENDING: &str = "nudge.sign-in.";

/// The provider, and what it says about itself.
#[derive(Clone)]
pub(super) struct Provider {
    client: Client,
    metadata: Metadata,
}

impl Provider {
    /// Reads the metadata of the provider.
    pub(super) async fn discover(config: OidcConfig) -> Result<Self, Error> {
        let client = Client {
            issuer: config.issuer,
            client_id: config.client_id,
            scope: config.scope,
            audience: config.audience,
            redirect_uri: format!("{}/", browser::origin()),
        };
        let url = Metadata::url(&client.issuer);
        let answer = browser::get(&url, None).await.ok_or_else(|| unreachable(&url))?;
        if answer.status != 200 {
            return Err(Error::Unavailable {
                detail: format!("{url} answered {}", answer.status),
            });
        }
        let metadata = Metadata::parse(&client.issuer, &answer.body)?;
        Ok(Self { client, metadata })
    }

    /// A request, and the address of the provider that it is sent to.
    pub(super) fn request(&self, prompt: Prompt, address: &str) -> Result<(Pending, String), Error> {
        let random = [browser::random(), browser::random(), browser::random()];
        let [Some(state), Some(nonce), Some(verifier)] = random else {
            return Err(Error::Unavailable {
                detail: "the browser gives no random numbers".to_owned(),
            });
        };
        let pending = Pending::new(
            &self.client,
            [state, nonce, verifier],
            prompt,
            address,
            browser::now(),
        );
        let url = self.client.authorization_url(&self.metadata, &pending);
        Ok((pending, url))
    }

    /// Goes to the provider, which sends the user back to this address of the page.
    pub(super) fn go(&self, prompt: Prompt, address: &str) -> Result<(), Error> {
        let (pending, url) = self.request(prompt, address)?;
        let stored = serde_json::to_string(&pending).ok().and_then(|text| {
            let name = format!("{PENDING}{}", pending.state());
            browser::tab()?.set_item(&name, &text).ok()
        });
        if stored.is_none() {
            return Err(Error::Unavailable {
                detail: "the browser stores nothing for this page: allow it, and try again".to_owned(),
            });
        }
        browser::leave(&url);
        Ok(())
    }

    /// The session that a response of the provider begins.
    pub(super) async fn finish(&self, pending: &Pending, callback: Callback) -> Result<Session, Error> {
        let code = pending.accept(callback, &self.metadata, browser::now())?;
        let request = self.client.code_request(pending, &code);
        let Answer { status, body } = self.ask(&request.body).await?;
        let session = self.client.begin(pending, status, &body, browser::now())?;
        if let Some(device) = browser::device() {
            let _ = device.set_item(HINT, &self.client.issuer);
        }
        Ok(session)
    }

    /// The session with a new access token.
    pub(super) async fn renew(&self, session: &Session) -> Result<Session, Error> {
        let refresh_token = session.refresh_token().ok_or(Error::SessionEnded)?;
        let request = self.client.renewal_request(refresh_token);
        let Answer { status, body } = self.ask(&request.body).await?;
        session.renewed(&self.client, status, &body, browser::now())
    }

    async fn ask(&self, form: &str) -> Result<Answer, Error> {
        let url = self.metadata.token_endpoint();
        browser::post(url, form).await.ok_or_else(|| unreachable(url))
    }

    /// Whether the user has signed in here before, and not out.
    pub(super) fn remembers(&self) -> bool {
        let hint = browser::device().and_then(|device| device.get_item(HINT).ok().flatten());
        hint.as_deref() == Some(&self.client.issuer)
    }

    /// Ends the session here and at the provider. Leaves the page.
    pub(super) async fn sign_out(&self, session: Option<&Session>) {
        forget();
        let revocation = self.metadata.revocation_endpoint();
        if let (Some(url), Some(token)) = (revocation, session.and_then(Session::refresh_token)) {
            // It outlives the page, and the user does not wait for it.
            let (url, form) = (url.to_owned(), self.client.revocation_request(token).body);
            leptos::task::spawn_local(async move {
                let _ = browser::post(&url, &form).await;
            });
        }
        let id_token = session.and_then(Session::id_token);
        match self.client.logout_url(&self.metadata, id_token) {
            Some(url) => browser::leave(&url),
            None => browser::leave("/"),
        }
    }
}

/// Forgets that someone has signed in on this device.
pub(super) fn forget() {
    if let Some(device) = browser::device() {
        let _ = device.remove_item(HINT);
    }
}

/// Takes the request with this state, which is used once.
pub(super) fn take_pending(state: &str) -> Option<Pending> {
    let (tab, name) = (browser::tab()?, format!("{PENDING}{state}"));
    let text = tab.get_item(&name).ok()??;
    let _ = tab.remove_item(&name);
    serde_json::from_str(&text).ok()
}

fn unreachable(url: &str) -> Error {
    Error::Unavailable {
        detail: format!("{url} does not answer to this page: the provider must allow its origin (CORS)"),
    }
}
