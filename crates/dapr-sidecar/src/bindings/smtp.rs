//! `bindings.smtp`.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{address, message};
use crate::app::chain;
use crate::resources::{EMAIL_FIELDS, Smtp};

/// Why an email was not accepted, in the words of Dapr's binding as far as they were recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("smtp binding error: {0} property not supplied in configuration- or request-metadata")]
    Missing(&'static str),
    #[error(
        "error from smtp binding, sending email failed: gomail: could not send email 1: gomail: invalid address {text:?}: {why}"
    )]
    Address { text: String, why: String },
    #[error("error from smtp binding, sending email failed: {0}")]
    Envelope(#[from] lettre::error::Error),
    #[error("error from smtp binding, sending email failed: {}", refusal(.0))]
    Smtp(#[from] lettre::transport::smtp::Error),
}

/// A server's refusal as daprd 1.16.0 built with Go 1.24 prints it (a newer Go puts the text in quotes); anything else unchanged.
fn refusal(error: &lettre::transport::smtp::Error) -> String {
    match (error.status(), error.source()) {
        (Some(code), Some(text)) => format!("gomail: could not send email 1: {code} {text}"),
        // The server closed the connection where a reply was due.
        _ if error.is_response() => "gomail: could not send email 1: EOF".to_owned(),
        _ => chain(error),
    }
}

/// Metadata by name.
type Fields = BTreeMap<String, String>;

/// The fields of an email that are read first.
const ADDRESSES: [&str; 4] = ["emailFrom", "emailTo", "emailCC", "emailBCC"];

/// The fields that are read after that.
const REST: [&str; 2] = ["subject", "priority"];

/// One smtp binding of one sidecar.
pub(crate) struct Mailer {
    settings: Smtp,
    /// Dapr merges the metadata of a request into the component's settings, where it stays: a later email
    /// without `emailTo` goes to the previous recipient, and of two requests at the same time one may get the recipient or the
    /// subject of the other. Recorded on daprd 1.16 and 1.18, and reproduced so that callers do not rely on anything better.
    fields: Mutex<Fields>,
}

impl Mailer {
    pub(crate) fn new(settings: Smtp) -> Self {
        let mut fields = settings.defaults.clone();
        fields
            .entry("priority".to_owned())
            .or_insert_with(|| "3".to_owned());
        Self {
            settings,
            fields: Mutex::new(fields),
        }
    }

    /// Sends one email and returns once the server has accepted it.
    ///
    /// The body is the request's. Everything else is read from the settings after they were merged, in two steps as in
    /// Dapr, where another request may come between any two of them.
    pub(crate) async fn send(&self, request: &Fields, html: &str, now: Timestamp) -> Result<(), SendError> {
        self.merge(request);
        tokio::task::yield_now().await;
        let mut fields = self.read(&ADDRESSES);
        tokio::task::yield_now().await;
        fields.append(&mut self.read(&REST));
        let get = |name: &str| fields.get(name).map_or("", String::as_str);
        for name in ["emailFrom", "emailTo", "subject"] {
            if get(name).is_empty() {
                return Err(SendError::Missing(name));
            }
        }
        // The encoded values are checked, the sender first.
        let parse = |text: &str| {
            let text = message::words(text);
            address::parse(&text).map_err(|why| SendError::Address { text, why })
        };
        let sender = parse(get("emailFrom"))?;
        let recipients: Result<Vec<_>, _> = ["emailTo", "emailCC", "emailBCC"]
            .iter()
            .map(|name| get(name))
            .filter(|list| !list.is_empty())
            .flat_map(message::addresses)
            .map(parse)
            .collect();
        let envelope = Envelope::new(Some(sender), recipients?)?;
        let email = message::compose(&fields, html, now);
        self.transport().send_raw(&envelope, &email).await?;
        Ok(())
    }

    fn merge(&self, request: &Fields) {
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        for name in EMAIL_FIELDS {
            if let Some(value) = request.get(name).filter(|value| !value.is_empty()) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
    }

    /// What the settings are now.
    fn read(&self, names: &[&str]) -> Fields {
        let fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone())))
            .collect()
    }

    /// One connection per email, as in Dapr, without TLS.
    fn transport(&self) -> AsyncSmtpTransport<Tokio1Executor> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.settings.host)
            .port(self.settings.port)
            .hello_name(ClientId::Domain("localhost".to_owned()));
        match &self.settings.credentials {
            Some((user, password)) => builder
                .credentials(Credentials::new(user.clone(), password.clone()))
                .build(),
            None => builder.build(),
        }
    }
}
