//! `allowed_outbound_hosts`: the rule for each connection that a guest opens.
//!
//! An entry is `scheme://host[:port]`. `*` matches any scheme, host or port; `*.example.com` matches any
//! subdomain; an address with a prefix length matches a network. Without a port it is the scheme's default port, or any if the
//! scheme is `*`. Names are compared as they are written: `localhost` does not allow `127.0.0.1`.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use url::Host;

/// The expanded list of one component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllowedHosts(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    Any,
    /// With its leading dot.
    Below(String),
    Exactly(Host),
    Network(IpAddr, u8),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PortRule {
    Any,
    /// The default port of the connection's scheme, if it has one.
    Default,
    In(RangeInclusive<u16>),
}

/// Where a guest wants to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    scheme: String,
    host: Host,
    port: Option<u16>,
}

/// An invalid or unsupported entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("allowed_outbound_hosts entry {entry:?} {problem}")]
pub struct AllowedHostError {
    entry: String,
    problem: &'static str,
}

impl AllowedHosts {
    /// Parses the entries, whose variables have been replaced. Entries whose variable is empty (``, `http://`, `https://`) are
    /// skipped, so that an address can be optional.
    pub(crate) fn parse(entries: impl IntoIterator<Item = String>) -> Result<Self, AllowedHostError> {
        let rules = entries
            .into_iter()
            .filter(|entry| !matches!(entry.as_str(), "" | "http://" | "https://"))
            .map(|entry| Rule::parse(entry.trim()).map_err(|problem| AllowedHostError { entry, problem }));
        Ok(Self(rules.collect::<Result<_, _>>()?))
    }

    /// Returns `true` if a guest may connect to `destination`.
    pub(crate) fn allow(&self, destination: &Destination) -> bool {
        self.0.iter().any(|rule| rule.allows(destination))
    }
}

impl Destination {
    /// From the parts of a URL; `None` if the host is invalid.
    pub(crate) fn new(scheme: &str, host: &str, port: Option<u16>) -> Option<Self> {
        let host = Host::parse(host).ok()?;
        let port = port.filter(|port| default_port(scheme) != Some(*port));
        Some(Self {
            scheme: scheme.to_owned(),
            host,
            port,
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Rule {
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = entry
            .split_once("://")
            .ok_or("has no scheme, such as http:// or *://")?;
        let scheme = match scheme {
            "*" => None,
            scheme if !scheme.is_empty() && scheme.chars().all(char::is_alphabetic) => {
                Some(scheme.to_owned())
            }
            _ => return Err("has a scheme that is not made of letters"),
        };
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an IPv6 address are not the one before a port.
            Some((host, port)) if HostRule::parse(rest).is_err() => (host, port.trim_end_matches('/')),
            _ => (rest, ""),
        };
        let port = PortRule::parse(port, scheme.is_none())?;
        Ok(Self {
            scheme,
            host: HostRule::parse(host)?,
            port,
        })
    }

    fn allows(&self, to: &Destination) -> bool {
        self.scheme.as_ref().is_none_or(|scheme| *scheme == to.scheme)
            && self.host.allows(&to.host)
            && self.port.allows(to.port, &to.scheme)
    }
}

impl HostRule {
    fn parse(host: &str) -> Result<Self, &'static str> {
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => {
                return Err("allows requests to the application itself, which is not supported");
            }
            _ => {}
        }
        if let Some((address, length)) = host.split_once('/')
            && let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>())
        {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            return if length <= longest {
                Ok(Self::Network(address, length))
            } else {
                Err("has a bad network")
            };
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err("has a path");
        }
        if host == "spin.internal" || host.ends_with(".spin.internal") {
            return Err("allows a call of another component, which is not supported");
        }
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain) {
                Ok(Host::Domain(domain)) if !domain.contains('*') => Ok(Self::Below(format!(".{domain}"))),
                _ => Err("has a wildcard that is not before a domain"),
            };
        }
        if host.contains('*') {
            return Err("has a wildcard that is not a whole label at the start");
        }
        Host::parse(host).map(Self::Exactly).map_err(|_| "has a bad host")
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Below(suffix), Host::Domain(domain)) => domain.ends_with(suffix.as_str()),
            (Self::Exactly(expected), host) => expected == host,
            (Self::Network(network, length), Host::Ipv4(address)) => {
                in_network(*network, *length, IpAddr::V4(*address))
            }
            (Self::Network(network, length), Host::Ipv6(address)) => {
                in_network(*network, *length, IpAddr::V6(*address))
            }
            (Self::Below(_) | Self::Network(..), _) => false,
        }
    }
}

fn in_network(network: IpAddr, length: u8, address: IpAddr) -> bool {
    let length = u32::from(length);
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits())
                .checked_shr(32 - length)
                .unwrap_or(0)
                == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits())
                .checked_shr(128 - length)
                .unwrap_or(0)
                == 0
        }
        _ => false,
    }
}

impl PortRule {
    fn parse(port: &str, any_scheme: bool) -> Result<Self, &'static str> {
        match port {
            "" if any_scheme => return Ok(Self::Any),
            "" => return Ok(Self::Default),
            "*" => return Ok(Self::Any),
            _ => {}
        }
        let number = |text: &str| text.parse::<u16>().map_err(|_| "has a bad port");
        match port.split_once("..") {
            // The end of a range is exclusive, as in Spin.
            Some((first, end)) => match number(end)?.checked_sub(1) {
                Some(last) => Ok(Self::In(number(first)?..=last)),
                None => Err("has a bad port"),
            },
            None => {
                let port = number(port)?;
                Ok(Self::In(port..=port))
            }
        }
    }

    fn allows(&self, port: Option<u16>, scheme: &str) -> bool {
        let actual = port.or_else(|| default_port(scheme));
        match self {
            Self::Any => true,
            Self::Default => actual.is_some() && actual == default_port(scheme),
            Self::In(range) => actual.is_some_and(|port| range.contains(&port)),
        }
    }
}

/// The default port of a scheme.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: &str, destination: &str) -> bool {
        let allowed =
            AllowedHosts::parse([entry.to_owned()]).expect("an entry that the test means to be valid");
        let url = url::Url::parse(destination).expect("a URL that the test means to be valid");
        let host = url.host_str().expect("the URL has a host");
        allowed.allow(&Destination::new(url.scheme(), host, url.port()).expect("the host is valid"))
    }

    #[test]
    fn scheme_host_and_port_must_all_match() {
        assert!(check("http://127.0.0.1:3500", "http://127.0.0.1:3500/v1.0/state"));
        assert!(!check("http://127.0.0.1:3500", "https://127.0.0.1:3500"));
        assert!(!check("http://127.0.0.1:3500", "http://127.0.0.1:3501"));
        assert!(!check("http://127.0.0.1:3500", "http://127.0.0.2:3500"));
    }

    #[test]
    fn a_missing_port_is_the_default_of_the_scheme() {
        assert!(check("http://example.com", "http://example.com"));
        assert!(check("http://example.com", "http://example.com:80"));
        assert!(!check("http://example.com", "http://example.com:8080"));
        assert!(check("postgres://db", "postgres://db:5432"));
    }

    #[test]
    fn names_and_addresses_are_not_resolved() {
        assert!(!check("http://localhost:3500", "http://127.0.0.1:3500"));
        assert!(!check("http://127.0.0.1:3500", "http://localhost:3500"));
    }

    #[test]
    fn wildcards_match_any_scheme_host_subdomain_or_port() {
        assert!(check("*://*:*", "postgres://db:1"));
        assert!(check("https://*.example.com:*", "https://a.b.example.com:8443"));
        assert!(!check("https://*.example.com:*", "https://example.com"));
        assert!(!check("https://*.example.com:*", "https://badexample.com"));
        assert!(check("*://example.com", "http://example.com:9"));
    }

    #[test]
    fn the_end_of_a_port_range_is_exclusive() {
        assert!(check("http://example.com:8000..8002", "http://example.com:8001"));
        assert!(!check("http://example.com:8000..8002", "http://example.com:8002"));
    }

    #[test]
    fn a_network_allows_its_addresses_but_no_names() {
        assert!(check("http://10.0.0.0/8:80", "http://10.200.3.4"));
        assert!(!check("http://10.0.0.0/8:80", "http://11.0.0.1"));
        assert!(!check("http://10.0.0.0/8:80", "http://ten.example.com"));
        assert!(check("http://0.0.0.0/0", "http://8.8.8.8"));
    }

    #[test]
    fn an_entry_with_an_empty_variable_allows_nothing() {
        let allowed = AllowedHosts::parse([String::new(), "http://".to_owned()]).expect("skipped");
        assert_eq!(allowed, AllowedHosts::default());
    }

    #[test]
    fn an_unsupported_entry_is_refused_by_name() {
        for entry in [
            "example.com",
            "http://self",
            "http://x.spin.internal",
            "http://a/b",
            "h2*://a",
            "http://a:x",
            "http://*a",
        ] {
            let error = AllowedHosts::parse([entry.to_owned()]).expect_err(entry);
            assert!(error.to_string().contains(entry), "{error}");
        }
    }
}
