//! Access tokens of Microsoft Entra ID for an application: by its secret, or by the token of another issuer that it trusts
//! (workload identity federation).

use crate::base_url::BaseUrl;
use crate::bearer::{Kept, Timed};
use crate::outbound::{ANSWER_LIMIT, read_body, unreachable};
use crate::{Secret, TargetError, masking};
use passerelle_contract::{Text, text};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

const WHO: &str = "Microsoft Entra";
/// Before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(300);
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who the portal is at Entra.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub authority: BaseUrl,
    pub tenant: String,
    pub client_id: String,
    pub proof: Proof,
}

#[derive(Debug, Clone)]
pub(crate) enum Proof {
    Secret(Secret),
    /// A token of another issuer, read anew for each exchange.
    Federated(Secret),
}

/// Tokens for one resource.
#[derive(Debug)]
pub(crate) struct Tokens {
    http: reqwest::Client,
    application: Application,
    scope: String,
    kept: Kept<String>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

impl Tokens {
    /// `scope` ends with `/.default`.
    pub fn new(http: reqwest::Client, application: Application, scope: &str) -> Self {
        Self { http, application, scope: scope.to_owned(), kept: Kept::new() }
    }

    /// A token that holds for some minutes.
    ///
    /// # Errors
    /// [`TargetError::Config`] for a secret that cannot be read, [`TargetError::Forbidden`] when Entra refuses.
    pub async fn token(&self) -> Result<String, TargetError> {
        self.kept.get(|| self.fetch()).await
    }

    async fn fetch(&self) -> Result<Timed<String>, TargetError> {
        let Application { authority, tenant, client_id, proof } = &self.application;
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", client_id.clone()),
            ("scope", self.scope.clone()),
        ];
        match proof {
            Proof::Secret(secret) => form.push(("client_secret", reveal(secret, "client_secret")?)),
            Proof::Federated(token) => {
                form.push(("client_assertion_type", ASSERTION.to_owned()));
                form.push(("client_assertion", reveal(token, "federated_token")?));
            }
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let url = format!("{}/{tenant}/oauth2/v2.0/token", authority.as_str());
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = ask(request, WHO).await?;
        let granted: Granted = serde_json::from_value(answer).map_err(|_| {
            TargetError::Unreachable(text!("{name} gave {what}", name = WHO, what = text!("no access token")))
        })?;
        Ok(Timed::new(granted.access_token, Duration::from_secs(granted.expires_in), MARGIN))
    }
}

fn reveal(secret: &Secret, field: &str) -> Result<String, TargetError> {
    let wrong = |message| TargetError::Config { pointer: format!("/config/aks/{field}"), message };
    secret.reveal().map(|text| text.trim().to_owned()).map_err(|error| wrong(error.text()))
}

/// Sends a request to Entra or to Azure's Resource Manager; of a refusal its code and message are read.
pub(crate) async fn ask(request: reqwest::RequestBuilder, who: &str) -> Result<Value, TargetError> {
    let response = request.timeout(ANSWER_LIMIT).send().await.map_err(|error| unreachable(who, &error))?;
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_slice(&read_body(response, who.to_owned()).await?).unwrap_or_default();
    let said = [&answer["error_description"], &answer["error"]["message"], &answer["error"]];
    let said = said.into_iter().find_map(Value::as_str).unwrap_or("no reason given");
    // The second line of Entra's text is a trace id.
    let said: String = masking::shown(said.lines().next().unwrap_or_default()).chars().take(300).collect();
    match status {
        200..300 => Ok(answer),
        404 => Err(TargetError::Missing(Text::verbatim(format!("{who}: {said}")))),
        429 | 500.. => Err(TargetError::Unreachable(text!("{name} answered {status}", name = who, status))),
        _ => Err(TargetError::Forbidden(text!("{name} answered {status}: {said}", name = who, status, said))),
    }
}
