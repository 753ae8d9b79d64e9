//! A host with fixture components, a client for it, and a server that guests call.

use std::cell::RefCell;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Once, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use spin_host::{Host, HostBuilder, Manifest, RunningHost};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Longer than any step of a test takes, even on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The path of a fixture's component. Builds all of them at first use.
pub(crate) fn fixture(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fixtures");
        let output = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--release", "--target", "wasm32-wasip2"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"))
            .env("CARGO_TARGET_DIR", &target)
            // Flags of the outer cargo are for the native build, not for this one.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .expect("cargo starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        target.join("wasm32-wasip2/release")
    });
    folder.join(format!("fixture_{name}.wasm"))
}

/// One `[component.…]` of a fixture, without settings.
pub(crate) fn component(id: &str) -> String {
    format!("[component.{id}]\nsource = {:?}\n", fixture(id))
}

/// A manifest of the fixture `app` at `/...`, with more lines in its `[component.app]` table.
pub(crate) fn app(settings: &str) -> String {
    format!(
        "{}[[trigger.http]]\nroute = \"/...\"\ncomponent = \"app\"\n{}{settings}\n",
        head(),
        component("app")
    )
}

/// The start of every manifest.
pub(crate) fn head() -> String {
    "spin_manifest_version = 2\n[application]\nname = \"test\"\nversion = \"1.2.3\"\n".to_owned()
}

/// A folder for the manifest and the state, and a builder for a host on a free port.
pub(crate) struct Setup {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) manifest: String,
}

impl Setup {
    pub(crate) fn new(manifest: String) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            manifest,
        }
    }

    pub(crate) fn builder(&self) -> HostBuilder {
        let file = self.folder.path().join("spin.toml");
        let manifest =
            Manifest::parse(file, &self.manifest).expect("a manifest that the test means to be valid");
        Host::builder(manifest)
            .listen(SocketAddr::from(([127, 0, 0, 1], 0)))
            .cache_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"))
    }

    pub(crate) async fn start(&self) -> RunningHost {
        start(self.builder()).await
    }
}

pub(crate) async fn start(builder: HostBuilder) -> RunningHost {
    match builder.build().await {
        Ok(host) => host.start(),
        Err(error) => panic!("{}", chain(&error)),
    }
}

/// An error with its causes, as a program prints it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

/// Sends a request on a new connection and returns the response, whose body has not been read.
pub(crate) async fn send<B>(host: &RunningHost, request: Request<B>) -> Response<Incoming>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let exchange = async {
        let stream = TcpStream::connect(host.local_addr())
            .await
            .expect("the host listens");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("a handshake");
        tokio::spawn(connection);
        sender.send_request(request).await.expect("a response")
    };
    tokio::time::timeout(DEADLINE, exchange)
        .await
        .expect("a response in time")
}

pub(crate) fn request(path: &str) -> http::request::Builder {
    Request::builder().uri(path).header("host", "nudge.example.com")
}

/// The status and the body of a GET.
pub(crate) async fn get(host: &RunningHost, path: &str) -> (u16, String) {
    read(
        send(
            host,
            request(path)
                .body(Empty::<Bytes>::new())
                .expect("a valid request"),
        )
        .await,
    )
    .await
}

/// The body of a POST, which must succeed.
pub(crate) async fn post(host: &RunningHost, path: &str, body: &str) -> String {
    let body = Full::new(Bytes::from(body.to_owned()));
    let (status, text) = read(
        send(
            host,
            request(path).method("POST").body(body).expect("a valid request"),
        )
        .await,
    )
    .await;
    assert_eq!(status, 200, "{text}");
    text
}

pub(crate) async fn read(response: Response<Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = tokio::time::timeout(DEADLINE, response.into_body().collect())
        .await
        .expect("a body in time");
    let bytes = body.expect("a whole body").to_bytes();
    (status, String::from_utf8(bytes.to_vec()).expect("text"))
}

/// A server that answers each request with "recorded" and reports the requested paths.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    paths: mpsc::UnboundedReceiver<String>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (sender, paths) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let _ = sender.send(request.uri().path().to_owned());
                    async {
                        Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from("recorded"))))
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, paths }
    }

    /// Waits for the next path.
    pub(crate) async fn next(&mut self) -> String {
        tokio::time::timeout(DEADLINE, self.paths.recv())
            .await
            .expect("a request in time")
            .expect("a server")
    }

    /// The next path, if it has arrived already.
    pub(crate) fn arrived(&mut self) -> Option<String> {
        self.paths.try_recv().ok()
    }
}

thread_local! {
    /// The log lines of this thread since a test began to capture them.
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Captures the log lines of this thread. Each test runs on one thread, together with its host.
///
/// There is one subscriber for all threads: whether a line is wanted is decided once for all of them, and a thread that reaches
/// the line first would decide it with its own subscriber.
pub(crate) struct Log(());

impl Log {
    pub(crate) fn start() -> Self {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_ansi(false)
                .without_time()
                .with_writer(|| LogWriter)
                .finish();
            tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is set");
        });
        LINES.set(Some(Vec::new()));
        Self(())
    }

    pub(crate) fn text(&self) -> String {
        LINES.with_borrow(|lines| {
            let lines = lines.clone().expect("this thread captures its lines");
            String::from_utf8(lines).expect("text")
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LINES.set(None);
    }
}

struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
