//! A mail server, and what it was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mail_sink::{Fault, MailSink, Treatment};

/// A mail server that can go away and come back at its address.
pub struct MailServer {
    address: SocketAddr,
    folder: PathBuf,
    sink: Option<MailSink>,
}

impl MailServer {
    /// Starts one that keeps its emails in a folder.
    pub async fn start(folder: PathBuf) -> Self {
        let sink = MailSink::start(([127, 0, 0, 1], 0).into(), &folder)
            .await
            .expect("a mail server");
        Self {
            address: sink.addr(),
            folder,
            sink: Some(sink),
        }
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.sink = None;
    }

    /// Starts it again, if it does not run.
    ///
    /// # Errors
    ///
    /// The port is not free yet.
    pub async fn revive(&mut self) -> Result<(), mail_sink::Error> {
        if self.sink.is_none() {
            self.sink = Some(MailSink::start(self.address, &self.folder).await?);
        }
        Ok(())
    }

    /// Has it refuse, if it runs.
    pub fn inject(&self, fault: Fault) {
        if let Some(sink) = &self.sink {
            sink.inject(fault);
        }
    }

    /// Has it treat a recipient differently, until it is killed.
    pub fn treat(&self, recipient: &str, treatment: Treatment) {
        if let Some(sink) = &self.sink {
            sink.treat(recipient, treatment);
        }
    }

    /// The largest number of emails that were being sent to it at the same time.
    pub fn most_at_once(&self) -> usize {
        self.sink.as_ref().map_or(0, MailSink::most_at_once)
    }

    /// The files of the emails so far, oldest first.
    pub fn emails(&self) -> Vec<PathBuf> {
        let mut emails: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .expect("a readable folder")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        emails.sort();
        emails
    }

    /// When an email arrived, which its file name tells.
    pub fn came(mail: &Path) -> Timestamp {
        let name = mail.file_stem().expect("a name").to_string_lossy();
        let at = name.split('-').next().expect("an instant");
        jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%.fZ", at)
            .and_then(|parts| parts.to_datetime()?.in_tz("UTC"))
            .expect("an instant")
            .timestamp()
    }

    /// The subject of an email.
    pub fn subject(mail: &Path) -> String {
        let mail = std::fs::read_to_string(mail).expect("a whole mail");
        let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
        subject.expect("a subject").to_owned()
    }

    /// How many seconds after an instant emails arrived, sorted.
    pub fn late(&self, at: Timestamp) -> Vec<f64> {
        let emails = self.emails();
        let mut late: Vec<f64> = emails
            .iter()
            .map(|mail| Self::came(mail).duration_since(at).as_secs_f64())
            .collect();
        late.sort_by(f64::total_cmp);
        late
    }

    /// Its address, as secrets of the secret store.
    pub fn secrets(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("smtp-host", self.address.ip().to_string()),
            ("smtp-port", self.address.port().to_string()),
        ])
    }
}
