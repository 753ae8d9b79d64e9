//! The cursor of a page: opaque text that stays correct while rows are created and deleted, because it holds the position of
//! the last row in the order, not its number.

use nudge_domain::id::TaskId;

use crate::input::opaque;
use crate::tasks::list::order::{Order, Sort};

/// A position in a list of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    /// The last row's value of what the list is sorted by.
    pub(crate) key: Key,
    pub(crate) id: TaskId,
}

/// What a list is sorted by, as the database compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Number(i64),
    Text(String),
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sort, order, id) = (self.sort.as_str(), self.order.as_str(), self.id);
        // The text may hold anything, so it comes last.
        let text = match &self.key {
            Key::Number(number) => format!("{sort}.{order}.{id}.{number}"),
            Key::Text(text) => format!("{sort}.{order}.{id}.{text}"),
        };
        f.write_str(&opaque::encode(&text))
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = opaque::decode(text).ok_or(())?;
        let mut parts = text.splitn(4, '.');
        let mut next = || parts.next().ok_or(());
        let sort: Sort = next()?.parse()?;
        let order = next()?.parse()?;
        let id = next()?.parse().map_err(|_| ())?;
        let key = next()?;
        let key = match sort {
            Sort::Title if key.contains('\0') => return Err(()),
            Sort::Title => Key::Text(key.to_owned()),
            _ => Key::Number(key.parse().map_err(|_| ())?),
        };
        Ok(Self { sort, order, key, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_out_and_others_do_not_pass() {
        for (sort, key) in [
            (Sort::Created, Key::Number(1_795_262_400_123)),
            (Sort::Due, Key::Number(-1)),
            (Sort::Title, Key::Text("a. b. ü.".to_owned())),
        ] {
            let cursor = Cursor {
                sort,
                order: Order::Descending,
                key,
                id: uuid::Uuid::from_u128(7).into(),
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in ["", "x", "MTIz", "....", "é", "ZHVlLmFzYy43Lng"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(()), "{wrong}");
        }
    }
}
