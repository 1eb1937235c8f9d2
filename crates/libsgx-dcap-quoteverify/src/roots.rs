//! The trusted roots: Intel's, and those that whoever administers this machine adds.
//!
//! Another root makes quotes valid that no hardware backs, such as the software platform's, so only
//! root can add one, in a file that nobody else can change. No environment variable does: whoever
//! starts a verifier is not always whoever is to trust its result.

use std::fs::symlink_metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use untrusted_input::read_unlinked_if_there;
use verify::{RootError, TrustedRoots};

use crate::trace;

/// PEM or DER: certificates of roots besides Intel's.
const FILE: &str = "/etc/quote-helper/quote-verification-roots.pem";

/// The largest size of that file, in bytes.
const MAX_SIZE: u64 = 64 * 1024;

/// The right to write, of the group and of all others.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The file with roots is not used.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Another user than root could change the file, or a directory above it.
    #[error(
        "{0} belongs to another user than root, or others may write to it, or it is a symbolic \
         link; make it root's alone: chown root, chmod go-w"
    )]
    NotRoots(String),
    /// It has no usable roots.
    #[error(transparent)]
    Roots(#[from] RootError),
}

/// Intel's root, and those in the file. Says aloud that there are others, or that the file is
/// refused.
pub(crate) fn trusted() -> TrustedRoots {
    let intel = TrustedRoots::intel();
    match added(Path::new(FILE)) {
        Ok(None) => intel,
        Ok(Some(roots)) => {
            for root in roots.iter() {
                let (name, sha256) = (&root.subject, hex::encode(root.sha256));
                trace::announce(&format_args!(
                    "INSECURE if it is a software platform's: quotes under the root \"{name}\", \
                     SHA-256 {sha256}, are accepted, because it is in {FILE}"
                ));
            }
            intel.and(roots)
        }
        Err(refused) => {
            trace::announce(&format_args!("{FILE} is ignored: {refused}"));
            intel
        }
    }
}

/// The roots in the file, if there is one.
fn added(file: &Path) -> Result<Option<TrustedRoots>, Refused> {
    match symlink_metadata(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        it => it?,
    };
    // Directories first: in a directory of root's alone a file does not change between its check
    // and its use.
    let mut above: Vec<_> = file.ancestors().collect();
    above.reverse();
    above.into_iter().try_for_each(check_owner)?;
    match read_unlinked_if_there(file, MAX_SIZE)? {
        Some(bytes) => Ok(Some(TrustedRoots::parse(&bytes)?)),
        None => Ok(None),
    }
}

/// Checks that only root can change the directory or file, and that it is no symbolic link.
fn check_owner(path: &Path) -> Result<(), Refused> {
    let metadata = symlink_metadata(path)?;
    let is_roots = metadata.uid() == 0 && metadata.mode() & WRITABLE_BY_OTHERS == 0;
    if is_roots && !metadata.is_symlink() {
        return Ok(());
    }
    Err(Refused::NotRoots(path.display().to_string()))
}
