//! Intel's `sgx_default_qcnl.conf`, in both forms.

use std::time::Duration;

use collateral::settings::{CollateralForm, Origin, Retry, TrustSettings};
use collateral::{PcsKind, TcbUpdate};

use crate::settings::place::{Place, kinds, pairs, service, summary};

const HOUR: Duration = Duration::from_secs(3600);

/// Every key, each with a value that is not the default.
const EVERY_KEY: &str = r#"
// The first line is a comment, with a "quotation mark.
{ /* so is
     this { one */
  "pccs_url": "https://pccs.example:8081/sgx/certification/v4/", // an URL is no comment
  "use_secure_cert": false,
  "collateral_service": "https://api.trustedservices.intel.com/sgx/certification/v4/",
  "tcb_update_type": "Early",
  "pccs_api_version": "3.1",
  "retry_times": 4,
  "retry_delay": 7,
  "local_pck_url": "http://169.254.169.254/metadata/THIM/sgx/certification/v4/",
  "pck_cache_expire_hours": 1.5,
  "verify_collateral_cache_expire_hours": 48,
  "local_cache_only": false,
  "custom_request_options": {
    "get_cert": {
      "headers": { "metadata": "yes", "X-Rack": "a \"b\" // c /* d" },
      "params": { "api-version": "2099-01-01", "site": "north" }
    }
  }
}
"#;

#[test]
fn every_key_of_the_json_form_is_understood() {
    let place = Place::new().with_qcnl(EVERY_KEY);
    let settings = place.settings();
    assert_eq!(
        summary(&settings),
        [
            "Thim http://169.254.169.254/metadata/THIM PckCertificates",
            "Pccs https://pccs.example:8081 PckCertificates",
            "Pcs https://api.trustedservices.intel.com Collateral",
        ]
    );
    assert_eq!(settings.origin, Origin::File(place.path("sgx_default_qcnl.conf")));
    assert_eq!(settings.retry, Retry { times: 4, delay: Some(Duration::from_secs(7)) });
    assert_eq!(settings.evaluation, TcbUpdate::Early);
    assert_eq!(settings.collateral_form, Some(CollateralForm::DerCrls));
    assert_eq!(settings.cache.pck_max_age, Some(HOUR * 3 / 2));
    assert_eq!(settings.cache.collateral_max_age, Some(HOUR * 48));
    assert_eq!(settings.notes, [""; 0]);
    for index in 0..3 {
        assert_eq!(service(&settings, index).trust, TrustSettings::Unchecked);
    }
    let parameters = pairs(&[("api-version", "2099-01-01"), ("site", "north")]);
    let mut headers = service(&settings, 0).headers.clone();
    headers.sort();
    assert_eq!(headers, pairs(&[("X-Rack", "a \"b\" // c /* d"), ("metadata", "yes")]));
    assert_eq!(service(&settings, 0).parameters, parameters);
    // Possible secrets go to no fallback.
    for index in 1..3 {
        assert_eq!(service(&settings, index).headers, []);
        assert_eq!(service(&settings, index).parameters, []);
    }
}

#[test]
fn every_key_of_the_old_form_is_understood() {
    let settings = Place::new()
        .with_qcnl(
            "# the old form\n\nPCCS_URL = https://pccs:8081/sgx/certification/v4/\nUSE_SECURE_CERT=FALSE\n\
             COLLATERAL_SERVICE=https://other:8081\r\nPCCS_API_VERSION=3.0\nRETRY_TIMES= 3\nRETRY_DELAY=0\n\
             LOCAL_PCK_URL=http://local:8081\nPCK_CACHE_EXPIRE_HOURS=2\n\
             VERIFY_COLLATERAL_CACHE_EXPIRE_HOURS=3\nLOCAL_CACHE_ONLY=false\n#PCCS_URL=https://no\nWHAT=1\n\
             pccs_url=https://no\n",
        )
        .settings();
    assert_eq!(
        summary(&settings),
        [
            "Pccs http://local:8081 PckCertificates",
            "Pccs https://pccs:8081 PckCertificates",
            "Pccs https://other:8081 Collateral",
        ]
    );
    assert_eq!(service(&settings, 1).trust, TrustSettings::Unchecked);
    assert_eq!(settings.retry, Retry { times: 3, delay: None });
    assert_eq!(settings.collateral_form, Some(CollateralForm::HexadecimalCrls));
    assert_eq!(settings.cache.pck_max_age, Some(HOUR * 2));
    assert_eq!(settings.cache.collateral_max_age, Some(HOUR * 3));
    let note = settings.notes.first().unwrap();
    assert!(note.ends_with("sgx_default_qcnl.conf: without a meaning: WHAT, pccs_url"), "{note}");
}

#[test]
fn one_pccs_serves_everything_if_no_other_is_named() {
    let of = |text: &str| summary(&Place::new().with_qcnl(text).settings());
    assert_eq!(of(r#"{"pccs_url": "https://pccs:8081/"}"#), ["Pccs https://pccs:8081 Everything"]);
    assert_eq!(
        of(
            r#"{"pccs_url": "https://pccs:8081", "collateral_service": "https://pccs:8081/sgx/certification/v4"}"#
        ),
        ["Pccs https://pccs:8081 Everything"]
    );
    assert_eq!(
        of(r#"{"pccs_url": "https://pccs", "local_pck_url": "http://near"}"#),
        ["Pccs http://near PckCertificates", "Pccs https://pccs Everything"]
    );
    assert_eq!(
        of(r#"{"pccs_url": "https://pccs", "local_pck_url": ""}"#),
        ["Pccs https://pccs Everything"]
    );
}

#[test]
fn defaults_of_intels_library_are_named() {
    for text in ["{}", "", "# nothing\n"] {
        let place = Place::new().with_qcnl(text);
        assert_eq!(summary(&place.settings()), ["Pccs https://localhost:8081 Everything"]);
        assert_eq!(
            place.notes(),
            [
                "/etc/sgx_default_qcnl.conf: it has no pccs_url, which means https://localhost:8081 as for \
              Intel's quote provider"
            ]
        );
    }
}

#[test]
fn a_machine_that_has_its_pck_certificate_asks_for_collateral_alone() {
    let place = Place::new().with_qcnl(
        r#"{"local_cache_only": true, "collateral_service": "https://api.trustedservices.intel.com/sgx/certification/v4/"}"#,
    );
    let settings = place.settings();
    assert_eq!(summary(&settings), ["Pcs https://api.trustedservices.intel.com Collateral"]);
    assert_eq!(place.notes(), [""; 0]);
    assert!(settings.to_string().contains("PCK certificates come from the cache alone, because"));
}

#[test]
fn services_are_known_by_their_hosts() {
    let of = |url: &str| {
        let text = format!("{{\"pccs_url\": \"{url}\", \"local_cache_only\": true}}");
        kinds(&Place::new().with_qcnl(text).settings())
    };
    assert_eq!(of("https://api.trustedservices.intel.com"), [PcsKind::Pcs]);
    assert_eq!(of("https://sbx.api.trustedservices.intel.com"), [PcsKind::Pcs]);
    assert_eq!(of("https://API.TrustedServices.Intel.com"), [PcsKind::Pcs]);
    assert_eq!(of("https://not-trustedservices.intel.com"), [PcsKind::Pccs]);
    assert_eq!(of("https://trustedservices.intel.com.example"), [PcsKind::Pccs]);
    assert_eq!(of("http://169.254.169.254/metadata/THIM"), [PcsKind::Thim]);
    assert_eq!(of("https://global.acccache.azure.net"), [PcsKind::Pccs]);
}

#[test]
fn a_file_for_azure_without_options_gets_those_that_azure_insists_on() {
    let settings = Place::new()
        .with_qcnl(
            r#"{"local_pck_url": "http://169.254.169.254/metadata/THIM/sgx/certification/v4/",
                "pccs_url": "https://global.acccache.azure.net/sgx/certification/v4/"}"#,
        )
        .settings();
    let version = pairs(&[("api-version", "2021-07-22-preview")]);
    assert_eq!(service(&settings, 0).headers, pairs(&[("Metadata", "true")]));
    assert_eq!(service(&settings, 0).parameters, version);
    assert_eq!(service(&settings, 1).headers, []);
    assert_eq!(service(&settings, 1).parameters, version);
}

#[test]
fn an_ended_version_is_asked_as_version_4_and_told() {
    let place =
        Place::new().with_qcnl(r#"{"pccs_url": "https://pccs:8081/sgx/certification/v3/"}"#);
    assert_eq!(summary(&place.settings()), ["Pccs https://pccs:8081 Everything"]);
    assert_eq!(
        place.notes(),
        [
            "version 3 of the API has ended; the PCCS at https://pccs:8081 is asked with version 4. Write v4 \
          in its URL"
        ]
    );
}

#[test]
fn nothing_is_kept_for_longer_than_intel_keeps_it() {
    let of = |hours: &str| {
        let text = format!("{{\"pck_cache_expire_hours\": {hours}}}");
        Place::new().with_qcnl(text).settings().cache.pck_max_age
    };
    assert_eq!(of("2161"), Some(HOUR * 2160));
    assert_eq!(of("1e300"), Some(HOUR * 2160));
    assert_eq!(of("18446744073709551615"), Some(HOUR * 2160));
    assert_eq!(of("0"), Some(Duration::ZERO));
}

#[test]
fn unknown_keys_are_no_failure() {
    let nested = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    let many: Vec<_> = (0..12).map(|number| format!("\"k{number}\": null")).collect();
    let text =
        format!("{{\"pccs_url\": \"https://p\", \"a\\u001b[2J\": {nested}, {}}}", many.join(","));
    assert_eq!(
        Place::new().with_qcnl(text).notes(),
        [
            "/etc/sgx_default_qcnl.conf: without a meaning: a\\u001b[2J, k0, k1, k2, k3, k4, k5, k6, and 5 more"
        ]
    );
}

/// A line, and what is said of it.
const WRONG: &[(&str, &str)] = &[
    (r#""pccs_url": 5"#, "pccs_url: invalid type: integer `5`, expected a string"),
    (
        r#""pccs_url": "pccs:8081""#,
        "pccs_url: \"pccs:8081\" has no scheme; write https:// before it",
    ),
    (
        r#""collateral_service": "ftp://x""#,
        "collateral_service: \"ftp://x\" is no URL with http or https",
    ),
    (
        r#""local_pck_url": "http://x/sgx/certification/v5/""#,
        "local_pck_url: \"http://x/sgx/certification/v5/\" is of another version than 4, the one spoken here",
    ),
    (
        r#""use_secure_cert": "false""#,
        "use_secure_cert: invalid type: string \"false\", expected a boolean",
    ),
    (
        r#""tcb_update_type": "late""#,
        "tcb_update_type: \"late\" is neither \"early\" nor \"standard\"",
    ),
    (
        r#""pccs_api_version": "4""#,
        "pccs_api_version: it is \"3.0\" or \"3.1\": the form of CRLs, and not the version of the API in the URL",
    ),
    (r#""retry_times": -1"#, "retry_times: invalid value: integer `-1`, expected u32"),
    (r#""retry_times": 101"#, "retry_times: \"101\" is no number of times from 0 to 100"),
    (r#""retry_times": 2.5"#, "retry_times: invalid type: floating point `2.5`, expected u32"),
    (r#""retry_delay": 3601"#, "retry_delay: 3601 seconds are longer than an hour"),
    (r#""pck_cache_expire_hours": -0.5"#, "pck_cache_expire_hours: -0.5 is no number of hours"),
    (
        r#""verify_collateral_cache_expire_hours": "48""#,
        "verify_collateral_cache_expire_hours: invalid type: string \"48\", expected f64",
    ),
    (
        r#""verify_collateral_cache_expire_hours": 1e999"#,
        "verify_collateral_cache_expire_hours: number out of range",
    ),
    (r#""local_cache_only": 0"#, "local_cache_only: invalid type: integer `0`, expected a boolean"),
    (
        r#""custom_request_options": {"get_cert": {"headers": "Secret: 1"}}"#,
        "custom_request_options: it is {\"get_cert\": {\"headers\": {…}, \"params\": {…}}}, with nothing but text in the inner two",
    ),
    (
        r#""custom_request_options": {"get_cert": {"headers": {"a:": "b"}}}"#,
        "custom_request_options: \"a:\" is no name of an HTTP header",
    ),
    (
        r#""custom_request_options": {"get_cert": {"headers": {"a": "b\r\nc: d"}}}"#,
        "custom_request_options: the header a has a value that HTTP does not allow",
    ),
    (r#""retry_times": 1 "retry_delay": 1"#, "expected `,` or `}`"),
    ("/* begins", "a comment begins here with /* and does not end"),
];

#[test]
fn comments_are_known_from_text() {
    let options = r#"{"get_cert": {"headers": {"a": "\" // b", "c": "\\"} /* \" */ }} // ""#;
    let text =
        format!("/* 1\n2\n3 */ {{\n\"custom_request_options\": {options}\n,\"retry_times\": x}}");
    assert_eq!(
        Place::new().with_qcnl(&text).error(),
        "/etc/sgx_default_qcnl.conf, line 5: expected value"
    );
    let settings = Place::new().with_qcnl(text.replace('x', "1")).settings();
    assert_eq!(service(&settings, 0).headers, pairs(&[("a", "\" // b"), ("c", "\\")]));
}

#[test]
fn a_wrong_value_is_told_with_file_line_and_key() {
    for (line, problem) in WRONG {
        let text = format!("{{\n  // about this file\n  {line}\n}}\n");
        let error = Place::new().with_qcnl(text).error();
        assert_eq!(error, format!("/etc/sgx_default_qcnl.conf, line 3: {problem}"), "{line}");
    }
    for (line, problem) in [
        ("RETRY_TIMES=many", "RETRY_TIMES: invalid type: string \"many\", expected u32"),
        ("USE_SECURE_CERT=0", "USE_SECURE_CERT: invalid type: integer `0`, expected a boolean"),
        ("PCCS_URL=pccs", "PCCS_URL: \"pccs\" has no scheme; write https:// before it"),
        (
            r"PCCS_URL=https:\/\/pccs:8081/sgx/certification/v3/",
            r#"PCCS_URL: "https:\\/\\/pccs:8081/sgx/certification/v3/" is no URL, for it has the character '\\'; write slashes, each alone"#,
        ),
        ("hello", "it is neither KEY=value nor the { of JSON"),
    ] {
        let error = Place::new().with_qcnl(format!("#\n\n{line}\n")).error();
        assert_eq!(error, format!("/etc/sgx_default_qcnl.conf, line 3: {problem}"), "{line}");
    }
}

#[test]
fn the_variable_names_another_file_which_must_be_there() {
    let place =
        Place::new().with_qcnl("{").with_file("mine.conf", r#"{"pccs_url": "https://mine"}"#);
    let path = place.path("mine.conf");
    let place = place.with("QCNL_CONF_PATH", &path);
    assert_eq!(summary(&place.settings()), ["Pccs https://mine Everything"]);
    assert_eq!(place.settings().origin, Origin::File(path.clone()));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(place.error(), "cannot read the settings in /etc/mine.conf");
}
