//! An email shows what the user wrote: titles in every block of Unicode and descriptions, from email-delivery through a sidecar to
//! the mail server, read with two programs that know nothing of Nudge.
//!
//! The sidecars are the embedded one and, if `scripts/get-dapr.sh` built it, the real daprd. Cases whose parts are missing are
//! ignored, and counted as such.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod blocks;
mod chain;
mod readers;
mod titles;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use nudge_domain::characters::isolated;
use tempfile::TempDir;
use test_dapr::Dapr;

use chain::Sidecar;
use readers::Shown;

/// The emails of one sidecar, sent at the first check.
struct Emails {
    sidecar: Option<Sidecar>,
    sent: Mutex<Option<TempDir>>,
}

impl Emails {
    fn of(sidecar: Option<Sidecar>) -> Arc<Self> {
        let sent = Mutex::default();
        Arc::new(Self { sidecar, sent })
    }

    fn run(&self, check: impl FnOnce(&Path)) -> Result<(), Failed> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.is_none() {
            let sidecar = self.sidecar.as_ref().expect("looked for");
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            *sent = Some(runtime.block_on(chain::send_all(sidecar, &titles::all(), titles::description)));
            runtime.shutdown_background();
        }
        check(sent.as_ref().expect("sent").path());
        Ok(())
    }
}

/// Each title is the subject and the heading; each line of the description is a paragraph; and all of them are lines of the HTML
/// without its markup.
fn is_what_was_written(shown: &[Shown]) {
    let titles = titles::all();
    assert_eq!(shown.len(), titles.len());
    for (title, shown) in titles.iter().zip(shown) {
        assert_eq!(shown.subject, format!("Reminder: {}", isolated(title)));
        assert_eq!(shown.defects, [""; 0], "{title:?}");
        let heading = inside(&shown.html, "<h1 dir=\"auto\" ", "</h1>");
        assert_eq!(heading, [title.as_str()], "{title:?}");
        let lines = titles::lines(title);
        assert_eq!(
            inside(&shown.html, "<p dir=\"auto\" ", "</p>"),
            lines,
            "{title:?}"
        );
        let text = nudge::html_to_text(&shown.html);
        let text: Vec<&str> = text.lines().collect();
        for line in [title].into_iter().chain(&lines) {
            assert!(
                text.contains(&line.as_str()),
                "{line:?} is not a line of {text:?}"
            );
        }
    }
}

/// The text of the elements with this start and end tag.
fn inside(html: &str, start: &str, end: &str) -> Vec<String> {
    let elements = html.split(start).skip(1);
    let texts = elements.map(|rest| {
        let (_, rest) = rest.split_once('>').expect("the end of a tag");
        let (text, _) = rest.split_once(end).expect("the end of an element");
        // As the template escapes; the ampersand comes last.
        [
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#34;", "\""),
            ("&#39;", "'"),
            ("&#38;", "&"),
        ]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| {
            text.replace(entity, character)
        })
    });
    texts.collect()
}

/// RFC 2047, section 2: 76 octets on a line with an encoded word. RFC 5322, section 2.1.1: 78 on other lines of the header, if there
/// is a place to fold, and 998 everywhere.
fn lines_are_within_limits(folder: &Path) {
    let mut encoded = 0;
    for file in mail_sink::emails_in(folder).expect("a readable folder") {
        let email = std::fs::read_to_string(&file).expect("an email in ASCII");
        assert!(email.is_ascii());
        let (head, body) = email.split_once("\r\n\r\n").expect("a header and a body");
        for line in head.split("\r\n") {
            let longest = if line.contains("=?") { 76 } else { 78 };
            assert!(line.len() <= longest, "{line}");
            encoded += usize::from(line.contains("=?"));
        }
        assert!(body.split("\r\n").all(|line| line.len() <= 998), "{body}");
    }
    assert!(encoded > 300, "{encoded} lines have an encoded word");
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let no_python = readers::no_python();
    let dapr = Dapr::find();
    let no_dapr = dapr.as_ref().err().map(ToString::to_string);
    let subjects = [
        ("embedded", Emails::of(Some(Sidecar::Embedded)), None),
        ("daprd", Emails::of(dapr.ok().map(Sidecar::Daprd)), no_dapr),
    ];
    let mut trials = Vec::new();
    for (name, emails, missing) in subjects {
        let mut add = |what: &str, missing: Option<&String>, check: fn(&Path)| {
            if let Some(missing) = missing {
                eprintln!("{name}: {what} is ignored: {missing}");
            }
            let emails = emails.clone();
            let trial = Trial::test(format!("{name}: {what}"), move || emails.run(check));
            trials.push(trial.with_ignored_flag(missing.is_some()));
        };
        add("mail-parser shows what was written", missing.as_ref(), |folder| {
            is_what_was_written(&readers::mail_parser(folder));
        });
        let missing_for_python = missing.as_ref().or(no_python.as_ref());
        add(
            "Python's email shows what was written",
            missing_for_python,
            |folder| {
                is_what_was_written(&readers::python(folder));
            },
        );
        add("no line is too long", missing.as_ref(), lines_are_within_limits);
    }
    libtest_mimic::run(&arguments, trials).exit();
}
