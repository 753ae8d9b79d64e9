//! What the texts of a list request mean: the query parameters of REST, the arguments of MCP tools. Each has its own names
//! for them, so each reader is told what the text is called.

use std::fmt::Display;
use std::ops::RangeInclusive;

use nudge_domain::id::TagId;
use nudge_domain::task::{FieldName, Mistake, Priority, Status};

use super::order::Order;
use super::query::{CategoryFilter, MAX_CHOICES};
use crate::error::ServiceError;

fn invalid(field: &str, code: &'static str, message: impl Display) -> ServiceError {
    ServiceError::Invalid(vec![Mistake::new(
        FieldName::Named(field.to_owned()),
        code,
        message,
    )])
}

/// A whole number.
pub(crate) fn number(
    field: &str,
    code: &'static str,
    text: &str,
    range: RangeInclusive<u32>,
) -> Result<u32, ServiceError> {
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let message = format!("give a whole number from {} to {}", range.start(), range.end());
            invalid(field, code, message)
        })
}

/// A status; `None` is all of them.
pub(crate) fn status(field: &str, text: &str) -> Result<Option<Status>, ServiceError> {
    match text {
        "all" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| invalid(field, "invalid_status", "use pending, completed or all")),
    }
}

/// Priorities, separated by commas.
pub(crate) fn priorities(field: &str, text: &str) -> Result<Vec<Priority>, ServiceError> {
    items(field, text, |item| {
        item.parse::<Priority>()
            .map_err(|error| invalid(field, error.code(), error))
    })
}

/// Ids of tags, separated by commas.
pub(crate) fn tags(field: &str, text: &str) -> Result<Vec<TagId>, ServiceError> {
    items(field, text, |item| {
        item.parse::<TagId>().map_err(|_| {
            let shown: String = item.chars().take(40).collect();
            invalid(field, "wrong_type", format!("`{shown}` is not a valid UUID"))
        })
    })
}

/// The id of a category, or `none`.
pub(crate) fn category(field: &str, text: &str) -> Result<CategoryFilter, ServiceError> {
    match text {
        "none" => Ok(CategoryFilter::Without),
        text => text
            .parse()
            .map(CategoryFilter::In)
            .map_err(|_| invalid(field, "wrong_type", "give the UUID of a category, or none")),
    }
}

/// A sort order.
pub(crate) fn order(field: &str, text: &str) -> Result<Order, ServiceError> {
    text.parse()
        .map_err(|()| invalid(field, "invalid_order", "use asc or desc"))
}

fn items<T: PartialEq>(
    field: &str,
    text: &str,
    read: impl Fn(&str) -> Result<T, ServiceError>,
) -> Result<Vec<T>, ServiceError> {
    let mut items = Vec::new();
    for text in text.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let item = read(text)?;
        if items.contains(&item) {
            continue;
        }
        if items.len() >= MAX_CHOICES {
            let message = format!("give at most {MAX_CHOICES}");
            return Err(invalid(field, "too_many", message));
        }
        items.push(item);
    }
    Ok(items)
}
