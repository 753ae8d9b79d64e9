//! From an application with aiokafka to Nudge and back, on the real Kafka, the real Python client and the real Dapr, while users go on
//! writing: `docs/MIGRATION.md`, step by step.
//!
//! At each step the tables of both systems are compared with what users were told was done. What `scripts/get-dapr.sh`,
//! `get-kafka.sh` and `get-aiokafka.sh` did not get is ignored, and counted so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod compare;
mod old;
mod steps;
mod system;
mod traffic;

use libtest_mimic::Arguments;
use test_real::Parts;
use test_trial::trial;

fn main() {
    let mut arguments = Arguments::from_args();
    // A broker, two databases, five sidecars and two hosts are enough for a small machine.
    arguments.test_threads = Some(1);
    let python = old::python().err().map(|error| error.to_string());
    let missing: Vec<String> = Parts::USUAL.missing().into_iter().chain(python).collect();
    let missing = (!missing.is_empty()).then(|| missing.join("; "));
    let trial = trial("there and back, while users write", missing, steps::all);
    libtest_mimic::run(&arguments, vec![trial]).exit();
}
