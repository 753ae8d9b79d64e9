//! The key set that the instances of the api share in the state store.
//!
//! Two entries for each URL. The *record* is the set as the provider last sent it. It is public, but an attacker who changes
//! it could impersonate any user, and other services can write to the state store: so it is signed, as a JWT, with a key
//! derived from the app's token. The *turn* is the time of the last attempt to fetch the set; taking it is a conditional write,
//! so forged tokens and a provider that is down cost one request per [`PAUSE`], however many instances there are.
//!
//! Without an app token or a state store, instances share nothing.

use jiff::Timestamp;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, UntrustedToken};
use nudge_component::dapr::state::{self, Entry, Outcome, Precondition, PutOperation};
use nudge_component::publish::describe;
use nudge_component::settings::variable;
use nudge_contract::names::component::STATE_STORE;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Maximum age of a set that is used, in seconds.
pub(super) const USABLE: u64 = 60 * 60;

/// Minimum time between two requests for the same set, in seconds.
pub(super) const PAUSE: u64 = 10;

/// What is known about a provider's keys. Instants are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The URL of the set, which identifies it.
    pub(super) url: String,
    /// The set as it was received; none if there was none.
    pub(super) set: Option<Fetched>,
    /// When fetching the set last failed, if that was after `set`.
    pub(super) failed_at: Option<i64>,
}

/// A set as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// When it was received.
    pub(super) at: i64,
    /// The document.
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
struct Turn {
    at: i64,
}

/// The entries of the state store.
pub(super) struct Shared {
    /// The record, if its signature is valid.
    pub(super) record: Option<Record>,
    turn: Option<(Turn, String)>,
    place: Option<Place>,
}

/// The keys of this provider's entries, and the key that signs them.
struct Place {
    id: Uuid,
    key: Hs256Key,
}

impl Shared {
    /// Reads both entries in one call. An entry that cannot be read is treated as absent; the reason is logged.
    pub(super) async fn read(url: &str) -> Self {
        let alone = Self {
            record: None,
            turn: None,
            place: None,
        };
        let token = match variable("dapr_app_token").await {
            Ok(Some(token)) => token,
            Ok(None) => return alone,
            Err(log) => {
                tracing::warn!("the keys of tokens are not shared: {log}");
                return alone;
            }
        };
        let place = Place {
            id: Uuid::new_v5(&Uuid::NAMESPACE_URL, url.as_bytes()),
            key: Hs256Key::new(format!("nudge key sets, signed with {token}")),
        };
        match state::get_many(STATE_STORE.to_owned(), vec![place.record(), place.turn()]).await {
            Ok(entries) => {
                let value = |key: &str| entries.iter().find(|entry| entry.key == key);
                Self {
                    record: value(&place.record()).and_then(|entry| place.open(entry, url)),
                    turn: value(&place.turn()).map(|entry| {
                        // An invalid entry is treated as no turn.
                        let turn = serde_json::from_str(&entry.value).unwrap_or(Turn { at: i64::MIN });
                        (turn, entry.etag.clone())
                    }),
                    place: Some(place),
                }
            }
            Err(error) => {
                tracing::warn!("the keys of tokens are not shared: {}", describe(&error));
                alone
            }
        }
    }

    /// Takes the turn to call the provider. Returns `false` while another instance has it.
    pub(super) async fn take_turn(&self, now: Timestamp) -> bool {
        let Some(place) = &self.place else {
            return true;
        };
        let now = now.as_second();
        let precondition = match &self.turn {
            Some((turn, _)) if now.abs_diff(turn.at) < PAUSE => return false,
            Some((_, etag)) => Precondition::Unchanged(etag.clone()),
            None => Precondition::Absent,
        };
        let value = serde_json::to_string(&Turn { at: now }).unwrap_or_default();
        match put(place.turn(), value, precondition).await {
            Ok(outcome) => outcome == Outcome::Done,
            Err(log) => {
                tracing::warn!("the keys of tokens are not shared: {log}");
                true
            }
        }
    }

    /// Stores a record for the other instances.
    pub(super) async fn write(&self, record: Record) {
        let Some(place) = &self.place else {
            return;
        };
        let written = match place.seal(record) {
            Ok(value) => put(place.record(), value, Precondition::None).await.map(|_| ()),
            Err(log) => Err(log),
        };
        if let Err(log) = written {
            tracing::warn!("the keys of tokens are not shared: {log}");
        }
    }
}

impl Place {
    fn record(&self) -> String {
        format!("jwks-{}", self.id)
    }

    fn turn(&self) -> String {
        format!("jwks-turn-{}", self.id)
    }

    fn seal(&self, record: Record) -> Result<String, String> {
        let token = Hs256
            .token(&Header::empty(), &Claims::new(record), &self.key)
            .map_err(|error| format!("a record cannot be signed: {error}"))?;
        serde_json::to_string(&token).map_err(|error| error.to_string())
    }

    fn open(&self, entry: &Entry, url: &str) -> Option<Record> {
        let read = || {
            let token: String = serde_json::from_str(&entry.value).map_err(|error| error.to_string())?;
            let token = UntrustedToken::new(&token).map_err(|error| error.to_string())?;
            let token = Hs256
                .validator::<Record>(&self.key)
                .validate(&token)
                .map_err(|error| error.to_string())?;
            Ok::<_, String>(token.claims().custom.clone())
        };
        match read() {
            Ok(record) => Some(record).filter(|record| record.url == url),
            // It was signed with another app token, or it was tampered with.
            Err(log) => {
                tracing::warn!(key = entry.key, "a key set in the state store is ignored: {log}");
                None
            }
        }
    }
}

async fn put(key: String, value: String, precondition: Precondition) -> Result<Outcome, String> {
    let operation = PutOperation {
        key,
        value,
        precondition,
        ttl_seconds: u32::try_from(USABLE).ok(),
    };
    state::put(STATE_STORE.to_owned(), operation)
        .await
        .map_err(|error| describe(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://login.example.com/keys";

    fn place(token: &str) -> Place {
        Place {
            id: Uuid::nil(),
            key: Hs256Key::new(format!("nudge key sets, signed with {token}")),
        }
    }

    fn entry(value: String) -> Entry {
        Entry {
            key: "jwks".to_owned(),
            value,
            etag: String::new(),
        }
    }

    fn record() -> Record {
        Record {
            url: URL.to_owned(),
            set: Some(Fetched {
                at: 1,
                text: "{}".to_owned(),
            }),
            failed_at: Some(2),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let sealed = place("a").seal(record()).unwrap();
        assert_eq!(place("a").open(&entry(sealed), URL), Some(record()));
    }

    #[test]
    fn a_record_with_another_signature_is_ignored() {
        let sealed = place("a").seal(record()).unwrap();
        assert_eq!(place("b").open(&entry(sealed.clone()), URL), None);
        assert_eq!(
            place("a").open(&entry(sealed), "https://example.com"),
            None,
            "another URL"
        );
        let plain = serde_json::to_string(&record()).unwrap();
        for value in [plain, "\"e30.e30.AAAA\"".to_owned(), "null".to_owned()] {
            assert_eq!(place("a").open(&entry(value.clone()), URL), None, "{value}");
        }
    }
}
