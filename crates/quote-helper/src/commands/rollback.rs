//! `rollback`: restores an earlier revision of the add-on.

use clap::Args;

use crate::cluster::api_server;
use crate::commands::install::ApplyOptions;
use crate::commands::install::outcomes::{Outcomes, Previews};
use crate::failure::Failure;
use crate::objects;
use crate::output::{self, Format};
use crate::runtime::runtime;
use crate::shutdown::Shutdown;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The revision [default: the one before; after a change that failed or was interrupted, the
    /// one before that change].
    #[arg(long, value_name = "NUMBER")]
    to_revision: Option<u32>,

    #[command(flatten)]
    options: ApplyOptions,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    Ok(runtime()?.block_on(rollback(arguments))?)
}

async fn rollback(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { to_revision, options } = arguments;
    let api_server = api_server(options.target.context.as_deref()).await?;
    let installer = options.target.installer(api_server);
    let target = installer.rollback_target(to_revision).await?;
    if options.dry_run {
        return objects::print(Format::Yaml, &target.objects);
    }
    if options.diff {
        let previews = installer.preview(&target.objects).await?;
        return output::result(options.output, &Previews::from(previews));
    }
    output::note(format_args!("rolling back to {}", target.revision));
    let shutdown = Shutdown::on_signals()?;
    let done = installer.rollback(&target, !options.no_wait, shutdown.begun()).await?;
    output::result(options.output, &Outcomes::from(done))?;
    match options.no_wait {
        true => output::note("applied; `quote-helper check` shows its state"),
        false => output::note(format_args!("ready: revision {} again", target.revision.number)),
    }
    Ok(())
}
