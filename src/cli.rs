//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Parser)]
#[command(name = "passerelle", version, about = "A self-hosted developer portal for platform engineering")]
pub struct Cli {
    /// Configuration file; `passerelle.toml` in the working folder when it is there.
    #[arg(long, global = true, env = "PASSERELLE_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve pages and API; does the work of `worker` too unless `server.worker` is false.
    Serve,
    /// Do the background work without serving pages: drive deployments and automatic ones, observe targets, measure objectives, send messages.
    Worker,
    /// Bring the database's schema up to date and end.
    Migrate,
    /// Import catalog files: a folder, a file, or - for standard input.
    Import(ImportArguments),
    /// Deploy a version through a running server and wait for its end, as a pipeline does. Ends with 1 unless it succeeded.
    Deploy(DeployArguments),
    /// Import files of service level objectives: OpenSLO v1, or the five-line format.
    ImportSlos(ImportSlosArguments),
    /// The audit.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Secrets at rest: credentials of connections and channels.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Administration on the server's own machine.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Check the configuration and end.
    ValidateConfig,
    /// Print the description of the REST API (OpenAPI 3.1).
    Openapi,
    /// Serve simulated platforms on loopback, for the demo and for tests.
    #[cfg(feature = "simulator")]
    Simulator {
        #[arg(long, default_value = "127.0.0.1:3900")]
        listen: std::net::SocketAddr,
        /// What runs on the simulated platforms.
        #[arg(long, default_value = "demo/simulator.yaml")]
        world: PathBuf,
    },
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// A folder, a file, or - for standard input.
    pub path: String,
    /// Address of a running server; without it straight into the database.
    #[arg(long, env = "PASSERELLE_SERVER")]
    pub server: Option<String>,
    /// API token for the server.
    #[arg(long, env = "PASSERELLE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Archive what came from this source before and is not in it now.
    #[arg(long)]
    pub prune: bool,
    /// Name of the source; the path when absent.
    #[arg(long)]
    pub source: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["version", "image"]))]
pub struct DeployArguments {
    /// `namespace/name`.
    pub service: String,
    /// Where to.
    pub environment: String,
    /// A release that the server knows.
    #[arg(long)]
    pub version: Option<String>,
    /// An image, pinned by its digest at best.
    #[arg(long)]
    pub image: Option<String>,
    /// Why; it stands in the audit.
    #[arg(long)]
    pub reason: String,
    /// Address of a running server.
    #[arg(long, env = "PASSERELLE_SERVER", default_value = "http://127.0.0.1:3000")]
    pub server: String,
    /// API token for the server.
    #[arg(long, env = "PASSERELLE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// `security_fix` or `p0_fix`: an error budget only warns of it.
    #[arg(long)]
    pub exempt: Option<String>,
    /// Ask for it and do not wait.
    #[arg(long)]
    pub no_wait: bool,
}

#[derive(Debug, Args)]
pub struct ImportSlosArguments {
    #[arg(required = true)]
    pub paths: Vec<String>,
    /// Address of a running server; without it straight into the database.
    #[arg(long, env = "PASSERELLE_SERVER")]
    pub server: Option<String>,
    /// API token for the server.
    #[arg(long, env = "PASSERELLE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// namespace/name; wins over what the file says.
    #[arg(long, conflicts_with = "namespace")]
    pub service: Option<String>,
    /// Objectives without a service belong to the service of this namespace that their name begins with.
    #[arg(long)]
    pub namespace: Option<String>,
    /// A connection of kind prometheus; wins over the file's data source.
    #[arg(long)]
    pub connection: Option<String>,
    /// For deployments to this environment only.
    #[arg(long)]
    pub environment: Option<String>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct ArchiveArguments {
    /// How many whole months stay, besides this one.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1200))]
    pub keep_months: u16,
    /// The folder that the file is put into.
    #[arg(long)]
    pub to: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check the chain and its signatures; names the first bad row. Ends with 1 when something is wrong.
    Verify(VerifyArguments),
    /// Move old rows into a signed file, once the chain holds, and take them out of the database.
    Archive(ArchiveArguments),
    /// Print the public key that checkpoints are signed with, for verifying exports elsewhere.
    Key,
}

#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// A whole export as JSON lines; without it the database is verified.
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Public key (see `audit key`); this installation's own when absent.
    #[arg(long, value_name = "HEX", requires = "export")]
    pub key: Option<String>,
    /// A copy of audit-checkpoints.jsonl, which finds rows cut off at the newest end; that of the data folder when the database is verified.
    #[arg(long, value_name = "FILE")]
    pub checkpoints: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Give everything that is sealed a new key, while servers and workers run. One that was interrupted goes on where it was.
    Rotate,
    /// Read everything back that is sealed; names what does not open. Ends with 1 then.
    Check,
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print a new one-use link that makes the first administrator.
    SetupToken {
        /// Print the address of the sign-in page when there is an administrator already.
        #[arg(long)]
        or_sign_in: bool,
    },
    /// Make a new secret.key in place of one that is lost for good; sealed credentials have to be given again.
    NewKey,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and its service user when missing; prints it once.
    Create(TokenArguments),
}

#[derive(Debug, Args)]
pub struct TokenArguments {
    #[arg(long)]
    pub user: String,
    /// viewer, developer, operator or admin.
    #[arg(long, default_value = "viewer")]
    pub role: String,
    /// everything, team:NS/NAME, system:NS/NAME or tier:NAME.
    #[arg(long, default_value = "everything")]
    pub scope: String,
    /// 1d to 90d.
    #[arg(long, default_value = "30d")]
    pub expires: String,
}
