//! A limit on the memory of processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Tells the groups of one process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A control group, removed when it is dropped.
pub(crate) struct Group(PathBuf);

impl Group {
    pub(crate) fn is_possible() -> bool {
        Self::new(1 << 30).is_some()
    }

    /// A group whose processes may have so many bytes, if the system lets us make one: version 1,
    /// or 2.
    pub(crate) fn new(limit: u64) -> Option<Self> {
        let forms = [("memory/", "memory.limit_in_bytes"), ("", "memory.max")];
        forms.into_iter().find_map(|(hierarchy, file)| {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{hierarchy}quote-helper-{}-{number}", std::process::id());
            let directory = Path::new("/sys/fs/cgroup").join(name);
            fs::create_dir(&directory).ok()?;
            let group = Self(directory);
            fs::write(group.0.join(file), limit.to_string()).ok()?;
            Some(group)
        })
    }

    /// The file that takes the pid of a process to move it there.
    pub(crate) fn processes(&self) -> PathBuf {
        self.0.join("cgroup.procs")
    }

    /// In bytes.
    pub(crate) fn in_use(&self) -> u64 {
        let files = ["memory.usage_in_bytes", "memory.current"];
        let text = files.iter().find_map(|file| fs::read_to_string(self.0.join(file)).ok());
        text.unwrap().trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
