//! `--check-config`: reads everything that the server reads at its start, and starts nothing.

use std::path::Path;

use anyhow::Error;

use crate::environment;
use crate::failure::{Failure, explain};
use crate::output;
use crate::settings::{DEFAULT_CONFIG, WrongConfig};

/// Prints all errors, or that there are none. `config`: the given file, if any.
///
/// # Errors
/// [`Failure::Diagnosed`] if there is an error.
pub(crate) fn report(
    config: Option<&Path>,
    results: impl IntoIterator<Item = Result<(), Error>>,
) -> Result<(), Failure> {
    for unknown in environment::unknown_variables() {
        output::note(format_args!("warning: {unknown}"));
    }
    let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    for error in &errors {
        match error.downcast_ref::<WrongConfig>() {
            Some(wrong) => {
                wrong.lines().for_each(|line| output::note(format_args!("error: {line}")));
            }
            None => output::note(format_args!("error: {}", explain(error))),
        }
    }
    let path = config.unwrap_or(Path::new(DEFAULT_CONFIG)).display();
    if !errors.is_empty() {
        output::note(format_args!("the configuration {path} is wrong"));
        return Err(Failure::Diagnosed);
    }
    let is_there = config.is_some() || Path::new(DEFAULT_CONFIG).exists();
    let missing = if is_there { "" } else { "; the file is missing, so the defaults apply" };
    output::text(&format_args!("the configuration {path} is good{missing}"))?;
    Ok(())
}
