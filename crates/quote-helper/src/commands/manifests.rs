//! `manifests`: prints the add-on as Kubernetes objects.

pub(crate) mod add_on;
#[cfg(test)]
mod chart;
pub(crate) mod software_platform;

use std::path::Path;

use clap::Args;
use kubernetes::manifests::{AddOn, Cluster, KubernetesVersion, Platform, SoftwarePlatformRoot};

use self::add_on::AddOnArguments;
use crate::failure::Failure;
use crate::objects;
use crate::output::{self, Format};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    add_on: AddOnArguments,

    /// Prints a ClusterRole instead, in YAML: with the permissions of an account that runs
    /// `install`, `upgrade`, `rollback` and `uninstall` with any options.
    #[arg(long, exclusive = true)]
    installer_role: bool,

    /// Version of the cluster; older versions lack some features that the add-on uses.
    #[arg(long, value_name = "VERSION", default_value = "1.36")]
    kubernetes_version: KubernetesVersion,

    /// Output format: yaml is a document for each object, json one object or a List, as kubectl
    /// reads it.
    #[arg(long, value_parser = Format::one_of(objects::FORMATS), default_value = "yaml")]
    output: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { add_on, installer_role, kubernetes_version: version, output } = arguments;
    if installer_role {
        let role = kubernetes::installation::installer_role().map_err(anyhow::Error::from)?;
        return Ok(objects::print(output, &[role])?);
    }
    let deployment = add_on.deployment.clone();
    let add_on = add_on.applied_to(AddOn::default())?;
    let software_platform_root = new_root(&add_on, deployment.as_deref())?;
    let cluster = Cluster { version, software_platform_root, ..Cluster::default() };
    Ok(print(&add_on, &cluster, output)?)
}

/// Prints the objects. With the software platform they include secrets.
pub(crate) fn print(add_on: &AddOn, cluster: &Cluster, format: Format) -> anyhow::Result<()> {
    if cluster.software_platform_root.is_some() {
        output::note(
            "note: INSECURE: quotes come from the software platform. Its root is a Secret among \
             these objects: whoever has it can make quotes",
        );
    }
    objects::print(format, &add_on.objects(cluster)?)
}

/// The root of the deployment in this file, or a new one, if the add-on needs one.
pub(crate) fn new_root(
    add_on: &AddOn,
    deployment: Option<&Path>,
) -> anyhow::Result<Option<SoftwarePlatformRoot>> {
    needs_root(add_on).then(|| software_platform::root(deployment)).transpose()
}

/// True if the software platform's root is needed.
pub(crate) fn needs_root(add_on: &AddOn) -> bool {
    add_on.quote_service && add_on.platform == Platform::Software
}
