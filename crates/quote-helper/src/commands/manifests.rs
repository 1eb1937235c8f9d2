//! `manifests`: prints the add-on as objects for Kubernetes.

pub(crate) mod add_on;
pub(crate) mod software_platform;

use clap::Args;
use kubernetes::manifests::{AddOn, Cluster, KubernetesVersion, Platform};

use self::add_on::AddOnArguments;
use crate::failure::Failure;
use crate::objects::{self, Form};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    add_on: AddOnArguments,

    /// The version of the cluster: older ones do not know all of what newer ones do better.
    #[arg(long, value_name = "VERSION", default_value = "1.33")]
    kubernetes_version: KubernetesVersion,

    /// The form of the objects.
    #[arg(long, value_enum, default_value = "yaml")]
    output: Form,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { add_on, kubernetes_version: version, output } = arguments;
    let deployment = add_on.deployment.clone();
    let add_on = add_on.applied_to(AddOn::default())?;
    let software_platform_root = match needs_root(&add_on) {
        true => Some(software_platform::root(deployment.as_deref())?),
        false => None,
    };
    Ok(print(&add_on, &Cluster { version, software_platform_root }, output)?)
}

/// Prints the objects. With the software platform there are secrets among them.
pub(crate) fn print(add_on: &AddOn, cluster: &Cluster, form: Form) -> anyhow::Result<()> {
    if cluster.software_platform_root.is_some() {
        output::note(
            "note: INSECURE: quotes come from the software platform. Its root is a Secret among these \
             objects: whoever has it can make quotes",
        );
    }
    objects::print(form, &add_on.objects(cluster)?)
}

/// Whether the software platform's root has to be there.
pub(crate) fn needs_root(add_on: &AddOn) -> bool {
    add_on.quote_service && add_on.platform == Platform::Software
}
