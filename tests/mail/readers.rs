//! Programs that read email.

use std::path::Path;
use std::process::Command;

use mail_parser::MessageParser;
use serde::Deserialize;

/// An email as a program shows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    pub(crate) subject: String,
    pub(crate) html: String,
    /// Defects that the program reports.
    #[serde(default)]
    pub(crate) defects: Vec<String>,
}

/// The emails of a folder as the library `mail-parser` shows them, oldest first.
pub(crate) fn mail_parser(folder: &Path) -> Vec<Shown> {
    mail_sink::emails_in(folder)
        .expect("a readable folder")
        .iter()
        .map(|file| {
            let raw = std::fs::read(file).expect("an email");
            let message = MessageParser::new().parse(&raw).expect("a message");
            Shown {
                subject: message.subject().expect("a subject").to_owned(),
                html: message.body_html(0).expect("HTML").into_owned(),
                defects: Vec::new(),
            }
        })
        .collect()
}

/// The emails of a folder as Python's `email` package shows them, oldest first.
pub(crate) fn python(folder: &Path) -> Vec<Shown> {
    let output = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/read.py"))
        .arg(folder)
        .output()
        .expect("no_python has found it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Why [`python`] cannot run here, if it cannot.
pub(crate) fn no_python() -> Option<String> {
    let version = Command::new("python3").arg("--version").output();
    (!version.is_ok_and(|output| output.status.success())).then(|| "there is no python3".to_owned())
}
