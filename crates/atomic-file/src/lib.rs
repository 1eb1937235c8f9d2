//! Files that appear whole: a reader gets all of the old content or all of the new one, also after
//! a crash.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

/// The prefix of the names of unfinished files. A process that is killed may leave one behind.
pub const TEMPORARY_PREFIX: &str = ".being-written-";

/// The users who can read a file. Only its owner can write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The owner alone: mode 0600.
    Owner,
    /// Everyone: mode 0644, whatever the umask.
    Everyone,
    /// Those whom the umask allows: mode 0644 without the bits of the umask.
    Umask,
}

/// Writes a new file, or replaces the one at this path.
///
/// # Errors
/// Those of the operating system. The former file stays, unless only the last step fails, which
/// writes the directory to the disk.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    replace_staged(directory(path)?, path, bytes, readers)
}

/// As [`replace`], for a file that is unfinished in the directory `staging` of the same file
/// system.
///
/// # Errors
/// As [`replace`].
pub fn replace_staged(
    staging: &Path,
    path: &Path,
    bytes: &[u8],
    readers: Readers,
) -> io::Result<()> {
    write(staging, bytes, readers)?.persist(path)?;
    sync(directory(path)?)
}

/// Writes a new file.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] when there is a file at this path, which stays; else those of the
/// operating system.
pub fn create_new(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let directory = directory(path)?;
    write(directory, bytes, readers)?.persist_noclobber(path)?;
    sync(directory)
}

/// Failures to synchronize a directory that lose nothing but durability.
const IGNORED: [ErrorKind; 3] =
    [ErrorKind::InvalidInput, ErrorKind::PermissionDenied, ErrorKind::Unsupported];

fn directory(path: &Path) -> io::Result<&Path> {
    let parent = path.parent().ok_or(ErrorKind::InvalidInput)?;
    Ok(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

fn write(directory: &Path, bytes: &[u8], readers: Readers) -> io::Result<NamedTempFile> {
    let mode = Permissions::from_mode(if readers == Readers::Owner { 0o600 } else { 0o644 });
    let mut builder = tempfile::Builder::new();
    let mut file =
        builder.prefix(TEMPORARY_PREFIX).permissions(mode.clone()).tempfile_in(directory)?;
    file.write_all(bytes)?;
    if readers == Readers::Everyone {
        file.as_file().set_permissions(mode)?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// Brings the entries of a directory to the disk, if it can be read and its file system does this.
fn sync(directory: &Path) -> io::Result<()> {
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        Err(error) if IGNORED.contains(&error.kind()) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_replaced_or_created() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for (bytes, readers, mode) in
            [("one", Readers::Owner, 0o600), ("two", Readers::Everyone, 0o644)]
        {
            replace(&path, bytes.as_bytes(), readers).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
        let error = create_new(&path, b"three", Readers::Owner).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        create_new(&directory.path().join("other"), b"", Readers::Umask).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("taken")).unwrap();
        replace(&directory.path().join("taken"), b"", Readers::Owner).unwrap_err();
        replace(Path::new("/"), b"", Readers::Owner).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
