//! `/config.json`: how users sign in. And the variables that say it.

use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use nudge_component::Problem;
use nudge_component::serve::Json;
use nudge_component::settings::variable;
use nudge_contract::page::{OidcConfig, PageConfig};

use crate::origin::origin;

/// What the page asks a provider for unless `oidc_scope` says otherwise: who it is, their address, and tokens that can be renewed.
const SCOPE: &str = "openid email profile offline_access";

/// The values of the variables; none if a variable is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables {
    issuer: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    audience: Option<String>,
    connect_origins: Option<String>,
    local_sign_in: Option<String>,
}

pub(crate) async fn read() -> Response {
    let config = match Variables::read().await {
        Ok(variables) => variables.config(),
        Err(error) => return Problem::unavailable("the configuration", error).into_response(),
    };
    match config {
        Ok(config) => (
            [(CACHE_CONTROL, HeaderValue::from_static("no-cache"))],
            Json(config),
        )
            .into_response(),
        // The operator opens the page first, and no variable of it is a secret.
        Err(wrong) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "misconfigured", wrong.clone())
            .logged(wrong)
            .into_response(),
    }
}

impl Variables {
    pub(crate) async fn read() -> Result<Self, String> {
        Ok(Self {
            issuer: variable("oidc_issuer").await?,
            client_id: variable("oidc_client_id").await?,
            scope: variable("oidc_scope").await?,
            audience: variable("oidc_audience").await?,
            connect_origins: variable("oidc_connect_origins").await?,
            local_sign_in: variable("local_sign_in").await?,
        })
    }

    /// What the page reads, or which variable is wrong and how to correct it.
    fn config(self) -> Result<PageConfig, String> {
        let local = match self.local_sign_in.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(format!("local_sign_in is {other:?}; set it to true or false")),
        };
        self.origins()?;
        let (issuer, client_id) = match (self.issuer, self.client_id) {
            (None, None) => return Ok(PageConfig { oidc: None, local }),
            (Some(issuer), Some(client_id)) => (issuer, client_id),
            (Some(_), None) => {
                return Err(
                    "oidc_client_id is empty; set it to the id of the page at oidc_issuer".to_owned(),
                );
            }
            (None, Some(_)) => {
                return Err(
                    "oidc_issuer is empty; set it to the issuer that knows oidc_client_id".to_owned(),
                );
            }
        };
        if local {
            return Err("local_sign_in is true; with oidc_issuer it must be empty".to_owned());
        }
        let scope = self.scope.unwrap_or_else(|| SCOPE.to_owned());
        if !scope.split(' ').any(|one| one == "openid") {
            return Err(format!("oidc_scope is {scope:?}; it must contain openid"));
        }
        let oidc = OidcConfig {
            issuer,
            client_id,
            scope,
            audience: self.audience,
        };
        Ok(PageConfig {
            oidc: Some(oidc),
            local,
        })
    }

    /// The origins that the page may call beside its own: that of the issuer, and those of other endpoints of the provider.
    pub(crate) fn origins(&self) -> Result<Vec<String>, String> {
        let mut origins = Vec::new();
        if let Some(issuer) = &self.issuer {
            let wrong = || {
                format!(
                    "oidc_issuer is {issuer:?}; it must be an https URL without query and fragment, such as https://id.example.com/realms/a"
                )
            };
            if issuer.contains(['?', '#']) {
                return Err(wrong());
            }
            origins.push(origin(issuer).ok_or_else(wrong)?);
        }
        let more = self.connect_origins.as_deref().unwrap_or_default();
        for one in more.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            match origin(one) {
                Some(found) if found == one => origins.push(found),
                _ => {
                    return Err(format!(
                        "oidc_connect_origins contains {one:?}; write origins separated by commas, such as https://token.example.com"
                    ));
                }
            }
        }
        Ok(origins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(values: &[(&str, &str)]) -> Variables {
        let value = |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Variables {
            issuer: value("oidc_issuer"),
            client_id: value("oidc_client_id"),
            scope: value("oidc_scope"),
            audience: value("oidc_audience"),
            connect_origins: value("oidc_connect_origins"),
            local_sign_in: value("local_sign_in"),
        }
    }

    const ISSUER: (&str, &str) = ("oidc_issuer", "https://id.example.com/realms/a");
    const CLIENT: (&str, &str) = ("oidc_client_id", "page");

    #[test]
    fn the_page_learns_how_users_sign_in() {
        let nothing = PageConfig {
            oidc: None,
            local: false,
        };
        assert_eq!(variables(&[]).config(), Ok(nothing));
        assert!(variables(&[("local_sign_in", "true")]).config().unwrap().local);
        let config = variables(&[ISSUER, CLIENT, ("oidc_audience", "nudge")]);
        let oidc = config.config().unwrap().oidc.unwrap();
        assert_eq!(
            (oidc.scope.as_str(), oidc.audience.as_deref()),
            (SCOPE, Some("nudge"))
        );
    }

    #[test]
    fn a_wrong_value_is_refused_by_its_name() {
        for (values, name) in [
            (&[ISSUER][..], "oidc_client_id is empty"),
            (&[CLIENT], "oidc_issuer is empty"),
            (&[("oidc_issuer", "id.example.com"), CLIENT], "oidc_issuer is"),
            (
                &[("oidc_issuer", "http://id.example.com"), CLIENT],
                "oidc_issuer is",
            ),
            (
                &[("oidc_issuer", "https://id.example.com?x"), CLIENT],
                "oidc_issuer is",
            ),
            (&[ISSUER, CLIENT, ("oidc_scope", "profile")], "oidc_scope is"),
            (
                &[ISSUER, CLIENT, ("oidc_connect_origins", "https://a.example/x")],
                "oidc_connect_origins contains",
            ),
            (
                &[ISSUER, CLIENT, ("oidc_connect_origins", "https://a.example,*")],
                "oidc_connect_origins contains",
            ),
            (&[("local_sign_in", "yes")], "local_sign_in is"),
            (&[ISSUER, CLIENT, ("local_sign_in", "true")], "local_sign_in is"),
        ] {
            let error = variables(values).config().unwrap_err();
            assert!(error.starts_with(name), "{values:?}: {error}");
        }
    }

    #[test]
    fn the_page_may_call_the_endpoints_of_the_provider() {
        let more = (
            "oidc_connect_origins",
            "https://token.example.com, https://api.example.com:8443",
        );
        assert_eq!(
            variables(&[ISSUER, CLIENT, more]).origins().unwrap(),
            [
                "https://id.example.com",
                "https://token.example.com",
                "https://api.example.com:8443"
            ]
        );
    }
}
