//! `collateral export`: what is kept, as one file.

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use collateral::{Record, write_bundle};

use super::held::{Held, HeldArguments};
use crate::failure::Failure;
use crate::output;

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
        let reason = anyhow::anyhow!(
            "there is nothing in {directory} that is still valid; fetch it first, with `collateral fetch`"
        );
        return Err(reason.into());
    }
    write(&arguments.file, &good)?;
    let (file, number) = (arguments.file.display(), good.len());
    output::note(format_args!("{number} items are in {file}"));
    if !expired.is_empty() {
        output::note(format_args!("{} have expired and were left out", expired.len()));
    }
    Ok(())
}

fn write(path: &Path, records: &[Record]) -> anyhow::Result<()> {
    let written = match path == Path::new("-") {
        true => write_bundle(records, &mut io::stdout().lock()),
        false => replace(path, records),
    };
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes the file whole, or leaves what was there.
fn replace(path: &Path, records: &[Record]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let permissions = std::fs::Permissions::from_mode(0o644);
    let file = tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(directory.unwrap_or(Path::new(".")))?;
    let mut buffer = BufWriter::new(file);
    write_bundle(records, &mut buffer)?;
    buffer.flush()?;
    let file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
