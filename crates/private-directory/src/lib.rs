//! Directories, and files in them, that nobody but one user and root may change.
//!
//! Who can write to a directory can replace each file in it, whatever the mode of the file: the keys of a platform,
//! for instance, by keys of his own. So what is kept privately is looked at before it is used.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;

/// The right to write, of the group and of all others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Somebody who should not could change a directory or a file.
#[derive(Debug, thiserror::Error)]
pub enum NotPrivate {
    /// It is another user's, who is not root.
    #[error(
        "{} belongs to user {owner} (mode {mode:04o}), who could change what is kept there; run this as that user, or \
         give it away: chown -R {this_user} {}", .path.display(), .path.display()
    )]
    Owner {
        /// The directory or the file.
        path: PathBuf,
        /// Whose it is, the user's number.
        owner: u32,
        /// Its permissions, the lowest 12 bits.
        mode: u32,
        /// Who wants to use it, the user's number.
        this_user: u32,
    },
    /// Its group, or everybody, may write to it.
    #[error(
        "{} (user {owner}, mode {mode:04o}) may be changed by others than its owner; take that from them: \
         chmod go-w {}", .path.display(), .path.display()
    )]
    Mode {
        /// The directory or the file.
        path: PathBuf,
        /// Whose it is, the user's number.
        owner: u32,
        /// Its permissions, the lowest 12 bits.
        mode: u32,
    },
}

/// Makes the directory, and those above it that are missing, for this user alone. One that is there stays as it is.
///
/// # Errors
/// Those of the operating system.
pub fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Makes the directory, and those above it that are missing, for everybody to look at and for this user alone to change,
/// whatever the umask. One that is there stays as it is.
///
/// # Errors
/// Those of the operating system.
pub fn make_readable(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    directory.parent().map_or(Ok(()), make_readable)?;
    match fs::create_dir(directory) {
        // Another process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => fs::set_permissions(directory, Permissions::from_mode(0o755)),
    }
}

/// Opens a file to be locked, and makes it if it is not there. Only this user and root can open it: whoever can open a
/// file or directory, be it for reading alone, can keep it locked for ever.
///
/// # Errors
/// Those of the operating system.
pub fn open_lock(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

/// Checks that only this user and root can change this directory, or this file in a directory of which that is known.
/// A symbolic link is followed. What is missing, or cannot be looked at, is for the one who opens it to tell.
///
/// # Errors
/// [`NotPrivate`].
pub fn check(path: &Path) -> Result<(), NotPrivate> {
    fs::metadata(path)
        .map_or(Ok(()), |metadata| check_metadata(path, &metadata, geteuid().as_raw()))
}

fn check_metadata(path: &Path, metadata: &Metadata, this_user: u32) -> Result<(), NotPrivate> {
    let (path, owner, mode) = (path.to_owned(), metadata.uid(), metadata.mode() & 0o7777);
    if owner != this_user && owner != 0 {
        return Err(NotPrivate::Owner { path, owner, mode, this_user });
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(NotPrivate::Mode { path, owner, mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_mode(path: &Path, mode: u32) -> Result<(), NotPrivate> {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        check(path)
    }

    #[test]
    fn a_directory_is_made_for_its_user_alone() {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("a/b");
        make(&directory).unwrap();
        for made in [outer.path().join("a"), directory.clone()] {
            assert_eq!(fs::metadata(made).unwrap().mode() & 0o777, 0o700);
        }
        make(&directory).unwrap();
        check(&directory).unwrap();
    }

    #[test]
    fn a_directory_for_others_is_open_whatever_the_umask() {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("a/b");
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        make_readable(&directory).unwrap();
        rustix::process::umask(before);
        for made in [outer.path().join("a"), directory.clone()] {
            assert_eq!(fs::metadata(made).unwrap().mode() & 0o777, 0o755);
        }
        make_readable(&directory).unwrap();
        let file = outer.path().join("file");
        fs::write(&file, "").unwrap();
        make_readable(&file).unwrap_err();
    }

    #[test]
    fn a_lock_is_opened_by_its_user_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let (one, other) = (open_lock(&path).unwrap(), open_lock(&path).unwrap());
        assert_eq!(one.metadata().unwrap().mode() & 0o777, 0o600);
        one.try_lock().unwrap();
        other.try_lock().unwrap_err();
        open_lock(directory.path()).unwrap_err();
    }

    #[test]
    fn others_may_look_but_not_write() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [directory.path(), &file] {
            for mode in [0o700, 0o755, 0o2750, 0o500] {
                with_mode(path, mode).unwrap();
            }
            // Whoever may add a file where all files are read may as well change one: a sticky bit is no help.
            for mode in [0o770, 0o702, 0o777, 0o1777, 0o2775] {
                let error = with_mode(path, mode).unwrap_err().to_string();
                let shown = path.display();
                assert!(error.contains(&format!("mode {mode:04o}")), "{error}");
                assert!(error.ends_with(&format!("chmod go-w {shown}")), "{error}");
            }
        }
    }

    #[test]
    fn it_is_this_users_or_roots() {
        let directory = tempfile::tempdir().unwrap();
        let metadata = fs::metadata(directory.path()).unwrap();
        check_metadata(directory.path(), &metadata, metadata.uid()).unwrap();
        // A file of the system, which root can change in any case.
        let of_root = fs::metadata("/").unwrap();
        assert!(check_metadata(Path::new("/"), &of_root, 12345).is_ok());
        if metadata.uid() != 0 {
            check_metadata(directory.path(), &metadata, 0).unwrap_err();
            return;
        }
        std::os::unix::fs::chown(directory.path(), Some(54321), None).unwrap();
        let error = check(directory.path()).unwrap_err().to_string();
        assert!(error.contains("belongs to user 54321 (mode 0"), "{error}");
        assert!(error.contains("chown -R 0 "), "{error}");
    }

    #[test]
    fn what_is_missing_is_private() {
        check(Path::new("/there/is/none")).unwrap();
    }
}
