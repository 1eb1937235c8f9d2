//! `check`: tells if a machine, a container or a cluster can quote, and how to fix what is missing.

mod text;

use std::path::Path;

use clap::Args;
use diagnosis::{Diagnosis, QuoteServiceTarget, check_cluster, check_machine, check_pod};
use kubernetes::manifests::DEFAULT_NAMESPACE;

use self::text::Text;
use crate::cluster::api_server;
use crate::endorsements::Endorsements;
use crate::failure::{Failure, explain};
use crate::output::{self, Format};
use crate::quote_source::{ServiceSocket, default_service_hint};
use crate::runtime::runtime;

const MACHINE_OPTIONS: &str = "Options for a machine or a container";
const CLUSTER_OPTIONS: &str = "Options for a cluster";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    target: CheckTarget,

    /// Output format. JSON and YAML have all findings.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,

    /// Lists findings that are fine or skipped, too.
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten, next_help_heading = MACHINE_OPTIONS)]
    service: ServiceSocket,

    #[command(flatten, next_help_heading = MACHINE_OPTIONS)]
    endorsements: Endorsements,

    #[command(flatten, next_help_heading = CLUSTER_OPTIONS)]
    cluster: ClusterArguments,
}

/// The subject of the check.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct CheckTarget {
    /// Checks this machine. Without --machine, --in-pod and --cluster, the cluster is checked if
    /// there is a kubeconfig (KUBECONFIG, or ~/.kube/config) and no option is about a machine, else
    /// the machine.
    #[arg(long)]
    machine: bool,

    /// Checks the container that this runs in, as an application in it sees it: quick enough for a
    /// probe.
    #[arg(long)]
    in_pod: bool,

    /// Checks a cluster: its nodes, the add-on's parts, and the quote service of each node.
    #[arg(long)]
    cluster: bool,
}

/// Options for a cluster.
#[derive(Debug, Args)]
struct ClusterArguments {
    /// The namespace of the add-on.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_NAMESPACE)]
    namespace: String,

    /// The context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let diagnosis = diagnose(arguments)?;
    match arguments.output {
        // The text is printable but for its own colors.
        Format::Text => output::document(&Text::new(&diagnosis, arguments.verbose))?,
        format => output::structured(format, &diagnosis)?,
    }
    if diagnosis.passed {
        return Ok(());
    }
    if !arguments.is_about_cluster()
        && let Some(hint) = default_service_hint(Some(&arguments.service.path()?))
    {
        output::note(hint);
    }
    Err(Failure::Diagnosed)
}

fn diagnose(arguments: &Arguments) -> anyhow::Result<Diagnosis> {
    if arguments.is_about_cluster() {
        let ClusterArguments { namespace, context } = &arguments.cluster;
        return runtime()?.block_on(async {
            let api_server = api_server(context.as_deref()).await?;
            Ok(check_cluster(api_server, namespace.clone()).await)
        });
    }
    let source = &arguments.endorsements;
    let (socket, roots) = (arguments.service.path()?, source.trusted_roots()?);
    let collateral = |quote: &[u8]| {
        let collateral = source.named_collateral(quote)?;
        Some(collateral.map_err(|error| explain(&error)))
    };
    let target = QuoteServiceTarget { socket, collateral: &collateral, roots: &roots };
    Ok(match arguments.target.in_pod {
        true => check_pod(target),
        false => check_machine(target),
    })
}

impl Arguments {
    fn is_about_cluster(&self) -> bool {
        let CheckTarget { machine, in_pod, cluster } = self.target;
        let has_machine_option = self.service.is_named() || self.endorsements.are_named();
        let has_context = self.cluster.context.is_some();
        cluster || !machine && !in_pod && (has_context || !has_machine_option && has_kubeconfig())
    }
}

/// True if kubectl would find a cluster.
fn has_kubeconfig() -> bool {
    let is_set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    is_set("KUBECONFIG").is_some()
        || is_set("HOME").is_some_and(|home| Path::new(&home).join(".kube/config").is_file())
}

/// The schemas of what it prints as JSON.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    vec![("check", crate::schemas::of::<Diagnosis>())]
}
