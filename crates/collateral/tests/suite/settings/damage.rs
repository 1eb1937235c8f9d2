//! Files and variables that may be anything: errors in words, and no panic.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use collateral::settings::{PartialSettings, SourceSpec};

use crate::settings::place::Place;

const QCNL: &str = "{ // a\n\"pccs_url\": \"https://p:1/\", /* b */ \"retry_times\": 6, \"é\": [1, {}],\n\
     \"custom_request_options\": {\"get_cert\": {\"headers\": {\"a\": \"\\\"\\u00e9\"}}}, \"pck_cache_expire_hours\": 1e2}";
const OLD: &str = "# a\nPCCS_URL=https://p:1/\nRETRY_TIMES=6\nPCK_CACHE_EXPIRE_HOURS=1.5\nUSE_SECURE_CERT=FALSE\n";
const CONFIG: &str = "[collateral]\nsources = [\"thim\", {url = \"https://p:1\", kind = \"pccs\"}]\n\
     timeout = \"5s\"\nretries = 3\ncache_max_size = \"1.5GiB\"\n";
const SOURCES: &str = "thim,https://p:8081/sgx/certification/v4,/srv/é";

/// Each beginning, and each byte changed in several ways.
fn damaged(text: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    let bytes = text.as_bytes();
    let shorter = (0..bytes.len()).map(|length| bytes[..length].to_vec());
    let changed = (0..bytes.len()).flat_map(move |at| {
        [0x00, b'"', b'\\', b'/', b'{', 0xff].map(|byte| {
            let mut changed = bytes.to_vec();
            changed[at] = byte;
            changed
        })
    });
    let flipped = (0..bytes.len() * 8).map(move |bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    shorter.chain(changed).chain(flipped)
}

#[test]
fn no_damage_to_a_file_or_a_variable_is_a_panic() {
    let mut place = Place::new();
    let mut refused = 0;
    let mut look = |place: &Place| match place.choose(PartialSettings::default()) {
        Ok(settings) => drop(format!("{settings} {settings:?}")),
        Err(error) => {
            refused += 1;
            assert!(!error.to_string().is_empty());
        }
    };
    for text in [QCNL, OLD] {
        for damaged in damaged(text) {
            place = place.with_qcnl(&damaged);
            look(&place);
        }
    }
    for damaged in damaged(CONFIG) {
        place = place.with_config(&damaged);
        look(&place);
    }
    place = place.with_config("");
    for damaged in damaged(SOURCES) {
        place = place.with("QUOTE_HELPER_COLLATERAL_SOURCES", OsStr::from_bytes(&damaged));
        look(&place);
    }
    assert!(refused > 2000, "{refused}");
}

#[test]
fn a_file_that_is_none_is_told() {
    const TEXT: &str = "is not a settings file: it is not UTF-8 text";
    for (bytes, problem) in [
        (vec![b' '; 64 * 1024 + 1], "is not a settings file: it has more than 64 KiB"),
        (b"{\"pccs_url\": \"\xff\"}".to_vec(), TEXT),
        (b"PCCS_URL=https://p\0".to_vec(), TEXT),
    ] {
        let qcnl = Place::new().with_qcnl(&bytes).error();
        assert_eq!(qcnl, format!("/etc/sgx_default_qcnl.conf {problem}"));
        let config = Place::new().with_config(&bytes).error();
        assert_eq!(config, format!("/etc/quote-helper/config.toml {problem}"));
    }
    let place = Place::new();
    std::fs::create_dir(place.path("sgx_default_qcnl.conf")).unwrap();
    let told = "/etc/sgx_default_qcnl.conf is not a settings file: it is not a regular file";
    assert_eq!(place.error(), told);
}

#[test]
fn a_file_as_large_as_allowed_is_read() {
    let mut text = "{\"pccs_url\": \"https://p\"}".to_owned();
    text.push_str(&" ".repeat(64 * 1024 - text.len()));
    assert_eq!(Place::new().with_qcnl(text).notes(), [""; 0]);
}

#[test]
fn devices_and_pipes_are_not_waited_for() {
    let pipe = Place::new();
    let made = std::process::Command::new("mkfifo").arg(pipe.path("pipe")).status().unwrap();
    assert!(made.success());
    let path = pipe.path("pipe");
    for variable in ["QCNL_CONF_PATH", "QUOTE_HELPER_CONFIG"] {
        assert!(Place::new().with(variable, &path).error().ends_with("it is not a regular file"));
        assert!(
            Place::new().with(variable, "/dev/zero").error().ends_with("it is not a regular file")
        );
    }
}

#[test]
fn depth_is_limited() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(5000), close.repeat(5000));
        for key in
            ["pccs_url", "retry_times", "custom_request_options", "pccs_api_version", "unknown"]
        {
            let text = format!("{{\"{key}\": {deep}}}");
            // It is wrong, or without a meaning; it does not end the process.
            drop(Place::new().with_qcnl(text).choose(PartialSettings::default()));
        }
    }
    for text in [
        format!("[collateral]\nsources = {}{}", "[".repeat(20000), "]".repeat(20000)),
        format!("[collateral]\nsources = {}", "{a=".repeat(20000)),
        format!("[{}]", vec!["a"; 20000].join(".")),
    ] {
        assert!(Place::new().with_config(text).choose(PartialSettings::default()).is_err());
    }
}

#[test]
fn a_mark_of_the_byte_order_is_passed_over() {
    assert_eq!(Place::new().with_qcnl("\u{feff}{\"pccs_url\": \"https://p\"}").notes(), [""; 0]);
}

#[test]
fn a_variable_that_is_no_text_is_told() {
    let bytes = OsStr::from_bytes(b"\xff");
    let error = Place::new().with("QUOTE_HELPER_COLLATERAL_TIMEOUT", bytes).error();
    assert_eq!(error, "the variable QUOTE_HELPER_COLLATERAL_TIMEOUT: it is no text in UTF-8");
}

#[test]
fn no_text_as_a_source_is_a_panic() {
    for bytes in damaged(SOURCES) {
        if let Ok(text) = std::str::from_utf8(&bytes) {
            drop(text.parse::<SourceSpec>());
        }
    }
}
