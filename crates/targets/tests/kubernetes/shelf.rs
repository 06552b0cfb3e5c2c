//! An address on this machine from which bundles are fetched, as from a store of artifacts.

use passerelle_contract::deployments::ManifestBundle;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Kept = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

pub struct Shelf {
    url: String,
    kept: Kept,
}

impl Shelf {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let kept = Kept::default();
        let shelf = Self { url, kept: Arc::clone(&kept) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&kept)));
            }
        });
        shelf
    }

    /// A bundle of these files.
    pub fn put(&self, files: &[(&str, String)]) -> ManifestBundle {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, content.as_bytes()).expect("a file");
        }
        let bytes = archive.into_inner().expect("an archive");
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let url = format!("{}/{sha256}.tar", self.url);
        self.kept.lock().expect("lock").insert(format!("/{sha256}.tar"), bytes);
        ManifestBundle { url, sha256 }
    }

    /// From now on nothing is there.
    pub fn clear(&self) {
        self.kept.lock().expect("lock").clear();
    }
}

async fn answer(mut stream: TcpStream, kept: Kept) {
    let mut request = Vec::new();
    let mut some = [0; 1024];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&some[..read]),
        }
    }
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = kept.lock().expect("lock").get(&path).cloned();
    let (status, body) = found.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
}
