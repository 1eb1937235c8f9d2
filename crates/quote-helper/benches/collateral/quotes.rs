//! Quotes of a service whose quoting library requests the PCK certificate for each quote.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use test_support::provider::Provider;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::upstream::{Upstream, software_platform};

/// Maximum time of a start.
const START: Duration = Duration::from_secs(10);

/// A machine and its upstream.
pub(crate) struct Machine {
    directory: TempDir,
    provider: Provider,
    quote_provider: PathBuf,
    upstream: Upstream,
}

impl Machine {
    /// A machine with the certificate in its cache.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let (directory, platform) = (tempfile::tempdir()?, software_platform());
        fs::write(directory.path().join("root.pem"), platform.root_certificate().pem())?;
        let subject = platform.pck_subject();
        let (svn, id) = (subject.pce_svn.to_le_bytes(), subject.pce_id);
        let description = [&platform.qe_id()[..], &subject.cpu_svn.0, &svn, &id].concat();
        fs::write(directory.path().join("platform.bin"), description)?;
        let (provider, upstream) = (Provider::build(), Upstream::start(platform));
        let machine = Self { directory, provider, quote_provider: quote_provider()?, upstream };
        machine.load()?;
        Ok(machine)
    }

    /// The time per quote after this change of the upstream, with due collateral.
    pub(crate) fn time_per_quote(&mut self, fate: fn(&mut Upstream)) -> anyhow::Result<Duration> {
        fate(&mut self.upstream);
        self.make_due()?;
        self.load()
    }

    /// Starts a service, and loads it with clients.
    fn load(&self) -> anyhow::Result<Duration> {
        let _service = self.serve()?;
        let load = ["--output=json", "--clients=4", "--duration=1s"];
        let load = self.command("load").args(load).output()?;
        let load: Load = serde_json::from_slice(&load.stdout).context("load has failed")?;
        ensure!(load.errors == 0, "{} quotes have failed", load.errors);
        Ok(Duration::from_secs_f64(1.0 / load.requests_per_second))
    }

    fn serve(&self) -> anyhow::Result<Service> {
        let mut command = self.command("serve");
        command
            .args(["--platform=dcap", "--workers=2", "--dcap-library"])
            .arg(self.provider.library());
        let service = Service(command.stderr(Stdio::null()).spawn()?);
        let begin = Instant::now();
        let quote = ["--report-data=01", "--out=q.bin"];
        while !self.command("quote").args(quote).output()?.status.success() {
            ensure!(begin.elapsed() < START, "the service does not start");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(service)
    }

    fn command(&self, name: &str) -> Command {
        let path = |name| self.directory.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_quote-helper"));
        command
            .args([name, "--socket=aesm.socket"])
            .current_dir(self.directory.path())
            .env_clear()
            .env("PROVIDER_QPL", &self.quote_provider)
            .env("PROVIDER_PLATFORM", path("platform.bin"))
            .env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", self.upstream.address()))
            .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", path("cache"))
            .env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", path("root.pem"));
        command
    }

    /// Backdates the cache by two days.
    fn make_due(&self) -> anyhow::Result<()> {
        let then = OffsetDateTime::now_utc() - time::Duration::days(2);
        for entry in fs::read_dir(self.directory.path().join("cache"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let mut record: Value = serde_json::from_slice(&fs::read(&path)?)?;
                if let Some(fetched) = record.get_mut("fetched") {
                    *fetched = then.format(&Rfc3339)?.into();
                }
                fs::write(path, record.to_string())?;
            }
        }
        Ok(())
    }
}

/// The result of `quote-helper load`.
#[derive(Deserialize)]
struct Load {
    errors: u64,
    requests_per_second: f64,
}

/// A running service; killed when this is dropped.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The quote provider library, built with the profile of this program.
fn quote_provider() -> anyhow::Result<PathBuf> {
    let build = ["build", "--offline", "--profile=bench", "--package", "libdcap-quoteprov"];
    ensure!(
        Command::new(env!("CARGO")).args(build).status()?.success(),
        "the library cannot be built"
    );
    let this = std::env::current_exe()?;
    let release = this.parent().and_then(|deps| deps.parent()).context("no target directory")?;
    Ok(release.join("libdcap_quoteprov.so"))
}
