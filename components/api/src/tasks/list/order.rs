//! What a list is sorted by.

use std::str::FromStr;

/// What tasks are ordered by. The id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Tasks without a due date come last in either order.
    Due,
    Priority,
    Created,
    Updated,
    /// Without regard to the case of ASCII letters.
    Title,
}

impl Sort {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Priority => "priority",
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Title => "title",
        }
    }

    /// The usual order of what a list is sorted by.
    pub(crate) fn usual_order(self) -> Order {
        match self {
            Self::Due | Self::Title => Order::Ascending,
            Self::Priority | Self::Created | Self::Updated => Order::Descending,
        }
    }
}

impl FromStr for Sort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Self::Due,
            Self::Priority,
            Self::Created,
            Self::Updated,
            Self::Title,
        ]
        .into_iter()
        .find(|sort| sort.as_str() == text)
        .ok_or(())
    }
}

/// Which way a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

impl Order {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

impl FromStr for Order {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "asc" => Ok(Self::Ascending),
            "desc" => Ok(Self::Descending),
            _ => Err(()),
        }
    }
}
