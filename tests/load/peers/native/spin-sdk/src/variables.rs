//! Variables of the component.

pub use real::variables::Error;

use crate::component::Component;

/// The value of a variable.
///
/// # Errors
///
/// The component has no such variable.
pub async fn get(key: impl AsRef<str>) -> Result<String, Error> {
    let key = key.as_ref();
    let component = Component::current()
        .ok_or_else(|| Error::Other("variables are a component's, and none runs here".to_owned()))?;
    match component.variables.get(key) {
        Some(value) => Ok(value.clone()),
        None => Err(Error::Undefined(key.to_owned())),
    }
}
