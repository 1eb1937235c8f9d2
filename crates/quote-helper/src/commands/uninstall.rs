//! `uninstall`: removes the add-on from a cluster.

use clap::Args;

use crate::cluster::api_server;
use crate::commands::install::ClusterTarget;
use crate::commands::install::outcomes::Outcomes;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::runtime::runtime;
use crate::shutdown::Shutdown;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Lists the objects to remove, and removes nothing.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    target: ClusterTarget,

    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    Ok(runtime()?.block_on(uninstall(arguments))?)
}

/// Objects are found by their labels, in whatever namespace they are.
async fn uninstall(arguments: &Arguments) -> anyhow::Result<()> {
    let api_server = api_server(arguments.target.context.as_deref()).await?;
    let installer = arguments.target.installer(api_server);
    let outcomes = match arguments.dry_run {
        true => Outcomes::to_remove(installer.installed().await?),
        false => {
            let shutdown = Shutdown::on_signals()?;
            Outcomes::from(installer.uninstall(shutdown.begun()).await?)
        }
    };
    if outcomes.is_empty() {
        output::note("the add-on is not installed in this cluster; there is nothing to remove");
        if arguments.output == Format::Text {
            return Ok(());
        }
    }
    output::result(arguments.output, &outcomes)
}
