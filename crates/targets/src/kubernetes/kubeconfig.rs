//! From a connection's configuration to the client's: what a kubeconfig may ask of this machine is nothing but to connect.

use super::config::{Access, Certificate, ConnectionConfig};
use crate::TargetError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, Cluster, KubeConfigOptions, Kubeconfig};
use passerelle_contract::{Text, text};
use std::time::Duration;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_KUBECONFIG_BYTES: usize = 512 * 1024;

/// # Errors
/// A secret that cannot be read, or a configuration that this server does not follow; the pointer names the field.
pub(super) async fn client_config(config: &ConnectionConfig) -> Result<kube::Config, TargetError> {
    let client = match &config.access {
        Access::Kubeconfig { kubeconfig, context } => {
            from_kubeconfig(&reveal(kubeconfig, "/config/kubeconfig")?, context.as_deref(), "/config/kubeconfig")
                .await?
        }
        Access::InCluster => kube::Config::incluster().map_err(|error| {
            refused(
                "/config/in_cluster",
                text!("this server does not run in a cluster: {error}", error = error.to_string()),
            )
        })?,
        Access::Server { server, ca, token } => {
            let mut client = kube::Config::new(address(server, "/config/server")?);
            client.root_cert = match ca {
                Some(Certificate::Pem(pem)) => Some(certificates(pem)?),
                Some(Certificate::Reference(secret)) => Some(certificates(&reveal(secret, "/config/ca")?)?),
                None => None,
            };
            match token.path() {
                // Read now for the error message; the client reads it again as it rotates.
                Some(path) => {
                    reveal(token, "/config/token")?;
                    client.auth_info.token_file = Some(path.display().to_string());
                }
                None => client.auth_info.token = Some(reveal(token, "/config/token")?.trim().to_owned().into()),
            }
            client
        }
        Access::Cloud { .. } => return Err(refused("/config", text!("this login needs the cloud to be asked first"))),
    };
    Ok(limited(client))
}

/// The rules that hold for every client.
pub(super) fn limited(mut client: kube::Config) -> kube::Config {
    client.connect_timeout = Some(CONNECT_TIMEOUT);
    // No proxy from the environment: the connection says where it goes.
    client.proxy_url = None;
    client
}

/// `pointer` names the field that the kubeconfig came from.
pub(super) async fn from_kubeconfig(
    text: &str,
    context: Option<&str>,
    pointer: &str,
) -> Result<kube::Config, TargetError> {
    if text.len() > MAX_KUBECONFIG_BYTES {
        return Err(refused(pointer, text!("the kubeconfig is longer than 512 kB")));
    }
    let mut kubeconfig = Kubeconfig::from_yaml(text)
        .map_err(|_| refused(pointer, text!("not a kubeconfig: the YAML does not have its fields")))?;
    let (cluster, user) = selected(&kubeconfig, context)?;
    // Only what this context uses: the others are never read.
    for user in kubeconfig.auth_infos.iter().filter(|known| user.as_ref() == Some(&known.name)) {
        user.auth_info.as_ref().map_or(Ok(()), check_user).map_err(|message| refused(pointer, message))?;
    }
    for cluster in
        kubeconfig.clusters.iter_mut().filter(|known| known.name == cluster).filter_map(|known| known.cluster.as_mut())
    {
        check_cluster(cluster).map_err(|message| refused(pointer, message))?;
    }
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let client = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| {
        refused(pointer, text!("the kubeconfig does not lead to a cluster: {error}", error = error.to_string()))
    })?;
    let url = Url::parse(&client.cluster_url.to_string())
        .map_err(|_| refused(pointer, text!("the address of the cluster is not a URL")))?;
    address(&url, pointer)?;
    Ok(client)
}

/// The names of the cluster and the user of the context.
fn selected(kubeconfig: &Kubeconfig, context: Option<&str>) -> Result<(String, Option<String>), TargetError> {
    let wanted = context.or(kubeconfig.current_context.as_deref());
    let found = kubeconfig
        .contexts
        .iter()
        .find(|known| Some(known.name.as_str()) == wanted)
        .and_then(|known| known.context.as_ref());
    found.map(|context| (context.cluster.clone(), context.user.clone())).ok_or_else(|| {
        let known = kubeconfig.contexts.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", ");
        match wanted {
            Some(wanted) => refused(
                "/config/context",
                text!("the kubeconfig has no context '{wanted}'; it has: {known}", wanted, known),
            ),
            None => refused("/config/context", text!("the kubeconfig has no current context; it has: {known}", known)),
        }
    })
}

/// A kubeconfig may name commands to run and files to send along; both would act as the portal, so neither is followed.
fn check_user(user: &AuthInfo) -> Result<(), Text> {
    if user.exec.is_some() {
        return Err(text!(
            "the kubeconfig runs a command to log in (user.exec); commands are not run. Use a service account token"
        ));
    }
    if user.auth_provider.is_some() {
        return Err(text!(
            "the kubeconfig uses an auth-provider plug-in; plug-ins are not run. Use a service account token"
        ));
    }
    for (field, value) in [
        ("tokenFile", &user.token_file),
        ("client-certificate", &user.client_certificate),
        ("client-key", &user.client_key),
    ] {
        if value.is_some() {
            return Err(by_reference(field));
        }
    }
    Ok(())
}

fn check_cluster(cluster: &Cluster) -> Result<(), Text> {
    if cluster.certificate_authority.is_some() {
        return Err(by_reference("certificate-authority"));
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Err(text!("insecure-skip-tls-verify is not followed; give certificate-authority-data"));
    }
    if cluster.proxy_url.as_deref().is_some_and(|proxy| !proxy.is_empty()) {
        return Err(text!("proxy-url is not supported"));
    }
    Ok(())
}

fn by_reference(field: &str) -> Text {
    text!(
        "the kubeconfig names a file ({field}); only embedded data is read. 'kubectl config view --raw --flatten' embeds it",
        field
    )
}

/// Plain HTTP only to this machine: a token must not travel in the clear.
pub(super) fn address(url: &Url, pointer: &str) -> Result<http::Uri, TargetError> {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err(refused(pointer, text!("the address must be https:// (http:// only to this machine)")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(pointer, text!("the address must not hold a user name or password")));
    }
    url.as_str().parse().map_err(|_| refused(pointer, text!("the address is not a URL")))
}

pub(super) fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, TargetError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    for block in pem.split(BEGIN).skip(1) {
        let body: String = block.split(END).next().unwrap_or_default().split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| refused("/config/ca", text!("a certificate is not valid PEM")))?;
        found.push(der);
    }
    if found.is_empty() {
        return Err(refused("/config/ca", text!("no certificate in PEM found")));
    }
    Ok(found)
}

pub(super) fn reveal(secret: &crate::Secret, pointer: &str) -> Result<String, TargetError> {
    secret.reveal().map_err(|error| refused(pointer, error.text()))
}

pub(super) fn refused(pointer: &str, message: Text) -> TargetError {
    TargetError::Config { pointer: pointer.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kubeconfig(server: &str, cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: one\ncontexts:\n- name: one\n  context: {{cluster: c, user: u}}\n\
             clusters:\n- name: c\n  cluster: {{server: \"{server}\"{cluster}}}\nusers:\n- name: u\n  user: {{{user}}}\n"
        )
    }

    async fn open(text: &str, context: Option<&str>) -> Result<kube::Config, TargetError> {
        let mut config = json!({"kubeconfig": {"value": text}});
        if let Some(context) = context {
            config["context"] = json!(context);
        }
        client_config(&serde_json::from_value(config).unwrap()).await
    }

    #[tokio::test]
    async fn a_plain_kubeconfig_opens() {
        let config = open(&kubeconfig("https://10.1.2.3:6443", "", "token: abc"), None).await.unwrap();
        assert_eq!(config.cluster_url.to_string(), "https://10.1.2.3:6443/");
        assert_eq!(config.connect_timeout, Some(CONNECT_TIMEOUT));
    }

    #[tokio::test]
    async fn commands_files_and_open_doors_are_refused() {
        let https = "https://10.1.2.3:6443";
        for (text, says) in [
            (
                kubeconfig(https, "", "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh}"),
                "commands are not run",
            ),
            (kubeconfig(https, "", "auth-provider: {name: gcp}"), "plug-ins are not run"),
            (kubeconfig(https, "", "tokenFile: /etc/passwd"), "tokenFile"),
            (kubeconfig(https, "", "client-key: /etc/key"), "client-key"),
            (kubeconfig(https, ", certificate-authority: /ca", "token: x"), "certificate-authority"),
            (kubeconfig(https, ", insecure-skip-tls-verify: true", "token: x"), "insecure-skip-tls-verify"),
            (kubeconfig(https, ", proxy-url: \"http://p\"", "token: x"), "proxy-url"),
            (kubeconfig("http://10.1.2.3:6443", "", "token: x"), "https://"),
            ("- just\n- a list\n".to_owned(), "not a kubeconfig"),
        ] {
            let Err(TargetError::Config { pointer, message }) = open(&text, None).await else {
                panic!("{text} passed")
            };
            assert_eq!(pointer, "/config/kubeconfig");
            assert!(message.to_string().contains(says), "{message}");
        }
    }

    #[tokio::test]
    async fn an_unknown_context_lists_the_known_ones() {
        let text = kubeconfig("https://10.1.2.3:6443", "", "token: abc");
        let Err(TargetError::Config { pointer, message }) = open(&text, Some("two")).await else { panic!() };
        assert_eq!(pointer, "/config/context");
        assert!(message.to_string().contains("it has: one"), "{message}");
    }

    #[tokio::test]
    async fn a_secret_never_shows_in_an_error() {
        let Err(error) = open("token: hunter2\nusers: 5\n", None).await else { panic!() };
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
