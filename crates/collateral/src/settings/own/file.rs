//! Our own settings in the configuration file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::{Machine, Place, SettingsError, text_file};
use super::OwnSettings;

/// The file that a variable names.
const CONFIG: &str = "QUOTE_HELPER_CONFIG";
/// The file that nobody needs to name, below `/etc`.
const DEFAULT: &str = "quote-helper/config.toml";

/// What of the file is ours. The rest is for the quote service, which checks it.
#[derive(Deserialize)]
struct Config {
    collateral: Option<OwnSettings>,
}

/// The section in the configuration, and the file that it is in.
pub(super) fn read(machine: &Machine) -> Result<Option<(PathBuf, OwnSettings)>, SettingsError> {
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
    let config: Config = toml::from_str(&text).map_err(|error| wrong(&path, &text, &error))?;
    Ok(config.collateral.map(|settings| (path, settings)))
}

/// The error without the line itself, in which there may be what nobody should see.
fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> SettingsError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count().saturating_add(1));
    let key = line
        .and_then(|line| text.lines().nth(line.saturating_sub(1)))
        .and_then(|line| line.split_once('='))
        .map(|(key, _)| key.trim())
        .filter(|key| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
    let problem = match key {
        Some(key) => format!("{key}: {}", error.message()),
        None => error.message().to_owned(),
    };
    SettingsError::wrong(Place::File { path: path.to_owned(), line }, &problem)
}
