//! Serves connections with a limit of time on what comes before a request, which `axum::serve` does not have: without one, whoever sends a header
//! and never ends it holds a connection for as long as they like.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tower::Layer as _;

/// After the process has no more files to open, in the hope that some are closed.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves until `stop`; then takes no more connections and lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, headers_within: Duration, stop: impl Future<Output = ()>) {
    let mut builder = Builder::new(TokioExecutor::new());
    // The same limit for a connection that waits for its next request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(headers_within);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(headers_within).keep_alive_timeout(headers_within);
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, from) = tokio::select! {
            taken = accept(&listener) => taken,
            () = &mut stop => break,
        };
        let service = axum::Extension(ConnectInfo(from)).layer(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            // Clients go away as they like; that is no fault of ours.
            if let Err(error) = connection.await {
                tracing::trace!(%error, %from, "a connection ended");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                // An answer in several parts must not wait until its first part was received.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection could not be set to send at once");
                }
                return (stream, from);
            }
            Err(error) if of_the_peer(error.kind()) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken; going on in a second");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

const fn of_the_peer(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
