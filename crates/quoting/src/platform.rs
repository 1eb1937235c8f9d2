//! The choice between real SGX and the software platform.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The environment variable that chooses the platform: `auto`, `dcap` or `software`.
pub const QUOTE_HELPER_PLATFORM: &str = "QUOTE_HELPER_PLATFORM";

/// The device node with which the kernel lets a process make enclaves.
pub const SGX_ENCLAVE_DEVICE: &str = "/dev/sgx_enclave";

/// Intel's quote generation library, as the dynamic loader knows it.
pub const DCAP_LIBRARY: &str = "libsgx_dcap_ql.so.1";

/// Where quotes come from, as somebody asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Platform {
    /// Real SGX where the machine has it, else the software platform.
    #[default]
    Auto,
    /// Intel's QE and PCE, through Intel's quote generation library.
    Dcap,
    /// The software platform, insecure by design.
    Software,
}

/// Where quotes come from, as it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenPlatform {
    /// Intel's QE and PCE.
    Dcap,
    /// The software platform.
    Software(Reason),
}

/// Why it is the software platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// There is no [`SGX_ENCLAVE_DEVICE`].
    NoDevice,
    /// Intel's quote generation library is not there.
    NoLibrary,
}

/// A name that is none of a platform's.
#[derive(Debug, thiserror::Error)]
#[error("there is no platform `{0}`: it is `auto`, `dcap` or `software`")]
pub struct UnknownPlatform(String);

impl Platform {
    /// Decides by what is on this machine. `library` is Intel's, by name or by path.
    #[must_use]
    pub fn choose(self, library: &Path) -> ChosenPlatform {
        let device = Path::new(SGX_ENCLAVE_DEVICE).exists();
        self.choose_by(device, || find_library(library).is_some())
    }

    fn choose_by(self, device: bool, library: impl FnOnce() -> bool) -> ChosenPlatform {
        match self {
            Self::Dcap => ChosenPlatform::Dcap,
            Self::Software => ChosenPlatform::Software(Reason::Asked),
            Self::Auto if !device => ChosenPlatform::Software(Reason::NoDevice),
            Self::Auto if !library() => ChosenPlatform::Software(Reason::NoLibrary),
            Self::Auto => ChosenPlatform::Dcap,
        }
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(name: &str) -> Result<Self, UnknownPlatform> {
        match name {
            "auto" => Ok(Self::Auto),
            "dcap" => Ok(Self::Dcap),
            "software" => Ok(Self::Software),
            _ => Err(UnknownPlatform(name.to_owned())),
        }
    }
}

/// The file that the dynamic loader would most likely take for a library's name; a path is that file.
///
/// Looks into `LD_LIBRARY_PATH` and the usual directories, and loads nothing.
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
    let given = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let directories = std::env::split_paths(&given).chain(USUAL.map(PathBuf::from));
    directories.map(|directory| directory.join(library)).find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_dcap_where_device_and_library_are() {
        let choose = |platform: Platform, device, library| platform.choose_by(device, || library);
        assert_eq!(choose(Platform::Auto, true, true), ChosenPlatform::Dcap);
        assert_eq!(choose(Platform::Auto, false, true), ChosenPlatform::Software(Reason::NoDevice));
        assert_eq!(
            choose(Platform::Auto, true, false),
            ChosenPlatform::Software(Reason::NoLibrary)
        );
    }

    #[test]
    fn what_is_asked_for_is_chosen_whatever_the_machine_has() {
        for has in [false, true] {
            let asked = Platform::Software.choose_by(has, || has);
            assert_eq!(asked, ChosenPlatform::Software(Reason::Asked));
            assert_eq!(Platform::Dcap.choose_by(has, || has), ChosenPlatform::Dcap);
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
