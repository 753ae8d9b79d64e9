//! OpenID Connect for an application in a browser: the authorization code flow with PKCE, renewal and logout.
//!
//! No clock, no random numbers, no network and no storage: the caller passes them in. Such an application is a public client, so it has no
//! secret, and PKCE binds the code to the page that asked for it.
//!
//! | module | standard |
//! | --- | --- |
//! | `metadata` | OpenID Connect Discovery 1.0, RFC 8414 |
//! | `pkce` | RFC 7636, with S256 |
//! | `authorization` | OpenID Connect Core 1.0, section 3.1.2; RFC 8707; RFC 9207 |
//! | `token` | RFC 6749, sections 4.1.3, 5 and 6; RFC 7009 |
//! | `id_token` | OpenID Connect Core 1.0, sections 2 and 3.1.3.7 |
//! | `session` | when to renew, and whether a renewed session is that of the same user |
//! | `logout` | OpenID Connect RP-Initiated Logout 1.0 |
//!
//! ```
//! use oidc_client::{Client, Metadata, Pending, Prompt};
//!
//! let client = Client {
//!     issuer: "https://id.example.com".to_owned(),
//!     client_id: "nudge-page".to_owned(),
//!     scope: "openid offline_access".to_owned(),
//!     audience: None,
//!     redirect_uri: "https://nudge.example.com/".to_owned(),
//! };
//! let metadata = Metadata::parse(
//!     &client.issuer,
//!     r#"{ "issuer": "https://id.example.com", "authorization_endpoint": "https://id.example.com/authorize",
//!          "token_endpoint": "https://id.example.com/token" }"#,
//! )?;
//! // Random bytes of the browser, and the time in seconds since 1970.
//! let pending = Pending::new(&client, [[7; 32], [8; 32], [9; 32]], Prompt::Login, "/upcoming", 1_795_262_400);
//! let url = client.authorization_url(&metadata, &pending);
//! assert!(url.starts_with("https://id.example.com/authorize?response_type=code&client_id=nudge-page&"));
//! # Ok::<(), oidc_client::Error>(())
//! ```

mod authorization;
mod error;
mod form;
mod id_token;
mod logout;
mod metadata;
mod pkce;
mod session;
mod token;

pub use authorization::{Callback, Client, Pending, Prompt};
pub use error::{Error, Fault};
pub use id_token::{Claims, Who, is_jwt};
pub use metadata::Metadata;
pub use pkce::Verifier;
pub use session::Session;
pub use token::{Grant, TokenRequest};
