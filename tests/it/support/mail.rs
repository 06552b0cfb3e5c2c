//! An SMTP server on this machine that keeps what comes. Mail to `bounce@...` is refused for good, to `busy@...` for now.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One mail: who got it, and its text as it came.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    pub to: String,
    pub text: String,
}

pub struct MailSink {
    pub port: u16,
    kept: Arc<Mutex<Vec<Mail>>>,
}

impl MailSink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::<Mutex<Vec<Mail>>>::default();
        let keep = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let keep = keep.clone();
                // A client that goes away ends its conversation.
                tokio::spawn(async move { drop(talk(stream, keep).await) });
            }
        });
        Self { port, kept }
    }

    pub async fn wait_for(&self, count: usize) -> Vec<Mail> {
        let start = Instant::now();
        loop {
            let all = self.kept.lock().unwrap().clone();
            if all.len() >= count {
                return all;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "only {} of {count} mails came", all.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn talk(stream: TcpStream, kept: Arc<Mutex<Vec<Mail>>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink\r\n").await?;
    let mut mail = Mail::default();
    while let Some(line) = lines.next_line().await? {
        let upper = line.to_uppercase();
        let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" | "HELO" => "250 sink",
            "RCPT" if line.contains("bounce@") => "550 5.1.1 no such mailbox here",
            "RCPT" if line.contains("busy@") => "451 4.3.0 come back later",
            "RCPT" => {
                mail.to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 OK"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                kept.lock().unwrap().push(std::mem::take(&mut mail));
                "250 message kept"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 OK",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
