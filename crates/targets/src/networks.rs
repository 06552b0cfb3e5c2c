//! Lists of networks in the configuration: `10.0.0.0/8, fd00::/8`.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Cheap to clone; holds no address by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Arc<[Network]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    prefix: u32,
}

/// The address by which one asker is counted: of IPv6 the network of 64 bits, all of which one line or one machine has to itself.
#[must_use]
pub fn shared_by_one(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        ip @ IpAddr::V4(_) => ip,
    }
}

impl Networks {
    /// From networks separated by commas; none for an empty text.
    ///
    /// # Errors
    /// The part that is not a network.
    pub fn parse(networks: &str) -> Result<Self, String> {
        let parts = networks.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks =
            parts.map(|part| Network::parse(part).ok_or_else(|| part.to_owned())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(networks.into()))
    }

    /// Whether one of them holds the address; one of IPv4 that is written as IPv6 (`::ffff:127.0.0.1`) is taken for what it is.
    #[must_use]
    pub fn hold(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(ip.to_canonical()))
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
        match (self.base, ip) {
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

#[cfg(test)]
mod tests {
    use super::Networks;

    #[test]
    fn what_is_no_network_is_named() {
        assert_eq!(Networks::parse("127.0.0.0/8, localhost").unwrap_err(), "localhost");
        assert_eq!(Networks::parse("10.0.0.0/33").unwrap_err(), "10.0.0.0/33");
        assert_eq!(Networks::parse("").unwrap(), Networks::default());
    }

    #[test]
    fn an_address_is_held_by_its_own_kind() {
        let networks = Networks::parse("10.0.0.0/8, fd00::/8").unwrap();
        for inside in ["10.255.0.1", "::ffff:10.0.0.1", "fd12::1"] {
            assert!(networks.hold(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "::1", "fe80::1", "::ffff:11.0.0.1"] {
            assert!(!networks.hold(outside.parse().unwrap()), "{outside}");
        }
        assert!(Networks::parse("0.0.0.0/0").unwrap().hold("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn one_asker_is_one_address_or_one_network_of_sixty_four_bits() {
        for (ip, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ] {
            assert_eq!(super::shared_by_one(ip.parse().unwrap()), counted.parse::<std::net::IpAddr>().unwrap(), "{ip}");
        }
    }
}
