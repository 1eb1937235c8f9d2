//! The files that a command reads and writes.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, ensure};

/// The largest file that is read. Collateral, the largest of them, has some 100,000 bytes.
pub(crate) const MAX_SIZE: u64 = 4 * 1024 * 1024;

/// Reads a whole file, but not one of any size.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MAX_SIZE.saturating_add(1)).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(read as u64 <= MAX_SIZE, "{} has more than {MAX_SIZE} bytes", path.display());
    Ok(bytes)
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
