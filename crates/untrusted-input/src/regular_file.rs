//! Reading of regular files only.
//!
//! Opening a FIFO can block forever, and reading a device may never end.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file for reading, without waiting. A symbolic link is followed.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] if it is not a regular file; else those of the operating system.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::empty())
}

/// As [`open`], for a file in a directory of another user, who could lay a symbolic link to a file
/// that this process alone may read: a link is an error.
///
/// # Errors
/// As [`open`].
pub fn open_unlinked(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NOFOLLOW)
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | flags;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    // Some kinds, such as sockets, cannot be opened at all; the reason is the same.
    let metadata = match &file {
        Ok(file) => file.metadata()?,
        Err(_) => match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(_) => return file,
        },
    };
    if !metadata.is_file() {
        let is = kind(metadata.file_type());
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            format!("it is {is}, not a regular file"),
        ));
    }
    file
}

/// Reads a regular file of at most `max` bytes, into one allocation.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] when it has more bytes; else as [`open`].
pub fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    read_all(open(path)?, max)
}

fn read_all(file: File, max: u64) -> io::Result<Vec<u8>> {
    let expected = file.metadata()?.len().min(max).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    let size = file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if size as u64 > max {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it has more than {max} bytes"),
        ));
    }
    Ok(bytes)
}

/// As [`read`]; `None` when there is no such file.
///
/// # Errors
/// As [`read`].
pub fn read_if_there(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    missing_is_none(read(path, max))
}

/// As [`read_if_there`], with [`open_unlinked`].
///
/// # Errors
/// As [`read`].
pub fn read_unlinked_if_there(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    missing_is_none(open_unlinked(path).and_then(|file| read_all(file, max)))
}

fn missing_is_none(read: io::Result<Vec<u8>>) -> io::Result<Option<Vec<u8>>> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn kind(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_block_device() || kind.is_char_device() => "a device",
        _ => "of another kind",
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn refused(path: &Path) -> String {
        let error = read(path, 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(read_if_there(path, 100).unwrap_err().to_string(), error.to_string());
        error.to_string()
    }

    #[test]
    fn something_else_in_the_place_of_a_file_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let (pipe, socket) = (directory.path().join("pipe"), directory.path().join("socket"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(refused(&pipe), "it is a pipe, not a regular file");
        assert_eq!(refused(&socket), "it is a socket, not a regular file");
        assert_eq!(refused(directory.path()), "it is a directory, not a regular file");
        assert_eq!(refused(Path::new("/dev/zero")), "it is a device, not a regular file");
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "12345").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read(&link, 5).unwrap(), b"12345");
        let error = read(&file, 4).unwrap_err();
        assert_eq!(error.to_string(), "it has more than 4 bytes");
        // Such files say that they are empty.
        assert!(!read(Path::new("/proc/self/status"), 1 << 20).unwrap().is_empty());
    }

    #[test]
    fn links_of_others_are_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "12345").unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(read_unlinked_if_there(&file, 5).unwrap().unwrap(), b"12345");
        assert_eq!(read_unlinked_if_there(&directory.path().join("none"), 5).unwrap(), None);
        read_unlinked_if_there(&link, 5).unwrap_err();
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        assert_eq!(read_if_there(Path::new("/there/is/none"), 1).unwrap(), None);
        assert_eq!(read(Path::new("/there/is/none"), 1).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
