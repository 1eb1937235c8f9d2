//! CPU time, as counted by the kernel's scheduler.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rustix::process::Pid;

/// The CPU time of all threads of a process. Running threads lag by a few milliseconds.
pub(crate) fn of_process(pid: Pid) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        sum += read(&thread?.path().join("schedstat"))?;
    }
    Ok(sum)
}

/// The CPU time of the calling thread, equally exact.
pub(crate) fn of_this_thread() -> anyhow::Result<Duration> {
    read(Path::new("/proc/thread-self/schedstat"))
}

/// The first number in the file: CPU time in nanoseconds.
fn read(schedstat: &Path) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(schedstat)?;
    let nanoseconds = text.split_whitespace().next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
