//! Origins of the identity provider.

/// Scheme, host and port of an address that is safe for tokens: `https`, or `http` on loopback. None for what could add a directive or a
/// source.
pub(crate) fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_host = !authority.is_empty()
        && authority
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'));
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let is_loopback = matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    (is_host && (scheme == "https" || (scheme == "http" && is_loopback)))
        .then(|| format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_origin_of_a_well_formed_issuer_may_be_called() {
        for (issuer, origin) in [
            (
                "https://id.example.com/realms/a?b=c",
                Some("https://id.example.com"),
            ),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080/x", Some("http://[::1]:8080")),
            ("http://id.example.com", None),
            ("http://127.0.0.1.example.com", None),
            ("https://id.example.com; script-src *", None),
            ("https://a b", None),
            ("javascript://id.example.com", None),
            ("id.example.com", None),
            ("https:///path", None),
        ] {
            assert_eq!(super::origin(issuer).as_deref(), origin, "{issuer}");
        }
    }
}
