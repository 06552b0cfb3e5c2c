//! Why a sign-in is refused, in our words only.

/// What sort of refusal it is; each has one sentence for the person who wanted to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The provider does not answer, or not in a way that can be used. Trying later may help.
    Provider,
    /// An answer came and is not believed.
    Answer,
    /// The person, or the provider for them, said no.
    Denied,
    /// What came back does not belong to a sign-in that this browser began a moment ago.
    Stale,
}

/// A refusal with its cause for the audit. The cause is a text of ours, so that nothing foreign gets into a log or a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Refused {
    pub kind: Kind,
    pub cause: &'static str,
}

impl Refused {
    pub(crate) const fn provider(cause: &'static str) -> Self {
        Self { kind: Kind::Provider, cause }
    }

    pub(crate) const fn answer(cause: &'static str) -> Self {
        Self { kind: Kind::Answer, cause }
    }

    pub(crate) const fn denied(cause: &'static str) -> Self {
        Self { kind: Kind::Denied, cause }
    }

    /// Also for the caller, who keeps what is pending and may find that it is gone.
    #[must_use]
    pub const fn stale(cause: &'static str) -> Self {
        Self { kind: Kind::Stale, cause }
    }
}
