//! An HTTP/1.1 server that bounds the number, size and time of what clients send and leave unread.
//!
//! hyper bounds the size and time of a request's head. This adds the rest: the number of connections, the pace of request bodies,
//! and the pace at which clients read responses. Without these bounds, a client that sends half a request, or reads half a
//! response, keeps what serves it for as long as it likes.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use std::convert::Infallible;
//! use bytes::Bytes;
//! use http_body_util::Full;
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let stopped = async { let _ = tokio::signal::ctrl_c().await; };
//! let serving = bounded_http::serve(listener, bounded_http::Limits::default(), stopped, |_request, _client| async {
//!     Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from("hello"))))
//! })
//! .await;
//! serving.ended().await;
//! # Ok(()) }
//! ```

mod body;
mod connections;
mod limits;
mod patience;
mod server;
mod stream;

pub use body::{BodyError, RequestBody};
pub use connections::Client;
pub use limits::{Limits, Pace};
pub use server::{Serving, serve};
