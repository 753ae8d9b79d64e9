//! The data folder: the database, the store of the sidecars, secrets, emails.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use durable_file::Draft;
use nudge_contract::names::secret::JWT_KEY;
use serde::{Deserialize, Serialize};

use crate::privacy;

/// Names in `secrets.json`, the file behind the secret store of `dapr-components/common`.
const SMTP_HOST: &str = "smtp-host";
const SMTP_PORT: &str = "smtp-port";

/// A data folder. It is created on first use, readable only by its owner.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

/// Exclusive use of a data folder. Two programs on one database and one scheduler would do everything twice.
#[derive(Debug)]
pub struct Exclusive {
    _lock: File,
}

/// Where the parts are while `nudge up` runs, for other commands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// The URL of the application on this machine.
    pub url: String,
    /// Whether its page accepts links of this program.
    pub local_sign_in: bool,
    /// The address of the api's sidecar.
    pub sidecar: SocketAddr,
    /// The API token of that sidecar.
    pub token: String,
}

impl DataDir {
    /// Opens the folder; creates it and its secrets if they are missing. Takes away the access of other users of this machine to
    /// everything in it, and logs a warning if there was any.
    ///
    /// # Errors
    ///
    /// The folder cannot be created, or its secrets cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        durable_file::create_folder(path, 0o700)
            .with_context(|| format!("cannot create the data folder {}", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot find the data folder {}", path.display()))?;
        if privacy::restrict(&path)? {
            tracing::warn!(
                folder = %path.display(),
                "other users of this machine could read the data folder; now only its owner can"
            );
        }
        let this = Self { path };
        this.ensure_secrets()?;
        Ok(this)
    }

    /// The absolute path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the emails, one `.eml` file each.
    pub fn mail(&self) -> PathBuf {
        self.path.join("mail")
    }

    /// The database of the sidecars.
    pub(crate) fn sidecar_store(&self) -> PathBuf {
        self.path.join("dapr.db")
    }

    fn secrets_file(&self) -> PathBuf {
        self.path.join("secrets.json")
    }

    /// Locks the folder for this process until the result is dropped, or the process ends in any way.
    ///
    /// # Errors
    ///
    /// Another process has locked it.
    pub fn take(&self) -> Result<Exclusive> {
        let path = self.lock_file();
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Exclusive { _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => bail!(
                "another nudge runs on the data folder {}: stop it, or choose another folder with --data-dir",
                self.path.display()
            ),
            Err(fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn running_file(&self) -> PathBuf {
        self.path.join("running.json")
    }

    /// Stores where the parts are, in a file that only its owner can read.
    pub(crate) fn set_running(&self, running: &Running) -> Result<()> {
        self.forget_running();
        let file = self.running_file();
        let written =
            new_private_file(&file).and_then(|mut open| open.write_all(&serde_json::to_vec(running)?));
        written.with_context(|| format!("cannot write {}", file.display()))
    }

    /// Deletes that file, if it exists.
    pub(crate) fn forget_running(&self) {
        let _ = fs::remove_file(self.running_file());
    }

    /// Where the parts are, if a program runs on the folder. The file of a killed program does not count.
    ///
    /// # Errors
    ///
    /// The file exists and cannot be read.
    pub fn running(&self) -> Result<Option<Running>> {
        let file = self.running_file();
        match fs::read(&file) {
            // First the file, then the lock: a reader does not block a program that starts.
            Ok(_) if !self.is_taken()? => Ok(None),
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .with_context(|| format!("{} cannot be read", file.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Whether a process has locked the folder.
    fn is_taken(&self) -> Result<bool> {
        let path = self.lock_file();
        let lock = match File::open(&path) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// The key with which tokens are signed.
    ///
    /// # Errors
    ///
    /// The secrets cannot be read.
    pub fn jwt_key(&self) -> Result<String> {
        let secrets = self.read_secrets()?;
        let file = self.secrets_file();
        secrets
            .get(JWT_KEY)
            .cloned()
            .with_context(|| format!("{} has no {JWT_KEY}", file.display()))
    }

    /// Stores the address of the mail server in the secret store.
    pub(crate) fn set_mail_server(&self, host: &str, port: u16) -> Result<()> {
        let mut secrets = self.read_secrets()?;
        secrets.insert(SMTP_HOST.to_owned(), host.to_owned());
        secrets.insert(SMTP_PORT.to_owned(), port.to_string());
        let file = self.secrets_file();
        self.draft(&secrets)?
            .publish(&file)
            .with_context(|| format!("cannot replace {}", file.display()))
    }

    fn read_secrets(&self) -> Result<BTreeMap<String, String>> {
        let file = self.secrets_file();
        let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a JSON object of strings", file.display()))
    }

    /// Creates the secrets if they are missing. If two processes do so at the same time, both use the file of the first one. A token
    /// that is signed with the key must be valid after a power cut, too.
    fn ensure_secrets(&self) -> Result<()> {
        let file = self.secrets_file();
        if file.exists() {
            return Ok(());
        }
        self.draft(&BTreeMap::from([(JWT_KEY.to_owned(), random_text()?)]))?
            .publish_new(&file)
            .with_context(|| format!("cannot create {}", file.display()))
    }

    /// A complete file beside the secrets, with a unique name.
    fn draft(&self, secrets: &BTreeMap<String, String>) -> Result<Draft> {
        let path = self.path.join(format!(
            "secrets-{}.tmp",
            random_text()?.get(..16).unwrap_or_default()
        ));
        let mut draft = Draft::create(path.clone(), 0o600)
            .with_context(|| format!("cannot create {}", path.display()))?;
        draft
            .write_all(&serde_json::to_vec_pretty(secrets)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(draft)
    }
}

/// Creates a new file that only its owner can read.
fn new_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the operating system gives no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_the_same_and_is_its_owners_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path().join("data")).unwrap();
        let key = data.jwt_key().unwrap();
        assert_eq!(key.len(), 64);
        data.set_mail_server("127.0.0.1", 2525).unwrap();
        let again = DataDir::open(folder.path().join("data")).unwrap();
        assert_eq!(again.jwt_key().unwrap(), key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(again.secrets_file()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let names: Vec<_> = fs::read_dir(again.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["secrets.json"], "no temporary file remains");
    }

    #[cfg(unix)]
    #[test]
    fn the_access_of_others_to_an_existing_folder_is_taken_away() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (data, outside) = (folder.path().join("data"), folder.path().join("outside"));
        let (mail, link) = (data.join("mail"), data.join("link"));
        fs::create_dir_all(&mail).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let files = [
            data.join("dapr.db"),
            data.join("dapr.db-wal"),
            mail.join("1.eml"),
            outside.clone(),
        ];
        for file in &files {
            fs::write(file, "x").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        symlink(&outside, &link).unwrap();
        for folder in [&data, &mail] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        DataDir::open(&data).unwrap();
        assert_eq!([mode(&data), mode(&mail)], [0o700, 0o700]);
        assert_eq!(files.map(|file| mode(&file)), [0o600, 0o600, 0o600, 0o644]);
        assert!(!privacy::restrict(&data).unwrap(), "nothing is left to do");
    }

    #[test]
    fn a_folder_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let taken = data.take().unwrap();
        assert!(
            data.take()
                .unwrap_err()
                .to_string()
                .contains("another nudge runs")
        );
        drop(taken);
        data.take().unwrap();
    }

    #[test]
    fn what_a_killed_program_left_does_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        assert!(data.running().unwrap().is_none());
        let taken = data.take().unwrap();
        let running = Running {
            url: "http://127.0.0.1:3000".to_owned(),
            local_sign_in: true,
            sidecar: SocketAddr::from(([127, 0, 0, 1], 3500)),
            token: "secret".to_owned(),
        };
        data.set_running(&running).unwrap();
        assert_eq!(data.running().unwrap().unwrap().sidecar, running.sidecar);
        // A killed process deletes nothing, but its lock ends with it.
        drop(taken);
        assert!(data.running_file().exists());
        assert!(data.running().unwrap().is_none());
        let _next = data.take().unwrap();
    }
}
