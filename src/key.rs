//! The installation's key: one file, which has to be the one that the database was used with.
//!
//! A second process with a data folder of its own must not make a key of its own: it could open no credential, and sign the audit with what
//! nobody knows.

use crate::say::say;
use anyhow::{Context, Result, bail};
use passerelle_server::audit::{self, CHECKPOINT_FILE, Sealer};
use passerelle_server::config::Config;
use passerelle_server::kernel::{Action, AuditEntry, Ctx, Db, Keys, Object, Via};
use passerelle_server::secrets::Secrets;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAME: &str = "secret.key";
const CLAIMS: u32 = 50;
const CLAIM_PAUSE: Duration = Duration::from_millis(100);

pub fn file(config: &Config) -> PathBuf {
    config.data.folder.join(NAME)
}

/// The key of the data folder; made when the database was used by nobody yet.
///
/// # Errors
/// When the database was used with another key, or with one that is not there.
pub async fn of(db: &Db, config: &Config) -> Result<Keys> {
    let file = file(config);
    let kept = Keys::load(&file).context("the installation's key")?;
    let used = audit::last_key_id(db).await.context("reading which key the database was used with")?;
    match (kept, used) {
        (Some(keys), Some(used)) if audit::public_key(&keys).id() == used => Ok(keys),
        (Some(keys), None) => claim(db, config, keys).await,
        (None, None) => {
            let keys = Keys::create(&file).context("the installation's key")?;
            claim(db, config, keys).await.inspect_err(|_| take_back(&file))
        }
        (Some(_), Some(_)) => bail!(
            "{} is not the key that this database was used with: copy {NAME} from the data folder of the installation, or from its backup",
            file.display()
        ),
        (None, Some(_)) => bail!(
            "{} is not there, and this database was used with a key: copy {NAME} from the data folder of the installation, or from its \
             backup; when it is lost for good, `passerelle admin new-key`",
            file.display()
        ),
    }
}

/// Makes a key in place of one that is lost, and signs the audit with it from now on.
///
/// # Errors
/// When there is a key, when the database was used by nobody yet, or while another process runs.
pub async fn replace_lost(db: &Db, config: &Config) -> Result<()> {
    let file = file(config);
    if file.exists() {
        bail!("{} is there: nothing is lost. Move it away first if it belongs to another installation", file.display());
    }
    if audit::last_key_id(db).await?.is_none() {
        bail!("this database was used with no key yet: `passerelle serve` makes one");
    }
    let keys = Keys::create(&file)?;
    let keys = claim(db, config, keys).await.inspect_err(|_| take_back(&file))?;
    Secrets::new(db.clone(), keys).forget_lost_keys(&Ctx::system(Via::Cli, "cli")).await?;
    say(format_args!(
        "{} is made. Give the credentials of connections and channels again; `audit verify` names the first checkpoint of the lost key.",
        file.display()
    ))?;
    Ok(())
}

/// Signs a row of the audit with the key, so that no process begins with another one.
async fn claim(db: &Db, config: &Config, keys: Keys) -> Result<Keys> {
    let ctx = Ctx::system(Via::Cli, "cli");
    let proof = db.authorize(&ctx, Action::AccessEdit, Object::new("portal", NAME)).await?;
    let own = audit::public_key(&keys).id();
    let entry = AuditEntry::success().reason(format!("the audit is signed with the key {own} from here on"));
    db.record(&ctx, &proof, entry).await?;
    let sealer = Sealer::new(db.clone(), &keys, config.data.folder.join(CHECKPOINT_FILE));
    for _ in 0..CLAIMS {
        sealer.seal().await?;
        // Another process may be sealing at this moment: the newest signature says whose installation it is.
        match audit::last_key_id(db).await? {
            Some(used) if used == own => return Ok(keys),
            Some(_) => break,
            None => tokio::time::sleep(CLAIM_PAUSE).await,
        }
    }
    bail!("another process has begun to use this database with another key: copy its {NAME}")
}

/// A key that nothing was signed with; a file that stays would only be refused with a better word than the first time.
fn take_back(file: &Path) {
    if let Err(error) = std::fs::remove_file(file) {
        eprintln!("passerelle: {} could not be removed again: {error}", file.display());
    }
}
