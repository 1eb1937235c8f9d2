//! Settings in the configuration file.

use std::path::PathBuf;

use serde::Deserialize;

use super::super::{ConfigProblem, ConfigText, Machine, Place, SettingsError, text_file};
use super::PartialSettings;

/// The variable with the path of the file.
const CONFIG: &str = "QUOTE_HELPER_CONFIG";
/// The default file, below `/etc`.
const DEFAULT: &str = "quote-helper/config.toml";

#[derive(Deserialize)]
struct Config {
    collateral: Option<PartialSettings>,
}

/// The section in the configuration, and the file that it is in.
pub(super) fn read(machine: &Machine) -> Result<Option<(PathBuf, PartialSettings)>, SettingsError> {
    let named = machine.config_file.as_deref().or_else(|| machine.path(CONFIG));
    let (path, text) = match named {
        Some(path) => (path.to_owned(), Some(text_file::read(path)?)),
        None => {
            let path = machine.etc.join(DEFAULT);
            let text = text_file::read_if_there(&path)?;
            (path, text)
        }
    };
    let Some(text) = text else { return Ok(None) };
    let wrong = |ConfigProblem { line, problem }| {
        SettingsError::wrong(Place::File { path: path.clone(), line: Some(line) }, &problem)
    };
    let config = ConfigText::parse(&text).map_err(wrong)?;
    let mut problems = PartialSettings::problems(&config, ("", &[])).into_iter();
    if let Some(problem) = problems.next() {
        return Err(wrong(problem));
    }
    // Only combinations of settings can still be wrong.
    let config: Config = toml::from_str(&text).map_err(|error| {
        SettingsError::wrong(Place::File { path: path.clone(), line: None }, error.message())
    })?;
    Ok(config.collateral.map(|settings| (path, settings)))
}
