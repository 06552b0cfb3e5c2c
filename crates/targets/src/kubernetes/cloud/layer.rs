//! A token on each call, asked for at that moment: a watch or a deployment may outlive the one that its client began with.

use crate::bearer::Bearer;
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use kube::Client;
use kube::client::{Body, ClientBuilder, DynBody};
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::Mutex;
use tower::{BoxError, Layer, Service};

/// A client that asks for a token before each call.
///
/// # Errors
/// When the certificates cannot be used.
pub fn with_bearer(config: kube::Config, bearer: Arc<dyn Bearer>) -> Result<Client, kube::Error> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&Asking(bearer)).build())
}

struct Asking(Arc<dyn Bearer>);

impl<S> Layer<S> for Asking {
    type Service = Asked<S>;

    fn layer(&self, inner: S) -> Asked<S> {
        Asked { inner: Arc::new(Mutex::new(inner)), bearer: Arc::clone(&self.0) }
    }
}

struct Asked<S> {
    /// Locked while a call begins, not while it runs.
    inner: Arc<Mutex<S>>,
    bearer: Arc<dyn Bearer>,
}

impl<S> Service<Request<Body>> for Asked<S>
where
    S: Service<Request<Body>, Response = Response<Box<DynBody>>, Error = BoxError> + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Box<DynBody>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let (inner, bearer) = (Arc::clone(&self.inner), Arc::clone(&self.bearer));
        Box::pin(async move {
            let token = bearer.token().await?;
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
            let answer = {
                let mut inner = inner.lock().await;
                std::future::poll_fn(|context| inner.poll_ready(context)).await?;
                inner.call(request)
            };
            answer.await
        })
    }
}
