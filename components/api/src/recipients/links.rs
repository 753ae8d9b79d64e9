//! Links in emails: `{public_url}/email/confirm/{token}` and `{public_url}/email/stop/{token}`.

/// The page on which an address is confirmed.
pub(crate) const CONFIRM: &str = "/email/confirm/";

/// The page on which emails are stopped.
pub(crate) const STOP: &str = "/email/stop/";
