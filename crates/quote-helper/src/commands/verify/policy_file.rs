//! A policy in a TOML file, with the names and values of the options. The parser of the command
//! line reads the values, so that the two cannot differ.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Args, Command, FromArgMatches};
use toml::de::{DeTable, DeValue};

use super::policy_arguments::PolicyArguments;
use crate::files;
use crate::values::expected_form;

/// The minimum similarity of a key to suggest for an unknown one.
const MIN_SIMILARITY: f64 = 0.6;

/// Reads a policy.
pub(super) fn read(path: &Path) -> anyhow::Result<PolicyArguments> {
    let bytes = files::read(path)?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| anyhow!("{} is not text in UTF-8", files::Input(path)))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let policy = parse(text, directory);
    policy.with_context(|| format!("cannot use the policy {}", files::Input(path)))
}

/// Parses a policy, whose paths are relative to this directory.
fn parse(text: &str, directory: &Path) -> anyhow::Result<PolicyArguments> {
    let command = PolicyArguments::augment_args(Command::new("policy").no_binary_name(true));
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line(text, span.start)).unwrap_or(1);
        anyhow!("line {line} is not TOML: {}", error.message())
    })?;
    let mut policy = PolicyArguments::default();
    for (key, value) in table.get_ref() {
        let line = line(text, key.span().start);
        let key = key.get_ref();
        let argument = option(&command, key).with_context(|| format!("line {line}"))?;
        let given = arguments(argument, key, value.get_ref());
        let given = given.with_context(|| format!("line {line}: {key}"))?;
        // One key at a time, so that an error names it.
        let alone = command.clone().try_get_matches_from(given);
        let alone = alone.map_err(|error| anyhow!("line {line}: {key}: {}", problem(&error)))?;
        let mut alone = PolicyArguments::from_arg_matches(&alone)?;
        alone.read_files(directory).with_context(|| format!("line {line}: {key}"))?;
        policy = policy.or(alone);
    }
    Ok(policy)
}

fn option<'a>(command: &'a Command, key: &str) -> anyhow::Result<&'a Arg> {
    let named = |argument: &&Arg| argument.get_long() == Some(key);
    if let Some(argument) = command.get_arguments().find(named) {
        return Ok(argument);
    }
    let names = command.get_arguments().filter_map(Arg::get_long);
    let likely = names.map(|name| (strsim::jaro_winkler(name, key), name));
    let likely = likely.filter(|(similarity, _)| *similarity > MIN_SIMILARITY);
    match likely.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        Some((_, name)) => bail!("unknown key \"{key}\"; did you mean \"{name}\"?"),
        None => bail!("unknown key \"{key}\"; keys are the options under \"Policy\" in --help"),
    }
}

/// The value as arguments of the command line.
fn arguments(option: &Arg, key: &str, value: &DeValue<'_>) -> anyhow::Result<Vec<String>> {
    let takes_value = option.get_action().takes_values();
    match value {
        DeValue::Boolean(true) if !takes_value => Ok(vec![format!("--{key}")]),
        DeValue::Boolean(false) if !takes_value => Ok(Vec::new()),
        _ if !takes_value => bail!("write true or false"),
        DeValue::Array(values) => {
            let single = matches!(option.get_action(), clap::ArgAction::Set);
            if single && option.get_value_delimiter().is_none() {
                bail!("write one value, not a list");
            }
            let values = values.iter().map(|value| scalar(value.get_ref()));
            values.map(|value| Ok(format!("--{key}={}", value?))).collect()
        }
        value => Ok(vec![format!("--{key}={}", scalar(value)?)]),
    }
}

fn scalar(value: &DeValue<'_>) -> anyhow::Result<String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        DeValue::Integer(number) if number.radix() == 16 => Ok(format!("0x{}", number.as_str())),
        DeValue::Datetime(time) => Ok(time.to_string()),
        _ => bail!("write text in quotation marks, or a number"),
    }
}

/// The reason of an error about one option, without its name.
fn problem(error: &clap::Error) -> String {
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    let reason = std::error::Error::source(error)
        .map(|reason| expected_form(reason).unwrap_or_else(|| reason.to_string()));
    let reason = reason.unwrap_or_else(|| "it cannot be used".to_owned());
    format!("\"{value}\": {reason}")
}

fn line(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    before.matches('\n').count().saturating_add(1)
}
