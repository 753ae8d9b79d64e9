//! A Kafka broker.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::cache;
use test_ports::free_ports;

use crate::process::Process;

const VERSION: &str = "4.1.2";

/// Settings of one small broker. Only warnings are logged, and the line that says that it is ready.
const JAVA: [&str; 6] = [
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
];

/// One broker in KRaft mode, which creates topics with three partitions on first use. Its data is deleted with it.
#[derive(Debug)]
pub struct Kafka {
    address: SocketAddr,
    process: Process,
    _data: tempfile::TempDir,
}

impl Kafka {
    /// Looks where `scripts/get-kafka.sh` puts it.
    ///
    /// # Errors
    ///
    /// It is not there: a sentence that says how to get it.
    pub fn find() -> Result<PathBuf> {
        let jars = cache::folder()?.join(format!("kafka-{VERSION}"));
        ensure!(
            jars.is_dir(),
            "there is no Kafka {VERSION} in {}: run scripts/get-kafka.sh",
            jars.display()
        );
        Ok(jars)
    }

    /// Starts one, if `scripts/get-kafka.sh` got it.
    ///
    /// # Errors
    ///
    /// It is not there (a sentence that says how to get it), or does not start.
    pub fn start() -> Result<Self> {
        let jars = Self::find()?;
        let data = tempfile::tempdir().context("no temporary folder")?;
        let [port, controller] = free_ports()?;
        let settings = data.path().join("kafka.properties");
        std::fs::write(&settings, properties(port, controller, &data.path().join("log")))?;
        let mut classes = OsString::from(&jars);
        classes.push("/*");
        let java = |class: &str| {
            let mut command = Command::new("java");
            command.args(JAVA).arg("-cp").arg(&classes).arg(class);
            command
        };
        // Any 16 bytes in base64url name the cluster.
        let formatted = java("kafka.tools.StorageTool")
            .args(["format", "-t", "bnVkZ2UtdGVzdC1jbHVzdA", "-c"])
            .arg(&settings)
            .stdout(Stdio::null())
            .status()
            .context("java cannot be started")?;
        ensure!(formatted.success(), "Kafka cannot format its storage");
        let mut command = java("kafka.Kafka");
        command.arg(&settings);
        Ok(Self {
            address: ([127, 0, 0, 1], port).into(),
            process: Process::start(command, "Kafka Server started")?,
            _data: data,
        })
    }

    /// Where clients reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, to kill, freeze and restart it. Its data is kept.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn properties(port: u16, controller: u16, log: &Path) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\n\
         num.partitions=3\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=3\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        log.display()
    )
}
