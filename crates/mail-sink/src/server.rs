//! The listener and the public API.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connections::Connections;
use crate::fault::{Fault, Faults};
use crate::recipient::{Recipients, Treatment};
use crate::session;
use crate::spool::{Spool, emails_in};

/// Why a sink did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder for emails cannot be created.
    #[error("cannot use {} as the folder for emails", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
}

/// A running SMTP server. Dropping it stops it; [`MailSink::shutdown`] waits for emails in flight.
#[derive(Debug)]
pub struct MailSink {
    addr: SocketAddr,
    spool: Arc<Spool>,
    faults: Arc<Faults>,
    recipients: Arc<Recipients>,
    connections: Arc<Connections>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl MailSink {
    /// Listens on `addr` (port 0 picks a free one) and stores emails in `dir`, which is created if it does not exist.
    pub async fn start(addr: SocketAddr, dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let spool = Spool::open(dir).map_err(|source| Error::Folder {
            dir: dir.to_owned(),
            source,
        })?;
        let spool = Arc::new(spool);
        let listen = |source| Error::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let bound = listener.local_addr().map_err(listen)?;
        let faults = Arc::new(Faults::default());
        let recipients = Arc::new(Recipients::default());
        let connections = Arc::new(Connections::default());
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(accept(
            listener,
            spool.clone(),
            faults.clone(),
            recipients.clone(),
            connections.clone(),
            stopped,
        ));
        Ok(Self {
            addr: bound,
            spool,
            faults,
            recipients,
            connections,
            stop,
            server,
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The folder of the emails.
    pub fn dir(&self) -> &Path {
        self.spool.dir()
    }

    /// The files of the emails accepted so far, oldest first.
    pub fn emails(&self) -> io::Result<Vec<PathBuf>> {
        emails_in(self.dir())
    }

    /// Makes the server refuse, so that a test can check how a sender handles a 550 or a 451.
    pub fn inject(&self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Treats a recipient differently from now on, and counts how often clients name it.
    pub fn treat(&self, recipient: &str, treatment: Treatment) {
        self.recipients.set(recipient, treatment);
    }

    /// How often clients named a recipient since [`treat`](Self::treat).
    pub fn times_named(&self, recipient: &str) -> usize {
        self.recipients.times(recipient)
    }

    /// The maximum number of clients that were sending at the same time. A client no longer counts once it has got the reply to
    /// its email, or has disconnected.
    pub fn most_at_once(&self) -> usize {
        self.connections.max()
    }

    /// Accepts no new connections, closes idle ones, and returns once an email that is being stored is on disk.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.server).await {
            tracing::error!(%error, "the mail sink failed");
        }
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn accept(
    listener: TcpListener,
    spool: Arc<Spool>,
    faults: Arc<Faults>,
    recipients: Arc<Recipients>,
    connections: Arc<Connections>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut clients = JoinSet::new();
    loop {
        let stream = tokio::select! {
            // A dropped sender stops it as well.
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = clients.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection failed before it was accepted");
                    continue;
                }
            },
        };
        let (spool, faults, connection) = (spool.clone(), faults.clone(), Connections::enter(&connections));
        let recipients = recipients.clone();
        clients.spawn(async move {
            if let Err(error) = session::serve(stream, spool, faults, recipients, connection).await {
                tracing::debug!(%error, "an SMTP client disconnected");
            }
        });
    }
    // A connection is closed between lines; the blocking write of an accepted email always completes.
    clients.shutdown().await;
}
