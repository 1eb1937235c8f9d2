//! `upgrade`: changes an installed add-on.

use anyhow::Context;
use clap::Args;
use kubernetes::installation::installed_add_on;

use crate::cluster::api_server;
use crate::commands::install::{Manner, carry_out};
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

    #[command(flatten)]
    manner: Manner,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    Ok(runtime()?.block_on(upgrade(arguments))?)
}

async fn upgrade(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { add_on, disable_sgxquotehelper, manner } = arguments;
    let api_server = api_server(manner.target.context.as_deref()).await?;
    let installed = installed_add_on(&api_server).await?;
    let installed = installed.context(
        "the add-on is not installed in this cluster; `quote-helper install` installs it",
    )?;
    let deployment = add_on.deployment.clone();
    let mut add_on = add_on.applied_to(installed)?;
    add_on.quote_service &= !disable_sgxquotehelper;
    carry_out(api_server, &add_on, deployment.as_deref(), manner).await
}
