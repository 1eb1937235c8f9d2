//! The text of settings for people.

use crate::settings::place::Place;

fn said(place: &Place) -> String {
    place.said(&place.settings().to_string())
}

#[test]
fn the_machine_decides_if_nobody_else_does() {
    assert_eq!(
        said(&Place::new()),
        "PCK certificates and collateral come from the PCS at https://api.trustedservices.intel.com, because no \
         settings say otherwise\n\
         they are kept in /home/ada/.cache/quote-helper/collateral\n"
    );
    assert_eq!(
        said(&Place::new().in_azure()),
        "PCK certificates come from Azure's THIM at http://169.254.169.254/metadata/THIM, then from the PCCS at \
         https://global.acccache.azure.net, because this machine is in Azure, and no settings say otherwise\n\
         collateral comes from the PCCS at https://global.acccache.azure.net, because this machine is in Azure, and \
         no settings say otherwise\n\
         they are kept in /home/ada/.cache/quote-helper/collateral\n"
    );
}

#[test]
fn surprising_settings_are_pointed_out() {
    let place = Place::new().with("AZDCAP_CLIENT_ID", "me").with_qcnl(
        r#"{"pccs_url": "https://pccs", "use_secure_cert": false, "collateral_service": "http://plain", "new": 1}"#,
    );
    assert_eq!(
        said(&place),
        "PCK certificates come from the PCCS at https://pccs, because /etc/sgx_default_qcnl.conf says so\n\
         collateral comes from the PCCS at http://plain, because /etc/sgx_default_qcnl.conf says so\n\
         they are kept in /home/ada/.cache/quote-helper/collateral\n\
         note: the TLS certificate of the PCCS at https://pccs is not checked; what it answers is\n\
         note: /etc/sgx_default_qcnl.conf: without a meaning: new\n\
         note: AZDCAP_CLIENT_ID is not used, since /etc/sgx_default_qcnl.conf says so\n"
    );
    let many = Place::new().with("AZDCAP_CLIENT_ID", "me").with("AZDCAP_BYPASS_BASE_URL", "true");
    assert!(
        said(&many)
            .contains("because the variables AZDCAP_BYPASS_BASE_URL, AZDCAP_CLIENT_ID say so\n")
    );
}

#[test]
fn no_secret_is_shown() {
    let place = Place::new().with_qcnl(
        r#"{"pccs_url": "https://p", "custom_request_options": {"get_cert": {"headers": {"Authorization": "s3cret"}, "params": {"code": "s3cret"}}}}"#,
    );
    let settings = place.settings();
    let shown = format!("{settings:?} {settings}");
    assert!(shown.contains("Authorization") && !shown.contains("s3cret"), "{shown}");

    for url in ["https://ada:s3cret@pccs/x", "https://pccs/x?code=s3cret"] {
        shows_no_secret_of(url);
    }
}

fn shows_no_secret_of(url: &str) {
    for place in [
        Place::new().with_qcnl(format!("{{\"pccs_url\": \"{url}\"}}")),
        Place::new().with_qcnl(format!("{{\"retry_times\": \"{url}\"}}")),
        Place::new().with_qcnl(format!("PCCS_URL={url}")),
        Place::new().with_qcnl(format!("RETRY_TIMES={url}")),
        Place::new().with_config(format!("[collateral]\nsources = ['{url}']")),
        Place::new().with_config(format!("[collateral]\nsources = '{url}'")),
        Place::new().with_config(format!("[collateral]\nretries = '{url}'")),
        Place::new().with_config(format!("[collateral]\nca_fiel = '{url}'")),
        Place::new().with_config(format!("[collateral]\n{url}")),
        Place::new().with("QUOTE_HELPER_COLLATERAL_SOURCES", url),
        Place::new().with("QUOTE_HELPER_COLLATERAL_SOURCES", "ada:s3cret@pccs"),
        Place::new().with("QUOTE_HELPER_COLLATERAL_TIMEOUT", url),
        Place::new().with("AZDCAP_BASE_CERT_URL", url),
        Place::new().with("AZDCAP_COLLATERAL_VERSION", url),
    ] {
        let error = place.choose(collateral::settings::PartialSettings::default()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
