//! The server: made, started, and killed with the test.
#![expect(clippy::expect_used, reason = "a test whose server does not start has failed")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the server may take to start.
const DEADLINE: Duration = Duration::from_secs(60);

/// A PostgreSQL server with its data in a temporary folder.
pub struct Server {
    command: Command,
    child: Child,
    address: String,
    port: String,
    _data: tempfile::TempDir,
}

impl Server {
    /// Why no server can be started; `None` if this machine has PostgreSQL.
    pub fn missing() -> Option<&'static str> {
        let here = ["initdb", "postgres"]
            .iter()
            .all(|program| find(program).is_some());
        (!here).then_some("initdb and postgres are neither in the PATH nor in /usr/lib/postgresql")
    }

    /// Starts a server and waits until it takes connections.
    ///
    /// # Panics
    ///
    /// If this machine has no PostgreSQL ([`missing`](Self::missing)), or it does not start.
    pub async fn start() -> Self {
        let initdb = find("initdb").expect("PostgreSQL is installed");
        let postgres = find("postgres").expect("PostgreSQL is installed");
        let data = tempfile::tempdir().expect("a temporary folder");
        let folder = data.path().join("data");
        std::fs::create_dir(&folder).expect("writable");
        // PostgreSQL refuses to run as root.
        let root =
            std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        if root {
            let unprivileged = Some(65_534);
            std::os::unix::fs::chown(&folder, unprivileged, unprivileged).expect("root may");
            std::os::unix::fs::chown(data.path(), unprivileged, unprivileged).expect("root may");
        }
        let command = |program: PathBuf| {
            let mut command = Command::new(program);
            if root {
                std::os::unix::process::CommandExt::uid(&mut command, 65_534);
                std::os::unix::process::CommandExt::gid(&mut command, 65_534);
            }
            command
                .current_dir(&folder)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let made = command(initdb)
            .args(["--auth=trust", "--username=nudge", "--no-sync", "-D"])
            .arg(&folder)
            .status();
        assert!(made.expect("initdb starts").success());
        let [port] = test_ports::free_ports().expect("a free port");
        let port = port.to_string();
        let mut command = command(postgres);
        command
            .args(["-h", "127.0.0.1", "-p", &port, "-k", "", "-F", "-D"])
            .arg(&folder);
        let child = command.spawn().expect("postgres starts");
        let server = Self {
            command,
            child,
            address: format!("postgres://nudge@127.0.0.1:{port}/postgres?sslmode=disable"),
            port,
            _data: data,
        };
        let ready = async {
            while tokio_postgres::connect(&server.address, tokio_postgres::NoTls)
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ready)
            .await
            .expect("postgres is ready in time");
        server
    }

    /// The server's address, `postgres://user@host:port/database?…`.
    pub fn url(&self) -> &str {
        &self.address
    }

    /// Its process, whose children serve its connections.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as `kill -9` does, if it runs. Its data stays.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has not ended. A server that is started right after it was killed may end, while the former one's workers
    /// still do.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Starts it again on its data and its port, without waiting for it.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn revive(&mut self) -> std::io::Result<()> {
        self.kill();
        self.child = self.command.spawn()?;
        Ok(())
    }

    /// Its host as a component's `allowed_outbound_hosts` names it.
    pub fn host(&self) -> String {
        format!("postgres://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Debian keeps the server's programs out of the PATH, one folder a version.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    std::env::split_paths(&path)
        .chain(versions.map(|version| version.path().join("bin")))
        .map(|folder| folder.join(program))
        .find(|file| file.exists())
}
