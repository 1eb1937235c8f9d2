//! `man-pages`: the manual pages of all commands.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command};
use clap_mangen::Man;

use crate::failure::Failure;
use crate::manual;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The directory for the pages, one for each command.
    directory: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, command: Command) -> Result<(), Failure> {
    let directory = &arguments.directory;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    Ok(write(&command, directory)
        .with_context(|| format!("cannot write manual pages into {}", directory.display()))?)
}

/// Writes the pages of this command and of its subcommands.
fn write(command: &Command, directory: &Path) -> io::Result<()> {
    let is_shown = |command: &&Command| !command.is_hide_set();
    command.get_subcommands().filter(is_shown).try_for_each(|command| write(command, directory))?;
    let man = Man::new(command.clone()).manual("SGX Quote Helper");
    let mut file = File::create(directory.join(man.get_filename()))?;
    man.render_title(&mut file)?;
    man.render_name_section(&mut file)?;
    man.render_synopsis_section(&mut file)?;
    man.render_description_section(&mut file)?;
    man.render_options_section(&mut file)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut file)?;
    }
    if let Some(page) = manual::page(&page_name(command), command) {
        manual::roff(&page).to_writer(&mut file)?;
    }
    man.render_version_section(&mut file)
}

/// The name of a command's page: `collateral fetch` for `quote-helper collateral fetch`.
fn page_name(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    name.split_once(' ').map_or(name, |(_, name)| name).to_owned()
}
