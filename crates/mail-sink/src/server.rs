//! The listener and its public face.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fault::{Fault, Faults};
use crate::incoming::Incoming;
use crate::session;
use crate::spool::Spool;

/// Why a sink did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder for the mails cannot be made.
    #[error("cannot use {} as the folder for mails", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// A running SMTP server. Dropping it stops it; [`MailSink::shutdown`] waits for mails in flight.
#[derive(Debug)]
pub struct MailSink {
    addr: SocketAddr,
    spool: Arc<Spool>,
    faults: Arc<Faults>,
    incoming: Arc<Incoming>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
}

impl MailSink {
    /// Listens on `addr` (port 0 picks a free one) and stores mails in `dir`, which is made if need be.
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
        let incoming = Arc::new(Incoming::default());
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(accept(
            listener,
            spool.clone(),
            faults.clone(),
            incoming.clone(),
            stopped,
        ));
        Ok(Self {
            addr: bound,
            spool,
            faults,
            incoming,
            stop,
            server,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the mails are.
    pub fn dir(&self) -> &Path {
        self.spool.dir()
    }

    /// The files of the mails accepted so far, oldest first.
    pub fn mails(&self) -> io::Result<Vec<PathBuf>> {
        self.spool.mails()
    }

    /// Makes the server refuse: a test sees what its sender does about a 550 or a 451.
    pub fn inject(&self, fault: Fault) {
        self.faults.add(fault);
    }

    /// How many clients were sending a mail at the same time at most. One that has heard that its mail is accepted counts no
    /// more, nor does one that has gone.
    pub fn most_at_once(&self) -> usize {
        self.incoming.most()
    }

    /// Takes no new connection, ends idle ones and returns when a mail being stored is stored.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.server).await {
            tracing::error!(%error, "the mail sink ended badly");
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
    incoming: Arc<Incoming>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut clients = JoinSet::new();
    loop {
        let stream = tokio::select! {
            // A dropped sender is a stop as well.
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = clients.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was lost before it began");
                    continue;
                }
            },
        };
        let (spool, faults, sending) = (spool.clone(), faults.clone(), Incoming::enter(&incoming));
        clients.spawn(async move {
            if let Err(error) = session::serve(stream, spool, faults, sending).await {
                tracing::debug!(%error, "an SMTP client went away");
            }
        });
    }
    // A connection is cut between lines; the blocking write of an accepted mail runs to its end regardless.
    clients.shutdown().await;
}
