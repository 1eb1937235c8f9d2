//! Quoting in this process, on real SGX or on the software platform.

use std::env::VarError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sgx::AesmError;
use software_platform::{SoftwarePlatform, StateError};
use untrusted_input::environment;

use crate::{
    DCAP_LIBRARY, DcapQuoter, Platform, QUOTE_HELPER_PLATFORM, Quoter, QuotingError, SGX_AESM_ADDR,
    SoftwareQuoter,
};

/// The environment variable that names the directory of the software platform.
pub const QUOTE_HELPER_STATE_DIR: &str = "QUOTE_HELPER_STATE_DIR";

/// A Quoter in this process, on this platform. The software platform must exist in `state_dir`.
///
/// # Errors
/// [`QuotingError`] when Intel's library, or the software platform's directory, cannot be used.
pub fn open_in_process(
    platform: Platform,
    state_dir: &Path,
) -> Result<Box<dyn Quoter>, QuotingError> {
    match platform {
        Platform::Dcap => {
            let quoter = DcapQuoter::open(Path::new(DCAP_LIBRARY)).map_err(no_library)?;
            Ok(Box::new(quoter))
        }
        Platform::Software => {
            let platform = SoftwarePlatform::open(state_dir).map_err(|error| unusable(&error))?;
            Ok(Box::new(SoftwareQuoter::new(Arc::new(platform))))
        }
    }
}

impl Platform {
    /// The platform that [`QUOTE_HELPER_PLATFORM`] names; [`Platform::Dcap`] without it.
    ///
    /// # Errors
    /// [`QuotingError`] with [`AesmError::Parameter`] for an unknown platform.
    pub fn of_process() -> Result<Self, QuotingError> {
        let wrong = |error: String| {
            let detail =
                format!("the environment variable {QUOTE_HELPER_PLATFORM} is wrong: {error}");
            QuotingError::new(AesmError::Parameter, detail)
        };
        match environment::var(QUOTE_HELPER_PLATFORM) {
            Ok(name) => {
                name.parse().map_err(|error: crate::UnknownPlatform| wrong(error.to_string()))
            }
            Err(VarError::NotPresent) => Ok(Self::default()),
            Err(error) => Err(wrong(error.to_string())),
        }
    }
}

/// The directory of the software platform of the machine, and of the service's state.
const SYSTEM_STATE_DIR: &str = "/var/lib/quote-helper";

/// The directory of this user's software platform: [`QUOTE_HELPER_STATE_DIR`], else
/// `/var/lib/quote-helper` for root and for the owner of that directory, else `quote-helper` below
/// `$XDG_STATE_HOME` or `$HOME/.local/state`.
///
/// # Errors
/// [`QuotingError`] with [`AesmError::FileAccess`] when none of these variables is set.
pub fn default_state_dir() -> Result<PathBuf, QuotingError> {
    let user = rustix::process::geteuid();
    let owner = rustix::fs::stat(SYSTEM_STATE_DIR).map(|directory| directory.st_uid);
    let is_systems = user.is_root() || owner == Ok(user.as_raw());
    state_dir(is_systems, environment::var_os)
}

fn state_dir(
    is_systems: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, QuotingError> {
    let directory = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(given) = directory(QUOTE_HELPER_STATE_DIR) {
        return Ok(given);
    }
    if is_systems {
        return Ok(SYSTEM_STATE_DIR.into());
    }
    if let Some(state) = directory("XDG_STATE_HOME") {
        return Ok(state.join("quote-helper"));
    }
    directory("HOME").map(|home| home.join(".local/state/quote-helper")).ok_or_else(|| {
        let detail = format!(
            "no directory for the software platform's state: this user is not root, and XDG_STATE_HOME \
             and HOME are not set; set {QUOTE_HELPER_STATE_DIR} (a program that gained privileges \
             when it was started ignores all of these variables)"
        );
        QuotingError::new(AesmError::FileAccess, detail)
    })
}

/// Suggests the alternatives on a machine without Intel's library.
fn no_library(error: QuotingError) -> QuotingError {
    match error {
        QuotingError::Failed { code: code @ AesmError::InterfaceUnavailable, detail } => {
            let detail = format!(
                "{detail}. Instead, set {SGX_AESM_ADDR} to ask the quote service, or \
                 {QUOTE_HELPER_PLATFORM}=software for the insecure software platform"
            );
            QuotingError::new(code, detail)
        }
        error => error,
    }
}

fn unusable(error: &StateError) -> QuotingError {
    let code = match error {
        StateError::Io { .. } => AesmError::FileAccess,
        StateError::AttestationKey { .. } => AesmError::ErrorStoredKey,
        _ => AesmError::ServiceUnavailable,
    };
    let detail = format!(
        "cannot quote in this process (with {SGX_AESM_ADDR} set, the quote service is asked): {error}"
    );
    QuotingError::new(code, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state_dir_with(is_systems: bool, variables: &[(&str, &str)]) -> Option<PathBuf> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        state_dir(is_systems, variable).ok()
    }

    #[test]
    fn the_state_directory_is_the_one_that_is_named_or_the_users() {
        let given = (QUOTE_HELPER_STATE_DIR, "/given");
        let (xdg, home) = (("XDG_STATE_HOME", "/state"), ("HOME", "/home/user"));
        let of_system = |variables: &[_]| state_dir_with(true, variables).unwrap();
        assert_eq!(of_system(&[given, xdg, home]), Path::new("/given"));
        assert_eq!(of_system(&[xdg, home]), Path::new("/var/lib/quote-helper"));

        let of_user = |variables: &[_]| state_dir_with(false, variables).unwrap();
        assert_eq!(of_user(&[given, xdg, home]), Path::new("/given"));
        assert_eq!(of_user(&[(given.0, ""), xdg]), Path::new("/state/quote-helper"));
        assert_eq!(of_user(&[home]), Path::new("/home/user/.local/state/quote-helper"));
        assert_eq!(state_dir_with(false, &[]), None);
    }

    #[test]
    fn without_a_platform_the_error_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let error = open_in_process(Platform::Software, directory.path()).err().unwrap();
        assert_eq!(error.code(), AesmError::ServiceUnavailable);
        let text = error.to_string();
        assert!(text.contains("platform init") && text.contains(SGX_AESM_ADDR), "{text}");
    }
}
