//! The secret `jwt-key`.

use std::sync::OnceLock;

use jwt_compact::alg::Hs256Key;
use nudge_component::Problem;
use nudge_component::dapr::secrets;
use nudge_component::publish::describe;
use nudge_contract::names::{component::SECRET_STORE, secret::JWT_KEY};

/// RFC 7518, section 3.2: a key must be as long as the hash.
const SHORTEST_KEY: usize = 32;

/// The HS256 key, read once per instance. 503 while there is no key that is long enough.
pub(super) async fn key() -> Result<&'static Hs256Key, Problem> {
    static KEY: OnceLock<Hs256Key> = OnceLock::new();
    if let Some(key) = KEY.get() {
        return Ok(key);
    }
    let secret = secrets::get(SECRET_STORE.to_owned(), JWT_KEY.to_owned())
        .await
        .map_err(|error| Problem::unavailable("the secret store", describe(&error)))?;
    let values = secret.unwrap_or_default();
    let named = values.iter().find(|(name, _)| name == JWT_KEY).or(values.first());
    let (_, value) = named
        .ok_or_else(|| Problem::unavailable("the secret store", format!("it has no secret {JWT_KEY}")))?;
    if value.len() < SHORTEST_KEY {
        return Err(Problem::unavailable(
            "the secret store",
            format!("the secret {JWT_KEY} is shorter than {SHORTEST_KEY} bytes"),
        ));
    }
    Ok(KEY.get_or_init(|| Hs256Key::new(value)))
}
