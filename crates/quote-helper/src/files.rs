//! The files that a command reads and writes. `-` is standard input or standard output.

use std::fmt::{self, Display};
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use atomic_file::Readers;
use rustix::fs::{OFlags, fcntl_setfl};

use crate::output;

/// The maximum size of a file, in bytes. Collateral, the largest kind, has some 100,000.
pub(crate) const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// The path that stands for standard input or standard output.
const STANDARD: &str = "-";

/// Paths of files that the process has open already: standard input, and a shell's `<(…)`.
const OPEN_ALREADY: [&str; 3] = ["/dev/fd", "/dev/stdin", "/proc/self/fd"];

/// Two files of a command line are `-`. Standard input can be read once only.
#[derive(Debug, thiserror::Error)]
#[error(
    "`-` (standard input) can stand for one file only; name the other one, or pass it as /dev/fd/N"
)]
pub(crate) struct StandardInputTwice;

/// True if this stands for standard input or standard output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD)
}

/// An input file, as messages name it.
pub(crate) struct Input<'a>(pub(crate) &'a Path);

impl Display for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match is_standard(self.0) {
            true => f.write_str("standard input"),
            false => self.0.display().fmt(f),
        }
    }
}

/// Reads a whole file.
///
/// # Errors
/// If it cannot be read or has more than [`MAX_SIZE`] bytes; [`StandardInputTwice`].
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_limited(path, MAX_SIZE)
}

/// As [`read`], with another limit in bytes.
pub(crate) fn read_limited(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    let read = read.with_context(|| format!("cannot read {}", Input(path)))?;
    ensure!(read as u64 <= limit, "{} has more than {limit} bytes", Input(path));
    Ok(bytes)
}

/// Opens a file of the command line.
///
/// A named pipe is rejected, since nobody may ever write into it; a pipe that is open already is
/// fine.
///
/// # Errors
/// If it cannot be opened; [`StandardInputTwice`].
pub(crate) fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    static IS_TAKEN: AtomicBool = AtomicBool::new(false);
    if is_standard(path) {
        ensure!(!IS_TAKEN.swap(true, Ordering::Relaxed), StandardInputTwice);
        return Ok(Box::new(io::stdin().lock()));
    }
    let is_open_already = OPEN_ALREADY.iter().any(|place| path.starts_with(place));
    let file = if is_open_already { reopen(path) } else { untrusted_input::open(path) };
    let file = file.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Box::new(file))
}

/// Opens without blocking; reads block.
fn reopen(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    fcntl_setfl(&file, OFlags::empty())?;
    Ok(file)
}

/// Writes a whole file.
///
/// # Errors
/// If it cannot be written, or binary data would go to a terminal.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    match is_standard(path) {
        true => write_to_standard_output(bytes),
        false => fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Writes a file atomically.
///
/// # Errors
/// As [`write()`].
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    // Devices, pipes and symbolic links are not replaced.
    let is_replaceable = fs::symlink_metadata(path).map_or(true, |metadata| metadata.is_file());
    match is_replaceable && !is_standard(path) {
        true => atomic_file::replace(path, bytes, Readers::Umask)
            .with_context(|| format!("cannot write {}", path.display())),
        false => write(path, bytes),
    }
}

fn write_to_standard_output(bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(
        is_text(bytes) || !io::stdout().is_terminal(),
        "this is binary data, which would garble the terminal; redirect it, or name a file \
         (/dev/stdout writes to the terminal all the same)"
    );
    output::bytes(bytes).context("cannot write to standard output")
}

fn is_text(bytes: &[u8]) -> bool {
    let is_printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_printable))
}
