//! Settings in environment variables.

use std::path::PathBuf;

use super::super::{Machine, SettingsError, parse};
use super::{PartialSettings, SourceSpec};

/// The settings in `QUOTE_HELPER_COLLATERAL_*`.
pub(super) fn read(machine: &Machine) -> Result<PartialSettings, SettingsError> {
    let path = |setting| machine.path(&name(setting)).map(PathBuf::from);
    let boolean = |setting| machine.value(&name(setting), parse::boolean);
    Ok(PartialSettings {
        sources: machine.value(&name("SOURCES"), sources)?,
        local_only: boolean("LOCAL_ONLY")?,
        ca_file: path("CA_FILE"),
        insecure_tls: boolean("INSECURE_TLS")?,
        api_key_file: path("API_KEY_FILE"),
        cache_dir: path("CACHE_DIR"),
        cache_max_size: machine.value(&name("CACHE_MAX_SIZE"), parse::size)?,
        cache_max_age: machine.value(&name("CACHE_MAX_AGE"), parse::age)?,
        timeout: machine.value(&name("TIMEOUT"), parse::timeout)?,
        retries: machine.value(&name("RETRIES"), parse::retries)?,
        evaluation: machine.value(&name("EVALUATION"), parse::evaluation)?,
        trusted_root: path("TRUSTED_ROOT"),
    })
}

/// The variable of a setting.
pub(super) fn name(setting: &str) -> String {
    format!("QUOTE_HELPER_COLLATERAL_{setting}")
}

/// Sources with commas between them.
fn sources(text: &str) -> Result<Vec<SourceSpec>, String> {
    text.split(',').map(|source| source.trim().parse()).collect()
}
