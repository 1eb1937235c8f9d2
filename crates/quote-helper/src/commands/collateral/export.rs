//! `collateral export`: the cache as one file.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use collateral::write_bundle;

use super::cache_view::{CacheArguments, CacheView, FETCH_OPTIONS};
use crate::failure::Failure;
use crate::{files, output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file for the bundle; `-` is standard output.
    file: PathBuf,

    #[command(flatten)]
    view: CacheArguments,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let view = CacheView::open(&arguments.view)?;
    let now = view.cache.fetcher().now();
    let (good, expired): (Vec<_>, Vec<_>) =
        view.records()?.into_iter().partition(|record| now <= record.validity.until);
    view.take_unusable().iter().for_each(output::note);
    if good.is_empty() {
        let directory = view.directory()?.display();
        let fetch = view.fetch_command(if expired.is_empty() { FETCH_OPTIONS } else { "" });
        let reason = format!("there is no valid collateral in {directory}");
        return Err(anyhow!("{reason}; fetch it first: {fetch}").into());
    }
    let mut bundle = Vec::new();
    write_bundle(&good, &mut bundle)?;
    files::replace(&arguments.file, &bundle)?;
    let number = good.len();
    match files::is_standard(&arguments.file) {
        true => output::note(format_args!("exported {number} items")),
        false => {
            output::note(format_args!("exported {number} items to {}", arguments.file.display()));
        }
    }
    if !expired.is_empty() {
        output::note(format_args!("skipped {} expired items", expired.len()));
    }
    Ok(())
}
