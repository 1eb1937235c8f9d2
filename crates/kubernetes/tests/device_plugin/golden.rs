//! What was once looked at and found right, in `goldens/`. `WRITE_GOLDENS=1` writes it anew.

use std::fs;
use std::path::Path;

/// The text must be that of the golden with this name.
pub(crate) fn check(name: &str, text: &str) {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/device_plugin/goldens").join(name);
    if std::env::var_os("WRITE_GOLDENS").is_some() {
        fs::write(&golden, text).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert!(
        expected == text,
        "{} differs (WRITE_GOLDENS=1 takes over what there is now); now it is\n{text}",
        golden.display()
    );
}
