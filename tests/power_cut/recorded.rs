//! The whole system in this process, with SQLite's files recorded.

use http::Method;
use nudge::{DataDir, Synchronous, System, SystemOptions};
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use nudge_test_kit::limits;
use test_power_cut::{Disk, Recorder, Unsynced, each_cut};

use crate::people::{Found, Promises, Window, address, token};

async fn start(data: DataDir, synchronous: Synchronous) -> System {
    let mut options = SystemOptions::new(components::built(), data);
    options.synchronous = synchronous;
    let unlimited = limits::NONE.map(|(name, value)| (name.to_owned(), value.to_owned()));
    options.variables.extend(unlimited);
    System::start(options).await.unwrap()
}

/// The user works in eight windows. Returns the number of cuts that lost an acknowledged change.
pub(crate) async fn losses(synchronous: Synchronous) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(folder.path()).unwrap();
    let token = token(&data);
    let recorder = Recorder::start(folder.path());
    let first = recorder.moment();
    let system = start(data, synchronous).await;
    let promises = Promises::default();
    let moment = || recorder.moment();
    let windows: Vec<Window<'_>> = (0..8)
        .map(|number| Window {
            number,
            address: address(&system.url()),
            token: &token,
            promises: &promises,
            moment: &moment,
        })
        .collect();
    let work = windows.iter().map(|window| window.work(6));
    for done in futures_util::future::join_all(work).await {
        done.unwrap();
    }
    let record = recorder.record();
    system.shutdown().await;

    let promises = promises.into_inner().unwrap();
    let mut lost = 0;
    each_cut(&record, first, 60, 4, |moment, unsynced, folder| {
        let found = Found::read(folder);
        let mut made = promises
            .iter()
            .filter(|(at, _)| *at <= moment)
            .map(|(_, promise)| promise);
        let gone = made.find(|promise| !found.keeps(promise));
        lost += usize::from(gone.is_some());
        if synchronous == Synchronous::Full || unsynced == Unsynced::Kept {
            let lost = &found.lost_events;
            assert!(
                lost.is_empty(),
                "{synchronous}, {moment}, {unsynced:?}: the broker has {lost:?}"
            );
            assert!(
                gone.is_none(),
                "{synchronous}, {moment}, {unsynced:?}: {gone:?} is there"
            );
        }
    });
    if synchronous == Synchronous::Full {
        let cut = record.len() * 4 / 5;
        let folder = tempfile::tempdir().unwrap();
        let image = Disk::at(&record, cut).cut(Unsynced::Shuffled(5));
        image.write_to(folder.path()).unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let system = start(data, synchronous).await;
        for (_, promise) in promises.iter().filter(|(at, _)| *at <= cut) {
            let path = format!("/api/v1/tasks/{}", promise.id);
            let call = Call::new(address(&system.url()), Method::GET, path).bearer(&token);
            let answer = call.send().await.unwrap();
            if answer.status == 200 {
                let version = answer.json().unwrap()["version"].as_i64().unwrap();
                assert!(!promise.deleted && version >= promise.version, "{promise:?}");
            } else {
                // A user who deleted it later may not have had a response.
                assert_eq!(answer.status, 404, "{promise:?}");
            }
        }
        system.shutdown().await;
    }
    lost
}
