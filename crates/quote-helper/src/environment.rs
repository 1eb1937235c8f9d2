//! Known and unknown variables `QUOTE_HELPER_*`.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use clap::Command;
use collateral::settings::nearest;
use tracing::warn;

use crate::manual;

const PREFIX: &str = "QUOTE_HELPER_";

/// Variables of pods, and those of the C libraries.
const OTHERS: [&str; 3] =
    ["QUOTE_HELPER_QUOTE_SERVICE", "QUOTE_HELPER_SOCKET_BY_DEVICE_PLUGIN", "QUOTE_HELPER_TRACE"];

/// The known variables; set once, by the command line.
static KNOWN: OnceLock<BTreeSet<String>> = OnceLock::new();

pub(crate) fn learn(command: &Command) {
    KNOWN.get_or_init(|| known(command));
}

/// Warns of variables that are set and unknown.
pub(crate) fn warn_of_unknown_variables() {
    for unknown in unknown_variables() {
        warn!("{unknown}");
    }
}

/// A message about each variable that is set and unknown.
pub(crate) fn unknown_variables() -> Vec<String> {
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ours = set.filter(|name| name.starts_with(PREFIX));
    let Some(known) = KNOWN.get() else { return Vec::new() };
    ours.filter_map(|name| unknown(&name, known)).collect()
}

/// The variable of the option with this long name, if it is set and the command line has no such
/// option.
pub(crate) fn variable_of(option: &str, command: &Command) -> Option<String> {
    let written = |argument: String| {
        argument == option
            || argument.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
    };
    if std::env::args_os().filter_map(|argument| argument.into_string().ok()).any(written) {
        return None;
    }
    let name = option.strip_prefix("--")?;
    let own = command.get_arguments().find(|argument| argument.get_long() == Some(name));
    let own = own.and_then(|argument| argument.get_env()?.to_str());
    let set = own.filter(|variable| std::env::var_os(variable).is_some()).map(str::to_owned);
    set.or_else(|| command.get_subcommands().find_map(|command| variable_of(option, command)))
}

fn unknown(name: &str, known: &BTreeSet<String>) -> Option<String> {
    if known.contains(name) {
        return None;
    }
    let near = nearest(name, known.iter().map(String::as_str));
    let meant = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Some(format!("nothing reads the variable {name}{meant}"))
}

/// All variables: those of options, of the manual, and others.
fn known(command: &Command) -> BTreeSet<String> {
    let mut known: BTreeSet<_> = OTHERS.into_iter().map(str::to_owned).collect();
    known.extend(manual::variables().filter(|name| name.starts_with(PREFIX)).map(str::to_owned));
    add(command, &mut known);
    known
}

fn add(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
    known.extend(variables.map(str::to_owned));
    command.get_subcommands().for_each(|command| add(command, known));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn variables_that_mean_something_are_known_and_others_have_a_neighbor() {
        let known = known(&cli::command());
        for name in [
            "QUOTE_HELPER_LOG",
            "QUOTE_HELPER_SOCKET",
            "QUOTE_HELPER_COLLATERAL_RETRIES",
            "QUOTE_HELPER_USER_TOKEN_FILE",
        ] {
            assert_eq!(unknown(name, &known), None);
        }
        assert_eq!(
            unknown("QUOTE_HELPER_SOKET", &known).unwrap(),
            "nothing reads the variable QUOTE_HELPER_SOKET; did you mean QUOTE_HELPER_SOCKET?"
        );
    }
}
