//! `upgrade`: changes an installed add-on.

use anyhow::Context;
use clap::Args;
use kubernetes::installation::installed_add_on;
use kubernetes::manifests::AddOn;

use crate::cluster::api_server;
use crate::commands::install::{ApplyOptions, OnFailure, apply};
use crate::commands::manifests::add_on::AddOnArguments;
use crate::failure::Failure;
use crate::runtime::runtime;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    add_on: AddOnArguments,

    /// Removes the quote service from all nodes.
    #[arg(long, conflicts_with = "enable_sgxquotehelper")]
    disable_sgxquotehelper: bool,

    /// Removes the cluster's PCCS and its data.
    #[arg(long, conflicts_with = "enable_pccs")]
    disable_pccs: bool,

    #[command(flatten)]
    options: ApplyOptions,

    #[command(flatten)]
    on_failure: OnFailure,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    Ok(runtime()?.block_on(upgrade(arguments))?)
}

async fn upgrade(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { add_on, disable_sgxquotehelper, disable_pccs, options, on_failure } = arguments;
    let api_server = api_server(options.target.context.as_deref()).await?;
    let installed = installed_add_on(&api_server).await?;
    let installed = installed.context(
        "the add-on is not installed in this cluster; `quote-helper install` installs it",
    )?;
    let installed = AddOn {
        quote_service: installed.quote_service && !disable_sgxquotehelper,
        cluster_pccs: installed.cluster_pccs.filter(|_| !disable_pccs),
        ..installed
    };
    let deployment = add_on.deployment.clone();
    let add_on = add_on.applied_to(installed)?;
    apply(api_server, &add_on, deployment.as_deref(), options, on_failure).await
}
