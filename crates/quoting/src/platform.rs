//! The choice between real SGX and the software platform.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use untrusted_input::environment;

/// The environment variable that chooses the platform: `dcap` or `software`.
pub const QUOTE_HELPER_PLATFORM: &str = "QUOTE_HELPER_PLATFORM";

/// The device node that creates enclaves.
pub const SGX_ENCLAVE_DEVICE: &str = "/dev/sgx_enclave";

/// Intel's quote generation library, as the dynamic loader knows it: QE and PCE behind a C
/// interface that never asks a service. `libsgx_dcap_ql.so.1`, which sits above it, may be this
/// project's own.
pub const DCAP_LIBRARY: &str = "libsgx_qe3_logic.so.1";

/// The origin of quotes. There is no fallback: a machine without SGX driver or library makes no
/// quotes, rather than insecure ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Platform {
    /// Intel's QE and PCE, through Intel's quote generation library.
    #[default]
    Dcap,
    /// The software platform, insecure by design.
    Software,
}

/// An unknown name of a platform.
#[derive(Debug, thiserror::Error)]
pub enum UnknownPlatform {
    /// The automatic choice of earlier versions.
    #[error(
        "the platform `auto` was removed, since it gave insecure quotes wherever the SGX driver or \
         Intel's library was missing; expected `dcap` or `software`"
    )]
    Auto,
    /// Any other name.
    #[error("unknown platform `{0}`; expected `dcap` or `software`")]
    Other(String),
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(name: &str) -> Result<Self, UnknownPlatform> {
        match name {
            "dcap" => Ok(Self::Dcap),
            "software" => Ok(Self::Software),
            "auto" => Err(UnknownPlatform::Auto),
            _ => Err(UnknownPlatform::Other(name.to_owned())),
        }
    }
}

/// The file that the dynamic loader would most likely load for a name; a path is that file.
///
/// Searches `LD_LIBRARY_PATH` and the usual directories, and loads nothing.
#[must_use]
pub fn find_library(library: &Path) -> Option<PathBuf> {
    const USUAL: [&str; 7] = [
        "/usr/local/lib/x86_64-linux-gnu",
        "/usr/local/lib",
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib64",
        "/lib",
        "/usr/lib",
    ];
    if library.components().count() > 1 {
        return library.exists().then(|| library.to_owned());
    }
    let given = environment::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let directories = std::env::split_paths(&given).chain(USUAL.map(PathBuf::from));
    directories.map(|directory| directory.join(library)).find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_sgx_is_the_default_without_a_fallback() {
        assert_eq!(Platform::default(), Platform::Dcap);
        assert_eq!("dcap".parse::<Platform>().unwrap(), Platform::Dcap);
        assert_eq!("software".parse::<Platform>().unwrap(), Platform::Software);
        for name in ["auto", "", "DCAP", "hardware"] {
            let said = name.parse::<Platform>().unwrap_err().to_string();
            assert!(said.contains(&format!("`{name}`")), "{said}");
            assert!(said.contains("expected `dcap` or `software`"), "{said}");
        }
    }

    #[test]
    fn a_library_is_found_by_name_and_by_path() {
        let libc = find_library(Path::new("libc.so.6")).unwrap();
        assert_eq!(find_library(&libc), Some(libc));
        assert_eq!(find_library(Path::new("libno-such-library.so.1")), None);
        assert_eq!(find_library(Path::new("/no/such/library.so.1")), None);
    }
}
