//! Addresses that people type: where the portal connects to, what it links to, where it sends somebody back to.

use crate::lossy;
use futures::executor::block_on;
use passerelle_server::identity::local_path;
use passerelle_server::kernel::validate;
use passerelle_targets::guard::Guard;
use passerelle_targets::networks::Networks;
use std::net::{IpAddr, Ipv4Addr};
use url::{Host, Url};

pub fn run(bytes: &[u8]) {
    let text = lossy(bytes);
    links(&text);
    way_back(&text);
    let Ok(url) = Url::parse(&text) else { return };
    // Names are not looked up: what they lead to is judged as an address.
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
        _ => return,
    };
    let reached = url.host().map(|host| block_on(Guard::default().reach(host, 443)));
    assert!(!(matches!(reached, Some(Ok(_))) && is_inner(ip)), "{url} leads inwards");
}

pub fn networks(bytes: &[u8]) {
    let text = lossy(bytes);
    let Ok(networks) = Networks::parse(&text) else { return };
    for ip in ["127.0.0.1", "10.0.0.1", "::1", "2001:db8::1", "255.255.255.255"] {
        if let Ok(ip) = ip.parse() {
            let _ = networks.hold(ip);
        }
    }
}

fn links(text: &str) {
    if !validate::link(text) {
        return;
    }
    let url = Url::parse(text);
    assert!(url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some()), "{text:?}");
    assert!(!text.contains(['\n', '\t', ' ', '\u{202e}']), "{text:?}");
}

fn way_back(text: &str) {
    let path = local_path(text);
    let Ok(home) = Url::parse("https://portal.example") else { return };
    let leads = home.join(&path);
    assert!(leads.is_ok_and(|url| url.origin() == home.origin()), "{path:?}");
    assert!(path.starts_with('/') && !path.starts_with("//") && !path.contains('\\'), "{path:?}");
}

/// By the standard library's own notion, not by the guard's.
fn is_inner(ip: IpAddr) -> bool {
    let v4 = |ip: Ipv4Addr| {
        ip.is_loopback()
            || ip.is_private()
            || ip.is_link_local()
            || ip.is_unspecified()
            || ip.is_broadcast()
            || ip.is_multicast()
    };
    match ip {
        IpAddr::V4(ip) => v4(ip),
        IpAddr::V6(ip) => {
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_multicast()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.to_ipv4_mapped().is_some_and(v4)
        }
    }
}
