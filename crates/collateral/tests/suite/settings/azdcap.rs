//! The variables of Azure's client.

use std::time::Duration;

use collateral::settings::{LogLevel, Origin};

use crate::settings::place::{Place, pairs, service, summary};

const THIM: &str = "Thim http://169.254.169.254/metadata/THIM PckCertificates";

#[test]
fn any_variable_about_sources_means_azures_sources() {
    let place = Place::new().with("AZDCAP_CLIENT_ID", "tests of ours");
    let settings = place.settings();
    assert_eq!(summary(&settings), [THIM, "Pccs https://global.acccache.azure.net Everything"]);
    assert_eq!(settings.origin, Origin::Variables(vec!["AZDCAP_CLIENT_ID".to_owned()]));
    let parameters = pairs(&[("api-version", "2021-07-22-preview"), ("clientid", "tests of ours")]);
    for index in 0..2 {
        assert_eq!(service(&settings, index).parameters, parameters);
    }
    assert_eq!(service(&settings, 0).headers, pairs(&[("Metadata", "true")]));
}

#[test]
fn each_url_can_be_another_one() {
    let settings = Place::new()
        .with("AZDCAP_PRIMARY_BASE_CERT_URL", "http://near/metadata/THIM/sgx/certification")
        .with("AZDCAP_SECONDARY_BASE_CERT_URL", "https://second/sgx/certification")
        .with("AZDCAP_BASE_CERT_URL", "https://base/sgx/certification/")
        .settings();
    assert_eq!(
        summary(&settings),
        [
            "Pccs http://near/metadata/THIM PckCertificates",
            "Pccs https://second PckCertificates",
            "Pccs https://base Collateral",
        ]
    );
    let parameters = pairs(&[("clientid", "production_client")]);
    assert_eq!(service(&settings, 1).parameters, parameters);
}

#[test]
fn the_host_can_be_passed_over() {
    let of = |value: &str| summary(&Place::new().with("AZDCAP_BYPASS_BASE_URL", value).settings());
    let cache = "Pccs https://global.acccache.azure.net Everything";
    assert_eq!(of("TRUE"), [cache]);
    assert_eq!(of("false"), [THIM, cache]);
}

#[test]
fn versions_before_4_have_ended() {
    for version in ["v1", "v2", "v3"] {
        let notes = Place::new().with("AZDCAP_COLLATERAL_VERSION", version).notes();
        let number = &version[1..];
        let told = format!(
            "version {number} of the API, in AZDCAP_COLLATERAL_VERSION, has ended; version 4 is asked for"
        );
        assert_eq!(notes, [told]);
    }
    assert_eq!(Place::new().with("AZDCAP_COLLATERAL_VERSION", "v4").notes(), [""; 0]);
}

#[test]
fn the_cache_has_limits_in_seconds() {
    let of = |value: &str| {
        let settings = Place::new().with("AZDCAP_CACHE_EXPIRY_IN_SECONDS", value).settings();
        assert_eq!(settings.origin, Origin::Machine { azure: false });
        assert_eq!(settings.cache.pck_max_age, settings.cache.collateral_max_age);
        settings.cache.pck_max_age
    };
    assert_eq!(of("86400"), Some(Duration::from_secs(86400)));
    assert_eq!(of("1"), Some(Duration::from_secs(1)));
    assert_eq!(of("0"), None);
}

#[test]
fn the_log_level_is_passed_on() {
    let of = |value: &str| Place::new().with("AZDCAP_DEBUG_LOG_LEVEL", value).settings().log_level;
    assert_eq!(of("INFO"), Some(LogLevel::Info));
    assert_eq!(of("WARNING"), Some(LogLevel::Warning));
    assert_eq!(of("SGX_QL_LOG_WARNING"), Some(LogLevel::Warning));
    assert_eq!(of("ERROR"), Some(LogLevel::Error));
    assert_eq!(of("FATAL"), None);
    assert_eq!(of(""), None);
}

#[test]
fn variables_without_a_meaning_are_told() {
    let place = Place::new().with("AZDCAP_CLIENT_ID", "a").with("AZDCAP_REGION_URL", "westeurope");
    assert_eq!(place.notes(), ["ignored: AZDCAP_REGION_URL"]);
}

#[test]
fn a_wrong_value_is_told_with_its_variable() {
    for (variable, value, problem) in [
        (
            "AZDCAP_BASE_CERT_URL",
            "cache.example",
            "\"cache.example\" has no scheme; write https:// before it",
        ),
        ("AZDCAP_BYPASS_BASE_URL", "1", "\"1\" is neither true nor false"),
        (
            "AZDCAP_COLLATERAL_VERSION",
            "v5",
            "\"v5\" is no version of the API; the one spoken here is v4",
        ),
        (
            "AZDCAP_COLLATERAL_VERSION",
            "4",
            "\"4\" is no version of the API; the one spoken here is v4",
        ),
        (
            "AZDCAP_CACHE_EXPIRY_IN_SECONDS",
            "86401",
            "\"86401\" is no number of seconds from 0 to 86400",
        ),
        ("AZDCAP_CACHE_EXPIRY_IN_SECONDS", "-1", "\"-1\" is no number of seconds from 0 to 86400"),
        ("AZDCAP_CACHE_EXPIRY_IN_SECONDS", "1h", "\"1h\" is no number of seconds from 0 to 86400"),
    ] {
        let error = Place::new().with(variable, value).error();
        assert_eq!(error, format!("the variable {variable}: {problem}"));
    }
}
