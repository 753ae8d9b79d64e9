//! The files, and the coding that a browser gets them in.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::conditions;

/// A path, the entity tag of its content, and the content.
type Entry = (&'static str, &'static str, &'static [u8]);

/// Sorted by path. A file that is smaller compressed is also there with `.br` (Brotli) and `.gz` (gzip).
const SITE: &[Entry] = include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// Codings, best first: name in HTTP, and ending in [`SITE`].
const CODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// One file in all its codings.
pub(crate) struct File {
    path: String,
    plain: &'static Entry,
}

/// The file at a path; none for a path of a coding.
pub(crate) fn file(path: &str) -> Option<File> {
    let coded = CODINGS.iter().any(|(_, end)| path.ends_with(end));
    let plain = entry(path).filter(|_| !coded)?;
    Some(File {
        path: path.to_owned(),
        plain,
    })
}

fn entry(path: &str) -> Option<&'static Entry> {
    let index = SITE.binary_search_by(|(known, ..)| known.cmp(&path)).ok()?;
    SITE.get(index)
}

impl File {
    /// The response to a GET or HEAD: the file in the best coding that the client takes, or 304.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let (coding, &(_, tag, bytes)) = self.coded(request);
        let unchanged = conditions::names(request.get_all(IF_NONE_MATCH), tag);
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(bytes).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(ETAG, HeaderValue::from_static(tag));
        if !unchanged {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&self.path)));
            if let Some(coding) = coding {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
            }
        }
        response
    }

    fn coded(&self, request: &HeaderMap) -> (Option<&'static str>, &'static Entry) {
        for (coding, end) in CODINGS {
            if conditions::accepts(request.get_all(ACCEPT_ENCODING), coding)
                && let Some(entry) = entry(&format!("{}{end}", self.path))
            {
                return (Some(coding), entry);
            }
        }
        (None, self.plain)
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        // With any other type a browser does not compile while it loads.
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
