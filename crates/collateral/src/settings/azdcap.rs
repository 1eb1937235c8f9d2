//! The variables of Azure's quote provider, az-dcap-client:
//! <https://github.com/microsoft/Azure-DCAP-Client>.

use std::path::PathBuf;
use std::time::Duration;

use super::source_settings::{AZURE_CACHE, AZURE_THIM};
use super::{
    Base, LogLevel, Machine, Origin, Serves, ServiceSettings, ServiceUrl, SettingsError, parse,
};

const BASE_URL: &str = "AZDCAP_BASE_CERT_URL";
const PRIMARY_URL: &str = "AZDCAP_PRIMARY_BASE_CERT_URL";
const SECONDARY_URL: &str = "AZDCAP_SECONDARY_BASE_CERT_URL";
const BYPASS: &str = "AZDCAP_BYPASS_BASE_URL";
const CLIENT_ID: &str = "AZDCAP_CLIENT_ID";
const VERSION: &str = "AZDCAP_COLLATERAL_VERSION";
const CACHE: &str = "AZDCAP_CACHE";
const MAX_AGE: &str = "AZDCAP_CACHE_EXPIRY_IN_SECONDS";
const LOG_LEVEL: &str = "AZDCAP_DEBUG_LOG_LEVEL";

/// Those about sources.
const OF_SOURCES: [&str; 6] = [BASE_URL, PRIMARY_URL, SECONDARY_URL, BYPASS, CLIENT_ID, VERSION];
/// Those that have no meaning here: TDX's own services are found by region, and there is no log
/// file.
const IGNORED: [&str; 5] = [
    "AZDCAP_BASE_CERT_URL_TDX",
    "AZDCAP_COLLATERAL_VERSION_TDX",
    "AZDCAP_REGION_URL",
    "AZDCAP_DISABLE_ONDEMAND",
    "AZDCAP_WRITE_LOGS_TO_FILE",
];

/// The client id that Azure's client sends.
const PRODUCTION_CLIENT: &str = "production_client";
/// The maximum age in the cache of Azure's client, in seconds.
const LONGEST_MAX_AGE: u64 = 24 * 60 * 60;

/// The sources, if one of the variables is about them.
pub(super) fn read(machine: &Machine) -> Result<Option<Base>, SettingsError> {
    let names = variables_of_sources(machine);
    if names.is_empty() {
        return Ok(None);
    }
    let url = |variable, default: &str| {
        let url = machine.value(variable, ServiceUrl::parse)?;
        // The defaults are valid, as a test checks.
        Ok(url.or_else(|| ServiceUrl::parse(default).ok()))
    };
    let primary = url(PRIMARY_URL, AZURE_THIM)?;
    let secondary = url(SECONDARY_URL, AZURE_CACHE)?;
    let collateral = url(BASE_URL, AZURE_CACHE)?;
    let bypass = machine.value(BYPASS, parse::boolean)?.unwrap_or(false);
    let client = machine.text(CLIENT_ID)?.unwrap_or(PRODUCTION_CLIENT);
    let version = machine.value(VERSION, version)?.unwrap_or(4);

    let mut services = Vec::new();
    if !bypass {
        services.extend(primary.map(|url| ServiceSettings::at(url, Serves::PckCertificates)));
    }
    services.extend(secondary.map(|url| ServiceSettings::at(url, Serves::PckCertificates)));
    for service in &mut services {
        service.set_parameter(("clientid", client));
    }
    services.extend(collateral.map(|url| ServiceSettings::at(url, Serves::Collateral)));
    let names = names.into_iter().map(str::to_owned);
    let mut base = Base::new(ServiceSettings::joined(services), Origin::Variables(names.collect()));
    if version < 4 {
        base.notes.push(format!(
            "version {version} of the API, in {VERSION}, has ended; version 4 is asked for"
        ));
    }
    base.notes.extend(ignored(machine));
    Ok(Some(base))
}

/// The variables about sources that are set.
pub(super) fn variables_of_sources(machine: &Machine) -> Vec<&'static str> {
    OF_SOURCES.into_iter().filter(|name| machine.path(name).is_some()).collect()
}

/// A directory beside that of Azure's client, whose files have another format. Intel's quote
/// provider reads this variable, too.
pub(super) fn cache_directory(machine: &Machine) -> Option<PathBuf> {
    Some(machine.path(CACHE)?.join(".quote-helper/collateral"))
}

/// The maximum age of items in the cache.
pub(super) fn max_age(machine: &Machine) -> Result<Option<Duration>, SettingsError> {
    let seconds = machine.value(MAX_AGE, |text| match text.parse() {
        Ok(seconds @ 0..=LONGEST_MAX_AGE) => Ok(seconds),
        _ => Err(format!("{text:?} is no number of seconds from 0 to {LONGEST_MAX_AGE}")),
    })?;
    // 0 means the age that the service sets, as for Azure's client.
    Ok(seconds.filter(|seconds| *seconds != 0).map(Duration::from_secs))
}

/// The log level.
pub(super) fn log_level(machine: &Machine) -> Result<Option<LogLevel>, SettingsError> {
    // Azure's client ignores other values as well; failing for a log level would be worse.
    Ok(match machine.text(LOG_LEVEL)?.map(str::to_ascii_uppercase).as_deref() {
        Some("INFO" | "SGX_QL_LOG_INFO") => Some(LogLevel::Info),
        Some("WARNING" | "SGX_QL_LOG_WARNING") => Some(LogLevel::Warning),
        Some("ERROR" | "SGX_QL_LOG_ERROR") => Some(LogLevel::Error),
        _ => None,
    })
}

fn version(text: &str) -> Result<u32, String> {
    let version = text.strip_prefix('v').and_then(|digits| digits.parse().ok());
    version
        .filter(|version| (1..=4).contains(version))
        .ok_or_else(|| format!("{text:?} is no version of the API; the one spoken here is v4"))
}

fn ignored(machine: &Machine) -> Option<String> {
    let names = IGNORED.into_iter().filter(|name| machine.path(name).is_some());
    let names = names.collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| format!("ignored: {names}"))
}
