//! Variables of the component (`[component.….variables]` in `spin.toml`).

use spin_sdk::variables::{Error, get};

/// A variable's value; none when it is not defined or empty.
///
/// # Errors
///
/// A sentence for the log when the provider of the variables fails.
pub async fn variable(name: &str) -> Result<Option<String>, String> {
    match get(name).await {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(Error::Undefined(_)) => Ok(None),
        Err(error) => Err(format!("variable {name} cannot be read: {error}")),
    }
}
