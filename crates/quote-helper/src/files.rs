//! The files that a command reads and writes.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, ensure};
use rustix::fs::{OFlags, fcntl_setfl};

/// The largest file that is read. Collateral, the largest of them, has some 100,000 bytes.
pub(crate) const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// Where a process finds what is open already: standard input, and what a shell puts in place of `<(…)`.
const OPEN_ALREADY: [&str; 3] = ["/dev/fd", "/dev/stdin", "/proc/self/fd"];

/// Reads a whole file, but not one of any size.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(MAX_SIZE.saturating_add(1)).read_to_end(&mut bytes);
    let read = read.with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(read as u64 <= MAX_SIZE, "{} has more than {MAX_SIZE} bytes", path.display());
    Ok(bytes)
}

/// Opens a file that somebody names in the command line.
///
/// A pipe is fine if it is open already, since somebody is about to write into it. Into a named pipe nobody may ever
/// write.
pub(crate) fn open(path: &Path) -> anyhow::Result<File> {
    let is_open_already = OPEN_ALREADY.iter().any(|place| path.starts_with(place));
    let file = if is_open_already { reopen(path) } else { untrusted_input::open(path) };
    file.with_context(|| format!("cannot read {}", path.display()))
}

/// Opens without waiting, and then waits for what is written.
fn reopen(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
