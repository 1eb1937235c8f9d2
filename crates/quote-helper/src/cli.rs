//! The command line.

#[cfg(test)]
mod tests;

use std::error::Error;
use std::ffi::OsString;

use ::collateral::settings::redact_urls;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    check, chown, collateral, completions, conformance, device_plugin, helm_hook, inject, inspect,
    install, load, man_pages, manifests, platform, quote, report, rollback, serve, startup_probe,
    top, uninstall, upgrade, verify, webhook, worker,
};
use crate::environment;
use crate::failure::Failure;
use crate::manual;
use crate::values::expected_form;

/// SGX quotes from one service per machine: QE and PCE hosted once, any AESM client served.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Parses the command line of this process.
///
/// # Errors
/// [`Failure::Usage`] if the command line is wrong, or requests help.
pub(crate) fn parse() -> Result<Cli, Failure> {
    let mut command = command();
    environment::learn(&command);
    parse_from(std::env::args_os(), &mut command).map_err(Failure::Usage)
}

fn parse_from<T: Into<OsString> + Clone>(
    words: impl IntoIterator<Item = T>,
    command: &mut clap::Command,
) -> Result<Cli, clap::Error> {
    let matches = command.try_get_matches_from_mut(words);
    let cli = matches.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    cli.map_err(|error| {
        let error = naming_the_variable(error, command);
        readable(without_secrets(error.format(command)), command)
    })
}

pub(crate) fn command() -> clap::Command {
    manual::with_sections(Cli::command())
}

/// The error, with the name of the variable if a variable has the wrong value.
fn naming_the_variable(mut error: clap::Error, command: &clap::Command) -> clap::Error {
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.split([' ', '=', '[']).next(),
        _ => None,
    };
    if let Some(variable) = option.and_then(|option| environment::variable_of(option, command)) {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

/// The error, without the passwords and tokens of URLs: it shows a wrong value, which may be a
/// variable's.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let shown = ContextValue::String(redact_urls(value));
        error.insert(ContextKind::InvalidValue, shown);
    }
    error
}

/// The error, with a readable message if a library has rejected the value.
fn readable(error: clap::Error, command: &mut clap::Command) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => printable::line(text).into_owned(),
        _ => String::new(),
    };
    let expected = Error::source(&error).and_then(expected_form);
    match expected {
        Some(expected) if error.kind() == ErrorKind::ValueValidation => {
            let (value, argument) =
                (text(ContextKind::InvalidValue), text(ContextKind::InvalidArg));
            let message = format!("invalid value '{value}' for '{argument}': {expected}");
            command.error(ErrorKind::ValueValidation, message)
        }
        _ => error,
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Demonstrates remote attestation: two software enclaves attest each other through a quote
    /// service.
    Demo,
    /// Serves quotes to the applications of this machine.
    Serve(serve::Arguments),
    /// Gets a quote for a REPORT, from the quote service or in this process.
    Quote(quote::Arguments),
    /// Makes a REPORT in a software enclave, for applications without one. INSECURE by design.
    Report(report::Arguments),
    /// Verifies a quote.
    ///
    /// The collateral comes from the given source; else from the cache of this machine, and from
    /// the configured sources (`collateral status` shows them).
    Verify(Box<verify::Arguments>),
    /// Shows the fields of a quote, a REPORT or another SGX structure.
    Inspect(inspect::Arguments),
    /// Checks whether a machine, a container or a cluster can quote, and prints fixes.
    Check(check::Arguments),
    /// Fetches, keeps and serves PCK certificates and collateral for verification.
    #[command(subcommand)]
    Collateral(collateral::Command),
    /// Runs the SGX device plugin, which makes enclave memory (EPC) a resource of Kubernetes.
    DevicePlugin(device_plugin::Arguments),
    /// Runs the admission webhook, which injects the settings that SGX pods need.
    Webhook(webhook::Arguments),
    /// Injects the settings that SGX pods need into YAML: for clusters without the webhook.
    Inject(inject::Arguments),
    /// Installs the add-on in a Kubernetes cluster: device plugin, webhook and, if chosen, the
    /// quote service and a PCCS.
    Install(install::Arguments),
    /// Changes an installed add-on; options that are not given keep their value. If that fails, the
    /// previous revision is restored.
    Upgrade(upgrade::Arguments),
    /// Restores an earlier revision of the add-on. Secrets, such as the software platform's root,
    /// stay as they are.
    Rollback(rollback::Arguments),
    /// Removes the add-on from the cluster. Applications keep running.
    Uninstall(uninstall::Arguments),
    /// Prints the Kubernetes objects of the add-on: for reviews, GitOps and `kubectl apply`.
    Manifests(manifests::Arguments),
    /// Manages the software platform, which replaces SGX for development. INSECURE by design.
    #[command(subcommand)]
    Platform(platform::Command),
    /// Makes quotes for the service that started it.
    #[command(hide = true)]
    Worker(worker::Arguments),
    /// Gives directories to the user of a component of the add-on.
    #[command(hide = true)]
    Chown(chown::Arguments),
    /// Does what the Helm chart cannot, before and after a change by Helm.
    #[command(hide = true, subcommand)]
    HelmHook(helm_hook::Command),
    /// Checks that a quote service serves every supported client.
    ///
    /// Sends the recorded requests of each client to any AESM service, Intel's too, and compares
    /// the replies with what that client requires. Needs no SGX.
    Conformance(conformance::Arguments),
    /// Waits until a quote service has started, and prints the reason if it has not.
    #[command(hide = true)]
    StartupProbe(startup_probe::Arguments),
    /// Puts load on a quote service and measures it.
    Load(load::Arguments),
    /// Shows a live view of a quote service: requests, latencies, workers, callers, from its
    /// metrics.
    ///
    /// Rates and latencies cover the time since the previous view; the first view, and the first
    /// one after a restart of the service, have totals only. Latencies are buckets of the service's
    /// histogram: "≤ 32 µs" is more than 16 µs and no more than 32 µs. On a terminal, q, Esc and
    /// Ctrl-C quit.
    Top(top::Arguments),
    /// Prints a script with which a shell completes this command line.
    Completions(completions::Arguments),
    /// Writes the manual pages of all commands.
    ManPages(man_pages::Arguments),
}
