//! Certificates of one cluster: an authority, servers and clients.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

/// An authority that lives as long as its cluster. Its key is only in memory.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    path: PathBuf,
}

impl Authority {
    /// Creates an authority, and writes its certificate to `ca.crt`.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = name("a cluster of a test", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        let path = folder.join("ca.crt");
        std::fs::write(&path, &pem)?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
            path,
        })
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The path of its certificate.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the certificate of a server with these names and addresses to `tls.crt` and `tls.key` of a folder, and makes that.
    pub(crate) fn server(&self, folder: &Path, names: &[&str]) -> Result<()> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = name("server", None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params, folder)
    }

    /// The same for a user and its group.
    pub(crate) fn client(&self, folder: &Path, user: &str, group: Option<&str>) -> Result<()> {
        let mut params = CertificateParams::default();
        params.distinguished_name = name(user, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, folder)
    }

    fn issue(&self, params: CertificateParams, folder: &Path) -> Result<()> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("tls.crt"), certificate.pem())?;
        secret(&folder.join("tls.key"), &key.serialize_pem())
    }
}

/// Writes the key pair of tokens: the key that signs them, and the one that verifies them.
pub(crate) fn signing(key: &Path, public: &Path) -> Result<()> {
    let pair = KeyPair::generate()?;
    secret(key, &pair.serialize_pem())?;
    Ok(std::fs::write(public, pair.public_key_pem())?)
}

/// Writes a file that only its owner may read.
pub(crate) fn secret(path: &Path, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| path.display().to_string())
}

fn name(common: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name
}
