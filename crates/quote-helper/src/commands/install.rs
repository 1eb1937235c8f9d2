//! `install`: installs the add-on in a cluster.

pub(crate) mod outcomes;
mod shared_users;

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use kubernetes::api_server::ApiServer;
use kubernetes::installation::{
    ChangeOptions, Installer, installed_root, serves_trust_bundles, verifier_namespaces,
};
use kubernetes::manifests::{AddOn, Cluster, SoftwarePlatformRoot};

use self::outcomes::{Outcomes, Previews};
use crate::cluster::api_server;
use crate::commands::manifests::add_on::AddOnArguments;
use crate::commands::manifests::{self, needs_root, new_root, software_platform};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::runtime::runtime;
use crate::shutdown::Shutdown;
use crate::values;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    add_on: AddOnArguments,

    #[command(flatten)]
    options: ApplyOptions,

    #[command(flatten)]
    on_failure: OnFailure,
}

/// The options of a change of the cluster.
#[derive(Debug, Args)]
pub(crate) struct ApplyOptions {
    /// Prints the objects, as `manifests` does, and changes nothing.
    #[arg(long, conflicts_with_all = ["diff", "no_wait", "output"])]
    pub(crate) dry_run: bool,

    /// Shows the changes without making them.
    #[arg(long, conflicts_with = "no_wait")]
    pub(crate) diff: bool,

    /// Does not wait until the pods are ready.
    #[arg(long)]
    pub(crate) no_wait: bool,

    #[command(flatten)]
    pub(crate) target: ClusterTarget,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output: Format,
}

/// The treatment of a change that fails.
#[derive(Debug, Args)]
pub(crate) struct OnFailure {
    /// Keeps the changes if an object cannot be applied or the pods do not become ready in time.
    /// Otherwise the previous revision is restored, as by Helm with --rollback-on-failure.
    #[arg(long, conflicts_with_all = ["dry_run", "diff"])]
    no_rollback: bool,
}

/// The cluster, and the time limit.
#[derive(Debug, Args)]
pub(crate) struct ClusterTarget {
    /// Context of the kubeconfig [default: the current one; in a pod its own cluster].
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Maximum wait for pods to become ready, or to end.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "5m",
        value_parser = values::nonzero_duration
    )]
    timeout: Duration,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { add_on, options, on_failure } = arguments;
    let deployment = add_on.deployment.clone();
    let add_on = add_on.applied_to(AddOn::default())?;
    if options.dry_run {
        let software_platform_root = new_root(&add_on, deployment.as_deref())?;
        let cluster = Cluster { software_platform_root, ..Cluster::default() };
        return Ok(manifests::print(&add_on, &cluster, Format::Yaml)?);
    }
    Ok(runtime()?.block_on(async {
        let api_server = api_server(options.target.context.as_deref()).await?;
        apply(api_server, &add_on, deployment.as_deref(), options, on_failure).await
    })?)
}

/// Applies this add-on to the cluster, or shows the changes.
pub(crate) async fn apply(
    api_server: ApiServer,
    add_on: &AddOn,
    deployment: Option<&Path>,
    options: ApplyOptions,
    on_failure: OnFailure,
) -> anyhow::Result<()> {
    let version = api_server.version().await?;
    let installer = options.target.installer(api_server);
    if !options.dry_run {
        let rootless = Cluster { version, ..Cluster::default() };
        installer.check_permissions(&add_on.objects(&rootless)?).await?;
    }
    let software_platform_root = root(&installer.api_server, add_on, deployment).await?;
    let cluster = Cluster {
        version,
        software_platform_root,
        serves_trust_bundles: Some(serves_trust_bundles(&installer.api_server).await?),
        verifier_namespaces: verifier_namespaces(&installer.api_server).await?,
    };
    if options.dry_run {
        return manifests::print(add_on, &cluster, Format::Yaml);
    }
    let objects = add_on.objects(&cluster)?;
    if options.diff {
        let previews = installer.preview(&objects).await?;
        return output::result(options.output, &Previews::from(previews));
    }
    shared_users::warn(&installer.api_server, add_on).await;
    if add_on.stalls_kubelets(version) {
        output::note(
            "warning: EPC is counted in devices, which stalls kubelets from Kubernetes 1.36 on; \
             see `Accounting` in docs/device-plugin.md, and run `quote-helper upgrade \
             --epc-accounting node-status`",
        );
    }
    let shutdown = Shutdown::on_signals()?;
    let change = ChangeOptions { wait: !options.no_wait, rollback: !on_failure.no_rollback };
    let done = installer.install(&objects, change, shutdown.begun()).await?;
    output::result(options.output, &Outcomes::from(done))?;
    match options.no_wait {
        true => output::note("applied; `quote-helper check` shows its state"),
        false => output::note(ready(add_on)),
    }
    Ok(())
}

/// The running components.
fn ready(add_on: &AddOn) -> String {
    let mut ready = "ready: device plugin, injection into pods".to_owned();
    if add_on.quote_service {
        ready.push_str(", quote service");
    }
    if add_on.cluster_pccs.is_some() {
        ready.push_str(", PCCS");
    }
    if !add_on.quote_service {
        ready.push_str(
            ". There is no quote service; for one, run `quote-helper upgrade \
             --enable-sgxquotehelper`",
        );
    }
    ready
}

/// The root of the software platform, if needed. The cluster's root is kept, since verifiers trust
/// it.
async fn root(
    api_server: &ApiServer,
    add_on: &AddOn,
    deployment: Option<&Path>,
) -> anyhow::Result<Option<SoftwarePlatformRoot>> {
    if !needs_root(add_on) {
        return Ok(None);
    }
    let Some(installed) = installed_root(api_server).await? else {
        return Ok(Some(software_platform::root(deployment)?));
    };
    if let Some(path) = deployment {
        let given = software_platform::root(Some(path))?;
        ensure!(
            given.certificate == installed.certificate,
            "the cluster has another root than {}, which verifiers may trust; to replace it, run \
             `quote-helper uninstall` first",
            path.display()
        );
    }
    Ok(Some(installed))
}

impl ClusterTarget {
    pub(crate) fn installer(&self, api_server: ApiServer) -> Installer {
        Installer {
            api_server,
            holder: holder(),
            timeout: self.timeout,
            progress: Box::new(|line| output::note(line)),
        }
    }
}

/// The holder of the Lease, as shown to others.
fn holder() -> String {
    let user = std::env::var("USER")
        .unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw()));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{user}@{} (process {})", host.trim(), std::process::id())
}
