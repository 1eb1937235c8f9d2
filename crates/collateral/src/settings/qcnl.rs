//! The settings of Intel's quote provider, the QCNL, in `sgx_default_qcnl.conf`:
//! <https://github.com/intel/SGXDataCenterAttestationPrimitives/tree/main/QuoteGeneration/qcnl>.

mod json;
mod key_value;
mod qcnl_file;
mod values;

use std::path::PathBuf;

use self::qcnl_file::{QcnlError, QcnlFile};
use super::{
    Base, Machine, Origin, Place, Retry, Serves, ServiceSettings, ServiceUrl, SettingsError,
    SourceSettings, TrustSettings, text_file,
};

/// The variable with the path of the file.
const PATH: &str = "QCNL_CONF_PATH";
/// The default file, below `/etc`.
const DEFAULT: &str = "sgx_default_qcnl.conf";
/// The default PCCS of Intel's provider.
const DEFAULT_PCCS: &str = "https://localhost:8081";
/// Maximum number of unknown keys in a note.
const NAMED_KEYS: usize = 8;
/// Maximum length of an unknown key in a note, in characters.
const MAX_KEY: usize = 64;

/// The path of the file, and whether a variable names it.
pub(super) fn path(machine: &Machine) -> (PathBuf, bool) {
    match machine.path(PATH) {
        Some(path) => (path.to_owned(), true),
        None => (machine.etc.join(DEFAULT), false),
    }
}

/// The settings of the file; `None` if it is missing and no variable names it.
pub(super) fn read(machine: &Machine) -> Result<Option<Base>, SettingsError> {
    let (path, is_named) = path(machine);
    let text = match is_named {
        true => text_file::read(&path)?,
        false => match text_file::read_if_there(&path)? {
            Some(text) => text,
            None => return Ok(None),
        },
    };
    let file = parse(&text).map_err(|error| {
        let place = Place::File { path: path.clone(), line: error.line };
        SettingsError::wrong(place, &error.problem)
    })?;
    Ok(Some(base(&file, path)))
}

/// Reads either format: JSON with comments, or `KEY=value`, which was the format before 2021.
fn parse(text: &str) -> Result<QcnlFile, QcnlError> {
    match text.trim_start().starts_with(['{', '/']) {
        true => json::parse(text),
        false => key_value::parse(text),
    }
}

fn base(file: &QcnlFile, path: PathBuf) -> Base {
    let (sources, sources_note) = sources(file);
    let notes = sources_note.into_iter().chain(unknown_keys(&file.unknown_keys));
    Base {
        retry: Some(Retry {
            times: file.retry_times,
            delay: file.retry_delay.filter(|delay| !delay.is_zero()),
        }),
        evaluation: file.tcb_update_type,
        collateral_form: file.pccs_api_version,
        pck_max_age: file.pck_cache_expire_hours,
        collateral_max_age: file.verify_collateral_cache_expire_hours,
        notes: notes.map(|note| format!("{}: {note}", path.display())).collect(),
        ..Base::new(sources, Origin::File(path))
    }
}

/// PCK certificates from `local_pck_url` and then `pccs_url`, collateral from `collateral_service`
/// or else `pccs_url`; and what there is to say about it.
fn sources(file: &QcnlFile) -> (Vec<SourceSettings>, Option<String>) {
    // It is a valid URL, as a test checks.
    let default = || ServiceUrl::parse(DEFAULT_PCCS).ok();
    let pccs = file.pccs_url.clone().or_else(default);
    let collateral = file.collateral_service.clone().or_else(|| pccs.clone());
    let mut services = Vec::new();
    if !file.local_cache_only {
        let pck_urls = file.local_pck_url.iter().chain(&pccs).cloned();
        services.extend(pck_urls.map(|url| ServiceSettings::at(url, Serves::PckCertificates)));
    }
    // They may be secrets, which only the first service should get.
    if let Some(service) = services.first_mut() {
        let options = &file.custom_request_options;
        options.headers.iter().for_each(|(name, value)| service.set_header((name, value)));
        options.parameters.iter().for_each(|(name, value)| service.set_parameter((name, value)));
    }
    services.extend(collateral.map(|url| ServiceSettings::at(url, Serves::Collateral)));
    if file.use_secure_cert == Some(false) {
        services.iter_mut().for_each(|service| service.trust = TrustSettings::Unchecked);
    }
    let uses_pccs = !file.local_cache_only || file.collateral_service.is_none();
    let note = (uses_pccs && file.pccs_url.is_none()).then(|| {
        format!("it has no pccs_url, which means {DEFAULT_PCCS} as for Intel's quote provider")
    });
    (ServiceSettings::joined(services), note)
}

fn unknown_keys(keys: &[String]) -> Option<String> {
    let named: Vec<_> =
        keys.iter().take(NAMED_KEYS).map(|key| printable::beginning(key, MAX_KEY)).collect();
    let more = keys.len().saturating_sub(named.len());
    match (named.join(", "), more) {
        (named, _) if named.is_empty() => None,
        (named, 0) => Some(format!("without a meaning: {named}")),
        (named, more) => Some(format!("without a meaning: {named}, and {more} more")),
    }
}
