//! The signed link in the message that asks for an approval.
//!
//! It says where to go and of exactly what the request was, until when; it proves nothing about whoever follows it. Deciding needs
//! a signed-in person with the right to approve who is not the one who asked, as everywhere else (`docs/adr/0010-notifications.md`).

use super::service::DeploymentService;
use crate::kernel::{AppError, Ctx, Keys, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use passerelle_contract::deployments::{DeploymentOut, DeploymentState};
use passerelle_contract::gates::ApprovalIn;
use passerelle_contract::{Text, text};
use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use uuid::Uuid;

/// The purpose that the signing key is derived for; nothing else is signed with it.
const PURPOSE: &str = "approval link";
const ID_BYTES: usize = 16;
const UNTIL_BYTES: usize = 8;
/// Of the fingerprint: enough that no other request of the same deployment has the same.
const WHAT_BYTES: usize = 8;
const BODY_BYTES: usize = ID_BYTES + UNTIL_BYTES + WHAT_BYTES;
const SIGNATURE_BYTES: usize = 16;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovalToken {
    deployment: Uuid,
    /// Seconds since 1970.
    until: i64,
    /// The beginning of the fingerprint of what was asked for.
    what: [u8; WHAT_BYTES],
}

/// A deployment that a link leads to.
#[derive(Debug, Clone)]
pub struct LinkedApproval {
    pub deployment: DeploymentOut,
    /// Why nothing can be decided through this link (any more).
    pub closed: Option<Text>,
}

impl ApprovalToken {
    /// `None` for a fingerprint that is too short to be one.
    #[must_use]
    pub fn new(deployment: Uuid, until: OffsetDateTime, fingerprint: &[u8]) -> Option<Self> {
        let what = fingerprint.first_chunk()?;
        Some(Self { deployment, until: until.unix_timestamp(), what: *what })
    }

    /// For the address of the link.
    #[must_use]
    pub fn sign(self, keys: &Keys) -> String {
        let body = self.body();
        let signature = keys.sign(PURPOSE, &body);
        BASE64.encode([&body[..], &signature[..SIGNATURE_BYTES]].concat())
    }

    fn body(self) -> [u8; BODY_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[..ID_BYTES].copy_from_slice(self.deployment.as_bytes());
        body[ID_BYTES..ID_BYTES + UNTIL_BYTES].copy_from_slice(&self.until.to_be_bytes());
        body[ID_BYTES + UNTIL_BYTES..].copy_from_slice(&self.what);
        body
    }

    /// `None` for what this installation has not signed.
    fn open(keys: &Keys, token: &str) -> Option<Self> {
        let bytes = BASE64.decode(token).ok()?;
        let (body, signature) = bytes.split_first_chunk::<BODY_BYTES>()?;
        let right = keys.sign(PURPOSE, body);
        if !bool::from(right[..SIGNATURE_BYTES].ct_eq(signature)) {
            return None;
        }
        let (id, rest) = body.split_first_chunk::<ID_BYTES>()?;
        let (until, what) = rest.split_first_chunk::<UNTIL_BYTES>()?;
        Some(Self {
            deployment: Uuid::from_bytes(*id),
            until: i64::from_be_bytes(*until),
            what: *what.first_chunk::<WHAT_BYTES>()?,
        })
    }
}

/// What was asked for is not what is asked for now.
pub(super) fn changed() -> Text {
    text!("what is asked for has changed since this link was sent; look at the deployment as it is now")
}

impl DeploymentService {
    /// What a link leads to. Reads, and changes nothing.
    ///
    /// # Errors
    /// `Unauthenticated` for nobody, whatever the token; `NotFound` for a token that is not ours and for a deployment that the caller
    /// may not see.
    pub async fn linked_approval(&self, ctx: &Ctx, token: &str) -> Result<LinkedApproval> {
        let (token, deployment) = self.followed(ctx, token).await?;
        let closed = if deployment.state != DeploymentState::AwaitingApproval {
            Some(text!("this deployment does not wait for approval any more"))
        } else if self.store.awaits(token.deployment, &token.what).await? {
            (token.until <= OffsetDateTime::now_utc().unix_timestamp()).then(|| text!("this link has ended"))
        } else {
            Some(changed())
        };
        Ok(LinkedApproval { deployment, closed })
    }

    /// Decides what a link is for, by all the rules of [`Self::decide_approval`].
    ///
    /// # Errors
    /// As there; also `Conflict` when the link has ended or what is asked for has changed since it was sent.
    pub async fn decide_linked(&self, ctx: &Ctx, token: &str, input: ApprovalIn) -> Result<DeploymentOut> {
        let (token, _) = self.followed(ctx, token).await?;
        if token.until <= OffsetDateTime::now_utc().unix_timestamp() {
            return Err(AppError::Conflict(text!("this link has ended")));
        }
        self.decide_approval_of(ctx, token.deployment, input, Some(&token.what)).await
    }

    async fn followed(&self, ctx: &Ctx, token: &str) -> Result<(ApprovalToken, DeploymentOut)> {
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let Some(token) = ApprovalToken::open(&self.keys, token) else {
            return Err(AppError::NotFound(text!("this link")));
        };
        let deployment = self.get_deployment(ctx, token.deployment).await?;
        Ok((token, deployment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_whole_and_only_here() {
        let keys = Keys::from_bytes([1; 32]);
        let until = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let token = ApprovalToken::new(Uuid::from_u128(7), until, &[9; 32]).unwrap();
        let text = token.sign(&keys);
        assert_eq!(ApprovalToken::open(&keys, &text), Some(token));
        assert_eq!(ApprovalToken::open(&Keys::from_bytes([2; 32]), &text), None);
        for index in 0..text.len() {
            let mut edited = text.clone().into_bytes();
            edited[index] = if edited[index] == b'A' { b'B' } else { b'A' };
            // The last character carries bits that no byte has; then it is no base64 at all.
            assert_eq!(ApprovalToken::open(&keys, &String::from_utf8(edited).unwrap()), None, "{index}");
        }
        for cut in ["", "AAAA", &text[..text.len() - 2]] {
            assert_eq!(ApprovalToken::open(&keys, cut), None);
        }
        assert!(ApprovalToken::new(Uuid::nil(), until, &[1; 3]).is_none());
    }
}
