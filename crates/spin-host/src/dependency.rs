//! Names of dependencies, and the imports that they match.

use std::fmt;
use std::str::FromStr;

use semver::Version;

/// A key of `[component.….dependencies]`: a plain name, or `package[/interface][@version]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DependencyName {
    Plain(String),
    Package {
        package: String,
        interface: Option<String>,
        version: Option<Version>,
    },
}

impl DependencyName {
    /// Returns `true` if the name refers to all interfaces of a package.
    pub(crate) fn is_whole_package(&self) -> bool {
        matches!(self, Self::Package { interface: None, .. })
    }

    /// The package, `None` for a plain name.
    pub(crate) fn package(&self) -> Option<&str> {
        match self {
            Self::Plain(_) => None,
            Self::Package { package, .. } => Some(package),
        }
    }

    /// Returns `true` if this dependency satisfies the import. A part that the name omits matches anything; a version must match
    /// exactly.
    pub(crate) fn matches(&self, import: &str) -> bool {
        let Ok(import) = import.parse::<Self>() else {
            return false;
        };
        match (self, &import) {
            (Self::Plain(name), Self::Plain(other)) => name == other,
            (
                Self::Package {
                    package,
                    interface,
                    version,
                },
                Self::Package {
                    package: other,
                    interface: other_interface,
                    version: other_version,
                },
            ) => {
                package == other
                    && other_interface.is_some()
                    && (interface.is_none() || interface == other_interface)
                    && (version.is_none() || version == other_version)
            }
            _ => false,
        }
    }
}

impl FromStr for DependencyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains([':', '/']) {
            return Ok(Self::Plain(text.to_owned()));
        }
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => {
                let version =
                    Version::parse(version).map_err(|error| format!("has a bad version: {error}"))?;
                (name, Some(version))
            }
            None => (text, None),
        };
        let (package, interface) = match name.split_once('/') {
            Some((package, interface)) => (package, Some(interface.to_owned())),
            None => (name, None),
        };
        if package.split(':').count() < 2 || package.split(':').any(str::is_empty) {
            return Err("is neither a plain name nor namespace:package[/interface][@version]".into());
        }
        Ok(Self::Package {
            package: package.to_owned(),
            interface,
            version,
        })
    }
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => f.write_str(name),
            Self::Package {
                package,
                interface,
                version,
            } => {
                f.write_str(package)?;
                if let Some(interface) = interface {
                    write!(f, "/{interface}")?;
                }
                if let Some(version) = version {
                    write!(f, "@{version}")?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, import: &str) -> bool {
        name.parse::<DependencyName>()
            .expect("a name that the test means to be valid")
            .matches(import)
    }

    #[test]
    fn a_package_matches_all_its_interfaces_in_any_version() {
        assert!(check("nudge:dapr", "nudge:dapr/state@0.1.0"));
        assert!(check("nudge:dapr", "nudge:dapr/pubsub"));
        assert!(!check("nudge:dapr", "nudge:events/pubsub@0.1.0"));
        assert!(!check("nudge:dapr", "dapr"));
    }

    #[test]
    fn a_version_matches_only_itself() {
        assert!(check("nudge:dapr@0.1.0", "nudge:dapr/state@0.1.0"));
        assert!(!check("nudge:dapr@0.1.0", "nudge:dapr/state@0.1.1"));
        assert!(!check("nudge:dapr@0.1.0", "nudge:dapr/state"));
    }

    #[test]
    fn an_interface_and_a_plain_name_match_only_themselves() {
        assert!(check("nudge:dapr/state", "nudge:dapr/state@0.1.0"));
        assert!(!check("nudge:dapr/state", "nudge:dapr/state-admin@0.1.0"));
        assert!(check("log", "log"));
        assert!(!check("log", "logger"));
    }

    #[test]
    fn a_name_without_a_namespace_is_refused() {
        assert!("dapr/state".parse::<DependencyName>().is_err());
        assert!("nudge:dapr@one".parse::<DependencyName>().is_err());
    }
}
