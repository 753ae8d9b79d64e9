//! State management: <https://docs.dapr.io/reference/api/state_api/>.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::state::{
    Entry, Guest, Operation, Outcome, Precondition, PutOperation,
};
use crate::error;
use crate::sidecar::{Answer, Call, segment};

#[derive(Serialize)]
struct Save<'a> {
    key: &'a str,
    value: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    options: Options,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Ttl>,
}

#[derive(Serialize)]
struct Options {
    concurrency: &'static str,
}

#[derive(Serialize)]
struct Ttl {
    #[serde(rename = "ttlInSeconds")]
    seconds: String,
}

impl<'a> Save<'a> {
    fn new(operation: &'a PutOperation) -> Result<Self, Error> {
        let (etag, concurrency) = match &operation.precondition {
            Precondition::None => (None, "last-write"),
            Precondition::Absent => (None, "first-write"),
            Precondition::Unchanged(etag) => (Some(etag.as_str()), "first-write"),
        };
        Ok(Self {
            key: &operation.key,
            value: serde_json::from_str(&operation.value).map_err(|reason| {
                error::invalid(format!("value of key {} is not JSON: {reason}", operation.key))
            })?,
            etag,
            options: Options { concurrency },
            metadata: operation.ttl_seconds.map(|seconds| Ttl {
                seconds: seconds.to_string(),
            }),
        })
    }
}

#[derive(Serialize)]
struct BulkGet<'a> {
    keys: &'a [String],
}

#[derive(Deserialize)]
struct BulkItem<'a> {
    key: String,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Serialize)]
struct Transaction<'a> {
    operations: Vec<Step<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "operation", content = "request", rename_all = "lowercase")]
enum Step<'a> {
    Upsert(Save<'a>),
    Delete { key: &'a str },
}

impl Guest for Bridge {
    async fn get(store: String, key: String) -> Result<Option<Entry>, Error> {
        let path = format!("/v1.0/state/{}/{}", segment(&store), segment(&key));
        let answer = Call::get(path).send().await?.success()?;
        if answer.status == 204 {
            return Ok(None);
        }
        let etag = answer
            .headers
            .get("etag")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let value =
            String::from_utf8(answer.body.to_vec()).map_err(|reason| error::unexpected("value", reason))?;
        Ok(Some(Entry { key, value, etag }))
    }

    async fn get_many(store: String, keys: Vec<String>) -> Result<Vec<Entry>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let path = format!("/v1.0/state/{}/bulk", segment(&store));
        let answer = Call::post(path)
            .json(to_json(&BulkGet { keys: &keys })?)
            .send()
            .await?
            .success()?;
        let items: Vec<BulkItem<'_>> = serde_json::from_slice(&answer.body)
            .map_err(|reason| error::unexpected("list of values", reason))?;
        let mut entries = Vec::with_capacity(items.len());
        for item in items {
            if let Some(message) = item.error {
                return Err(error::unexpected(&format!("value of key {}", item.key), message));
            }
            if let (Some(data), Some(etag)) = (item.data, item.etag) {
                entries.push(Entry {
                    key: item.key,
                    value: data.get().to_owned(),
                    etag,
                });
            }
        }
        Ok(entries)
    }

    async fn put(store: String, operation: PutOperation) -> Result<Outcome, Error> {
        let path = format!("/v1.0/state/{}", segment(&store));
        let answer = Call::post(path)
            .json(to_json(&[Save::new(&operation)?])?)
            .send()
            .await?;
        outcome(answer)
    }

    async fn put_many(store: String, operations: Vec<PutOperation>) -> Result<Outcome, Error> {
        if operations.is_empty() {
            return Ok(Outcome::Done);
        }
        let path = format!("/v1.0/state/{}", segment(&store));
        let entries = operations.iter().map(Save::new).collect::<Result<Vec<_>, _>>()?;
        outcome(Call::post(path).json(to_json(&entries)?).send().await?)
    }

    async fn delete(store: String, key: String, etag: Option<String>) -> Result<Outcome, Error> {
        let mut path = format!("/v1.0/state/{}/{}", segment(&store), segment(&key));
        if etag.is_some() {
            path.push_str("?concurrency=first-write");
        }
        let call = Call::delete(path);
        let call = match etag {
            Some(etag) => call.header("if-match", etag),
            None => call,
        };
        outcome(call.send().await?)
    }

    async fn transact(store: String, operations: Vec<Operation>) -> Result<Outcome, Error> {
        let operations = operations
            .iter()
            .map(|operation| {
                Ok(match operation {
                    Operation::Put(put) => Step::Upsert(Save::new(put)?),
                    Operation::Delete(key) => Step::Delete { key },
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let path = format!("/v1.0/state/{}/transaction", segment(&store));
        outcome(
            Call::post(path)
                .json(to_json(&Transaction { operations })?)
                .send()
                .await?,
        )
    }
}

/// Distinguishes a lost race from a failure. With PostgreSQL, a first-write on an existing key gets 500 "no item was updated".
/// With every store, a transaction with a stale ETag gets 500 and a message about the ETag (Redis: about its script).
fn outcome(answer: Answer) -> Result<Outcome, Error> {
    if (200..300).contains(&answer.status) {
        return Ok(Outcome::Done);
    }
    let failure = error::failure(answer.status, &answer.body);
    let race = answer.status == 409
        || [
            "no item was updated",
            "etag mismatch",
            "failed to set key",
            "failed to delete",
        ]
        .iter()
        .any(|words| failure.message.contains(words));
    if race {
        Ok(Outcome::Lost)
    } else {
        Err(error::classify(answer.status, &answer.body))
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value)
        .map_err(|reason| error::invalid(format!("the request cannot be written as JSON: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, message: &str) -> Answer {
        let body = serde_json::json!({ "errorCode": "ERR_STATE_SAVE", "message": message }).to_string();
        Answer {
            status,
            headers: http::HeaderMap::new(),
            body: body.into(),
        }
    }

    #[test]
    fn a_lost_race_is_told_from_a_failure_on_every_store() {
        for (status, message) in [
            (
                409,
                "failed saving state in state store pgstate: possible etag mismatch. error from state store",
            ),
            (
                500,
                "failed saving state in state store pgstate: no item was updated",
            ),
            (
                500,
                "error while executing state transaction: possible etag mismatch. error from state store",
            ),
            (
                500,
                "error while executing state transaction: ERR user_script:14: failed to set key orders||e script: d9",
            ),
        ] {
            assert!(
                matches!(outcome(answer(status, message)), Ok(Outcome::Lost)),
                "{message}"
            );
        }
        assert!(matches!(
            outcome(answer(500, "failed to connect to database")),
            Err(Error::Other(_))
        ));
    }
}
