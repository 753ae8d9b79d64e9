//! Files on a device of their own, of which a copy is what a power cut leaves.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use durable_file::{Draft, create_folder};
use mail_sink::MailSink;
use nudge::{DataDir, Synchronous};
use nudge_test_kit::components;
use test_power_cut::{FileSystem, freeze};

use crate::people::{Found, Promises, Window, address, token};

pub(crate) async fn files() {
    let before = FileSystem::create().unwrap();
    fs::create_dir(before.path().join("forgotten")).unwrap();
    fs::write(before.path().join("forgotten.txt"), "forgotten").unwrap();
    assert_eq!(
        names(&before.cut().unwrap().path()),
        ["lost+found"],
        "the device gets nothing by itself"
    );

    let folder = before.path().join("one/two");
    create_folder(&folder, 0o700).unwrap();
    assert!(before.cut().unwrap().path().join("one/two").is_dir());

    let mut draft = Draft::create(folder.join("draft"), 0o600).unwrap();
    draft.write_all(b"first").unwrap();
    draft.publish(&folder.join("text")).unwrap();
    let after = before.cut().unwrap();
    assert_eq!(fs::read(after.path().join("one/two/text")).unwrap(), b"first");

    let mut draft = Draft::create(folder.join("draft"), 0o600).unwrap();
    draft.write_all(b"second").unwrap();
    draft.publish(&folder.join("text")).unwrap();
    let after = before.cut().unwrap();
    assert_eq!(fs::read(after.path().join("one/two/text")).unwrap(), b"second");
    assert_eq!(names(&after.path().join("one/two")), ["text"]);

    for bytes in [b"third", b"fifth"] {
        let mut draft = Draft::create(folder.join("draft"), 0o600).unwrap();
        draft.write_all(bytes).unwrap();
        draft.publish_new(&folder.join("new")).unwrap();
        let after = before.cut().unwrap();
        assert_eq!(fs::read(after.path().join("one/two/new")).unwrap(), b"third");
    }
}

pub(crate) async fn mail() {
    let before = FileSystem::create().unwrap();
    let sink = MailSink::start("127.0.0.1:0".parse().unwrap(), before.path().join("mail"))
        .await
        .unwrap();
    let address = sink.addr();
    let sent = tokio::task::spawn_blocking(move || {
        let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        for (say, expected) in [
            ("HELO example.com", "250"),
            ("MAIL FROM:<a@example.com>", "250"),
            ("RCPT TO:<b@example.com>", "250"),
            ("DATA", "354"),
            ("Subject: kept\r\n\r\nAll of it.\r\n.", "250"),
        ] {
            write!(stream.get_mut(), "{say}\r\n").unwrap();
            line.clear();
            while line.is_empty() || line.as_bytes().get(3) == Some(&b'-') {
                line.clear();
                assert_ne!(
                    stream.read_line(&mut line).unwrap(),
                    0,
                    "the server hung up: {say}"
                );
            }
            assert!(line.starts_with(expected), "{say}: {line}");
        }
    });
    sent.await.unwrap();
    let after = before.cut().unwrap();
    let emails = names(&after.path().join("mail"));
    assert!(emails.len() == 1 && emails[0].ends_with(".eml"), "{emails:?}");
    let mail = fs::read_to_string(after.path().join("mail").join(&emails[0])).unwrap();
    assert!(mail.ends_with("All of it.\r\n"), "{mail:?}");
    sink.shutdown().await;
}

pub(crate) async fn key() {
    let before = FileSystem::create().unwrap();
    let key = DataDir::open(before.path().join("data"))
        .unwrap()
        .jwt_key()
        .unwrap();
    let after = before.cut().unwrap();
    let file = fs::read_to_string(after.path().join("data/secrets.json")).unwrap();
    assert!(file.contains(&key), "{file}");
}

/// `nudge up` in a process of its own.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(data: &Path, synchronous: Synchronous) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_nudge"))
            .current_dir(components::built())
            .args([
                "up",
                "--no-build",
                "--listen",
                "127.0.0.1:0",
                "--variable",
                "rate_limit_per_minute=0",
            ])
            .args(["--synchronous", synchronous.name(), "--data-dir"])
            .arg(data)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let lines: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
        let line = lines
            .iter()
            .find(|line| line.trim_start().starts_with("API"))
            .unwrap();
        let url = line
            .split_whitespace()
            .nth(1)
            .unwrap()
            .trim_end_matches("/api/v1/tasks")
            .to_owned();
        Self { child, url }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The user works until the power fails. Returns how many acknowledged changes and published events are missing on the device.
pub(crate) async fn losses(synchronous: Synchronous) -> usize {
    let before = FileSystem::create().unwrap();
    let folder = before.path().join("data");
    let token = token(&DataDir::open(&folder).unwrap());
    let program = Program::start(&folder, synchronous);
    let promises = Promises::default();
    let windows: Vec<Window<'_>> = (0..8)
        .map(|number| Window {
            number,
            address: address(&program.url),
            token: &token,
            promises: &promises,
            moment: &|| 0,
        })
        .collect();
    let work = futures_util::future::join_all(windows.iter().map(|window| window.work(1_000)));
    let enough = async {
        while promises.lock().unwrap().len() < 300 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = work => panic!("they go on for longer"),
        () = enough => {}
    }
    let promised = promises.lock().unwrap().clone();
    freeze(program.child.id()).unwrap();
    let after = before.cut().unwrap();
    drop(program);
    let folder = after.path().join("data");
    if !folder.join("sqlite_db.db").exists() {
        return promised.len();
    }
    let found = Found::read(&folder);
    let gone = promised.iter().filter(|(_, promise)| !found.keeps(promise));
    gone.count() + found.lost_events.len()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path: PathBuf| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}
