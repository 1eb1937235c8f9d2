//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod chown;
pub(crate) mod collateral;
pub(crate) mod completions;
pub(crate) mod conformance;
pub(crate) mod demo;
pub(crate) mod device_plugin;
pub(crate) mod helm_hook;
pub(crate) mod inject;
pub(crate) mod inspect;
pub(crate) mod install;
pub(crate) mod load;
pub(crate) mod man_pages;
pub(crate) mod manifests;
pub(crate) mod platform;
pub(crate) mod quote;
pub(crate) mod report;
pub(crate) mod rollback;
pub(crate) mod serve;
pub(crate) mod startup_probe;
pub(crate) mod top;
pub(crate) mod uninstall;
pub(crate) mod upgrade;
pub(crate) mod verify;
pub(crate) mod webhook;
pub(crate) mod worker;

use crate::cli::{self, Cli, Command};
use crate::failure::Failure;

pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo => demo::run(),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Quote(arguments) => quote::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Collateral(command) => collateral::run(command),
        Command::DevicePlugin(arguments) => device_plugin::run(arguments),
        Command::HelmHook(command) => helm_hook::run(&command),
        Command::Inject(arguments) => inject::run(arguments),
        Command::Install(arguments) => install::run(arguments),
        Command::Upgrade(arguments) => upgrade::run(arguments),
        Command::Rollback(arguments) => rollback::run(arguments),
        Command::Uninstall(arguments) => uninstall::run(&arguments),
        Command::Manifests(arguments) => manifests::run(arguments),
        Command::StartupProbe(arguments) => startup_probe::run(&arguments),
        Command::Chown(arguments) => chown::run(&arguments),
        Command::Platform(command) => platform::run(&command),
        Command::Webhook(arguments) => webhook::run(arguments),
        Command::Worker(arguments) => worker::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Load(arguments) => load::run(&arguments),
        Command::Top(arguments) => top::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, &cli::command()),
        Command::ManPages(arguments) => man_pages::run(&arguments, cli::command()),
    }
}
