//! How many requests of one user an instance serves at the same time.
//!
//! An instance serves 16 requests at once, no matter from which user. One whose body never arrives, or whose response is never read, occupies
//! its place until a time limit ends it, so one user gets at most half of the places. The token says who it is, and it is checked before a
//! byte of the body is read. A stream of changes is counted elsewhere (`open_feeds.rs`), and leaves its place here when it begins.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use nudge_component::Problem;
use nudge_domain::id::UserId;

use crate::limit::{Limit, OverLimit};

/// When a request that is over the limit may be sent again, in seconds: most take a few milliseconds.
const SOON: u32 = 1;

/// Requests of each user that this instance serves. It is a count and holds nothing of a request.
static SERVED: Mutex<Option<HashMap<UserId, u32>>> = Mutex::new(None);

/// A place that one request occupies. Dropping it gives it back, also if the client goes away.
struct Place(UserId);

/// In the extensions of a response: its body is counted elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedElsewhere;

/// Middleware of the routes for users: 429 when this instance serves as many of the caller's requests as it may. A request is served
/// until its response is sent.
pub(crate) async fn limit(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let user = crate::auth::user(&mut parts).await?;
    let request = Request::from_parts(parts, body);
    let Some(most) = Limit::RequestsInFlight.most().await? else {
        return Ok(next.run(request).await);
    };
    let place = Place::take(user.id, most).ok_or(OverLimit::rate(Limit::RequestsInFlight, most, SOON))?;
    let response = next.run(request).await;
    if response.extensions().get::<CountedElsewhere>().is_some() {
        return Ok(response);
    }
    Ok(response.map(|body| Body::new(held(body, place))))
}

/// A body that holds a place until it ends or is dropped. Mapping its errors, unlike its frames, keeps its length.
fn held(
    body: Body,
    place: Place,
) -> impl axum::body::HttpBody<Data = axum::body::Bytes, Error = axum::Error> {
    body.map_err(move |error| {
        let _held = &place;
        error
    })
}

impl Place {
    /// A place for one more request of a user; `None` if `most` are served.
    fn take(user_id: UserId, most: u32) -> Option<Self> {
        let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
        let count = served.get_or_insert_default().entry(user_id.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self(user_id))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut served = SERVED.lock().unwrap_or_else(PoisonError::into_inner);
        let served = served.get_or_insert_default();
        match served.get_mut(&self.0) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                served.remove(&self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_when_the_response_was_sent_or_the_request_is_gone() {
        let user: UserId = "in-flight".parse().unwrap();
        let first = Place::take(user.clone(), 2).unwrap();
        let second = Place::take(user.clone(), 2).unwrap();
        assert!(Place::take(user.clone(), 2).is_none());
        assert!(Place::take("another".parse().unwrap(), 2).is_some());
        drop(first);
        let body = held(Body::from("answer"), second);
        let third = Place::take(user.clone(), 2).unwrap();
        assert!(
            Place::take(user.clone(), 2).is_none(),
            "the response is not sent yet"
        );
        assert_eq!(axum::body::HttpBody::size_hint(&body).exact(), Some(6));
        drop(body);
        assert!(Place::take(user, 2).is_some());
        drop(third);
    }
}
