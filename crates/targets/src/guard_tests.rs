//! Where the guard lets nobody.

use super::*;
use tokio::net::TcpListener;

fn host(url: &str) -> Url {
    Url::parse(url).unwrap()
}

/// Ways to write an address that is loopback, private, link-local, reserved, or carries one that is; PORT is a listener of this test.
const INNER: [&str; 76] = [
    "http://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://127.255.255.254:PORT/",
    "http://0x7f.1:PORT/",
    "http://0x7f.0.0.1:PORT/",
    "http://0x7f000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.1:PORT/",
    "http://017700000001:PORT/",
    "http://2130706433:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://0x0:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://localhost:PORT/",
    "http://localhost.:PORT/",
    "http://LOCALHOST:PORT/",
    "http://LocalHost.:PORT/",
    "http://%6c%6f%63alhost:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://１２７.０.０.１:PORT/",
    "http://①②⑦.⓪.⓪.①:PORT/",
    "http://127。0。0。1:PORT/",
    "http://ⓛocalhost:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::ffff:0:127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[64:ff9b:1::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2002:a9fe:a9fe::]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[febf::1]:PORT/",
    "http://[fec0::1]:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[fd00:ec2::254]:PORT/",
    "http://[fdff::1]:PORT/",
    "http://[ff02::1]:PORT/",
    "http://[100::1]:PORT/",
    "http://[2001:db8::1]:PORT/",
    "http://[3fff::1]:PORT/",
    "http://[5f00::1]:PORT/",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2/v2",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://012.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.65535/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://user:8.8.8.8@127.0.0.1:PORT/",
];

/// No spelling passes, neither with http nor with https, and no connection was begun.
#[tokio::test]
async fn no_spelling_of_an_inner_address_passes() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let guard = Guard::default();
    for text in INNER {
        for scheme in ["http", "https"] {
            let url = host(&text.replace("PORT", &port).replacen("http", scheme, 1));
            assert!(guard.reach(url.host().unwrap(), 80).await.is_err(), "{text}");
            assert!(guard.client(&url, Duration::from_secs(1)).await.is_err(), "{text}");
        }
    }
    let arrived = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(arrived.is_err(), "somebody was connected to: {arrived:?}");
}

/// The name has another address by now, or none: what was judged is what is connected to.
#[tokio::test]
async fn a_name_that_changes_its_address_changes_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let judged = Reachable { addresses: vec![address], inside: true };
    // Nobody answers for this name (RFC 6761), so whoever asks again gets nowhere.
    let url = host(&format!("http://changed.invalid:{}/", address.port()));
    let client = pinned(url.host().unwrap(), &judged, Duration::from_secs(5)).unwrap();
    let asked = tokio::spawn(client.get(url).send());
    let arrived = tokio::time::timeout(Duration::from_secs(5), listener.accept()).await;
    assert!(arrived.is_ok_and(|accepted| accepted.is_ok()), "it went elsewhere");
    asked.abort();
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
