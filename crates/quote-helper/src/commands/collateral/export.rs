//! `collateral export`: what is kept, as one file.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use collateral::write_bundle;

use super::held::{FETCHED, Held, HeldArguments};
use crate::failure::Failure;
use crate::{files, output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file for the bundle; `-` is standard output.
    file: PathBuf,

    #[command(flatten)]
    held: HeldArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let held = Held::open(&arguments.held)?;
    let now = held.cache.fetcher().now();
    let (good, expired): (Vec<_>, Vec<_>) =
        held.records()?.into_iter().partition(|record| now <= record.validity.until);
    held.take_unusable().iter().for_each(output::note);
    if good.is_empty() {
        let directory = held.directory()?.display();
        let fetch = held.fetch_command(if expired.is_empty() { FETCHED } else { "" });
        let reason = format!("there is nothing in {directory} that is still valid");
        return Err(anyhow!("{reason}; fetch it first: {fetch}").into());
    }
    let mut bundle = Vec::new();
    write_bundle(&good, &mut bundle)?;
    files::replace(&arguments.file, &bundle)?;
    let number = good.len();
    match files::is_standard(&arguments.file) {
        true => output::note(format_args!("{number} items were written")),
        false => output::note(format_args!("{number} items are in {}", arguments.file.display())),
    }
    if !expired.is_empty() {
        output::note(format_args!("{} have expired and were left out", expired.len()));
    }
    Ok(())
}
