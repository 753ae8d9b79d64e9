//! The links of `nudge up` and `nudge sign-in`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use nudge_test_kit::http::Call;

use crate::program::Program;
use crate::support::address;

/// A program that opens a browser, as far as it writes down what it was to open.
fn browser_in(folder: &Path) {
    let program = folder.join("xdg-open");
    let script = "#!/bin/sh\nprintf '%s' \"$1\" > \"$0.part\" && mv \"$0.part\" \"$0.url\"\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The user of the token in a link, as the API sees it.
async fn user_of(link: &str) -> String {
    let (url, token) = link.split_once("/#token=").expect("a token");
    let answer = Call::new(address(url), Method::GET, "/api/v1/me")
        .bearer(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    answer.json().unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_opens_with_a_link_that_no_other_user_of_the_machine_can_use() {
    let (folder, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    browser_in(bin.path());
    let path = std::env::join_paths(
        [bin.path().to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    let program = Program::start_as(folder.path(), &[], |command| {
        command.env("PATH", path).args(["--open", "--user", "alice"]);
    });
    assert_eq!(user_of(&program.link).await, "alice");

    let written = bin.path().join("xdg-open.url");
    let begun = Instant::now();
    let opened = loop {
        match std::fs::read_to_string(&written) {
            Ok(opened) => break opened,
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(60), "no browser was opened"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (url, path) = opened.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let get = || Call::new(url.parse().unwrap(), Method::GET, format!("/{path}")).send();
    let answer = get().await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.headers["location"], program.link.as_str());
    assert!(get().await.is_err(), "it works once");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_link_is_printed_while_the_system_runs_and_not_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let print = || {
        let command = Command::new(env!("CARGO_BIN_EXE_nudge"))
            .args(["sign-in", "--user", "bob", "--data-dir"])
            .arg(folder.path())
            .output();
        command.expect("the program runs")
    };
    let failed = print();
    assert!(!failed.status.success());
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(said.contains("start `nudge up`"), "{said}");

    let program = Program::start(folder.path());
    let printed = String::from_utf8(print().stdout).unwrap();
    assert!(
        printed.starts_with(&format!("http://{}/#token=", program.address)),
        "{printed}"
    );
    assert_eq!(user_of(printed.trim()).await, "bob");
}
