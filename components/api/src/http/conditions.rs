//! `If-Match` and `If-None-Match`.
//!
//! A read is judged by [`reads`], against the entity tag of its answer, so that no route has to. Nothing has a modification date
//! here, so `If-Modified-Since` and `If-Unmodified-Since` are ignored (RFC 9110, sections 13.1.3 and 13.1.4), and so are all
//! conditions where there is no entity tag.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use nudge_component::Problem;

use crate::version::{Conditions, INVALID_ETAG, Judgement, Mismatch, WHAT_IS_AN_ETAG};

/// The conditions of a request.
///
/// # Errors
///
/// 400 when a header is not a list of entity tags.
pub(crate) fn read(headers: &HeaderMap) -> Result<Conditions, Problem> {
    Conditions::of(lines(headers, IF_MATCH), lines(headers, IF_NONE_MATCH))
        .map_err(|name| Problem::field(name, INVALID_ETAG, WHAT_IS_AN_ETAG))
}

/// All lines of a header, which are one list (section 5.3).
fn lines(headers: &HeaderMap, header: HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = headers
        .get_all(header)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    (!lines.is_empty()).then(|| lines.join(&b','))
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.headers)
    }
}

/// Middleware for reads: checks the conditions against the entity tag of the answer, and replaces the answer by a 304 or 412
/// if they do not hold.
pub(crate) async fn reads(request: Request, next: Next) -> Result<Response, Problem> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(next.run(request).await);
    }
    // An answer other than 200 is not subject to conditions, not even to malformed ones (section 13.2.1).
    let conditions = read(request.headers());
    let response = next.run(request).await;
    let tag = response.headers().get(ETAG).cloned();
    let Some(tag) = tag.filter(|_| response.status() == StatusCode::OK) else {
        return Ok(response);
    };
    match conditions?.judge(tag.as_bytes(), tag.as_bytes()) {
        Judgement::Holds => Ok(response),
        Judgement::Excluded => Ok(not_modified(response)),
        Judgement::Mismatch => Err(failed(
            "version_mismatch",
            "If-Match names other versions than the current one",
        )
        .header(ETAG, tag)),
    }
}

/// 304 with what caches need of the answer (section 15.4.5), and without a body.
fn not_modified(response: Response) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

fn failed(code: &str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, code, detail)
}

impl From<Mismatch> for Problem {
    fn from(mismatch: Mismatch) -> Self {
        let (thing, version) = (mismatch.thing.name(), mismatch.version);
        let (code, detail) = if mismatch.excluded {
            let detail = format!("the {thing} is there, at version {version}, which If-None-Match excludes");
            ("version_match", detail)
        } else {
            let detail = format!("the {thing} is at version {version}: read it again and repeat the change");
            ("version_mismatch", detail)
        };
        let problem = failed(code, detail).current_version(version);
        match HeaderValue::try_from(mismatch.tag) {
            Ok(tag) => problem.header(ETAG, tag),
            Err(_) => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVEN: &[u8] = b"\"7\"";

    fn request(lines: &[(HeaderName, &str)]) -> Result<Conditions, Problem> {
        let line = |(name, value): &(HeaderName, &str)| (name.clone(), value.parse().unwrap());
        read(&lines.iter().map(line).collect())
    }

    /// How a header judges the tag `"7"`; none when it is refused.
    fn judged(name: HeaderName, value: &str) -> Option<Judgement> {
        Some(request(&[(name, value)]).ok()?.judge(SEVEN, SEVEN))
    }

    #[test]
    fn a_condition_is_a_list_of_entity_tags_or_a_star() {
        use Judgement::{Excluded, Holds, Mismatch};
        for (value, matching, excluding) in [
            ("*", Holds, Excluded),
            (r#""7""#, Holds, Excluded),
            (r#"W/"7""#, Mismatch, Excluded),
            (r#""6""#, Mismatch, Holds),
            (r#""6", W/"a,b" ,	"7""#, Holds, Excluded),
            (r#", "6",, "7","#, Holds, Excluded),
            (r#"",","#, Mismatch, Holds),
            (r#""é", "7""#, Holds, Excluded),
            (r#""""#, Mismatch, Holds),
        ] {
            assert_eq!(judged(IF_MATCH, value), Some(matching), "{value}");
            assert_eq!(judged(IF_NONE_MATCH, value), Some(excluding), "{value}");
        }
        for value in [
            "",
            " ",
            ",",
            "7",
            "\"",
            "\"7",
            "7\"",
            "x,\"7\"",
            "\"7\" \"8\"",
            "\"a b\"",
            "*, \"7\"",
            "\"7\", *",
            "**",
            "w/\"7\"",
            "W/7",
            "W/ \"7\"",
            "\"7\"x",
        ] {
            assert_eq!(judged(IF_MATCH, value), None, "{value}");
            assert_eq!(judged(IF_NONE_MATCH, value), None, "{value}");
        }
    }

    #[test]
    fn what_must_match_may_be_the_version_of_a_tag_that_says_more() {
        let judged =
            |name: HeaderName, value: &str| request(&[(name, value)]).unwrap().judge(b"\"7-3\"", SEVEN);
        for (value, matching, excluding) in [
            ("\"7-3\"", Judgement::Holds, Judgement::Excluded),
            ("\"7\"", Judgement::Holds, Judgement::Holds),
            ("\"7-2\"", Judgement::Mismatch, Judgement::Holds),
        ] {
            assert_eq!(judged(IF_MATCH, value), matching, "{value}");
            assert_eq!(judged(IF_NONE_MATCH, value), excluding, "{value}");
        }
    }

    #[test]
    fn several_lines_of_a_header_are_one_list() {
        let two = request(&[(IF_MATCH, "\"6\""), (IF_MATCH, "\"7\"")]).unwrap();
        assert_eq!(two.judge(SEVEN, SEVEN), Judgement::Holds);
        assert!(request(&[(IF_MATCH, "*"), (IF_MATCH, "\"7\"")]).is_err());
    }

    #[test]
    fn what_must_match_comes_before_what_must_not() {
        let both = request(&[(IF_MATCH, "\"6\""), (IF_NONE_MATCH, "\"7\"")]).unwrap();
        assert_eq!(both.judge(SEVEN, SEVEN), Judgement::Mismatch);
        let both = request(&[(IF_MATCH, "\"7\""), (IF_NONE_MATCH, "*")]).unwrap();
        assert_eq!(both.judge(SEVEN, SEVEN), Judgement::Excluded);
        assert!(request(&[]).unwrap().is_none());
    }
}
