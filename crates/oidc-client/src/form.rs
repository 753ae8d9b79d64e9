//! `application/x-www-form-urlencoded`, for queries and bodies.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What RFC 3986, section 2.3, leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Writes parameters. Those without a value are left out.
pub(crate) fn write(parameters: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.extend(utf8_percent_encode(value, ENCODED));
    }
    text
}

/// Adds parameters to a URL, which may have a query.
pub(crate) fn add(url: &str, parameters: &[(&str, &str)]) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{}", write(parameters))
}

/// Reads parameters, in their order.
pub(crate) fn read(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let parameters = [
            ("scope", "openid profile"),
            ("empty", ""),
            ("uri", "https://a.example/?x=1&y=é#z"),
        ];
        let text = write(&parameters);
        assert_eq!(
            text,
            "scope=openid%20profile&uri=https%3A%2F%2Fa.example%2F%3Fx%3D1%26y%3D%C3%A9%23z"
        );
        let read: Vec<_> = read(&text).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[1].1, parameters[2].1);
    }

    #[test]
    fn a_plus_is_a_space() {
        assert_eq!(
            read("d=a+b%2B&flag").collect::<Vec<_>>(),
            [
                ("d".to_owned(), "a b+".to_owned()),
                ("flag".to_owned(), String::new())
            ]
        );
    }

    #[test]
    fn parameters_are_added_to_a_query() {
        assert_eq!(
            add("https://a.example/x", &[("b", "1")]),
            "https://a.example/x?b=1"
        );
        assert_eq!(
            add("https://a.example/x?p=q", &[("b", "1")]),
            "https://a.example/x?p=q&b=1"
        );
    }
}
