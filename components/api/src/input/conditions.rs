//! Conditional requests (RFC 9110, section 13): one reading of `If-Match` and `If-None-Match` for everything that has an
//! entity tag.
//!
//! A change is judged where it is made, against the version that it would replace. A read is judged by [`reads`], against
//! the entity tag of its answer, so that no route has to. Nothing has a modification date here, so `If-Modified-Since` and
//! `If-Unmodified-Since` are ignored (sections 13.1.3 and 13.1.4), and so are all conditions where there is no entity tag.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use nudge_component::Problem;

/// Code of a header that is not a list of entity tags.
pub(crate) const INVALID_ETAG: &str = "invalid_etag";

/// What to send instead.
const WHAT_IS_AN_ETAG: &str = "send the ETag as it was given, in double quotes, or *";

/// The preconditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// `If-Match`: it must be one of these.
    matching: Option<Tags>,
    /// `If-None-Match`: it must be none of these.
    excluding: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever there is.
    Any,
    Listed(Vec<Tag>),
}

/// An entity tag (RFC 9110, section 8.8.3), its double quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: Vec<u8>,
}

/// What conditions say about an entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judgement {
    Holds,
    /// `If-Match` names others.
    Mismatch,
    /// `If-None-Match` names it.
    Excluded,
}

impl Conditions {
    /// No conditions: any version will do.
    pub(crate) const NONE: Self = Self {
        matching: None,
        excluding: None,
    };

    /// The conditions of a request.
    ///
    /// # Errors
    ///
    /// 400 when a header is no list of entity tags.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            matching: listed(headers, IF_MATCH, "If-Match")?,
            excluding: listed(headers, IF_NONE_MATCH, "If-None-Match")?,
        })
    }

    /// Conditions from a string that stands for `If-Match`, such as `ifMatch` of a bulk operation.
    ///
    /// # Errors
    ///
    /// What to send instead.
    pub(crate) fn matching(text: &str) -> Result<Self, &'static str> {
        Ok(Self {
            matching: Some(tags(text.as_bytes()).ok_or(WHAT_IS_AN_ETAG)?),
            excluding: None,
        })
    }

    /// Whether the request has no conditions.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Refuses to change a thing that is at this version, unless the conditions hold.
    ///
    /// # Errors
    ///
    /// 412 with the version.
    pub(crate) fn check(&self, what: &str, version: u32) -> Result<(), Problem> {
        self.check_tagged(what, version, etag(version))
    }

    /// The same for a thing whose entity tag has more than its version. `If-Match` may name the version alone, since a
    /// change does not overwrite the rest.
    pub(crate) fn check_tagged(&self, what: &str, version: u32, tag: String) -> Result<(), Problem> {
        let (code, detail) = match self.judge(tag.as_bytes(), etag(version).as_bytes()) {
            Judgement::Holds => return Ok(()),
            Judgement::Mismatch => (
                "version_mismatch",
                format!("the {what} is at version {version}: read it again and repeat the change"),
            ),
            Judgement::Excluded => (
                "version_match",
                format!("the {what} is there, at version {version}, which If-None-Match excludes"),
            ),
        };
        let problem = failed(code, detail).current_version(version);
        Err(match HeaderValue::try_from(tag) {
            Ok(tag) => problem.header(ETAG, tag),
            Err(_) => problem,
        })
    }

    /// In the order of RFC 9110, section 13.2.2. `If-Match` compares strongly, `If-None-Match` weakly (section 8.8.3.2).
    fn judge(&self, current: &[u8], version: &[u8]) -> Judgement {
        let names = |tags: &Tags, current: &[u8], weak: bool| match tags {
            Tags::Any => true,
            Tags::Listed(tags) => tags
                .iter()
                .any(|tag| tag.opaque == current && (weak || !tag.weak)),
        };
        let matches = |tags: &Tags| names(tags, current, false) || names(tags, version, false);
        if self.matching.as_ref().is_some_and(|tags| !matches(tags)) {
            Judgement::Mismatch
        } else if self
            .excluding
            .as_ref()
            .is_some_and(|tags| names(tags, current, true))
        {
            Judgement::Excluded
        } else {
            Judgement::Holds
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// The entity tag of a version. Strong: a version never changes.
pub(crate) fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

/// Middleware for reads: checks the conditions against the entity tag of the answer, and replaces the answer by a 304 or 412
/// if they do not hold.
pub(crate) async fn reads(request: Request, next: Next) -> Result<Response, Problem> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Ok(next.run(request).await);
    }
    // An answer other than 200 is not subject to conditions, not even to malformed ones (section 13.2.1).
    let conditions = Conditions::read(request.headers());
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

/// All lines of a header, which are one list (section 5.3).
fn listed(headers: &HeaderMap, header: HeaderName, name: &str) -> Result<Option<Tags>, Problem> {
    let lines: Vec<&[u8]> = headers
        .get_all(header)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if lines.is_empty() {
        return Ok(None);
    }
    tags(&lines.join(&b','))
        .map(Some)
        .ok_or_else(|| Problem::field(name, INVALID_ETAG, WHAT_IS_AN_ETAG))
}

/// `*`, or at least one entity tag. A comma may be part of a tag; elements may be empty (section 5.6.1.2).
fn tags(list: &[u8]) -> Option<Tags> {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    loop {
        while let Some(behind) = rest.strip_prefix(b",") {
            rest = behind.trim_ascii_start();
        }
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(Tags::Listed(tags));
        }
        let (tag, behind) = tag(rest)?;
        tags.push(tag);
        rest = behind.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

/// The first entity tag of a list, and what is behind it.
fn tag(list: &[u8]) -> Option<(Tag, &[u8])> {
    let (weak, quoted) = match list.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, list),
    };
    let length = quoted
        .strip_prefix(b"\"")?
        .iter()
        .position(|byte| *byte == b'"')?;
    let (opaque, behind) = quoted.split_at_checked(length + 2)?;
    let allowed = |byte: &u8| byte.is_ascii_graphic() || *byte >= 0x80;
    opaque.iter().all(allowed).then(|| {
        let opaque = opaque.to_vec();
        (Tag { weak, opaque }, behind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVEN: &[u8] = b"\"7\"";

    fn request(lines: &[(HeaderName, &str)]) -> Result<Conditions, Problem> {
        let line = |(name, value): &(HeaderName, &str)| (name.clone(), value.parse().unwrap());
        Conditions::read(&lines.iter().map(line).collect())
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
