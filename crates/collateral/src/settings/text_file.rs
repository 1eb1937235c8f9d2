//! Text files of settings.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::SettingsError;

/// The largest file of settings, in bytes.
pub(super) const MAX_SIZE: u64 = 64 * 1024;

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, SettingsError> {
    let bytes = untrusted_input::read(path, MAX_SIZE).map_err(|error| no_read(path, error))?;
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        _ => Err(SettingsError::NoText { path: path.to_owned() }),
    }
}

/// The text of a file that may be missing.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, SettingsError> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(SettingsError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_read(path: &Path, source: io::Error) -> SettingsError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::InvalidInput => SettingsError::NoFile { path },
        ErrorKind::FileTooLarge => SettingsError::TooLarge { path },
        _ => SettingsError::Read { path, source },
    }
}
