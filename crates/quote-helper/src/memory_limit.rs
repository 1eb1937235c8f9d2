//! The memory limit of this process.

use std::fs;
use std::path::Path;

const CGROUPS: &str = "/sys/fs/cgroup";

/// The lowest limit, in bytes, of the control groups of this process. `None` if there is no limit.
pub(crate) fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    of_groups(&groups, Path::new(CGROUPS))
}

/// `groups` is in the form of `/proc/self/cgroup`.
fn of_groups(groups: &str, root: &Path) -> Option<u64> {
    let limits = groups.lines().filter_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (controllers, group) = line.split_once(':')?;
        let is_memory = controllers.split(',').any(|controller| controller == "memory");
        match controllers.is_empty() {
            // Version 2.
            true => lowest(root, group, "memory.max"),
            false if is_memory => lowest(&root.join("memory"), group, "memory.limit_in_bytes"),
            false => None,
        }
    });
    limits.min()
}

/// The lowest limit of the group and its ancestors. In a container the file system begins at the
/// container's group, whatever its name is outside.
fn lowest(mounted: &Path, group: &str, file: &str) -> Option<u64> {
    let group = mounted.join(group.trim_start_matches('/'));
    let groups = group.ancestors().take_while(|group| group.starts_with(mounted));
    groups.filter_map(|group| limit(&group.join(file))).min()
}

/// The limit in a file; none if it is `max`, or the corresponding large number of version 1.
fn limit(file: &Path) -> Option<u64> {
    let limit = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (limit < i64::MAX as u64 / 2).then_some(limit)
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};

    use super::*;

    fn limit_of(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let file = root.path().join(file);
            create_dir_all(file.parent().unwrap()).unwrap();
            write(file, text).unwrap();
        }
        of_groups(groups, root.path())
    }

    #[test]
    fn the_lowest_limit_counts() {
        let groups = "0::/pods/one\n";
        let files = [("pods/memory.max", "700\n"), ("pods/one/memory.max", "800\n")];
        assert_eq!(limit_of(groups, &files), Some(700));
        assert_eq!(limit_of(groups, &[("pods/one/memory.max", "max\n")]), None);
    }

    #[test]
    fn version_1_has_a_directory_for_memory() {
        let groups = "9:name=systemd:/\n4:cpu,memory:/one\n0::/\n";
        let files = [
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/one/memory.limit_in_bytes", "134217728\n"),
        ];
        assert_eq!(limit_of(groups, &files), Some(128 << 20));
    }

    #[test]
    fn in_a_container_the_group_may_have_another_name() {
        let files = [("memory.max", "134217728\n")];
        assert_eq!(limit_of("0::/../../kubepods/pod1\n", &files), Some(128 << 20));
        assert_eq!(limit_of("0::/\n", &files), Some(128 << 20));
    }

    #[test]
    fn without_a_group_there_is_no_limit() {
        for groups in ["", "garbage", "0::/nowhere\n", "1:cpu:/x\n"] {
            assert_eq!(limit_of(groups, &[]), None);
        }
    }
}
