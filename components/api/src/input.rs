//! Reading requests: bodies, queries and conditions. Every mistake is named with its field.

pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod media;
pub(crate) mod opaque;
