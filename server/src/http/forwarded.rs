//! Who asks, when a proxy stands before the portal.
//!
//! `X-Forwarded-For` is believed from the proxies that the operator has named, and from nobody else: each proxy appends the address it was
//! asked from, so only what stands behind our own proxies' entries, read from the right, was written by one of them.

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use passerelle_targets::networks::Networks;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// From here on the address of the connection is that of the person, for limits, sessions and the audit.
pub(super) async fn client_address(State(proxies): State<Networks>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let client = client_behind(&proxies, peer.ip(), request.headers());
        if client != peer.ip() {
            request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, 0)));
        }
    }
    next.run(request).await
}

/// The first address from the right that is not one of our proxies. What cannot be read ends the search: nothing left of it can be trusted.
fn client_behind(proxies: &Networks, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut client = peer;
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    for entry in lines.flat_map(|line| line.to_str().unwrap_or("unreadable").rsplit(',')) {
        if !proxies.hold(client) {
            break;
        }
        match address(entry.trim()) {
            Some(ip) => client = ip.to_canonical(),
            None => break,
        }
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`, as proxies write them.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    entry.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip())).or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::{FORWARDED_FOR, client_behind};
    use axum::http::{HeaderMap, HeaderValue};
    use passerelle_targets::networks::Networks;

    fn client(proxies: &str, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        client_behind(&Networks::parse(proxies).unwrap(), peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_named_proxies_are_believed() {
        assert_eq!(client("", "192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.0/8", "192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_wrote_itself_is_left_of_what_the_proxy_wrote() {
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["127.0.0.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["127.0.0.1", "198.51.100.1"]), "198.51.100.1");
        // A chain of our own proxies is walked back.
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["127.0.0.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        // Inside the network: the leftmost is who it was.
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn what_cannot_be_read_ends_the_search() {
        for line in ["unknown", "198.51.100.1, _hidden", "198.51.100.1, ", "\u{e9}", "198.51.100.1, 1.2.3.4.5"] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[line]), "10.0.0.1", "{line}");
        }
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (entry, ip) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            assert_eq!(client("::ffff:0:0/96, 10.0.0.0/8", "::ffff:10.0.0.1", &[entry]), ip);
        }
    }
}
