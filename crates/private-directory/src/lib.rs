//! Directories and files that only one user and root can change.
//!
//! A user who can write to a directory can replace each file in it, whatever the file's mode, for
//! instance a platform's keys. So directories and files are checked before they are used.

mod not_private;

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

pub use not_private::{Account, NotPrivate, quoted};

/// The right to write, of the group and of all others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Creates the directory and missing ones above it, for this user only. An existing one stays.
///
/// # Errors
/// Those of the operating system.
pub fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Creates the directory and missing ones above it, readable by everyone and writable by this user,
/// whatever the umask. An existing one stays.
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

/// Opens a lock file, and creates it if it is missing. Only this user and root can open it: a user
/// who can open a file, even only for reading, can keep it locked forever.
///
/// # Errors
/// Those of the operating system.
pub fn open_lock(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

/// Checks that only this user and root can change this directory, or this file in a checked
/// directory. Follows symbolic links. Accepts a path that is missing or cannot be inspected:
/// opening it fails with a better error.
///
/// # Errors
/// [`NotPrivate`].
pub fn check(path: &Path) -> Result<(), NotPrivate> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    check_metadata(path, &metadata, geteuid().as_raw())
}

/// Checks the place of a directory that may have to be made: the directory, or the nearest one
/// above it that is there. Root would otherwise make it in another user's directory, and that
/// user's programs could not use it.
///
/// # Errors
/// [`NotPrivate`].
pub fn check_place(directory: &Path) -> Result<(), NotPrivate> {
    if directory.exists() {
        return check(directory);
    }
    let there = directory.ancestors().skip(1).find(|above| above.is_dir());
    match there.map(check) {
        Some(Err(error @ NotPrivate::Owner { .. })) => Err(error),
        // A directory that is made here is this user's, whoever may add others beside it.
        _ => Ok(()),
    }
}

/// The user whom this directory belongs to, if this process is root's and the user is another one:
/// what is to change something there is to be run as that user. Of a directory that is not there it
/// is the nearest one above that counts.
#[must_use]
pub fn other_owner(directory: &Path) -> Option<Account> {
    let metadata = directory.ancestors().find_map(|there| fs::metadata(there).ok())?;
    let is_others = geteuid().is_root() && metadata.uid() != 0;
    is_others.then(|| Account::of(metadata.uid()))
}

/// Checks that only one user and root can change this directory and these files in it, for a
/// process that only reads them: root's may read any user's. Gives whether the owner is another
/// user, whose symbolic links are not to be followed.
///
/// # Errors
/// [`NotPrivate`].
pub fn check_to_read<'a>(
    directory: &'a Path,
    files: impl IntoIterator<Item = &'a Path>,
) -> Result<bool, NotPrivate> {
    let this_user = geteuid().as_raw();
    let owner = fs::metadata(directory).map_or(this_user, |metadata| metadata.uid());
    let is_anothers = this_user == 0 && owner != 0;
    let reader = if is_anothers { owner } else { this_user };
    [directory].into_iter().chain(files).try_for_each(|path| match fs::metadata(path) {
        Ok(metadata) => check_metadata(path, &metadata, reader),
        Err(_) => Ok(()),
    })?;
    Ok(is_anothers)
}

fn check_metadata(path: &Path, metadata: &Metadata, this_user: u32) -> Result<(), NotPrivate> {
    let (path, uid, mode) = (path.to_owned(), metadata.uid(), metadata.mode() & 0o7777);
    if uid != this_user && uid != 0 {
        let owner = Account::of(uid);
        return Err(match path.parent().and_then(|directory| fs::metadata(directory).ok()) {
            Some(directory) if metadata.is_file() && directory.uid() != uid => {
                NotPrivate::File { path, owner, directory_owner: Account::of(directory.uid()) }
            }
            _ => NotPrivate::Owner { path, owner, this_user },
        });
    }
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(NotPrivate::Mode { path, owner: Account::of(uid), mode });
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
            // Whoever may add a file where all files are read may as well change one: a sticky bit
            // is no help.
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
        let chown = |path: &Path, uid| std::os::unix::fs::chown(path, Some(uid), None).unwrap();
        chown(directory.path(), 54321);
        let error = check(directory.path()).unwrap_err().to_string();
        assert!(error.contains("belongs to user 54321, "), "{error}");
        assert!(error.contains("setpriv --reuid 54321 --regid 54321 --clear-groups "), "{error}");
        // No name is for ever, but that of the user 1 is as good as.
        chown(directory.path(), 1);
        let error = check(directory.path()).unwrap_err().to_string();
        assert!(error.contains("belongs to daemon (user 1), "), "{error}");
        assert!(error.contains("runuser -u daemon -- private_directory-"), "{error}");
        assert!(error.ends_with(" …"), "{error}");
    }

    #[test]
    fn nothing_is_made_in_another_users_directory() {
        let outer = tempfile::tempdir().unwrap();
        let (inner, missing) = (outer.path().join("a"), outer.path().join("a/b/c"));
        check_place(&missing).unwrap();
        make(&inner).unwrap();
        fs::set_permissions(outer.path(), Permissions::from_mode(0o1777)).unwrap();
        check_place(&missing).unwrap();
        if geteuid().is_root() {
            std::os::unix::fs::chown(&inner, Some(54321), None).unwrap();
            let error = check_place(&missing).unwrap_err();
            assert!(matches!(error, NotPrivate::Owner { path, .. } if path == inner));
        }
    }

    #[test]
    fn root_reads_what_is_one_users() {
        if !geteuid().is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a file");
        fs::write(&file, "").unwrap();
        let chown = |path: &Path, uid| std::os::unix::fs::chown(path, Some(uid), None).unwrap();
        let read = || check_to_read(directory.path(), [&*file]);
        assert!(!read().unwrap());
        chown(directory.path(), 54321);
        assert!(read().unwrap());
        chown(&file, 54321);
        assert!(read().unwrap());
        chown(&file, 54322);
        let error = read().unwrap_err().to_string();
        assert!(error.ends_with(&format!("chown 54321 '{}'", file.display())), "{error}");
        chown(&file, 54321);
        fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(read(), Err(NotPrivate::Mode { .. })));
    }

    #[test]
    fn a_missing_directory_is_private() {
        check(Path::new("/there/is/none")).unwrap();
    }
}
