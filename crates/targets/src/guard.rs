//! Where the portal may connect to when somebody typed the address: not to itself, not to the network around it.
//!
//! A name is resolved once, every address it has is judged, and the connection goes to exactly those addresses, so that a name
//! cannot lead elsewhere a moment later. Loopback, private, link-local (which holds the metadata servers), reserved and multicast
//! addresses are refused, except in the networks that the operator of this machine has opened in the configuration.

use crate::networks::Networks;
use crate::outbound;
use passerelle_contract::{Text, text};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use url::{Host, Url};

/// Time to resolve a name.
const RESOLVE_LIMIT: Duration = Duration::from_secs(5);

/// Judges addresses. Cheap to clone; without opened networks only public addresses pass.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    open: Networks,
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
        Ok(Self { open: Networks::parse(networks)? })
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
        let inside = addresses.iter().all(|address| self.open.hold(address.ip()));
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
        pinned(host, &reachable, limit)
    }

    fn allows(&self, ip: IpAddr) -> bool {
        self.open.hold(ip)
            || match ip.to_canonical() {
                IpAddr::V4(ip) => public_v4(ip),
                IpAddr::V6(ip) => public_v6(ip),
            }
    }
}

/// Goes to the addresses that were judged: the name is not asked again, so it cannot lead elsewhere by now.
fn pinned(host: Host<&str>, reachable: &Reachable, limit: Duration) -> Result<reqwest::Client, Refusal> {
    let mut builder = outbound::client().timeout(limit);
    if let Host::Domain(name) = host {
        builder = builder.resolve_to_addrs(name, &reachable.addresses);
    }
    builder.build().map_err(|_| Refusal::Forbidden(text!("no HTTP client can be built")))
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
#[path = "guard_tests.rs"]
mod tests;
