//! Files of settings, which may be anything.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::SettingsError;

/// The largest file of settings, in bytes.
pub(super) const MAX_SIZE: u64 = 64 * 1024;

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, SettingsError> {
    let no_read = |source| SettingsError::Read { path: path.to_owned(), source };
    let file = open(path).map_err(no_read)?;
    if !file.metadata().map_err(no_read)?.is_file() {
        return Err(SettingsError::NoFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    let size = file.take(MAX_SIZE.saturating_add(1)).read_to_end(&mut bytes).map_err(no_read)?;
    if size as u64 > MAX_SIZE {
        return Err(SettingsError::TooLarge { path: path.to_owned() });
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text.trim_start_matches('\u{feff}').to_owned()),
        _ => Err(SettingsError::NoText { path: path.to_owned() }),
    }
}

/// The text of a file that may be missing.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, SettingsError> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(SettingsError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Opens without waiting for somebody at the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
