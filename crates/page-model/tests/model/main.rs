//! The data of the page: views, the feed, edits that are made while others make theirs and requests get lost.

mod edits;
mod feed;
mod interleavings;
mod problems;
mod server;
mod views;
