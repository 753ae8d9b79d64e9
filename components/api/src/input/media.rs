//! Media types of request bodies (`Content-Type`) and of responses (`Accept`; RFC 9110, sections 8.3 and 12.5.1).

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use nudge_component::Problem;

/// Refuses a body that is not sent as one of these types, or in another charset than UTF-8.
///
/// # Errors
///
/// 415 that names the accepted types.
pub(crate) fn sent_as(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = parts(sent.unwrap_or_default(), ';');
    let essence = parts.next().unwrap_or_default().trim();
    let known = types.iter().any(|known| known.eq_ignore_ascii_case(essence));
    // US-ASCII is a subset of UTF-8.
    let utf8 = parts.filter_map(parameter).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset")
            || ["utf-8", "us-ascii"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(value))
    });
    if known && utf8 {
        return Ok(());
    }
    let known = types.join(" or ");
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        if utf8 {
            format!("send the body as Content-Type: {known}")
        } else {
            format!("send the body in UTF-8, as Content-Type: {known}")
        },
    ))
}

/// Chooses the offered type that the caller prefers: the highest weight; at equal weights, a named type before one that only a
/// wildcard covers; then the order of the offered types. Parameters other than the weight are ignored, since no type here has
/// any. A range that cannot be parsed is ignored; if none is left, every type is acceptable.
///
/// # Errors
///
/// 406 if none is acceptable.
pub(crate) fn wanted(headers: &HeaderMap, offered: &[&'static str]) -> Result<&'static str, Problem> {
    let lines = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range> = lines
        .flat_map(|line| parts(line, ','))
        .filter_map(Range::read)
        .collect();
    let mut best: Option<(&'static str, f32, Closeness)> = None;
    for kind in offered {
        // The most specific range has precedence.
        let said = ranges
            .iter()
            .filter_map(|range| Some((range.closeness(kind)?, range.weight)))
            .max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let (closeness, weight) = match said {
            Some(said) => said,
            None if ranges.is_empty() => (Closeness::Anything, 1.0),
            None => continue,
        };
        let better =
            best.is_none_or(|(_, most, closest)| weight > most || (weight == most && closeness > closest));
        if weight > 0.0 && better {
            best = Some((kind, weight, closeness));
        }
    }
    best.map(|(kind, ..)| kind).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            format!("this is answered as {}: name it in Accept", offered.join(" or ")),
        )
    })
}

/// How closely a range names a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    /// `*/*`
    Anything,
    /// `text/*`
    Kind,
    Exact,
}

/// An element of `Accept`, in lower case.
struct Range {
    kind: String,
    subtype: String,
    weight: f32,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = parts(text, ';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !token(kind) || !token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let weight = match parts
            .filter_map(parameter)
            .find(|(name, _)| name.eq_ignore_ascii_case("q"))
        {
            None => 1.0,
            Some((_, text)) => weight(text)?,
        };
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            subtype: subtype.to_ascii_lowercase(),
            weight,
        })
    }

    fn closeness(&self, offered: &str) -> Option<Closeness> {
        let (kind, subtype) = offered.split_once('/')?;
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", "*") => Some(Closeness::Anything),
            (known, "*") if known == kind => Some(Closeness::Kind),
            (known, exactly) if known == kind && exactly == subtype => Some(Closeness::Exact),
            _ => None,
        }
    }
}

/// A weight from 0 to 1 (section 12.4.2), with any number of digits.
fn weight(text: &str) -> Option<f32> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let weight: f32 = text.parse().ok().filter(|_| decimal)?;
    (0.0..=1.0).contains(&weight).then_some(weight)
}

/// A parameter's name, and its value without quotation marks.
fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Some((name.trim(), quoted.unwrap_or(value)))
}

/// Splits at separators outside of quoted strings (section 5.6.4).
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let plain = !std::mem::take(&mut escaped);
        match character {
            '\\' if quoted => escaped = plain,
            '"' if plain => quoted = !quoted,
            _ => {}
        }
        !quoted && character == separator
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "text/event-stream";
    const JSON: &str = "application/json";

    fn accept(lines: &[&str]) -> Option<&'static str> {
        let line = |line: &&str| (ACCEPT, line.parse().unwrap());
        wanted(&lines.iter().map(line).collect(), &[JSON, STREAM]).ok()
    }

    #[test]
    fn the_highest_weight_wins_then_what_is_named_then_what_is_offered_first() {
        for (accept_line, expected) in [
            ("", Some(JSON)),
            ("text/event-stream", Some(STREAM)),
            ("Text/Event-Stream", Some(STREAM)),
            ("text/event-stream; charset=utf-8", Some(STREAM)),
            ("text/event-stream;q=0, application/json", Some(JSON)),
            ("text/event-stream;q=0", None),
            ("text/event-stream;q=0, */*", Some(JSON)),
            ("application/json;q=0, */*", Some(STREAM)),
            ("application/json;Q=0.0, */*;q=0.1", Some(STREAM)),
            ("application/json;q=0.5, text/event-stream;q=0.6", Some(STREAM)),
            ("application/json; q=0.8 , text/event-stream ;q=0.7", Some(JSON)),
            ("application/json, text/event-stream", Some(JSON)),
            ("text/event-stream, application/json", Some(JSON)),
            ("*/*", Some(JSON)),
            ("text/event-stream, */*", Some(STREAM)),
            ("text/*, */*", Some(STREAM)),
            ("text/*", Some(STREAM)),
            ("text/*;q=0.9, application/*;q=0.8", Some(STREAM)),
            (
                "text/*, text/event-stream;q=0.1, application/json;q=0.2",
                Some(JSON),
            ),
            ("text/html", None),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(JSON)),
            ("text/html, image/gif, *; q=.2, */*; q=.2", Some(JSON)),
            (
                r#"text/html;x="a, text/event-stream", application/json"#,
                Some(JSON),
            ),
            (
                r#"text/html;x="\", text/event-stream", application/json"#,
                Some(JSON),
            ),
            (r#"text/event-stream;x=";q=0""#, Some(STREAM)),
        ] {
            assert_eq!(accept(&[accept_line]), expected, "{accept_line}");
        }
        assert_eq!(accept(&[]), Some(JSON));
        assert_eq!(accept(&["application/json;q=0.1", STREAM]), Some(STREAM));
    }

    #[test]
    fn a_range_that_cannot_be_read_does_not_count() {
        for range in [
            "text/event-stream;q=x",
            "text/event-stream;q=",
            "text/event-stream;q=1.1",
            "text/event-stream;q=-1",
            "text/event-stream;q=1e0",
            "text/event-stream;q=NaN",
            "text",
            "text/",
            "/event-stream",
            "*/event-stream",
            "text /event-stream",
        ] {
            assert_eq!(
                accept(&[&format!("{range}, application/json;q=0.1")]),
                Some(JSON),
                "{range}"
            );
            assert_eq!(accept(&[range]), Some(JSON), "{range}: nothing is said");
        }
        assert_eq!(
            accept(&["text/event-stream;q=0.12345, application/json;q=0.1"]),
            Some(STREAM)
        );
    }

    #[test]
    fn a_body_is_json_in_utf_8() {
        let sent = |kind: &str| {
            sent_as(
                &[(CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect(),
                &[JSON],
            )
        };
        for kind in [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json; Charset=\"UTF-8\"",
            "application/json; charset=us-ascii",
            "application/json; profile=\"a;charset=x\"",
        ] {
            assert!(sent(kind).is_ok(), "{kind}");
        }
        for kind in [
            "",
            "text/plain",
            "application/json+x",
            "application/jsonp",
            "application/json, text/plain",
            "application/json; charset=iso-8859-1",
            "application/json; charset=utf-16",
        ] {
            assert_eq!(sent(kind).unwrap_err().code(), "unsupported_media_type", "{kind}");
        }
        assert!(sent_as(&HeaderMap::new(), &[JSON]).is_err());
    }
}
