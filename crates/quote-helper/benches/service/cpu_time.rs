//! CPU time as the kernel's scheduler counts it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rustix::process::Pid;

/// The time that all threads of a process have spent on a CPU. Right to a few milliseconds, which
/// the thread that runs at this moment is behind.
pub(crate) fn of_process(pid: Pid) -> anyhow::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        sum += read(&thread?.path().join("schedstat"))?;
    }
    Ok(sum)
}

/// The time that the calling thread has spent on a CPU, just as right.
pub(crate) fn of_this_thread() -> anyhow::Result<Duration> {
    read(Path::new("/proc/thread-self/schedstat"))
}

/// The first of the file's numbers: nanoseconds on a CPU.
fn read(schedstat: &Path) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(schedstat)?;
    let nanoseconds = text.split_whitespace().next().context("schedstat is empty")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
