//! The precedence of settings.

use std::time::Duration;

use collateral::TcbUpdate;
use collateral::settings::{Origin, PartialSettings, Retry, TrustSettings};

use crate::settings::place::{Place, service, summary};

const SOURCES: &str = "QUOTE_HELPER_COLLATERAL_SOURCES";

#[test]
fn sources_are_those_of_the_first_that_names_any() {
    // From the last that is asked to the first.
    let place = Place::new();
    assert_eq!(
        summary(&place.settings()),
        ["Pcs https://api.trustedservices.intel.com Everything"]
    );
    assert_eq!(place.settings().origin, Origin::Machine { azure: false });

    let place = place.in_azure();
    let azure = [
        "Thim http://169.254.169.254/metadata/THIM PckCertificates",
        "Pccs https://global.acccache.azure.net Everything",
    ];
    assert_eq!(summary(&place.settings()), azure);
    assert_eq!(place.settings().origin, Origin::Machine { azure: true });

    let place = place.with("AZDCAP_BASE_CERT_URL", "https://azdcap").with("AZDCAP_CLIENT_ID", "me");
    assert_eq!(summary(&place.settings())[2], "Pccs https://azdcap Collateral");
    assert_eq!(place.notes(), [""; 0]);

    let place = place.with_qcnl(r#"{"pccs_url": "https://qcnl"}"#);
    assert_eq!(summary(&place.settings()), ["Pccs https://qcnl Everything"]);
    let azdcap = "AZDCAP_BASE_CERT_URL, AZDCAP_CLIENT_ID are not used, since";
    assert_eq!(place.notes(), [format!("{azdcap} /etc/sgx_default_qcnl.conf says so")]);

    let place = place.with_config("[collateral]\nsources = ['https://file']");
    assert_eq!(summary(&place.settings()), ["Pccs https://file Everything"]);
    let not_used = |why: &str| {
        vec![
            format!("/etc/sgx_default_qcnl.conf is not used, since {why}"),
            format!("{azdcap} {why}"),
        ]
    };
    assert_eq!(place.notes(), not_used("/etc/quote-helper/config.toml says so"));

    let place = place.with(SOURCES, "https://variable");
    assert_eq!(summary(&place.settings()), ["Pccs https://variable Everything"]);
    assert_eq!(place.notes(), not_used(&format!("the variable {SOURCES} says so")));

    let sources = Some(vec!["https://flag".parse().unwrap()]);
    let settings = place.choose(PartialSettings { sources, ..PartialSettings::default() }).unwrap();
    assert_eq!(summary(&settings), ["Pccs https://flag Everything"]);
    let notes: Vec<_> = settings.notes.iter().map(|note| place.said(note)).collect();
    assert_eq!(notes, not_used("the command line says so"));
}

#[test]
fn other_settings_come_from_the_first_that_has_them() {
    let place = Place::new()
        .with("AZDCAP_CACHE_EXPIRY_IN_SECONDS", "60")
        .with_qcnl(
            r#"{"pccs_url": "https://qcnl", "use_secure_cert": false, "retry_times": 9, "retry_delay": 8,
                "tcb_update_type": "early", "pck_cache_expire_hours": 1}"#,
        );
    let settings = place.settings();
    assert_eq!(settings.retry, Retry { times: 9, delay: Some(Duration::from_secs(8)) });
    assert_eq!(settings.cache.pck_max_age, Some(Duration::from_secs(3600)));
    assert_eq!(settings.cache.collateral_max_age, Some(Duration::from_secs(60)));
    assert_eq!(service(&settings, 0).trust, TrustSettings::Unchecked);

    let place = place.with_config(
        "[collateral]\nretries = 1\nevaluation = 'standard'\ninsecure_tls = false\ncache_max_age = '2h'\ntimeout = '1s'",
    );
    let settings = place.settings();
    assert_eq!(summary(&settings), ["Pccs https://qcnl Everything"], "they name no sources");
    assert_eq!(settings.retry, Retry { times: 1, delay: None });
    assert_eq!(settings.evaluation, TcbUpdate::Standard);
    assert_eq!(settings.cache.pck_max_age, Some(Duration::from_secs(7200)));
    assert_eq!(service(&settings, 0).trust, TrustSettings::System);
    assert_eq!(settings.timeout, Duration::from_secs(1));

    let place = place.with("QUOTE_HELPER_COLLATERAL_CA_FILE", "/ca.pem");
    let ca_file = TrustSettings::CaFile("/ca.pem".into());
    assert_eq!(service(&place.settings(), 0).trust, ca_file);
    let place = place.with("QUOTE_HELPER_COLLATERAL_TIMEOUT", "2s");
    assert_eq!(place.settings().timeout, Duration::from_secs(2));
    let flags = PartialSettings {
        timeout: Some(Duration::from_secs(3)),
        insecure_tls: Some(true),
        ..PartialSettings::default()
    };
    let settings = place.choose(flags).unwrap();
    assert_eq!(settings.timeout, Duration::from_secs(3));
    assert_eq!(service(&settings, 0).trust, TrustSettings::Unchecked);
}

#[test]
fn files_that_are_not_used_may_be_damaged() {
    let place = Place::new().with_qcnl("{").with(SOURCES, "pcs").with("AZDCAP_CLIENT_ID", "");
    assert_eq!(
        place.notes(),
        [
            "/etc/sgx_default_qcnl.conf is not used, since the variable QUOTE_HELPER_COLLATERAL_SOURCES says so"
        ]
    );
}

#[test]
fn an_api_key_is_for_intel_alone() {
    let with_key = |place: Place| {
        let settings = place.with("QUOTE_HELPER_COLLATERAL_API_KEY_FILE", "/key").settings();
        (0..settings.sources.len())
            .map(|index| service(&settings, index).api_key_file.is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(with_key(Place::new()), [true]);
    assert_eq!(with_key(Place::new().in_azure()), [false, false]);
    let qcnl = r#"{"pccs_url": "https://p", "collateral_service": "https://api.trustedservices.intel.com"}"#;
    assert_eq!(with_key(Place::new().with_qcnl(qcnl)), [false, true]);
}
