//! The values of the Helm chart, generated from the options by `just chart`: each option of the
//! add-on is a value of the same name, with the same description.

mod schema;
mod tests;
mod value;
mod values_file;

use clap::{Arg, Args, Command};

use super::add_on::AddOnArguments;

/// Helm's own option, which names the release's namespace.
const NAMESPACE: &str = "namespace";

/// The options that are values of the chart.
fn options() -> Command {
    let mut command = AddOnArguments::augment_args(Command::new("values"));
    command.build();
    command
}

fn is_value(option: &&Arg) -> bool {
    option.get_long().is_some_and(|name| name != "help" && name != NAMESPACE)
}
