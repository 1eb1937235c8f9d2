//! The mounts of this process.

use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// The mounted directory or file within its file system; it ends with `//deleted` once removed.
    pub(crate) root: String,
    pub(crate) point: PathBuf,
    pub(crate) is_noexec: bool,
}

impl Mount {
    /// The innermost mount that holds `path`, which has no symbolic links.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        Self::innermost(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default(), path)
    }

    /// `mountinfo` has the format of proc(5).
    pub(crate) fn innermost(mountinfo: &str, path: &Path) -> Option<Self> {
        let mounts = mountinfo.lines().filter_map(|line| {
            let mut fields = line.split(' ').skip(3);
            let (root, point, options) = (fields.next()?, fields.next()?, fields.next()?);
            let is_noexec = options.split(',').any(|option| option == "noexec");
            Some(Self { root: root.to_owned(), point: point.into(), is_noexec })
        });
        // The last mount hides earlier ones at the same mount point.
        mounts
            .filter(|mount| path.starts_with(&mount.point))
            .max_by_key(|mount| mount.point.components().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_and_last_mount_counts() {
        let noexec = |mountinfo: &str, path: &str| {
            let mount = Mount::innermost(mountinfo, Path::new(path))?;
            Some((mount.point.to_str().unwrap().to_owned(), mount.is_noexec))
        };
        let device = "/dev/sgx_enclave";
        let root = "1 0 8:1 / / rw,noexec - ext4 /dev/sda1 rw\n";
        let dev = |options| format!("{root}2 1 0:5 / /dev rw,{options} - devtmpfs udev rw\n");
        assert_eq!(noexec("garbage\n\n1 2", device), None);
        assert_eq!(noexec(root, device), Some(("/".to_owned(), true)));
        assert_eq!(noexec(&dev("nosuid,noexec"), device), Some(("/dev".to_owned(), true)));
        assert_eq!(noexec(&dev("nosuid"), device), Some(("/dev".to_owned(), false)));
        let twice = dev("noexec") + "3 2 0:6 / /dev rw,nosuid - devtmpfs udev rw\n";
        assert_eq!(noexec(&twice, device), Some(("/dev".to_owned(), false)));
        let bound = dev("nosuid") + "3 2 0:5 /x /dev/sgx_enclave rw,noexec - devtmpfs udev rw\n";
        assert_eq!(noexec(&bound, device), Some((device.to_owned(), true)));
        assert_eq!(noexec(&bound, "/dev/sgx_provision"), Some(("/dev".to_owned(), false)));
    }
}
