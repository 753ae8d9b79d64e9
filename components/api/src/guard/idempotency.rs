//! `Idempotency-Key`: a repeated POST gets the response of the first one and has no further effect
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! A request claims its key before it runs, and its response is stored before it is sent. The claim of a crashed process is
//! taken over after a minute; the new attempt uses the same ids as the first one, because they are derived from the claim,
//! so everything is created only once.
//!
//! What is kept for a user is bounded, so that a user does not fill the database with responses. Beyond the limit new keys are refused until the
//! oldest response is a day old: a request that came with a key and was done without one would be done again when it is repeated.

mod kept;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use nudge_component::Problem;
use nudge_component::serve::read_body;
use nudge_domain::id::UserId;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::db::{Database, DbError, Value};
use crate::error::ServiceError;
use crate::limit::{Limit, OverLimit};
use kept::Kept;

/// How long a response is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How long the recurring job may take to delete it after that.
const FORGETTING: SignedDuration = SignedDuration::from_secs(60);

/// How long a request may take before another one with the same key replaces it.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Maximum number of responses that one statement deletes.
const FORGOTTEN_AT_ONCE: u32 = 500;

/// Maximum number of such statements per run of the relay.
const STATEMENTS: u32 = 20;

const KEY: &str = "idempotency-key";

/// The codes of responses of 409 that are not kept: a client can do something about what is in the way, and then send the same again.
const PASSING_CONFLICTS: [&str; 2] = ["quota_exceeded", "account_leaving"];

/// The headers that are stored with a response.
const KEPT_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, ETAG, LOCATION];

/// The ids of the objects that a request creates: new ones, or those derived from its key.
#[derive(Debug, Clone)]
pub(crate) struct NewIds(Option<Claimed>);

/// In the extensions of a response: it has a secret, so its body is not stored. The request is known to be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secret;

#[derive(Debug, Clone)]
struct Claimed {
    /// When the first attempt began.
    at: Timestamp,
    /// Whether this is a repeated attempt.
    repeated: bool,
    seed: String,
}

impl NewIds {
    /// New ids.
    pub(crate) fn random() -> Self {
        Self(None)
    }

    /// Whether an earlier attempt may have created the same objects.
    pub(crate) fn repeated(&self) -> bool {
        self.0.as_ref().is_some_and(|claimed| claimed.repeated)
    }

    /// The id of the n-th object that the request creates.
    pub(crate) fn nth(&self, n: u32) -> Uuid {
        let Some(claimed) = &self.0 else {
            return Uuid::now_v7();
        };
        // A UUIDv7 (RFC 9562, section 5.7) with the time of the first attempt and random bits derived from the key.
        let digest = Sha256::digest(format!("{}\n{n}", claimed.seed));
        let mut random = [0; 10];
        for (byte, source) in random.iter_mut().zip(digest) {
            *byte = source;
        }
        let milliseconds = u64::try_from(claimed.at.as_millisecond()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }
}

/// Middleware of the routes for users.
pub(crate) async fn once(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let Some(key) = key(&parts)? else {
        parts.extensions.insert(NewIds::random());
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let user = crate::auth::user(&mut parts).await?;
    let body = read_body(body).await?;
    let attempt = Attempt {
        user_id: user.id,
        fingerprint: fingerprint(&parts, &body),
        claim: Uuid::now_v7().to_string(),
        key,
    };
    let now = Timestamp::now();
    // The connection is released before the request runs: that takes one of its own, and their number is limited.
    let claim = attempt.claim(&Database::open().await?, now).await?;
    let claimed_at = match claim {
        Claim::Mine(claimed_at) => claimed_at,
        Claim::Answered(answer) => return answer.into_response(),
        Claim::Done => {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "idempotency_response_gone",
                "this request was done before, and its response is not kept: read what it changed",
            ));
        }
        Claim::InFlight => {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "idempotency_key_in_flight",
                "a request with this Idempotency-Key is still running: ask again in a second",
            )
            .header(RETRY_AFTER, HeaderValue::from_static("1")));
        }
        Claim::Reused => {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key came with another request before: use a new one for each request",
            ));
        }
    };
    parts.extensions.insert(NewIds(Some(Claimed {
        at: claimed_at,
        repeated: claimed_at.as_millisecond() != now.as_millisecond(),
        seed: format!("{}\n{}", attempt.user_id, attempt.key),
    })));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    attempt.end(response).await
}

/// The key of a POST request, if it has one.
fn key(parts: &Parts) -> Result<Option<String>, Problem> {
    if parts.method != Method::POST {
        return Ok(None);
    }
    let mut values = parts.headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let visible = !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || values.next().is_some() {
        return Err(Problem::field(
            "Idempotency-Key",
            "invalid_idempotency_key",
            "send it once, as 1 to 255 visible ASCII characters",
        ));
    }
    Ok(Some(text.to_owned()))
}

/// A fingerprint that is equal for equal requests.
fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut head = vec![target.as_bytes()];
    for name in [&IF_MATCH, &IF_NONE_MATCH] {
        // The name of the header is included, since the same value has opposite meanings in the two.
        let values = parts.headers.get_all(name).iter();
        head.extend(values.flat_map(|value| [name.as_str().as_bytes(), value.as_bytes()]));
    }
    for part in head.into_iter().chain([body]) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One attempt to run a request.
struct Attempt {
    user_id: UserId,
    key: String,
    fingerprint: String,
    claim: String,
}

enum Claim {
    /// This attempt runs the request; the instant is that of the first attempt.
    Mine(Timestamp),
    Answered(Answer),
    /// It was done, and there is no response to show.
    Done,
    InFlight,
    Reused,
}

struct Answer {
    status: i64,
    headers: String,
    body: String,
}

impl Attempt {
    async fn claim(&self, database: &Database, now: Timestamp) -> Result<Claim, ServiceError> {
        let most = Limit::KeptResponseBytes.most().await?;
        let before = |age: SignedDuration| now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        // Of a key that is known already nothing more is kept.
        let room = match most {
            Some(_) => {
                "COALESCE((SELECT kept_bytes FROM usage WHERE user_id = $1), 0) < $9 \
                 OR EXISTS (SELECT 1 FROM idempotency WHERE user_id = $1 AND key = $2)"
            }
            None => "TRUE",
        };
        let sql = format!(
            "INSERT INTO idempotency (user_id, key, fingerprint, claim, claimed_at, created_at) \
             SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT) WHERE {room} \
             ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, claim = excluded.claim, \
             claimed_at = excluded.claimed_at, status = NULL, headers = NULL, body = NULL, versions = NULL, \
             created_at = CASE WHEN idempotency.created_at < $7 THEN excluded.created_at ELSE idempotency.created_at END \
             WHERE idempotency.created_at < $7 OR (idempotency.status IS NULL AND idempotency.claimed_at < $8 \
             AND idempotency.fingerprint = excluded.fingerprint) RETURNING created_at"
        );
        let mut parameters: Vec<Value> = vec![
            (&self.user_id).into(),
            self.key.as_str().into(),
            self.fingerprint.as_str().into(),
            self.claim.as_str().into(),
            now.into(),
            now.into(),
            before(KEPT).into(),
            before(LEASE).into(),
        ];
        parameters.extend(most.map(Value::from));
        if let Some(row) = database.query(&sql, parameters).await?.first() {
            return Ok(Claim::Mine(row.instant(0)?));
        }
        let sql = "SELECT fingerprint, status, headers, body, versions FROM idempotency WHERE user_id = $1 AND key = $2";
        let rows = database
            .query(sql, [(&self.user_id).into(), self.key.as_str().into()])
            .await?;
        let Some(row) = rows.first() else {
            if let Some(most) = most {
                self.check_room(database, most, now).await?;
            }
            // Deleted in the meantime.
            return Ok(Claim::InFlight);
        };
        if row.text(0)? != self.fingerprint {
            return Ok(Claim::Reused);
        }
        let Some(status) = row.maybe_int(1)? else {
            return Ok(Claim::InFlight);
        };
        let body = match (row.maybe_text(3)?, row.maybe_text(4)?) {
            (Some(body), _) => Some(body.to_owned()),
            (None, Some(versions)) => kept::restore(database, &self.user_id, versions).await?,
            (None, None) => None,
        };
        let headers = row.text(2)?.to_owned();
        Ok(body.map_or(Claim::Done, |body| {
            Claim::Answered(Answer {
                status,
                headers,
                body,
            })
        }))
    }

    /// # Errors
    ///
    /// [`ServiceError::OverLimit`] if as much is kept for the user as may be, with the time until the oldest response goes.
    async fn check_room(&self, database: &Database, most: u32, now: Timestamp) -> Result<(), ServiceError> {
        let sql = "SELECT kept_bytes, (SELECT MIN(created_at) FROM idempotency WHERE user_id = $1) FROM usage WHERE user_id = $1";
        let rows = database.query(sql, [(&self.user_id).into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        if row.int(0)? < most.into() {
            return Ok(());
        }
        let oldest = row.maybe_int(1)?.map_or(now.as_millisecond(), |oldest| oldest);
        let left = oldest + KEPT.as_secs() * 1000 - now.as_millisecond();
        // The recurring job deletes it.
        let seconds = left.div_euclid(1000).max(0) + FORGETTING.as_secs();
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        Err(OverLimit::rate(Limit::KeptResponseBytes, most, seconds).into())
    }

    /// Stores the response, or releases the key if the same request may have another response later.
    async fn end(&self, response: Response) -> Result<Response, Problem> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(Problem::internal)?.to_bytes();
        let passing = is_passing(parts.status, &body);
        let kept = match (std::str::from_utf8(&body), Database::open().await) {
            (Ok(text), Ok(database)) if !passing => {
                let kept = match parts.extensions.get::<Secret>() {
                    Some(Secret) => Kept::Nothing,
                    None => kept::of(text),
                };
                self.keep(&database, parts.status, &parts.headers, kept).await
            }
            (_, Ok(database)) => self.give_back(&database).await,
            (_, Err(error)) => Err(error),
        };
        if let Err(error) = kept {
            // The request itself succeeded. If it is repeated, it runs again after the lease, with the same ids.
            tracing::warn!("the answer of an Idempotency-Key is not kept: {error}");
        }
        Ok((parts.status, parts.headers, body).into_response())
    }

    async fn keep(
        &self,
        database: &Database,
        status: StatusCode,
        headers: &HeaderMap,
        kept: Kept,
    ) -> Result<(), DbError> {
        let (body, versions) = match kept {
            Kept::Body(body) => (Some(body), None),
            Kept::Versions(versions) => (None, Some(versions)),
            Kept::Nothing => (None, None),
        };
        let headers: Map<String, Json> = KEPT_HEADERS
            .iter()
            .filter_map(|name| Some((name.to_string(), headers.get(name)?.to_str().ok()?.into())))
            .collect();
        let sql = "UPDATE idempotency SET status = $4, headers = $5, body = $6, versions = $7 WHERE user_id = $1 AND key = $2 AND claim = $3";
        let parameters = [
            (&self.user_id).into(),
            self.key.as_str().into(),
            self.claim.as_str().into(),
            i64::from(status.as_u16()).into(),
            Json::Object(headers).to_string().into(),
            body.into(),
            versions.into(),
        ];
        database.execute(sql, parameters).await
    }

    /// Lets the next attempt run immediately, with the same ids: despite the failure, the objects may have been stored.
    async fn give_back(&self, database: &Database) -> Result<(), DbError> {
        let sql = "UPDATE idempotency SET claimed_at = 0 WHERE user_id = $1 AND key = $2 AND claim = $3 AND status IS NULL";
        let parameters = [
            (&self.user_id).into(),
            self.key.as_str().into(),
            self.claim.as_str().into(),
        ];
        database.execute(sql, parameters).await
    }
}

/// Whether the same request may have another response later, without any change of it: the client can wait or, if it is over a quota,
/// delete something.
fn is_passing(status: StatusCode, body: &[u8]) -> bool {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::CONFLICT => serde_json::from_slice::<Json>(body).is_ok_and(|problem| {
            let code = problem.get("code").and_then(Json::as_str);
            code.is_some_and(|code| PASSING_CONFLICTS.contains(&code))
        }),
        _ => status.is_server_error(),
    }
}

impl Answer {
    fn into_response(self) -> Result<Response, Problem> {
        let status = u16::try_from(self.status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .ok_or_else(|| Problem::internal(format!("a kept answer has the status {}", self.status)))?;
        let mut response = (status, self.body).into_response();
        let headers: Map<String, Json> = serde_json::from_str(&self.headers).map_err(Problem::internal)?;
        response.headers_mut().remove(CONTENT_TYPE);
        for name in KEPT_HEADERS {
            let value = headers.get(name.as_str()).and_then(Json::as_str);
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response.headers_mut().insert(
            HeaderName::from_static("idempotency-replayed"),
            HeaderValue::from_static("true"),
        );
        Ok(response)
    }
}

/// Deletes responses that are older than a day.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    let before = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    let sql = "DELETE FROM idempotency WHERE (user_id, key) IN \
         (SELECT user_id, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2) RETURNING key";
    for _ in 0..STATEMENTS {
        let forgotten = database
            .query(sql, [before.into(), FORGOTTEN_AT_ONCE.into()])
            .await?;
        if forgotten.len() < FORGOTTEN_AT_ONCE as usize {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_under_another_name_makes_another_request() {
        let of = |headers: &[(HeaderName, &str)]| {
            let mut request = Request::post("/api/v1/tasks/1/complete");
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            fingerprint(&request.body(Body::empty()).unwrap().into_parts().0, b"{}")
        };
        let plain = of(&[]);
        let matching = of(&[(IF_MATCH, "\"7\"")]);
        assert_eq!(matching, of(&[(IF_MATCH, "\"7\"")]));
        let others = [
            plain.clone(),
            of(&[(IF_NONE_MATCH, "\"7\"")]),
            of(&[(IF_MATCH, "\"8\"")]),
            of(&[(IF_MATCH, "\"7\""), (IF_NONE_MATCH, "\"7\"")]),
            of(&[(IF_MATCH, "\"7\""), (IF_MATCH, "\"7\"")]),
        ];
        assert!(others.iter().all(|other| *other != matching));
        assert_eq!(
            plain,
            of(&[(CONTENT_TYPE, "application/json")]),
            "other headers do not count"
        );
    }

    #[test]
    fn ids_follow_from_the_claim_and_differ_from_each_other() {
        let claimed = |seed: &str| {
            NewIds(Some(Claimed {
                at: "2026-11-21T12:00:00Z".parse().unwrap(),
                repeated: false,
                seed: seed.to_owned(),
            }))
        };
        let id = claimed("alice\n1").nth(0);
        assert_eq!(id, claimed("alice\n1").nth(0));
        assert_ne!(id, claimed("alice\n1").nth(1));
        assert_ne!(id, claimed("alice\n2").nth(0));
        assert_eq!(id.get_version_num(), 7);
        assert!(id.to_string().starts_with("01a1fdfa-4600-7"), "{id}");
    }
}
