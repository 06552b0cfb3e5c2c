//! Clusters of the three large clouds: where the API server is, which authority signed it, and tokens that are fetched anew before they
//! end.
//!
//! Where the connection names the server itself, the cloud is only asked for tokens. All calls go through [`crate::outbound`].

mod aks;
mod eks;
mod gke;
mod layer;

pub use aks::Aks;
pub use eks::Eks;
pub use gke::Gke;
pub(super) use layer::with_bearer;

use super::config::{Access, Certificate, ConnectionConfig};
use super::kubeconfig::{self, address, from_kubeconfig, refused, reveal};
use crate::bearer::Bearer;
use crate::{TargetError, outbound};
use passerelle_contract::text;
use std::sync::Arc;
use url::Url;

/// Which cloud, and who we are there.
#[derive(Debug)]
pub enum Login {
    Gke(Gke),
    Eks(Eks),
    Aks(Aks),
}

/// A cluster as its cloud describes it.
#[derive(Debug)]
struct Found {
    server: String,
    /// In PEM; the authorities of the machine when absent.
    ca: Option<String>,
}

/// How a cloud lets in.
#[derive(Debug)]
enum Entry {
    Tokens(Found),
    /// A kubeconfig with its own credentials, for a cluster without the cloud's login.
    Kubeconfig(String),
}

/// How to reach the cluster, and what is asked for a token before each call.
pub(super) type Way = (kube::Config, Option<Arc<dyn Bearer>>);

/// # Errors
/// A configuration that leads nowhere (with the pointer of its field), or a cloud that refuses or does not answer.
pub(super) async fn way(config: &ConnectionConfig) -> Result<Way, TargetError> {
    let Access::Cloud { login, server, ca } = &config.access else {
        return Ok((kubeconfig::client_config(config).await?, None));
    };
    let http = outbound::client();
    let http = http.build().map_err(|_| refused("/config", text!("no HTTP client can be built")))?;
    let given = match (server, ca) {
        (Some(server), ca) => Some(Found { server: server.to_string(), ca: ca.as_ref().map(pem).transpose()? }),
        (None, _) => None,
    };
    let (entry, bearer): (Entry, Arc<dyn Bearer>) = match login {
        Login::Gke(gke) => gke::open(gke, http, given).await?,
        Login::Eks(eks) => eks::open(eks, http, given).await?,
        Login::Aks(aks) => aks::open(aks, http, given).await?,
    };
    match entry {
        Entry::Kubeconfig(text) => {
            let config = from_kubeconfig(&text, None, login.pointer()).await?;
            Ok((kubeconfig::limited(config), None))
        }
        Entry::Tokens(found) => {
            let wrong = || refused(login.pointer(), text!("the address of the cluster is not a URL"));
            let server = Url::parse(&found.server).map_err(|_| wrong())?;
            let mut config = kube::Config::new(address(&server, login.pointer())?);
            config.root_cert = found.ca.as_deref().map(kubeconfig::certificates).transpose()?;
            Ok((kubeconfig::limited(config), Some(bearer)))
        }
    }
}

impl Login {
    const fn pointer(&self) -> &'static str {
        match self {
            Self::Gke(_) => "/config/gke",
            Self::Eks(_) => "/config/eks",
            Self::Aks(_) => "/config/aks",
        }
    }
}

fn pem(ca: &Certificate) -> Result<String, TargetError> {
    match ca {
        Certificate::Pem(pem) => Ok(pem.clone()),
        Certificate::Reference(secret) => reveal(secret, "/config/ca"),
    }
}

/// The authority of a cluster as a cloud's API gives it: PEM in base64.
fn decoded(base64: &str) -> Option<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    String::from_utf8(STANDARD.decode(base64.trim()).ok()?).ok().filter(|pem| pem.contains("-----BEGIN"))
}
