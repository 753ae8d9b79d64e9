//! `nudge:dapr` as a service imports it: the types of the bridge's exports, and its functions.

/// Functions of an interface that call the bridge's, and the interface's types.
macro_rules! interface {
    ($name:ident { $($function:ident($($parameter:ident: $type:ty),*) -> $result:ty;)* }) => {
        #[doc = concat!("`nudge:dapr/", stringify!($name), "`.")]
        pub mod $name {
            pub use crate::bindings::exports::nudge::dapr::$name::*;

            $(
                #[doc = concat!("`", stringify!($function), "` of the interface.")]
                ///
                /// # Errors
                ///
                /// Those of the sidecar, and that there is none.
                pub async fn $function($($parameter: $type),*) -> Result<$result, super::types::Error> {
                    <crate::Bridge as Guest>::$function($($parameter),*).await
                }
            )*
        }
    };
}

/// `nudge:dapr/types`.
pub mod types {
    pub use crate::bindings::exports::nudge::dapr::types::*;
}

interface!(pubsub {
    publish(pubsub: String, topic: String, event: CloudEvent) -> ();
    publish_all(pubsub: String, topic: String, events: Vec<CloudEvent>) -> Vec<FailedEvent>;
    publish_raw(pubsub: String, topic: String, message: RawMessage) -> ();
});
interface!(state {
    get(store: String, key: String) -> Option<Entry>;
    get_many(store: String, keys: Vec<String>) -> Vec<Entry>;
    put(store: String, operation: PutOperation) -> Outcome;
    put_many(store: String, operations: Vec<PutOperation>) -> Outcome;
    delete(store: String, key: String, etag: Option<String>) -> Outcome;
    transact(store: String, operations: Vec<Operation>) -> Outcome;
});
interface!(jobs {
    schedule(name: String, job: Job) -> Outcome;
    exists(name: String) -> bool;
    delete(name: String) -> ();
});
interface!(secrets {
    get(store: String, name: String) -> Option<Vec<(String, String)>>;
});
interface!(bindings {
    invoke(binding: String, operation: String, metadata: Vec<(String, String)>, data: String) -> Vec<u8>;
});
interface!(invocation {
    invoke(app_id: String, request: Request) -> Response;
});
interface!(health {
    check() -> ();
});
interface!(metadata {
    app_max_concurrency() -> Option<u32>;
});
