//! The variable `public_url`: where users reach this application.

use http::Uri;
use nudge_component::settings::variable;

/// The address at which users reach this application, without a slash at its end: the variable `public_url`. None if it is not set:
/// then emails have no links, and OAuth clients are not told which resource this is.
///
/// # Errors
///
/// A sentence for the log: the variable cannot be read, or is not such an address.
pub(crate) async fn read() -> Result<Option<String>, String> {
    match variable("public_url").await? {
        None => Ok(None),
        Some(url) => check(&url).map(Some),
    }
}

fn check(url: &str) -> Result<String, String> {
    let valid = url.parse::<Uri>().is_ok_and(|parsed| {
        let is_web = matches!(parsed.scheme_str(), Some("http" | "https"));
        is_web
            && parsed.host().is_some_and(|host| !host.is_empty())
            && parsed
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
            && parsed.query().is_none()
    });
    if valid && !url.contains('#') {
        Ok(url.trim_end_matches('/').to_owned())
    } else {
        Err(
            "the variable public_url must be like https://nudge.example.com, with nothing after the path"
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_the_start_of_a_link() {
        for (url, start) in [
            ("https://nudge.example.com", "https://nudge.example.com"),
            ("https://nudge.example.com/", "https://nudge.example.com"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            (
                "https://example.com/apps/nudge/",
                "https://example.com/apps/nudge",
            ),
        ] {
            assert_eq!(check(url).as_deref(), Ok(start));
        }
        for url in [
            "nudge.example.com",
            "ftp://example.com",
            "https://",
            "https://user@example.com",
            "https://example.com?x=1",
            "https://example.com/#x",
            "javascript:alert(1)",
            "/",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
    }
}
