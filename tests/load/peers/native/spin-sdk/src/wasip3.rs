//! The part of WASI 0.3 that the components call by name.

use crate::component::Component;

/// Does something beside the caller, for the same component.
pub fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    match Component::current() {
        Some(component) => tokio::spawn(component.run(work)),
        None => tokio::spawn(work),
    };
}

/// `wasi:clocks`.
pub mod clocks {
    /// `wasi:clocks/monotonic-clock`.
    pub mod monotonic_clock {
        /// Waits so many nanoseconds.
        pub async fn wait_for(nanoseconds: u64) {
            tokio::time::sleep(std::time::Duration::from_nanos(nanoseconds)).await;
        }
    }
}

/// `wasi:random`.
pub mod random {
    /// `wasi:random/random`.
    pub mod random {
        /// So many bytes that cannot be guessed.
        ///
        /// # Panics
        ///
        /// The system has none.
        pub fn get_random_bytes(length: u64) -> Vec<u8> {
            let mut bytes = vec![0; usize::try_from(length).expect("it fits")];
            getrandom::fill(&mut bytes).expect("the system has random bytes");
            bytes
        }
    }
}

/// `wasi:http`.
pub mod http {
    /// `wasi:http/types`.
    pub mod types {
        pub use crate::http::RequestOptions;
        pub use real::wasip3::http::types::ErrorCode;
    }
}

/// Options of requests as an extension of them.
pub mod http_compat {
    /// The options of one request.
    #[derive(Clone, Debug)]
    pub struct RequestOptionsExtension(pub crate::http::RequestOptions);
}
