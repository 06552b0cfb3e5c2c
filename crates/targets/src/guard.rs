//! Where the portal may connect to when somebody typed the address: not to itself, not to the network around it.
//!
//! A name is resolved once, every address it has is judged, and the connection goes to exactly those addresses, so that a name
//! cannot lead elsewhere a moment later. Loopback, private, link-local (which holds the metadata servers), reserved and multicast
//! addresses are refused, except in the networks that the operator of this machine has opened in the configuration.

use crate::outbound;
use passerelle_contract::{Text, text};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Time to resolve a name.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// Judges addresses. Cheap to clone; without opened networks only public addresses pass.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    open: Arc<[Network]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    prefix: u32,
}

/// Why a host is not connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The name has no address now; it may have one later.
    Unknown(Text),
    /// It leads where the portal does not go.
    Forbidden(Text),
}

impl Refusal {
    #[must_use]
    pub fn text(&self) -> &Text {
        match self {
            Self::Unknown(why) | Self::Forbidden(why) => why,
        }
    }
}

/// A host whose addresses may be connected to.
#[derive(Debug, Clone)]
pub struct Reachable {
    pub addresses: Vec<SocketAddr>,
    /// All of them lie in networks that the operator has opened.
    pub inside: bool,
}

impl Guard {
    /// From networks separated by commas, such as `127.0.0.0/8, fd00::/8`; none for an empty text.
    ///
    /// # Errors
    /// The part that is not a network.
    pub fn new(networks: &str) -> Result<Self, String> {
        let parts = networks.split(',').map(str::trim).filter(|part| !part.is_empty());
        let open =
            parts.map(|part| Network::parse(part).ok_or_else(|| part.to_owned())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { open: open.into() })
    }

    /// The addresses of a host, when every one of them may be connected to.
    ///
    /// # Errors
    /// That the name is not known, or that it leads where the portal does not go.
    pub async fn reach(&self, host: Host<&str>, port: u16) -> Result<Reachable, Refusal> {
        let addresses = match host {
            Host::Ipv4(ip) => vec![SocketAddr::from((ip, port))],
            Host::Ipv6(ip) => vec![SocketAddr::from((ip, port))],
            Host::Domain(name) => {
                let found = tokio::time::timeout(RESOLVE_LIMIT, tokio::net::lookup_host((name, port))).await;
                let found: Vec<SocketAddr> = match found {
                    Ok(Ok(found)) => found.collect(),
                    Ok(Err(_)) | Err(_) => Vec::new(),
                };
                if found.is_empty() {
                    return Err(Refusal::Unknown(text!("the name {name} cannot be resolved", name)));
                }
                found
            }
        };
        // One address that is refused refuses the name: which one a connection would take is nobody's to choose.
        if addresses.iter().any(|address| !self.allows(address.ip())) {
            return Err(Refusal::Forbidden(text!(
                "{host} leads to a loopback, private or reserved address, where nothing is sent unless outbound.allow_networks names it",
                host = host.to_string()
            )));
        }
        let inside = addresses.iter().all(|address| self.opened(address.ip()));
        Ok(Reachable { addresses, inside })
    }

    /// A client that connects to the addresses of this URL and to no others. Plain HTTP goes to opened networks only.
    ///
    /// # Errors
    /// As [`Self::reach`], and for a URL that is not http or https.
    pub async fn client(&self, url: &Url, limit: Duration) -> Result<reqwest::Client, Refusal> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Refusal::Forbidden(text!("must be an http or https address")));
        };
        let reachable = self.reach(host.clone(), port).await?;
        match url.scheme() {
            "https" => {}
            "http" if reachable.inside => {}
            "http" => {
                let why =
                    text!("plain http is used only inside networks that outbound.allow_networks names; use https");
                return Err(Refusal::Forbidden(why));
            }
            _ => return Err(Refusal::Forbidden(text!("must be an http or https address"))),
        }
        let mut builder = outbound::client().timeout(limit);
        if let Host::Domain(name) = host {
            builder = builder.resolve_to_addrs(name, &reachable.addresses);
        }
        builder.build().map_err(|_| Refusal::Forbidden(text!("no HTTP client can be built")))
    }

    fn opened(&self, ip: IpAddr) -> bool {
        self.open.iter().any(|network| network.holds(ip))
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.opened(ip)
            || match ip.to_canonical() {
                IpAddr::V4(ip) => public_v4(ip),
                IpAddr::V6(ip) => public_v6(ip),
            }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (base, prefix) = text.split_once('/')?;
        let base: IpAddr = base.parse().ok()?;
        let prefix: u32 = prefix.parse().ok()?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        (prefix <= longest).then_some(Self { base, prefix })
    }

    fn holds(self, ip: IpAddr) -> bool {
        match (self.base, ip.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let shift = 32 - self.prefix;
                u32::from(base).checked_shr(shift).unwrap_or(0) == u32::from(ip).checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let shift = 128 - self.prefix;
                u128::from(base).checked_shr(shift).unwrap_or(0) == u128::from(ip).checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

/// Not in IANA's registry of special-purpose addresses, nor multicast.
const fn public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

/// Global unicast, without the ranges inside it that carry another address or are for documents.
const fn public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let carries_or_reserved = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    a & 0xe000 == 0x2000 && !carries_or_reserved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[tokio::test]
    async fn no_spelling_of_an_inner_address_passes() {
        let guard = Guard::default();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0/",
            "http://localhost/",
            "http://localhost./",
            "http://169.254.169.254/latest",
            "http://10.1.2.3/",
            "http://172.31.0.1/",
            "http://192.168.0.1/",
            "http://100.64.0.1/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://224.0.0.1/",
        ] {
            let url = host(url);
            assert!(guard.reach(url.host().unwrap(), 80).await.is_err(), "{url}");
        }
    }

    #[tokio::test]
    async fn public_addresses_pass_and_are_not_inside() {
        for url in ["https://8.8.8.8/", "https://[2606:4700::1111]/"] {
            let url = host(url);
            assert!(!Guard::default().reach(url.host().unwrap(), 443).await.unwrap().inside);
        }
    }

    #[tokio::test]
    async fn an_opened_network_and_only_that_one_passes() {
        let guard = Guard::new("127.0.0.0/8, fd00::/8").unwrap();
        let reach = |url: &str| {
            let (guard, url) = (guard.clone(), host(url));
            async move { guard.reach(url.host().unwrap(), 80).await }
        };
        assert!(reach("http://127.0.0.1/").await.unwrap().inside);
        assert!(reach("http://[::ffff:127.0.0.1]/").await.unwrap().inside);
        assert!(reach("http://[fd12::1]/").await.is_ok());
        assert!(reach("http://10.0.0.1/").await.is_err());
        assert!(reach("http://[fe80::1]/").await.is_err());
        assert!(Guard::new("0.0.0.0/0").unwrap().reach(Host::Ipv4(Ipv4Addr::LOCALHOST), 1).await.is_ok());
    }

    #[tokio::test]
    async fn plain_http_stays_inside() {
        let limit = Duration::from_secs(1);
        assert!(Guard::default().client(&host("http://8.8.8.8/"), limit).await.is_err());
        assert!(Guard::default().client(&host("https://8.8.8.8/"), limit).await.is_ok());
        assert!(Guard::default().client(&host("ftp://8.8.8.8/"), limit).await.is_err());
        assert!(Guard::new("127.0.0.0/8").unwrap().client(&host("http://127.0.0.1:1/"), limit).await.is_ok());
    }

    #[test]
    fn what_is_no_network_is_named() {
        assert_eq!(Guard::new("127.0.0.0/8, localhost").unwrap_err(), "localhost");
        assert_eq!(Guard::new("10.0.0.0/33").unwrap_err(), "10.0.0.0/33");
        assert!(Guard::new("").unwrap().open.is_empty());
    }
}
