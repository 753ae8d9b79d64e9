//! Logout (OpenID Connect RP-Initiated Logout 1.0, section 2).

use crate::authorization::Client;
use crate::form;
use crate::metadata::Metadata;

impl Client {
    /// Where the user signs out of the provider, if it supports that. It sends the user back to the redirect URI.
    pub fn logout_url(&self, metadata: &Metadata, id_token: Option<&str>) -> Option<String> {
        let endpoint = metadata.end_session_endpoint.as_deref()?;
        Some(form::add(
            endpoint,
            &[
                ("id_token_hint", id_token.unwrap_or_default()),
                ("client_id", &self.client_id),
                ("post_logout_redirect_uri", &self.redirect_uri),
            ],
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::authorization::tests::client;
    use crate::metadata::tests::metadata;

    #[test]
    fn the_provider_learns_who_signs_out_and_where_to_go_then() {
        assert_eq!(
            client().logout_url(&metadata(), Some("a.b.c")).unwrap(),
            "https://id.example.com/logout?id_token_hint=a.b.c&client_id=page&post_logout_redirect_uri=https%3A%2F%2Fnudge.example.com%2F"
        );
        let mut without = metadata();
        without.end_session_endpoint = None;
        assert_eq!(client().logout_url(&without, None), None);
    }
}
