//! Logging in to clusters of the clouds, against a small server that plays Entra, Resource Manager, STS, Google's token service and the
//! API server; and against peers that check signatures and paths, when they are named:
//!
//! - `PASSERELLE_TEST_AWS`: a gate that verifies Signature Version 4 and answers TokenReviews for EKS tokens (`/_gate/tokenreview`), in
//!   front of a stand-in of AWS that has a cluster `demo`; keys are those of AWS's documentation;
//! - `PASSERELLE_TEST_GKE`: a server that checks calls by Google's discovery documents, and has the cluster
//!   `projects/p/locations/l/clusters/c`.

use passerelle_targets::{AnyConnection, TargetError, platform};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

type Answer = Box<dyn Fn(&Call) -> (u16, String) + Send + Sync>;

/// A request as it came.
#[derive(Debug, Clone)]
struct Call {
    path: String,
    bearer: String,
    body: String,
}

/// A server that remembers what it was asked.
struct Server {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Server {
    async fn start(answer: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer): (_, Arc<Answer>) = (Arc::clone(&calls), Arc::new(Box::new(answer)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move { serve(stream, &seen, &answer).await });
            }
        });
        Self { url, calls }
    }

    fn asked(&self, path: &str) -> Vec<Call> {
        self.calls.lock().expect("lock").iter().filter(|call| call.path.starts_with(path)).cloned().collect()
    }
}

/// One call a connection: enough of HTTP for these tests.
async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Call>>, answer: &Answer) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let (head, body) = loop {
        let Ok(read @ 1..) = stream.read(&mut chunk).await else { return };
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let bearer = head
        .lines()
        .find_map(|line| Some(line.split_once(": ")?).filter(|(name, _)| name.eq_ignore_ascii_case("authorization")));
    let bearer = bearer.map(|(_, value)| value.trim_start_matches("Bearer ").to_owned()).unwrap_or_default();
    let call = Call { path, bearer, body };
    let (status, body) = answer(&call);
    seen.lock().expect("lock").push(call);
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    drop(stream.write_all(answer.as_bytes()).await);
}

fn version() -> (u16, String) {
    let version = json!({"major": "1", "minor": "33", "gitVersion": "v1.33.1", "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "", "compiler": "", "platform": ""});
    (200, version.to_string())
}

async fn connect(config: Value) -> Result<Arc<dyn AnyConnection>, TargetError> {
    platform("kubernetes").expect("registered").connect(config).await
}

const AKS: &str = "/subscriptions/0-1/resourceGroups/exai-perso-rg/providers/Microsoft.ContainerService/managedClusters/exai-perso-aks";

/// Entra and a cluster that takes its tokens; each token says which number it is.
async fn entra(expires_in: u64) -> Server {
    let number = std::sync::atomic::AtomicU32::new(1);
    Server::start(move |call| match call.path.as_str() {
        "/exai/oauth2/v2.0/token" if call.body.contains("client_secret=wrong") => {
            (401, json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret.\r\nTrace ID: 1"}).to_string())
        }
        "/exai/oauth2/v2.0/token" => {
            let token = format!("entra-{}", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            (200, json!({"token_type": "Bearer", "expires_in": expires_in, "access_token": token}).to_string())
        }
        "/version" if call.bearer.starts_with("entra-") => version(),
        _ => (401, json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 401, "reason": "Unauthorized"}).to_string()),
    })
    .await
}

fn aks(server: &Server, more: Value) -> Value {
    let mut aks =
        json!({"cluster": AKS, "tenant": "exai", "client_id": "11-22", "authority": server.url, "api": server.url});
    for (name, value) in more.as_object().expect("an object") {
        aks[name] = value.clone();
    }
    json!({ "aks": aks })
}

#[tokio::test]
async fn a_token_of_entra_is_kept_until_it_is_about_to_end() {
    for (expires_in, exchanges) in [(3600, 1), (300, 3)] {
        let server = entra(expires_in).await;
        let mut config = aks(&server, json!({"client_secret": {"value": "right"}}));
        config["server"] = json!(server.url);
        let connection = connect(config).await.expect("connect");
        for _ in 0..3 {
            assert_eq!(connection.check().await.expect("check"), "Kubernetes v1.33.1");
        }
        let asked = server.asked("/exai/");
        assert_eq!(asked.len(), exchanges, "tokens that hold {expires_in} s");
        assert!(asked[0].body.contains("scope=6dae42f8-4368-4678-94ff-3960e28e3630%2F.default"), "{}", asked[0].body);
        assert_eq!(server.asked("/version").last().expect("a call").bearer, format!("entra-{exchanges}"));
    }
}

#[tokio::test]
async fn a_federated_token_is_read_anew_and_a_refusal_shows_no_secret() {
    let server = entra(300).await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "first").expect("write");
    let mut config = aks(&server, json!({"federated_token": {"file": file}}));
    config["server"] = json!(server.url);
    let connection = connect(config).await.expect("connect");
    connection.check().await.expect("check");
    std::fs::write(&file, "second").expect("write");
    connection.check().await.expect("check");
    let asked = server.asked("/exai/");
    assert!(
        asked[0].body.ends_with("client_assertion=first") && asked[1].body.ends_with("client_assertion=second"),
        "{asked:?}"
    );

    let mut config = aks(&server, json!({"client_secret": {"value": "wrong"}}));
    config["server"] = json!(server.url);
    let refused = connect(config).await.expect("connect").check().await.expect_err("a refusal");
    let said = refused.to_string();
    assert!(matches!(refused, TargetError::Forbidden(_)), "{said}");
    assert!(said.contains("AADSTS7000215") && !said.contains("Trace") && !said.contains("wrong"), "{said}");
}

#[tokio::test]
async fn a_cluster_with_credentials_of_its_own_is_reached_by_the_kubeconfig_that_azure_hands_out() {
    let kubeconfig = Arc::new(Mutex::new(String::new()));
    let handed = Arc::clone(&kubeconfig);
    let server = Server::start(move |call| match call.path.as_str() {
        "/exai/oauth2/v2.0/token" => (200, json!({"expires_in": 3600, "access_token": "for-azure"}).to_string()),
        path if path.starts_with(AKS) && call.bearer == "for-azure" => {
            use base64::Engine as _;
            let value = base64::engine::general_purpose::STANDARD.encode(handed.lock().expect("lock").as_bytes());
            (200, json!({"kubeconfigs": [{"name": "clusterUser", "value": value}]}).to_string())
        }
        "/version" if call.bearer == "of-the-cluster" => version(),
        _ => (403, json!({"error": {"code": "AuthorizationFailed", "message": "no"}}).to_string()),
    })
    .await;
    *kubeconfig.lock().expect("lock") = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "of-the-cluster"}}]})
    .to_string();
    let connection = connect(aks(&server, json!({"client_secret": {"value": "s"}}))).await.expect("connect");
    assert_eq!(connection.check().await.expect("check"), "Kubernetes v1.33.1");
    let listed = server.asked("/subscriptions/");
    assert!(listed[0].path.contains("/listClusterUserCredential?api-version="), "{listed:?}");
    assert!(server.asked("/exai/")[0].body.contains("management.azure.com%2F.default"));
}

#[tokio::test]
async fn a_role_for_a_web_identity_signs_the_token_of_eks() {
    let server = Server::start(|call| match call.path.as_str() {
        "/" if call.body.contains("WebIdentityToken=jwt") => (
            200,
            "<R><Credentials><AccessKeyId>ASIATEMPORARY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>session</SessionToken>\
             <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></R>"
                .to_owned(),
        ),
        "/version" if call.bearer.starts_with("k8s-aws-v1.") => version(),
        _ => (401, "{}".to_owned()),
    })
    .await;
    let config = json!({"server": server.url, "eks": {"region": "eu-west-3", "cluster": "fil-rouge", "sts": server.url,
        "role_arn": "arn:aws:iam::123456789012:role/portal", "web_identity_token": {"value": "jwt"}}});
    let connection = connect(config).await.expect("connect");
    for _ in 0..2 {
        assert_eq!(connection.check().await.expect("check"), "Kubernetes v1.33.1");
    }
    assert_eq!(server.asked("/").iter().filter(|call| call.path == "/").count(), 1, "keys are kept");
    let calls = server.asked("/version");
    assert_eq!(calls[0].bearer, calls[1].bearer, "and so is the token");
    let address = decoded(&calls[0].bearer);
    assert!(address.contains("ASIATEMPORARY") && address.contains("X-Amz-Security-Token=session"), "{address}");
}

fn decoded(token: &str) -> String {
    use base64::Engine as _;
    let coded = token.strip_prefix("k8s-aws-v1.").expect("the prefix");
    String::from_utf8(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(coded).expect("base64")).expect("text")
}

/// Whoever edits a connection chooses where tokens go; the one of the machine that we run on must not follow.
#[tokio::test]
async fn the_token_of_the_machine_itself_goes_to_google_only() {
    let elsewhere = "https://storage.evil.example";
    let gke = |more: Value| {
        let mut gke = json!({"cluster": "projects/p/locations/l/clusters/c"});
        gke.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        gke
    };
    for (kind, config) in [
        ("cloud_run", json!({"project": "p-12345", "region": "europe-west1", "endpoint": elsewhere})),
        ("static_site", json!({"store": "google", "bucket": "a-bucket", "endpoint": elsewhere})),
        ("kubernetes", json!({"server": elsewhere, "gke": gke(json!({}))})),
        ("kubernetes", json!({"gke": gke(json!({"api": elsewhere}))})),
    ] {
        let Err(TargetError::Config { pointer, message }) = platform(kind).expect("registered").connect(config).await
        else {
            panic!("{kind} goes to {elsewhere}");
        };
        assert!(pointer.ends_with("/credentials"), "{kind}: {pointer}");
        assert!(message.to_string().contains("goes to Google only"), "{kind}: {message}");
    }
}

#[tokio::test]
async fn what_no_cloud_answers_is_told_and_nothing_is_shown() {
    let closed = "http://127.0.0.1:9";
    for (config, says) in [
        (
            json!({"eks": {"region": "eu-west-3", "cluster": "c", "access_key_id": "AKIA", "secret_access_key": {"value": "hunter2"}, "api": closed}}),
            "AWS EKS",
        ),
        (
            json!({"gke": {"cluster": "projects/p/locations/l/clusters/c", "credentials": {"value": "hunter2"}}}),
            "/config/gke/credentials",
        ),
        (
            json!({"aks": {"cluster": AKS, "tenant": "t", "client_id": "c", "client_secret": {"value": "hunter2"}, "authority": closed}}),
            "Microsoft Entra",
        ),
    ] {
        let Err(error) = connect(config).await else { panic!("{says} connected") };
        assert!(error.to_string().contains(says) && !format!("{error:?}").contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_gate_of_aws_takes_our_signatures() {
    let Ok(gate) = std::env::var("PASSERELLE_TEST_AWS") else {
        return eprintln!("a_gate_of_aws_takes_our_signatures: skipped, PASSERELLE_TEST_AWS is not set");
    };
    let eks = |secret: &str| {
        json!({"region": "eu-west-3", "cluster": "demo", "api": gate, "sts": gate, "access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "secret_access_key": {"value": secret}})
    };
    let right = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    // DescribeCluster: answered only when the signature holds.
    let described = connect(json!({"eks": eks(right)})).await;
    assert!(!matches!(described, Err(TargetError::Forbidden(_) | TargetError::Missing(_))), "{:?}", described.err());
    let refused = connect(json!({"eks": eks("another")})).await.err().expect("a refusal");
    assert!(
        matches!(&refused, TargetError::Forbidden(why) if why.to_string().contains("InvalidSignature")),
        "{refused}"
    );
    // The token, as an API server of EKS would have it looked at.
    let server = Server::start(|_| version()).await;
    connect(json!({"server": server.url, "eks": eks(right)})).await.expect("connect").check().await.expect("check");
    let token = server.asked("/version")[0].bearer.clone();
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}});
    let answer =
        reqwest::Client::new().post(format!("{gate}/_gate/tokenreview")).json(&review).send().await.expect("send");
    let status: Value = answer.json().await.expect("JSON");
    assert_eq!(status["status"]["authenticated"], true, "{status}");
    // A role, taken with the keys.
    let mut with_role = eks(right);
    with_role["role_arn"] = json!("arn:aws:iam::123456789012:role/portal");
    connect(json!({"server": server.url, "eks": with_role})).await.expect("connect").check().await.expect("check");
    let address = decoded(&server.asked("/version")[1].bearer);
    assert!(address.contains("X-Amz-Security-Token=") && !address.contains("AKIAIOSFODNN7EXAMPLE"), "{address}");
}

#[tokio::test]
async fn googles_descriptions_allow_our_calls() {
    let Ok(api) = std::env::var("PASSERELLE_TEST_GKE") else {
        return eprintln!("googles_descriptions_allow_our_calls: skipped, PASSERELLE_TEST_GKE is not set");
    };
    let key = include_str!("fixtures/service-account.pem");
    let credentials = json!({"type": "service_account", "client_email": "portal@p.iam", "private_key": key, "token_uri": format!("{api}/token")});
    let gke = |name: &str| json!({"gke": {"cluster": format!("projects/p/locations/l/clusters/{name}"), "api": api, "credentials": {"value": credentials.to_string()}}});
    let missing = connect(gke("other")).await.err().expect("no such cluster");
    assert!(matches!(missing, TargetError::Missing(_)), "{missing}");
    let found = connect(gke("c")).await;
    assert!(found.is_ok(), "{:?}", found.err());
    let server = Server::start(|_| version()).await;
    let mut config = gke("c");
    config["server"] = json!(server.url);
    connect(config).await.expect("connect").check().await.expect("check");
    assert!(!server.asked("/version")[0].bearer.is_empty());
}
