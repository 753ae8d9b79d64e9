//! Categories and tags: a name and a colour of a user's own. They differ in the length of the name.

pub(crate) mod service;
pub(crate) mod store;

use nudge_domain::id::{CategoryId, TagId};
use nudge_domain::task::Patch;
use serde::Serialize;
use uuid::Uuid;

use crate::input::opaque;
use crate::version::{Thing, etag};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Category,
    Tag,
}

impl Kind {
    /// Name of the table.
    pub(crate) fn table(self) -> &'static str {
        self.thing().name()
    }

    /// What it is in messages.
    pub(crate) fn thing(self) -> Thing {
        match self {
            Self::Category => Thing::Category,
            Self::Tag => Thing::Tag,
        }
    }

    /// The label of this kind that has this id.
    pub(crate) fn id(self, id: Uuid) -> LabelId {
        match self {
            Self::Category => LabelId::Category(id.into()),
            Self::Tag => LabelId::Tag(id.into()),
        }
    }
}

/// A category or a tag, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LabelId {
    Category(CategoryId),
    Tag(TagId),
}

impl LabelId {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Category(_) => Kind::Category,
            Self::Tag(_) => Kind::Tag,
        }
    }

    pub(crate) fn uuid(self) -> Uuid {
        match self {
            Self::Category(id) => id.into(),
            Self::Tag(id) => id.into(),
        }
    }
}

/// A category or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Label {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) color: String,
    /// Tasks that are in the category, or tagged with the tag.
    pub(crate) task_count: u32,
    /// Increases by one with every change, from 1.
    pub(crate) version: u32,
}

impl Label {
    /// Its entity tag: the version and, if it is in use, the number of tasks, since the answer shows both.
    pub(crate) fn etag(&self) -> String {
        match self.task_count {
            0 => etag(self.version),
            count => format!("\"{}-{count}\"", self.version),
        }
    }
}

/// A position in a list of labels: that of a page's last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    name: String,
    /// Empty before the first.
    id: String,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The name may hold anything, so it comes last.
        f.write_str(&opaque::encode(&format!("{}.{}", self.id, self.name)))
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = opaque::decode(text).ok_or(())?;
        let (id, name) = text.split_once('.').ok_or(())?;
        let id: Uuid = id.parse().map_err(|_| ())?;
        if name.contains('\0') {
            return Err(());
        }
        Ok(Self {
            name: name.to_owned(),
            id: id.to_string(),
        })
    }
}

/// A new label, or changes to one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelPatch {
    /// Checked where it differs from the name it has: one that was stored under older rules may be sent back.
    pub(crate) name: Patch<String>,
    /// `null` is the default.
    pub(crate) color: Patch<nudge_domain::task::Color>,
    /// What the door could not read.
    pub(crate) unreadable: Vec<nudge_domain::task::Mistake>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out_and_others_do_not_pass() {
        let cursor = Cursor {
            name: "a. b. ü.".to_owned(),
            id: Uuid::from_u128(7).to_string(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "x", "MTIz", "é", "."] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
    }
}
