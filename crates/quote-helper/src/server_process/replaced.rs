//! Notices that a path of the sandbox leads to another file than before.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Paths, each with its file. The kernel keeps the files of a sandbox, so that their inode numbers
/// are not used again.
#[derive(Debug)]
pub(super) struct KnownFiles(Vec<(PathBuf, FileId)>);

#[derive(Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl KnownFiles {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let known = |path: &PathBuf| Some((path.clone(), FileId::of(path)?));
        Self(paths.iter().filter_map(known).collect())
    }

    /// Waits until one of the paths leads to another file. One that leads nowhere may come back.
    pub(super) async fn replaced(&self) -> &Path {
        loop {
            let is_other = |(path, file): &&(PathBuf, FileId)| {
                FileId::of(path).is_some_and(|found| found != *file)
            };
            if let Some((path, _)) = self.0.iter().find(is_other) {
                return path;
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl FileId {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self { device: file.dev(), inode: file.ino() })
    }
}
