//! What a recipient's program makes of a mail.

use std::path::Path;
use std::process::Command;

use mail_parser::MessageParser;
use serde::Deserialize;

/// A mail as a program shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// What the program found wrong with it.
    #[serde(default)]
    pub(crate) defects: Vec<String>,
}

/// The mails of a folder as the library `mail-parser` shows them, oldest first.
pub(crate) fn mail_parser(folder: &Path) -> Vec<Shown> {
    crate::chain::files(folder)
        .iter()
        .map(|file| {
            let raw = std::fs::read(file).expect("a mail");
            let message = MessageParser::new().parse(&raw).expect("a message");
            Shown {
                subject: message.subject().expect("a subject").to_owned(),
                text: message.body_text(0).expect("a text").into_owned(),
                html: message.body_html(0).expect("HTML").into_owned(),
                defects: Vec::new(),
            }
        })
        .collect()
}

/// The same as Python's `email` package shows them.
pub(crate) fn python(folder: &Path) -> Vec<Shown> {
    let output = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/read.py"))
        .arg(folder)
        .output()
        .expect("looked for");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What is missing for [`python`].
pub(crate) fn no_python() -> Option<String> {
    let version = Command::new("python3").arg("--version").output();
    (!version.is_ok_and(|output| output.status.success())).then(|| "there is no python3".to_owned())
}
