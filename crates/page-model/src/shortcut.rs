//! Keyboard shortcuts: which keys do what.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// To the quick-add line.
    Add,
    /// To the search.
    Search,
    /// Shows all shortcuts.
    Help,
    /// Undoes the last change.
    Undo,
    /// Opens a page.
    Go(Place),
    /// Moves the cursor of the list by so many tasks.
    Step(isize),
    /// Completes or reopens the task at the cursor.
    Toggle,
    /// Opens the task at the cursor.
    Open,
    /// Opens the menu of the task at the cursor.
    Menu,
    /// Moves the task at the cursor to the next day.
    Tomorrow,
    /// Moves the task at the cursor by so many days.
    Move(i32),
    /// Deletes the task at the cursor.
    Delete,
}

/// A page that a shortcut opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Today.
    Today,
    /// Upcoming.
    Upcoming,
    /// All tasks.
    All,
    /// Completed tasks.
    Completed,
    /// Settings.
    Settings,
}

/// A group of shortcuts in the help, and its lines: what they do, and alternatives of keys that are pressed one after the other.
pub type Group = (
    &'static str,
    &'static [(&'static str, &'static [&'static [&'static str]])],
);

/// All shortcuts, as the help shows them.
pub const HELP: &[Group] = &[
    (
        "Anywhere",
        &[
            ("New task", &[&["n"], &["q"]]),
            ("Search", &[&["/"]]),
            ("Undo", &[&["z"]]),
            ("This help", &[&["?"]]),
            ("Close, or leave a field", &[&["Esc"]]),
        ],
    ),
    (
        "Go to",
        &[
            ("Today", &[&["g", "t"]]),
            ("Upcoming", &[&["g", "u"]]),
            ("All tasks", &[&["g", "a"]]),
            ("Completed", &[&["g", "c"]]),
            ("Settings", &[&["g", "s"]]),
        ],
    ),
    (
        "In a list",
        &[
            ("Next task", &[&["j"], &["↓"]]),
            ("Previous task", &[&["k"], &["↑"]]),
            ("Complete or reopen", &[&["x"], &["Space"]]),
            ("Open", &[&["e"], &["Enter"]]),
            ("Menu", &[&["m"]]),
            ("Move to tomorrow", &[&["t"]]),
            ("Move by a day, by a week", &[&["d"], &["w"]]),
            ("Delete", &[&["Del"]]),
        ],
    ),
    (
        "In the line for new tasks",
        &[("Add", &[&["Enter"]]), ("Clear", &[&["Esc"]])],
    ),
];

/// The command of a key, as `KeyboardEvent.key` names it; `after_g` if `g` was pressed just before.
///
/// ```
/// use nudge_page_model::shortcut::{Command, Place, command};
///
/// assert_eq!(command("j", false), Some(Command::Step(1)));
/// assert_eq!(command("t", true), Some(Command::Go(Place::Today)));
/// assert_eq!(command("t", false), Some(Command::Tomorrow));
/// ```
pub fn command(key: &str, after_g: bool) -> Option<Command> {
    if after_g {
        return Some(Command::Go(match key {
            "t" => Place::Today,
            "u" => Place::Upcoming,
            "a" => Place::All,
            "c" => Place::Completed,
            "s" => Place::Settings,
            _ => return None,
        }));
    }
    Some(match key {
        "n" | "q" => Command::Add,
        "/" => Command::Search,
        "?" => Command::Help,
        "z" => Command::Undo,
        "j" | "ArrowDown" => Command::Step(1),
        "k" | "ArrowUp" => Command::Step(-1),
        "PageDown" => Command::Step(10),
        "PageUp" => Command::Step(-10),
        "Home" => Command::Step(isize::MIN / 2),
        "End" => Command::Step(isize::MAX / 2),
        "x" | " " => Command::Toggle,
        "e" | "Enter" => Command::Open,
        "m" => Command::Menu,
        "t" => Command::Tomorrow,
        "d" => Command::Move(1),
        "w" => Command::Move(7),
        "Delete" => Command::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{HELP, command};

    #[test]
    fn every_shortcut_of_the_help_does_something() {
        let named = |key: &'static str| match key {
            "Esc" => "Escape",
            "Space" => " ",
            "Del" => "Delete",
            "↓" => "ArrowDown",
            "↑" => "ArrowUp",
            key => key,
        };
        for (group, lines) in HELP {
            for (what, alternatives) in *lines {
                for keys in *alternatives {
                    let found = match **keys {
                        // Each field and dialog handles it by itself.
                        ["Esc"] => continue,
                        ["g", key] => command(named(key), true),
                        [key] => command(named(key), false),
                        _ => None,
                    };
                    assert!(found.is_some(), "{group}: {what}");
                }
            }
        }
    }
}
