//! `collateral`: PCK certificates and collateral for verification.

mod export;
mod fetch;
mod held;
mod import;
mod item_words;
mod list;
mod messages;
mod serve;
mod status;
mod words;

use clap::Subcommand;

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves PCK certificates and collateral to a cluster, in the place of a PCCS.
    Serve(serve::Arguments),
    /// Fetches collateral ahead and keeps it: what is asked for, else what is kept and due.
    Fetch(fetch::Arguments),
    /// Shows what is kept, and until when it is valid.
    List(list::Arguments),
    /// Writes what is kept to a bundle, one file, for a machine without a network.
    Export(export::Arguments),
    /// Checks what is in a bundle, and keeps what holds.
    Import(import::Arguments),
    /// Tells the TCB status of each platform whose PCK certificate is kept, and what expires.
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

/// The schemas of what it prints as JSON.
#[cfg(test)]
pub(crate) fn schemas() -> Vec<(&'static str, schemars::Schema)> {
    use crate::schemas;
    vec![
        ("collateral-fetch", schemas::of::<fetch::Outcomes>()),
        ("collateral-import", schemas::of::<import::Import>()),
        ("collateral-list", schemas::of::<list::List>()),
        ("collateral-status", schemas::of::<status::Status>()),
    ]
}
