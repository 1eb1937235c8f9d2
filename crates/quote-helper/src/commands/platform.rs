//! `platform`: manages the software platform.

mod tcb;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use clap::{Args, Subcommand, ValueEnum};
use quoting::{QuotingError, default_state_dir};
use serde::Serialize;
use software_platform::{Deployment, PcsUrl, SoftwarePlatform, SubjectNames};
use time::OffsetDateTime;

use crate::failure::Failure;
use crate::files;
use crate::output::{self, Format};
use crate::values;
use tcb::Tcb;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates the platform's keys and the root of trust of its quotes.
    Init(Init),
    /// Shows the identity of the platform.
    Show(Show),
    /// Exports the root certificate, which verifiers must be told to trust.
    Root(Root),
    /// Exports the verification collateral, valid for 30 days from now.
    Collateral(Collateral),
    /// Shows the TCB, or rehearses a TCB recovery, a revocation or expired collateral.
    ///
    /// A running service follows within a second.
    Tcb(Tcb),
}

#[derive(Debug, Args)]
struct StateDir {
    /// The directory of the platform's keys [default: /var/lib/quote-helper for root and its owner,
    /// else $XDG_STATE_HOME/quote-helper].
    #[arg(long, value_name = "PATH", env = "QUOTE_HELPER_STATE_DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    state: StateDir,

    /// Joins a deployment, and shares its root: `deployment.json` of another machine's state
    /// directory.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed_file", "created", "subject_names", "pcs_url"])]
    deployment: Option<PathBuf>,

    /// Derives the deployment from the seed in this file, 32 bytes in hexadecimal, instead of a
    /// random one. Anyone who knows it can issue certificates below the root: for fixtures only.
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,

    /// Creation time (RFC 3339) instead of now: the same seed, names and time give the same
    /// certificates.
    #[arg(long, value_name = "TIME", value_parser = values::time, requires = "seed_file")]
    created: Option<OffsetDateTime>,

    /// The subject names in the certificates.
    #[arg(long, value_enum, default_value = "software")]
    subject_names: Names,

    /// The URL of `serve --collateral-listen`: the certificates name their CRLs below it, the
    /// root's included.
    #[arg(long, value_name = "URL", default_value = PcsUrl::DEFAULT)]
    pcs_url: PcsUrl,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Names {
    /// Names that say software and INSECURE.
    Software,
    /// The names of Intel's certificates below the root, for verifiers that compare them. The root
    /// still says INSECURE.
    Intel,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    state: StateDir,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Root {
    #[command(flatten)]
    state: StateDir,

    /// Output file for the certificate: DER if its name ends with .der, else PEM.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Collateral {
    #[command(flatten)]
    state: StateDir,

    /// Output file for the collateral, JSON for `verify --collateral` and dcap-qvl.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    Ok(match command {
        Command::Init(init) => init.run(),
        Command::Show(show) => show.run(),
        Command::Root(root) => root.run(),
        Command::Collateral(collateral) => collateral.run(),
        Command::Tcb(tcb) => tcb.run(),
    }?)
}

impl Init {
    fn run(&self) -> anyhow::Result<()> {
        let directory = self.state.path()?;
        let platform = SoftwarePlatform::init(&directory, self.deployment()?)?;
        output::note(format_args!(
            "created the platform in {}; its root is INSECURE: verifiers reject it unless you pass it",
            directory.display()
        ));
        output::result(Format::Text, &PlatformIdentity::of(&platform))
    }

    fn deployment(&self) -> anyhow::Result<Deployment> {
        if let Some(path) = &self.deployment {
            let bytes = files::read(path)?;
            return serde_json::from_slice(&bytes)
                .with_context(|| format!("{} holds no deployment", files::Input(path)));
        }
        let names = match self.subject_names {
            Names::Software => SubjectNames::Software,
            Names::Intel => SubjectNames::Intel,
        };
        let created = self.created.unwrap_or_else(OffsetDateTime::now_utc);
        let seed = match &self.seed_file {
            Some(path) => seed(path)?,
            None => *Deployment::random_seed()?,
        };
        Ok(Deployment::with_pcs_url(seed, names, created, self.pcs_url.clone())?)
    }
}

impl Show {
    fn run(&self) -> anyhow::Result<()> {
        let platform = SoftwarePlatform::open_to_read(&self.state.path()?)?;
        output::result(self.output, &PlatformIdentity::of(&platform))
    }
}

impl Root {
    fn run(&self) -> anyhow::Result<()> {
        let platform = SoftwarePlatform::open_to_read(&self.state.path()?)?;
        let root = platform.root_certificate();
        let der = self.out.extension().is_some_and(|extension| extension == "der");
        let bytes = if der { root.der() } else { root.pem().as_bytes() };
        files::write(&self.out, bytes)
    }
}

impl Collateral {
    fn run(&self) -> anyhow::Result<()> {
        let platform = SoftwarePlatform::open_to_read(&self.state.path()?)?;
        let collateral = platform.collateral(&platform.issue(OffsetDateTime::now_utc()))?;
        files::write(&self.out, &serde_json::to_vec_pretty(&collateral)?)
    }
}

impl StateDir {
    fn path(&self) -> Result<PathBuf, QuotingError> {
        self.state_dir.clone().map_or_else(default_state_dir, Ok)
    }
}

/// The identity of a platform.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PlatformIdentity {
    root_sha256: String,
    qe_id: String,
    fmspc: String,
    pce_id: String,
    cpu_svn: String,
    pce_svn: u16,
    tcb_status: String,
    public_key_id: String,
    pcs_url: String,
    /// For registration, 384 bytes; not in the text output.
    encrypted_ppid: String,
}

impl PlatformIdentity {
    fn of(platform: &SoftwarePlatform) -> Self {
        let subject = platform.pck_subject();
        Self {
            root_sha256: hex::encode(digest(&SHA256, platform.root_certificate().der())),
            qe_id: hex::encode(platform.qe_id()),
            fmspc: hex::encode(subject.fmspc),
            pce_id: hex::encode(subject.pce_id),
            cpu_svn: subject.cpu_svn.to_string(),
            pce_svn: subject.pce_svn,
            tcb_status: platform.tcb_level().status.to_string(),
            public_key_id: hex::encode(platform.public_key_id()),
            pcs_url: platform.deployment().pcs_url().to_string(),
            encrypted_ppid: hex::encode(platform.encrypted_ppid()),
        }
    }
}

impl fmt::Display for PlatformIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "software platform, INSECURE by design")?;
        writeln!(f, "root (SHA-256)  {}", self.root_sha256)?;
        writeln!(f, "QE_ID           {}", self.qe_id)?;
        writeln!(f, "FMSPC           {}", self.fmspc)?;
        writeln!(f, "PCE id          {}", self.pce_id)?;
        writeln!(f, "CPUSVN          {}", self.cpu_svn)?;
        writeln!(f, "PCESVN          {}", self.pce_svn)?;
        writeln!(f, "TCB status      {}", self.tcb_status)?;
        writeln!(f, "public key id   {}", self.public_key_id)?;
        writeln!(f, "PCS             {}", self.pcs_url)
    }
}

/// Reads the seed. It comes from a file, because the arguments of a process are public.
fn seed(path: &Path) -> anyhow::Result<[u8; 32]> {
    let mut seed = [0; 32];
    hex::decode_to_slice(files::read(path)?.trim_ascii(), &mut seed).with_context(|| {
        format!("{} holds no seed of 32 bytes in hexadecimal", files::Input(path))
    })?;
    Ok(seed)
}

/// The schemas of the JSON output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    use crate::schemas;
    vec![
        ("platform-show", schemas::of::<PlatformIdentity>()),
        ("platform-tcb", schemas::of::<tcb::TcbState>()),
    ]
}
