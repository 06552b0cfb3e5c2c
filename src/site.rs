//! The site folder: styles, scripts and the browser client, under names that carry the hash of their content.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use passerelle_app::Assets;
use passerelle_server::config::Config;
use std::io::ErrorKind;
use std::path::PathBuf;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// A name changes with its content, so what it names never does.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What file systems allow for one name, in bytes.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 1024;

/// Where the files are, and their addresses.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    pub assets: Assets,
}

impl Site {
    /// Reads the list of addresses that the build wrote.
    ///
    /// # Errors
    /// When the list is there and cannot be read. Without a list the pages are served unstyled, with a warning.
    pub fn open(config: &Config) -> Result<Self> {
        let folder = folder(config);
        let list = folder.join("assets.json");
        let assets = match std::fs::read(&list) {
            Ok(json) => serde_json::from_slice(&json).with_context(|| format!("reading {}", list.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound && config.server.site.is_none() => {
                tracing::warn!(folder = %folder.display(), "no built site: pages have neither styles nor scripts; `cargo xtask build` makes one");
                Assets::default()
            }
            Err(error) => return Err(error).with_context(|| format!("reading {}", list.display())),
        };
        Ok(Self { folder, assets })
    }

    /// Serves the files below `/static`, the compressed copies to those who take them.
    pub fn router(&self) -> Router {
        let files = ServeDir::new(self.folder.join("static"))
            .append_index_html_on_directories(false)
            .precompressed_br()
            .precompressed_gzip();
        let cached = |response: &Response<_>| response.status().is_success().then_some(IMMUTABLE);
        Router::new()
            .nest_service("/static", files)
            .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, cached))
            .layer(axum::middleware::from_fn(no_long_names))
    }
}

/// A name that no file can have is absent: asked for it, the file system complains of more than that.
async fn no_long_names(request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path();
    if path.len() > LONGEST_PATH || path.split('/').any(|name| name.len() > LONGEST_NAME) {
        return StatusCode::NOT_FOUND.into_response();
    }
    next.run(request).await
}

/// The configured folder, else `site` beside the program, else what the build left in this tree.
fn folder(config: &Config) -> PathBuf {
    if let Some(folder) = &config.server.site {
        return folder.clone();
    }
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("site")));
    beside.filter(|folder| folder.is_dir()).unwrap_or_else(|| PathBuf::from("target/site"))
}
