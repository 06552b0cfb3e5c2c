<% if database %>
//! `service` serves, `service health` asks a running one (the image's health command), `service migrate` brings the database up to date.
<% else %>
//! `service` serves, `service health` asks a running one (the image's health command).
<% endif %>

use service::routes::{App, router};
use service::settings::Settings;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        None => run(serve),
        Some("health") => health(),
<% if database %>
        Some("migrate") => run(migrate),
<% endif %>
        Some(other) => Err(format!("unknown command {other}").into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn Error>>;

fn run<F: Future<Output = Outcome>>(work: impl FnOnce(Settings) -> F) -> Outcome {
    let settings = Settings::from_environment()?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_max_level(settings.log_level)
        .init();
    tokio::runtime::Runtime::new()?.block_on(work(settings))
}

async fn serve(settings: Settings) -> Outcome {
    let grace = settings.shutdown_grace;
    // Every interface: inside a container the loopback address is reachable by nobody else.
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, settings.port)).await?;
    let app = App::new(settings)?;
    tracing::info!(port = listener.local_addr()?.port(), "listening");
    let mut terminate = signal(SignalKind::terminate())?;
    let stopping = app.clone();
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(async move {
        terminate.recv().await;
        tracing::info!("stopping");
        stopping.stop();
        // Running requests get this long. Shorter than the platform's own grace period, so that the process ends by itself.
        tokio::spawn(async move {
            tokio::time::sleep(grace).await;
            tracing::warn!("requests still run: ending without them");
            std::process::exit(1);
        });
    });
    server.await?;
    Ok(())
}
<% if database %>

async fn migrate(settings: Settings) -> Outcome {
    service::database::migrate(&settings.database_url).await?;
    tracing::info!("the database is up to date");
    Ok(())
}
<% endif %>

/// Asks the liveness of the service in this container, without any other program.
fn health() -> Outcome {
    let port: u16 = std::env::var("PORT").ok().map_or(Ok(<{ port }>), |text| text.parse())?;
    let limit = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(1024).read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err("not healthy".into()) }
}
