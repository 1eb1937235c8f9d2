//! Settings of other quote providers, and invalid settings.

use std::process::Command;
use std::time::Duration;
use test_support::c_programs::{Build, succeeded};

use sgx::Quote3Error;

use crate::PROGRAMS;
use crate::applications::accepts;
use crate::outcomes::{COLLATERAL, Printed, QUOTE_CONFIG};
use crate::platform::Platform;

fn assert_logged(printed: &Printed, words: &[&str]) {
    let found = |word: &&str| printed.logged.iter().any(|(_, message)| message.contains(*word));
    assert!(words.iter().all(found), "{words:?}: {:?}", printed.logged);
}

#[test]
fn intels_settings_determine_the_format_of_crls() {
    let (platform, program) = (Platform::new(), PROGRAMS.compile("provide", Build::Plain));
    let service = platform.serve();
    let url = format!("http://{}/sgx/certification/v4/", service.address);
    let settings =
        format!("{{ \"pccs_url\": \"{url}\" // a comment\n, \"pccs_api_version\": \"3.1\" }}");
    platform.write("qcnl.conf", settings.as_bytes());
    let mut command = platform.command_without_sources(&program);
    succeeded(command.env("QCNL_CONF_PATH", platform.path("qcnl.conf")));
    assert_eq!(platform.read("version"), [3, 0, 1, 0]);
    assert_eq!(platform.read("root_ca_crl"), platform.read("root_ca_crl_alone"));
    accepts(&platform, |der| der);
}

#[test]
fn azures_settings_determine_the_sources() {
    let (platform, program) = (Platform::new(), PROGRAMS.compile("outcomes", Build::Plain));
    let service = platform.serve();
    let url = format!("http://{}/sgx/certification", service.address);
    let mut command = platform.command_without_sources(&program);
    command.env("AZDCAP_PRIMARY_BASE_CERT_URL", &url).env("AZDCAP_BASE_CERT_URL", &url);
    let printed = Printed::by(&mut command);
    assert_eq!(printed.error(QUOTE_CONFIG), Quote3Error::SUCCESS, "{:?}", printed.logged);
    assert_eq!(printed.error(COLLATERAL), Quote3Error::SUCCESS, "{:?}", printed.logged);
    assert_logged(&printed, &["AZDCAP_PRIMARY_BASE_CERT_URL"]);
}

#[test]
fn invalid_settings_are_logged_at_each_call() {
    let (platform, program) = (Platform::new(), PROGRAMS.compile("outcomes", Build::Plain));
    platform.write("broken.conf", b"{ \"pccs_url\": ");
    let missing = platform.path("no.conf");
    let broken = platform.path("broken.conf");
    let root = platform.path("platform.bin");
    for (variable, value, words) in [
        ("QCNL_CONF_PATH", &missing, "no.conf"),
        ("QCNL_CONF_PATH", &broken, "broken.conf"),
        ("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", &root, "platform.bin"),
    ] {
        let mut command = platform.command_without_sources(&program);
        let printed = Printed::by(command.env(variable, value));
        assert!(printed.calls.len() > 3 && printed.errors().count() > 0, "{:?}", printed.logged);
        for (function, (error, _)) in &printed.calls {
            assert_eq!(*error, Quote3Error::CONFIG_INVALID_JSON, "{function}");
        }
        assert!(printed.errors().all(|message| message.contains(words)), "{:?}", printed.logged);
    }
}

#[test]
fn without_sources_only_the_cache_is_used() {
    let (platform, program) = (Platform::new(), PROGRAMS.compile("outcomes", Build::Plain));
    let local = |command: &mut Command| {
        let printed = Printed::by(command.env("QUOTE_HELPER_COLLATERAL_LOCAL_ONLY", "true"));
        assert!(!printed.calls.is_empty());
        assert!(printed.calls.values().all(|(_, time)| *time < Duration::from_millis(500)));
        printed
    };
    let printed = local(&mut platform.command_without_sources(&program));
    assert_eq!(printed.error(QUOTE_CONFIG), Quote3Error::NO_PLATFORM_CERT_DATA);
    assert_eq!(printed.error(COLLATERAL), Quote3Error::NO_QUOTE_COLLATERAL_DATA);
    let service = platform.serve();
    Printed::by(&mut platform.command(&program, service.address));
    let printed = local(&mut platform.command_without_sources(&program));
    assert_eq!(printed.error(QUOTE_CONFIG), Quote3Error::SUCCESS);
}
