//! The certificate caches of third-party quote providers, which a worker may load instead of ours:
//! `.dcap-qcnl` of Intel's `libsgx_default_qcnl_wrapper`, `.az-dcap-client` of Azure's
//! az-dcap-client.
//!
//! Both search the same places in the same order. Intel's uses the first that has its directory, or
//! else creates it in the first that allows it; Azure's creates its own in the first that is set.

use std::env::var_os;
use std::path::{Path, PathBuf};

const NAMES: [&str; 2] = [".dcap-qcnl", ".az-dcap-client"];
const VARIABLES: [&str; 4] = ["AZDCAP_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR"];
const LAST: &str = "/tmp";

/// All existing cache directories. Creates a missing one in the first place that allows it, as the
/// library would without the sandbox.
pub(super) fn directories() -> Vec<PathBuf> {
    let of_variables = VARIABLES.into_iter().filter_map(var_os).filter(|place| !place.is_empty());
    let places: Vec<_> = of_variables.map(PathBuf::from).chain([LAST.into()]).collect();
    NAMES.into_iter().flat_map(|name| below(&places, name)).collect()
}

fn below(places: &[PathBuf], name: &str) -> Vec<PathBuf> {
    let directories: Vec<_> = places.iter().map(|place| place.join(name)).collect();
    let there: Vec<_> = directories.iter().filter(|path| path.is_dir()).cloned().collect();
    if there.is_empty() {
        let made = directories.into_iter().find(|path| make(path));
        return made.into_iter().collect();
    }
    there
}

/// Creates it for this user alone, since the place may be writable to everybody.
fn make(directory: &Path) -> bool {
    directory.parent().is_some_and(Path::is_dir) && private_directory::make(directory).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_there_is_taken_wherever_it_is() {
        let root = tempfile::tempdir().unwrap();
        let places = ["a", "b", "c"].map(|name| root.path().join(name));
        places.iter().for_each(|place| std::fs::create_dir(place).unwrap());
        std::fs::create_dir(places[1].join("cache")).unwrap();
        assert_eq!(below(&places, "cache"), [places[1].join("cache")]);
        assert!(!places[0].join("cache").exists());
    }

    #[test]
    fn else_it_is_made_in_the_first_place_that_allows_it() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("file"), "").unwrap();
        let places = ["nowhere", "file", "", "."].map(|name| root.path().join(name));
        let made = below(&places, "cache");
        assert_eq!(made, [places[2].join("cache")]);
        assert!(made[0].is_dir());
        assert!(!places[0].exists());
    }
}
