//! `collateral`: PCK certificates and collateral for verification.

mod cache_view;
mod export;
mod fetch;
mod format;
mod import;
mod item_label;
mod list;
mod messages;
mod serve;
mod status;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves PCK certificates and collateral to a cluster, as a drop-in replacement for a PCCS.
    Serve(serve::Arguments),
    /// Fetches collateral into the cache: for the given platforms, else all that is due.
    Fetch(fetch::Arguments),
    /// Lists the cache, with the end of validity of each item.
    List(list::Arguments),
    /// Exports the cache to a bundle, one file, for a machine without a network.
    Export(export::Arguments),
    /// Checks the items of a bundle, and imports the valid ones into the cache.
    Import(import::Arguments),
    /// Shows the TCB status of each platform with a cached PCK certificate, and what expires soon.
    Status(status::Arguments),
}

/// Runs the command.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
    }
}

/// The schemas of the JSON output.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    use crate::schemas;
    vec![
        ("collateral-fetch", schemas::of::<fetch::FetchReport>()),
        ("collateral-import", schemas::of::<import::ImportReport>()),
        ("collateral-list", schemas::of::<list::CacheList>()),
        ("collateral-status", schemas::of::<status::Status>()),
    ]
}
