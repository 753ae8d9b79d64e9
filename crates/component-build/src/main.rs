//! `component-build`: builds the page, and all components unless the argument is `page`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut say = |line: &str| eprintln!("{line}");
    let done = match std::env::args().nth(1).as_deref() {
        None => nudge_component_build::build(&root, &mut say),
        Some("page") => nudge_component_build::build_page(&root, &mut say),
        Some(other) => {
            eprintln!("component-build: `{other}` is not known; `page` builds the page only");
            return ExitCode::FAILURE;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("component-build: {error}");
            ExitCode::FAILURE
        }
    }
}
