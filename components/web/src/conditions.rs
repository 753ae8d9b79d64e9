//! `If-None-Match` and `Accept-Encoding`.

use http::HeaderValue;

/// Whether `If-None-Match` names the entity tag, or is `*` (RFC 9110, section 13.1.2: the comparison is weak).
pub(crate) fn names<'a>(values: impl IntoIterator<Item = &'a HeaderValue>, tag: &str) -> bool {
    members(values).any(|member| member == "*" || member.strip_prefix("W/").unwrap_or(member) == tag)
}

/// Whether `Accept-Encoding` allows a coding other than `identity` (RFC 9110, section 12.5.3).
pub(crate) fn accepts<'a>(values: impl IntoIterator<Item = &'a HeaderValue>, coding: &str) -> bool {
    let (mut named, mut any) = (None, false);
    for member in members(values) {
        let (name, weight) = member.split_once(';').unwrap_or((member, ""));
        let allowed = !is_zero(weight);
        match name.trim() {
            "*" => any = allowed,
            name if name.eq_ignore_ascii_case(coding) => named = Some(allowed),
            _ => {}
        }
    }
    named.unwrap_or(any)
}

/// Whether a parameter is `q=0`, `q=0.0`, …
fn is_zero(weight: &str) -> bool {
    let value = weight
        .trim()
        .trim_start_matches(['q', 'Q'])
        .trim_start()
        .strip_prefix('=');
    value.is_some_and(|value| value.trim().parse::<f32>() == Ok(0.0))
}

fn members<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a str> {
    values
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> [HeaderValue; 1] {
        [HeaderValue::from_static(text)]
    }

    #[test]
    fn an_entity_tag_is_found_in_a_list_and_compared_weakly() {
        for (header, found) in [
            (r#""a""#, true),
            (r#""b", "a""#, true),
            (r#"W/"a""#, true),
            ("*", true),
            (r#""b""#, false),
            ("a", false),
            ("", false),
        ] {
            assert_eq!(names(&value(header), r#""a""#), found, "{header}");
        }
    }

    #[test]
    fn a_coding_is_accepted_when_it_is_named_or_any_is_and_its_weight_is_not_zero() {
        for (header, accepted) in [
            ("br", true),
            ("gzip, deflate, BR", true),
            ("gzip;q=1.0, br;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.000, gzip", false),
            ("*", true),
            ("*;q=0", false),
            ("*, br;q=0", false),
            ("br, *;q=0", true),
            ("gzip", false),
            ("", false),
        ] {
            assert_eq!(accepts(&value(header), "br"), accepted, "{header}");
        }
    }
}
