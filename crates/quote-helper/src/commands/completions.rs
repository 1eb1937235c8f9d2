//! `completions`: scripts for the completion of this command line in shells.
//!
//! At each completion the scripts run this program, with a variable set: so the values, files and
//! commands are those of the installed version.

use std::env::{args_os, current_dir, current_exe};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_complete::env::{CompleteEnv, Shells};

use crate::failure::Failure;
use crate::output;

/// The variable that is set to the name of the shell.
const VARIABLE: &str = "_QUOTE_HELPER_COMPLETE";

/// Makes bash escape the names of files.
const BASH: &str = include_str!("completions/end.bash");
/// Completes at the first call too, when zsh has just loaded the script as a function.
const ZSH: &str = include_str!("completions/end.zsh");

/// The words without the backslashes and quotes that were typed.
const ZSH_WORDS: (&str, &str) = ("\"${words[@]}\"", "\"${(@Q)words}\"");
const FISH_WORD: (&str, &str) = (
    "(commandline --current-token)",
    "(commandline --current-token | string unescape; or commandline --current-token)",
);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, command: &Command) -> Result<(), Failure> {
    let name = command.get_name();
    let shells = Shells::builtins();
    let shell = shells.completer(&arguments.shell.to_string()).context("no such shell")?;
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, name, name, &program(name)?, &mut script)?;
    let script = String::from_utf8(script)?;
    let script = match arguments.shell {
        Shell::Bash => script + BASH,
        Shell::Zsh => script.replace(ZSH_WORDS.0, ZSH_WORDS.1) + ZSH,
        Shell::Fish => script.replace(FISH_WORD.0, FISH_WORD.1),
        _ => script,
    };
    output::document(&script)?;
    Ok(())
}

/// The program that the script runs: the one in the search path, unless this one was called by a
/// path.
fn program(name: &str) -> anyhow::Result<String> {
    let is_path = args_os().next().is_some_and(|name| Path::new(&name).components().count() > 1);
    match is_path {
        true => Ok(current_exe()?.to_str().context("its path is not UTF-8")?.to_owned()),
        false => Ok(name.to_owned()),
    }
}

/// Prints completions if a shell requests them; else `None`.
pub(crate) fn answer_shell(command: fn() -> Command) -> Option<ExitCode> {
    let directory = current_dir().ok();
    let answered = CompleteEnv::with_factory(|| visible(&command()))
        .var(VARIABLE)
        .try_complete(args_os(), directory.as_deref());
    match answered {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        // The shell would show a message in the line that is being typed.
        Err(_) => Some(ExitCode::FAILURE),
    }
}

/// The command without hidden ones, which would be offered for their first letters.
fn visible(command: &Command) -> Command {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set()).map(visible);
    let mut copy = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned())
        .subcommands(shown.collect::<Vec<_>>());
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy
}
