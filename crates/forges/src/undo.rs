//! Taking back what was delivered to a forge behind HTTP, as far as it is ours alone.

use crate::forge::if_there;
use crate::hosted::{Hosted, told};
use crate::parcel::{Committed, Ground, Left, Made, Mark, Parcel, ProposalState};
use crate::proposal;
use passerelle_contract::text;
use passerelle_targets::TargetError;
use passerelle_targets::ci::Repository;
use reqwest::Method;
use serde_json::Value;

pub(crate) async fn take_back<H: Hosted>(
    forge: &H,
    repository: &Repository,
    parcel: &Parcel,
    made: &Made,
) -> Result<Left, TargetError> {
    let mut left = Left::nothing();
    let Some(found) = if_there(forge.find(repository).await)? else { return Ok(left) };
    let made = &known(forge, repository, parcel, made).await?;
    if let Some(ground) = made.ground.as_ref().filter(|ground| ground.created) {
        let committed = made.committed.as_ref();
        drop_repository(forge, repository, parcel.mark, (&found, ground, committed), &mut left).await?;
        return Ok(left);
    }
    if close(forge, repository, made, &mut left).await?
        && let Some(committed) = &made.committed
    {
        drop_branch(forge, repository, committed, &mut left).await?;
    }
    Ok(left)
}

/// With what an attempt has made whose end was never written down.
async fn known<H: Hosted>(
    forge: &H,
    repository: &Repository,
    parcel: &Parcel,
    made: &Made,
) -> Result<Made, TargetError> {
    let mut made = made.clone();
    let created = made.ground.as_ref().filter(|ground| ground.created);
    let branch = created.map_or_else(|| parcel.branch.clone(), |ground| ground.branch.clone());
    if made.committed.is_none() {
        // Somebody else's is not ours to take back.
        let found = forge.done_before(repository, &branch, parcel.mark).await.unwrap_or_default();
        made.committed = found.map(|commit| Committed { commit, branch });
    }
    if let Some(committed) = made.committed.as_ref().filter(|_| made.proposal.is_none() && created.is_none()) {
        made.proposal = forge.proposal_of(repository, committed).await?;
    }
    Ok(made)
}

/// Whether nothing stands in the way of deleting the branch.
async fn close<H: Hosted>(
    forge: &H,
    repository: &Repository,
    made: &Made,
    left: &mut Left,
) -> Result<bool, TargetError> {
    let Some(number) = made.proposal.as_ref().map(|proposal| proposal.number) else { return Ok(true) };
    let (path, found) = forge.proposal(repository, number).await?;
    match found.map(|found| proposal::state(&found)) {
        Some(ProposalState::Merged) => {
            left.left.push(text!("request {number} was merged; take it back by a commit of your own", number));
            Ok(false)
        }
        Some(ProposalState::Closed) | None => Ok(true),
        Some(ProposalState::Open) => {
            let (method, body) = H::closing();
            forge.http().send(method, &path, Some(&body), H::proposal_named(number)).await?;
            left.taken_back.push(text!("request {number} is closed", number));
            Ok(true)
        }
    }
}

async fn drop_branch<H: Hosted>(
    forge: &H,
    repository: &Repository,
    made: &Committed,
    left: &mut Left,
) -> Result<(), TargetError> {
    let branch = made.branch.as_str();
    match forge.tip(repository, branch).await? {
        None => {}
        Some(tip) if tip == made.commit => {
            let path = H::branch_path(repository, branch);
            if_there(forge.http().send(Method::DELETE, &path, None, text!("branch {branch}", branch)).await)?;
            left.taken_back.push(text!("the branch {branch} is deleted", branch));
        }
        Some(_) => left.left.push(text!("the branch {branch} stays: it holds commits of others", branch)),
    }
    Ok(())
}

async fn drop_repository<H: Hosted>(
    forge: &H,
    repository: &Repository,
    mark: Mark,
    (found, ground, committed): (&Value, &Ground, Option<&Committed>),
    left: &mut Left,
) -> Result<(), TargetError> {
    let name = repository.as_str();
    let ours = mark.describes(&told(&found["description"]));
    let commit = committed.map(|committed| committed.commit.as_str());
    if !ours || !H::untouched(found) || !forge.holds_only(repository, ground, commit).await? {
        left.left.push(text!("the repository {name} stays: it holds more than this delivery", name));
        return Ok(());
    }
    if_there(forge.http().send(Method::DELETE, &H::path_of(repository), None, H::named(repository)).await)?;
    left.taken_back.push(text!("the repository {name} is deleted", name));
    Ok(())
}
