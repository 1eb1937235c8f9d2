//! Our own settings, in the configuration and in variables.

use std::time::Duration;

use bytesize::ByteSize;
use collateral::TcbUpdate;
use collateral::settings::{Origin, PartialSettings, Retry, Serves, Settings, TrustSettings};

use crate::settings::place::{Place, pairs, service, summary};

const EVERY_KEY: &str = r#"
platform = "software" # of the quote service

[collateral]
sources = ["thim", "azure", "pcs", "https://pccs:8081", "https://api.trustedservices.intel.com", "/srv/bundle"]
ca_file = "/etc/ssl/pccs.pem"
api_key_file = "/run/secrets/pcs"
cache_dir = "/var/lib/collateral"
cache_max_size = "8MiB"
cache_max_age = "12h"
timeout = "3s"
retries = 5
evaluation = "early"
trusted_root = "/etc/root.pem"
"#;

fn has_every_setting(settings: &Settings) {
    assert_eq!(
        summary(settings),
        [
            "Thim http://169.254.169.254/metadata/THIM PckCertificates",
            "Pccs https://global.acccache.azure.net Everything",
            "Pcs https://api.trustedservices.intel.com Everything",
            "Pccs https://pccs:8081 Everything",
            "Pcs https://api.trustedservices.intel.com Everything",
            "Directory /srv/bundle",
        ]
    );
    for index in 0..5 {
        let service = service(settings, index);
        assert_eq!(service.trust, TrustSettings::CaFile("/etc/ssl/pccs.pem".into()));
        let is_intel = [2, 4].contains(&index);
        assert_eq!(service.api_key_file, is_intel.then(|| "/run/secrets/pcs".into()), "{index}");
    }
    assert_eq!(service(settings, 0).headers, pairs(&[("Metadata", "true")]));
    assert_eq!(settings.cache.directory, Some("/var/lib/collateral".into()));
    assert_eq!(settings.cache.max_size, 8 * 1024 * 1024);
    assert_eq!(settings.cache.pck_max_age, Some(Duration::from_secs(12 * 3600)));
    assert_eq!(settings.cache.collateral_max_age, Some(Duration::from_secs(12 * 3600)));
    assert_eq!(settings.timeout, Duration::from_secs(3));
    assert_eq!(settings.retry, Retry { times: 5, delay: None });
    assert_eq!(settings.evaluation, TcbUpdate::Early);
    assert_eq!(settings.trusted_root, Some("/etc/root.pem".into()));
    assert_eq!(settings.notes, [""; 0]);
}

#[test]
fn every_key_of_the_configuration_is_understood() {
    let place = Place::new().with_config(EVERY_KEY);
    let settings = place.settings();
    has_every_setting(&settings);
    assert_eq!(settings.origin, Origin::File(place.path("quote-helper/config.toml")));
}

#[test]
fn every_key_has_a_variable() {
    let config: toml::Table = toml::from_str(EVERY_KEY).unwrap();
    let mut place = Place::new();
    for (key, value) in config["collateral"].as_table().unwrap() {
        let text = match value {
            toml::Value::Array(list) => {
                list.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(", ")
            }
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        place = place.with(&format!("QUOTE_HELPER_COLLATERAL_{}", key.to_uppercase()), text);
    }
    let settings = place.settings();
    has_every_setting(&settings);
    let origin = Origin::Variables(vec!["QUOTE_HELPER_COLLATERAL_SOURCES".to_owned()]);
    assert_eq!(settings.origin, origin);
}

#[test]
fn a_source_can_be_a_table() {
    let settings = Place::new()
        .with_config(
            r#"
            [collateral]
            insecure_tls = true
            api_key_file = "/for/all"
            [[collateral.sources]]
            url = "https://near:8081"
            serves = "pck-certificates"
            ca_file = "/near.pem"
            [[collateral.sources]]
            url = "http://127.0.0.1:9"
            kind = "pcs"
            serves = "collateral"
            api_key_file = "/key"
            [[collateral.sources]]
            url = "http://127.0.0.1:8/metadata/THIM"
            kind = "thim"
            insecure_tls = false
            [[collateral.sources]]
            url = "/srv/bundle"
            "#,
        )
        .settings();
    assert_eq!(
        summary(&settings),
        [
            "Pccs https://near:8081 PckCertificates",
            "Pcs http://127.0.0.1:9 Collateral",
            "Thim http://127.0.0.1:8/metadata/THIM Everything",
            "Directory /srv/bundle",
        ]
    );
    assert_eq!(service(&settings, 0).trust, TrustSettings::CaFile("/near.pem".into()));
    assert_eq!(service(&settings, 0).api_key_file, None);
    assert_eq!(service(&settings, 1).trust, TrustSettings::Unchecked);
    assert_eq!(service(&settings, 1).api_key_file, Some("/key".into()));
    assert_eq!(service(&settings, 2).trust, TrustSettings::System);
    assert_eq!(service(&settings, 2).headers, pairs(&[("Metadata", "true")]));
    assert_eq!(settings.sources[3].serves(), Serves::Everything);
}

#[test]
fn nobody_is_asked_if_so_desired() {
    for (text, variable) in [
        ("[collateral]\nlocal_only = true\nsources = ['pcs']", None),
        ("[collateral]\nsources = []", None),
        ("", Some("true")),
    ] {
        let mut place = Place::new().with_config(text);
        if let Some(value) = variable {
            place = place.with("QUOTE_HELPER_COLLATERAL_LOCAL_ONLY", value);
        }
        let settings = place.settings();
        assert_eq!(settings.sources, [], "{text}");
        let said = place.said(&settings.to_string());
        let why = match variable {
            Some(_) => "the variable QUOTE_HELPER_COLLATERAL_LOCAL_ONLY says so",
            None => "/etc/quote-helper/config.toml says so",
        };
        let all =
            format!("PCK certificates and collateral come from the cache alone, because {why}\n");
        assert!(said.starts_with(&all), "{said}");
    }
}

#[test]
fn configuration_errors_name_line_and_key() {
    for (line, problem) in [
        ("sorces = []", "unknown setting sorces; did you mean sources?"),
        (
            "sources = ['pccs:8081']",
            "sources = ['pccs:8081']: \"pccs:8081\" is no source: write a URL with https://, an absolute path of a directory",
        ),
        (
            "sources = 'pcs'",
            "sources = 'pcs': write sources in brackets, such as [\"https://pccs.example:8081\", \"pcs\"]",
        ),
        ("sources = [5]", "sources = [5]: write sources in brackets"),
        (
            "sources = [{ url = 'https://a', api_key = 'x' }]",
            "unknown field `api_key`, expected one of `url`, `kind`",
        ),
        (
            "sources = [{ url = 'https://a', api_key_file = '/x' }]",
            "an api_key_file is for Intel's PCS",
        ),
        (
            "sources = [{ url = '/a', kind = 'pcs' }]",
            "a directory has no settings but its path; write it as text",
        ),
        (
            "sources = [{ url = 'pcs', ca_file = '/a', insecure_tls = true }]",
            "insecure_tls disables the check of certificates for which ca_file is",
        ),
        (
            "timeout = '11m'",
            "timeout = '11m': \"11m\" is not between 1ms and 10m; write a time in quotes",
        ),
        ("timeout = '0s'", "timeout = '0s': \"0s\" is not between 1ms and 10m"),
        ("timeout = 5", "timeout = 5: write a time in quotes from 1ms to 10m, such as \"10s\""),
        (
            "timeout = '5 parsecs'",
            "timeout = '5 parsecs': \"5 parsecs\" is no time such as 10s: unknown time unit",
        ),
        ("cache_max_size = '0'", "cache_max_size = '0': nothing can be kept in a cache of 0 bytes"),
        ("cache_max_size = 'big'", "cache_max_size = 'big': \"big\" is no size such as 64MiB"),
        (
            "cache_max_age = '99999999999999999999y'",
            "cache_max_age = '99999999999999999999y': \"99999999999999999999y\" is no time such as 12h",
        ),
        ("retries = 101", "retries = 101: \"101\" is no number of times from 0 to 100"),
        ("retries = -1", "retries = -1: write a whole number from 0 to 100"),
        (
            "evaluation = 'newest'",
            "evaluation = 'newest': \"newest\" is neither \"standard\" nor \"early\" nor a TCB evaluation data number",
        ),
        ("insecure_tls = 1", "insecure_tls = 1: write true or false, without quotes"),
        ("ca_file = ", "ca_file: "),
    ] {
        let error = Place::new().with_config(format!("# ours\n[collateral]\n{line}\n")).error();
        let expected = "/etc/quote-helper/config.toml, line 3: ";
        let told = error.strip_prefix(expected).unwrap_or_else(|| panic!("{line}: {error}"));
        assert!(told.contains(problem), "{line}: {told}");
    }
    let error = Place::new().with_config("[collateral]\nca_file='/a'\ninsecure_tls=true").error();
    assert!(error.starts_with("/etc/quote-helper/config.toml: insecure_tls"), "{error}");
}

#[test]
fn errors_in_variables_name_the_variable() {
    for (setting, value, problem) in [
        ("SOURCES", "pcs,", "\"\" is no source"),
        ("LOCAL_ONLY", "yes", "\"yes\" is neither true nor false"),
        ("RETRIES", "x", "\"x\" is no number of times from 0 to 100"),
        ("EVALUATION", "4294967296", "\"4294967296\" is neither"),
    ] {
        let name = format!("QUOTE_HELPER_COLLATERAL_{setting}");
        let error = Place::new().with(&name, value).error();
        assert!(error.starts_with(&format!("the variable {name}: {problem}")), "{error}");
    }
    let place = Place::new()
        .with("QUOTE_HELPER_COLLATERAL_CA_FILE", "/a")
        .with("QUOTE_HELPER_COLLATERAL_INSECURE_TLS", "true");
    assert!(
        place.error().starts_with("the variable QUOTE_HELPER_COLLATERAL_CA_FILE: insecure_tls")
    );
}

#[test]
fn a_configuration_that_is_named_must_be_there() {
    let mut place = Place::new().with_config("[collateral]\nsources = ['/default']");
    assert_eq!(summary(&place.settings()), ["Directory /default"]);
    let path = place.path("other.toml");
    place = place.with("QUOTE_HELPER_CONFIG", &path);
    assert_eq!(place.error(), "cannot read the settings in /etc/other.toml");
    place = place.with_file("other.toml", "[collateral]\nsources = ['/other']");
    assert_eq!(summary(&place.settings()), ["Directory /other"]);
    place = place.with_file("flag.toml", "[collateral]\nsources = ['/flag']");
    place.machine.config_file = Some(place.path("flag.toml"));
    assert_eq!(summary(&place.settings()), ["Directory /flag"]);
}

#[test]
fn flags_have_the_form_of_the_configuration() {
    let flags = PartialSettings {
        sources: Some(vec!["https://pccs:8081".parse().unwrap()]),
        cache_max_size: Some(ByteSize::mib(1)),
        ..PartialSettings::default()
    };
    let settings = Place::new().choose(flags).unwrap();
    assert_eq!(settings.origin, Origin::Flags);
    assert_eq!(settings.cache.max_size, 1024 * 1024);
}
