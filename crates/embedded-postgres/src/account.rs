//! Which user runs Postgres: this one, or an unprivileged one when this one is root.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::unistd::{Gid, Uid, User, chown, geteuid};

use crate::error::Error;

/// The user and group that own the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether a child has to change to this user.
    pub(crate) drops_root: bool,
}

impl Account {
    /// The owner of an existing cluster, else `postgres`, else `nobody` for root; this user for everybody else.
    pub(crate) fn choose(data_folder: &Path) -> Result<Self, Error> {
        let user = geteuid();
        let data = data_folder.join("postgres").join("data");
        let owner = std::fs::metadata(&data).ok().map(|meta| (meta.uid(), meta.gid()));
        if !user.is_root() {
            let uid = user.as_raw();
            return match owner {
                Some((owner, _)) if owner != uid => Err(Error::NotOwner { folder: data, owner, user: uid }),
                _ => Ok(Self { uid, gid: nix::unistd::getegid().as_raw(), drops_root: false }),
            };
        }
        if let Some((uid, gid)) = owner.filter(|(uid, _)| *uid != 0) {
            return Ok(Self { uid, gid, drops_root: true });
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), drops_root: true })
            .ok_or(Error::NoAccount)
    }

    /// Gives a folder to this account; nothing to do unless root made it for another.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        if !self.drops_root {
            return Ok(());
        }
        chown(path, Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)))
            .map_err(|errno| Error::io("give away", path)(errno.into()))
    }

    /// Whether this account can walk down to `folder`: every folder on the way must let it pass.
    pub(crate) fn reaches(&self, folder: &Path) -> bool {
        !self.drops_root
            || folder.ancestors().filter_map(|folder| std::fs::metadata(folder).ok()).all(|meta| {
                let bit = match (meta.uid() == self.uid, meta.gid() == self.gid) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                meta.mode() & bit != 0
            })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_private_folder_on_the_way_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let stranger = Account { uid: 54_321, gid: 54_321, drops_root: true };
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(stranger.reaches(&inner));
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.reaches(&inner));
    }
}
