//! The data of the page: views, the feed, edits that are made while others make theirs and requests get lost.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod conflicts;
mod edits;
mod feed;
mod interleavings;
mod mirror;
mod pages;
mod problems;
mod server;
mod views;
mod world;
