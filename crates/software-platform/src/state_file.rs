//! Files that last: written whole or not at all, readable by their owner alone.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use atomic_file::Readers;
use serde::Serialize;
use zeroize::Zeroizing;

/// The largest file, in bytes: far more than any of ours has.
const MAX_SIZE: u64 = 1 << 20;

/// The file's bytes; `None` when there is no such file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    Ok(untrusted_input::read_if_there(path, MAX_SIZE)?.map(Zeroizing::new))
}

/// As [`read`], for a file in another user's directory, whose links are not followed.
pub(crate) fn read_anothers(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    Ok(untrusted_input::read_unlinked_if_there(path, MAX_SIZE)?.map(Zeroizing::new))
}

/// Writes a new file as JSON. When there is one already it stays, and the error is `AlreadyExists`.
pub(crate) fn create_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    atomic_file::create_new(path, &json(value)?, Readers::Owner)
}

/// Writes the file; whoever reads meanwhile gets all of the old one or all of the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    atomic_file::replace(path, bytes, Readers::Owner)
}

/// As [`replace`], with a value as JSON.
pub(crate) fn replace_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    replace(path, &json(value)?)
}

fn json(value: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut json = Zeroizing::new(serde_json::to_vec_pretty(value)?);
    json.push(b'\n');
    Ok(json)
}

/// Removes the file if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
