//! `/v1.0/state/{store}`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::table::{self, Change, ChangeError, Guard, Item};
use crate::app::chain;
use crate::body;
use crate::go_json::json_line;
use crate::problem::Problem;
use crate::resources::{Block, KeyPrefix};
use crate::sidecar::Sidecar;
use crate::store::StoreError;

/// An entry of a save, or of a transaction.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: Value,
    etag: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
struct Options {
    #[serde(default)]
    concurrency: String,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(default)]
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    operation: String,
    request: Entry,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<String>,
}

/// An item of a bulk get; a missing key has its name only.
#[derive(Serialize)]
struct Found {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<BTreeMap<&'static str, String>>,
}

fn failed(code: &'static str, message: String) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, code, message)
}

/// 400 unless `store` is a state store of this app.
fn prefix(sidecar: &Sidecar, store: &str) -> Result<KeyPrefix, Problem> {
    match sidecar.component(store).map(|component| &component.block) {
        Some(Block::State(settings)) => Ok(settings.prefix.clone()),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "ERR_STATE_STORE_NOT_FOUND",
            format!("state store {store} is not found"),
        )
        .info("DAPR_STATE_NOT_FOUND", json!({"appID": sidecar.app.app_id}))),
    }
}

/// The key as it is stored. `||` is Dapr's separator and may not be in it.
fn stored_key(sidecar: &Sidecar, store: &str, prefix: &KeyPrefix, key: &str) -> Result<String, Problem> {
    if key.contains("||") {
        let message = format!(
            "api error: code = InvalidArgument desc = input key/keyPrefix '{key}' can't contain '||'"
        );
        return Err(Problem::malformed(&message)
            .violation(key, &message)
            .resource("state", store, "")
            .info("DAPR_STATE_ILLEGAL_KEY", Value::Null));
    }
    Ok(match prefix {
        KeyPrefix::AppId => format!("{}||{key}", sidecar.app.app_id),
        KeyPrefix::StoreName => format!("{store}||{key}"),
        KeyPrefix::Fixed(fixed) => format!("{fixed}||{key}"),
        KeyPrefix::Nothing => key.to_owned(),
    })
}

fn guard(etag: Option<String>, concurrency: &str) -> Guard {
    Guard {
        etag: etag.filter(|etag| !etag.is_empty()),
        first_write: concurrency == "first-write",
    }
}

/// `ttlInSeconds`; -1 (and 0) mean none.
fn ttl(metadata: &BTreeMap<String, String>) -> Result<Option<Duration>, String> {
    let Some(text) = metadata.get("ttlInSeconds") else {
        return Ok(None);
    };
    let seconds: i64 = text.parse().map_err(|_| {
        format!("error parsing TTL: incorrect value for metadata 'ttlInSeconds': strconv.ParseInt: parsing {text:?}: invalid syntax")
    })?;
    Ok(u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs))
}

async fn parse<T: serde::de::DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let body = body::read(body).await.map_err(Problem::malformed)?;
    serde_json::from_slice(&body).map_err(|error| Problem::malformed(error.to_string()))
}

/// Saves a list of values, each on its own: some may be stored when others are not.
pub(crate) async fn save(
    State(sidecar): State<Arc<Sidecar>>,
    Path(store): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let prefix = prefix(&sidecar, &store)?;
    let entries: Vec<Entry> = parse(body).await?;
    let refused = |why: &str| {
        failed(
            "ERR_STATE_SAVE",
            format!("failed saving state in state store {store}: {why}"),
        )
    };
    let mut changes = Vec::new();
    for entry in entries {
        if entry.key.is_empty() {
            return Err(Problem::malformed("\"key\" is a required field"));
        }
        let key = stored_key(&sidecar, &store, &prefix, &entry.key)?;
        let ttl = ttl(&entry.metadata).map_err(|why| refused(&why))?;
        let guard = guard(entry.etag, &entry.options.concurrency);
        changes.push(Change::Set {
            key,
            value: entry.value.to_string(),
            ttl,
            guard,
        });
    }
    let (several, now, name) = (changes.len() > 1, sidecar.shared.clock.now(), store.clone());
    let saved = sidecar.shared.store.run(move |db| {
        let mut lost = None;
        for change in &changes {
            match table::apply(db, &name, change, now) {
                Err(ChangeError::Lost(why)) => lost = lost.or(Some(ChangeError::Lost(why))),
                Err(ChangeError::Store(error)) => return Err(error),
                Ok(()) => {}
            }
        }
        Ok(lost)
    });
    match saved.await {
        Ok(None) => Ok(StatusCode::NO_CONTENT),
        Ok(Some(lost)) => {
            // Dapr wraps an error among several once more.
            let why = if several {
                ChangeError::Lost(lost.to_string()).to_string()
            } else {
                lost.to_string()
            };
            let message = format!("failed saving state in state store {store}: {why}");
            Err(Problem::new(StatusCode::CONFLICT, "ERR_STATE_SAVE", message))
        }
        Err(error) => Err(refused(&chain(&error))),
    }
}

async fn find(sidecar: &Sidecar, store: &str, keys: Vec<String>) -> Result<Vec<Option<Item>>, StoreError> {
    let (name, now) = (store.to_owned(), sidecar.shared.clock.now());
    let found = sidecar
        .shared
        .store
        .run(move |db| keys.iter().map(|key| table::get(db, &name, key, now)).collect());
    found.await
}

fn timestamp(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One value: 200, or 204 if there is none.
pub(crate) async fn get(
    State(sidecar): State<Arc<Sidecar>>,
    Path((store, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let prefix = prefix(&sidecar, &store)?;
    let stored = stored_key(&sidecar, &store, &prefix, &key)?;
    let found = find(&sidecar, &store, vec![stored]).await.map_err(|error| {
        failed(
            "ERR_STATE_GET",
            format!("fail to get {key} from state store {store}: {}", chain(&error)),
        )
    })?;
    let Some(item) = found.into_iter().next().flatten() else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::ETAG, item.etag),
    ];
    let mut response = (headers, item.value).into_response();
    if let Some(value) = item.expires.and_then(|expires| timestamp(expires).parse().ok()) {
        response.headers_mut().insert("metadata.ttlexpiretime", value);
    }
    Ok(response)
}

/// Several values, in the order of the request.
pub(crate) async fn get_bulk(
    State(sidecar): State<Arc<Sidecar>>,
    Path(store): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    let prefix = prefix(&sidecar, &store)?;
    let Keys { keys } = parse(body).await?;
    let stored: Result<Vec<_>, _> = keys
        .iter()
        .map(|key| stored_key(&sidecar, &store, &prefix, key))
        .collect();
    let items = find(&sidecar, &store, stored?).await.map_err(|error| {
        failed(
            "ERR_STATE_BULK_GET",
            format!("failed getting state from state store {store}: {}", chain(&error)),
        )
    })?;
    let found = keys.into_iter().zip(items).map(|(key, item)| match item {
        None => Ok(Found {
            key,
            data: None,
            etag: None,
            metadata: None,
        }),
        Some(item) => {
            let metadata = item
                .expires
                .map(|expires| BTreeMap::from([("ttlExpireTime", timestamp(expires))]));
            let data = Some(serde_json::from_str(&item.value)?);
            Ok(Found {
                key,
                data,
                etag: Some(item.etag),
                metadata,
            })
        }
    });
    let found: Result<Vec<_>, serde_json::Error> = found.collect();
    let found = found.map_err(|error| failed("ERR_STATE_BULK_GET", error.to_string()))?;
    Ok(json_line(&found))
}

/// Deletes a key; `If-Match` makes it conditional. 204 also when there was none.
pub(crate) async fn delete(
    State(sidecar): State<Arc<Sidecar>>,
    Path((store, key)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let prefix = prefix(&sidecar, &store)?;
    let stored = stored_key(&sidecar, &store, &prefix, &key)?;
    let etag = headers
        .get(header::IF_MATCH)
        .and_then(|etag| etag.to_str().ok())
        .map(str::to_owned);
    let concurrency = query.get("concurrency").map_or("", String::as_str);
    let change = Change::Delete {
        key: stored,
        guard: guard(etag, concurrency),
    };
    let now = sidecar.shared.clock.now();
    let deleted = sidecar
        .shared
        .store
        .run(move |db| table::apply(db, &store, &change, now));
    deleted.await.map(|()| StatusCode::NO_CONTENT).map_err(|error| {
        let message = format!("failed deleting state with key {key}: {error}");
        match error {
            ChangeError::Lost(_) => Problem::new(StatusCode::CONFLICT, "ERR_STATE_DELETE", message),
            ChangeError::Store(_) => failed("ERR_STATE_DELETE", message),
        }
    })
}

/// Makes all changes or none. A lost race is 500 here, as recorded.
pub(crate) async fn transact(
    State(sidecar): State<Arc<Sidecar>>,
    Path(store): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let prefix = prefix(&sidecar, &store)?;
    let Transaction { operations } = parse(body).await?;
    let refused = |why: String| {
        failed(
            "ERR_STATE_TRANSACTION",
            format!("error while executing state transaction: {why}"),
        )
    };
    let mut changes = Vec::new();
    for Operation { operation, request } in operations {
        if request.key.is_empty() {
            return Err(Problem::malformed("\"key\" is a required field"));
        }
        let key = stored_key(&sidecar, &store, &prefix, &request.key)?;
        let guard = guard(request.etag, &request.options.concurrency);
        changes.push(match operation.as_str() {
            "upsert" => {
                let ttl = ttl(&request.metadata).map_err(refused)?;
                Change::Set {
                    key,
                    value: request.value.to_string(),
                    ttl,
                    guard,
                }
            }
            "delete" => Change::Delete { key, guard },
            other => {
                let message = format!("operation type {other} not supported");
                return Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "ERR_NOT_SUPPORTED_STATE_OPERATION",
                    message,
                ));
            }
        });
    }
    let (now, name) = (sidecar.shared.clock.now(), store);
    let done = sidecar.shared.store.run(move |db| {
        changes
            .iter()
            .try_for_each(|change| table::apply(db, &name, change, now))
    });
    done.await
        .map(|()| StatusCode::NO_CONTENT)
        .map_err(|error: ChangeError| refused(chain(&error)))
}

/// The query API: 500, as recorded for stores without it.
pub(crate) async fn query(
    State(sidecar): State<Arc<Sidecar>>,
    Path(store): Path<String>,
) -> Result<StatusCode, Problem> {
    prefix(&sidecar, &store)?;
    Err(failed(
        "ERR_STATE_STORE_NOT_SUPPORTED",
        "state store does not support querying".to_owned(),
    )
    .resource("state", &store, "")
    .info("DAPR_STATE_QUERYING_NOT_SUPPORTED", Value::Null))
}
