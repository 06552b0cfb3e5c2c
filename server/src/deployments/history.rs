//! Where a roll back goes: the healthy versions of one service in one environment as a stack.

use uuid::Uuid;

/// A deployment that ended well, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthy {
    pub id: Uuid,
    /// The image, and the digest of its manifests where it brought some: the same image under others is another version.
    pub image: String,
    /// Set when it was itself a roll back: the deployment whose version came back.
    pub rolls_back_to: Option<Uuid>,
}

/// The deployment to go back to by default: the last healthy one with another image than what is meant to run. A version
/// that was rolled back from is not offered again by itself.
///
/// `broken`: the newest attempt failed and was not put back, so that the newest healthy one is the answer.
#[must_use]
pub fn default_target(oldest_first: &[Healthy], broken: bool) -> Option<Uuid> {
    let mut stack: Vec<&Healthy> = Vec::new();
    for deployment in oldest_first {
        match deployment.rolls_back_to.and_then(|to| stack.iter().position(|below| below.id == to)) {
            Some(position) => stack.truncate(position + 1),
            None => stack.push(deployment),
        }
    }
    let current = stack.last()?;
    if broken {
        return Some(current.id);
    }
    stack.iter().rev().find(|deployment| deployment.image != current.image).map(|deployment| deployment.id)
}

#[cfg(test)]
mod tests {
    use super::{Healthy, default_target};
    use uuid::Uuid;

    fn deployed(n: u128, image: &str) -> Healthy {
        Healthy { id: Uuid::from_u128(n), image: image.into(), rolls_back_to: None }
    }

    fn rolled_back(n: u128, image: &str, to: u128) -> Healthy {
        Healthy { rolls_back_to: Some(Uuid::from_u128(to)), ..deployed(n, image) }
    }

    fn target(history: &[Healthy], broken: bool) -> Option<u128> {
        default_target(history, broken).map(|id| id.as_u128())
    }

    #[test]
    fn the_version_before_is_the_default() {
        assert_eq!(target(&[deployed(1, "v1"), deployed(2, "v2")], false), Some(1));
        assert_eq!(target(&[deployed(1, "v1")], false), None);
        assert_eq!(target(&[], false), None);
    }

    #[test]
    fn two_roll_backs_go_two_versions_back_and_never_forward() {
        let history = [deployed(1, "v1"), deployed(2, "v2"), deployed(3, "v3"), rolled_back(4, "v2", 2)];
        assert_eq!(target(&history, false), Some(1));
    }

    #[test]
    fn the_same_image_deployed_twice_is_one_version() {
        assert_eq!(target(&[deployed(1, "v1"), deployed(2, "v2"), deployed(3, "v2")], false), Some(1));
    }

    #[test]
    fn after_a_failure_that_stayed_the_newest_healthy_one_comes_back() {
        assert_eq!(target(&[deployed(1, "v1"), deployed(2, "v2")], true), Some(2));
    }
}
