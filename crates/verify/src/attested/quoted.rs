//! The JSON form of enclaves and TDs.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sgx::{Describe, QuoteBody, ReportBody, TdReport15Ex, Value};

/// The encoding of byte strings.
type Encode<'a> = &'a dyn Fn(&[u8]) -> String;

/// Writes the member `enclave` or `td`; byte strings are in hexadecimal.
pub(super) fn serialize<S: Serializer>(body: &QuoteBody, serializer: S) -> Result<S::Ok, S::Error> {
    let hex: Encode<'_> = &|bytes| hex::encode(bytes);
    let mut map = serializer.serialize_map(Some(1))?;
    if let Some(enclave) = body.enclave() {
        map.serialize_entry("enclave", &Enclave::new(enclave, hex))?;
    }
    if let Some(td) = Td::new(body, hex) {
        map.serialize_entry("td", &td)?;
    }
    map.end()
}

/// The form that [`serialize`] writes.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[allow(dead_code, clippy::large_enum_variant, reason = "only its schema is used")]
pub(super) enum Quoted {
    /// An enclave.
    #[schemars(rename = "enclave")]
    Enclave(Enclave),
    /// A trust domain.
    #[schemars(rename = "td")]
    Td(Td),
}

/// The fields of a REPORT's body in JSON. Byte strings are text in the requested encoding, in
/// memory order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Enclave {
    /// MRENCLAVE, 32 bytes.
    pub mr_enclave: String,
    /// MRSIGNER, 32 bytes.
    pub mr_signer: String,
    /// ISVPRODID.
    pub isv_prod_id: u16,
    /// ISVSVN.
    pub isv_svn: u16,
    /// True if a debugger can read and write the enclave's memory.
    pub debug: bool,
    /// True if the enclave uses key separation and sharing (KSS); the next four fields are zero
    /// without it.
    pub kss: bool,
    /// ISVEXTPRODID, 16 bytes.
    pub isv_ext_prod_id: String,
    /// ISVFAMILYID, 16 bytes.
    pub isv_family_id: String,
    /// CONFIGID, 64 bytes.
    pub config_id: String,
    /// CONFIGSVN.
    pub config_svn: u16,
    /// ATTRIBUTES.FLAGS.
    pub attributes_flags: u64,
    /// ATTRIBUTES.XFRM.
    pub attributes_xfrm: u64,
    /// MISCSELECT.
    pub misc_select: u32,
    /// CPUSVN, 16 bytes.
    pub cpu_svn: String,
    /// REPORTDATA, 64 bytes.
    pub report_data: String,
    /// Reserved fields that are not zero, by their offset in bytes; absent if all are zero.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reserved: BTreeMap<String, String>,
}

impl Enclave {
    /// The fields of `body`, byte strings in this encoding.
    #[must_use]
    pub fn new(body: &ReportBody, encode: Encode<'_>) -> Self {
        Self {
            mr_enclave: encode(&body.mr_enclave.0),
            mr_signer: encode(&body.mr_signer.0),
            isv_prod_id: body.isv_prod_id.get(),
            isv_svn: body.isv_svn.get(),
            debug: body.attributes.is_debug(),
            kss: body.attributes.has_kss(),
            isv_ext_prod_id: encode(&body.isv_ext_prod_id.0),
            isv_family_id: encode(&body.isv_family_id.0),
            config_id: encode(&body.config_id.0),
            config_svn: body.config_svn.get(),
            attributes_flags: body.attributes.flags.get(),
            attributes_xfrm: body.attributes.xfrm.get(),
            misc_select: body.misc_select.get(),
            cpu_svn: encode(&body.cpu_svn.0),
            report_data: encode(&body.report_data.0),
            reserved: reserved(body, encode),
        }
    }
}

/// The reserved fields of the description, which lists those that are not zero.
fn reserved(body: &ReportBody, encode: Encode<'_>) -> BTreeMap<String, String> {
    let fields = body.describe().0.into_iter();
    let reserved = fields.filter_map(|(name, value)| match (name.split_once("reserved "), value) {
        (Some(("", offset)), Value::Bytes(bytes)) => Some((offset.to_owned(), encode(&bytes))),
        _ => None,
    });
    reserved.collect()
}

/// The fields of a TD's report in JSON. Byte strings as in [`Enclave`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Td {
    /// MRTD, 48 bytes.
    pub mr_td: String,
    /// RTMR0 to RTMR3, 48 bytes each.
    pub rtmr: [String; 4],
    /// MRCONFIGID, 48 bytes.
    pub mr_config_id: String,
    /// MROWNER, 48 bytes.
    pub mr_owner: String,
    /// MROWNERCONFIG, 48 bytes.
    pub mr_owner_config: String,
    /// MRSEAM, 48 bytes.
    pub mr_seam: String,
    /// MRSIGNERSEAM, 48 bytes.
    pub mr_signer_seam: String,
    /// SEAMATTRIBUTES, 8 bytes.
    pub seam_attributes: String,
    /// True if the host can debug or profile the TD.
    pub debug: bool,
    /// TDATTRIBUTES.
    pub td_attributes: u64,
    /// XFAM.
    pub xfam: u64,
    /// TEE_TCB_SVN, 16 bytes.
    pub tee_tcb_svn: String,
    /// TEE_TCB_SVN_2, 16 bytes; null in TDX 1.0.
    pub tee_tcb_svn_2: Option<String>,
    /// MRSERVICETD, 48 bytes; null in TDX 1.0.
    pub mr_service_td: Option<String>,
    /// REPORTDATA, 64 bytes.
    pub report_data: String,
    /// The extended report of TDX 1.5; null if the quote has none.
    pub extended: Option<TdExtension>,
}

/// The fields that only the extended report of a TD has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TdExtension {
    /// The virtual machine of a partitioned TD; 0 for the TD itself.
    pub vm_id: u8,
    /// Identifies this launch of the TD, 32 bytes.
    pub td_id: String,
    /// Hash of the TD's device information, 48 bytes.
    pub device_info: String,
    /// Hash of the service TDs that were bound at creation, 48 bytes.
    pub initial_service_td_hash: String,
    /// Attributes of the service TD that was bound at creation.
    pub initial_service_td_attributes: u64,
    /// CPUSVN at creation, 16 bytes.
    pub initial_cpu_svn: String,
    /// TEE_TCB_SVN at creation, 16 bytes.
    pub initial_tee_tcb_svn: String,
    /// The kind of platform at creation, 12 bytes.
    pub initial_tee_fmspc: String,
    /// Hash of the service TDs that are bound now, 48 bytes.
    pub current_service_td_hash: String,
    /// Attributes of the service TD that is bound now.
    pub current_service_td_attributes: u64,
}

impl Td {
    /// The fields of `body`, byte strings in this encoding; `None` for an enclave.
    #[must_use]
    pub fn new(body: &QuoteBody, encode: Encode<'_>) -> Option<Self> {
        let td = body.td()?;
        Some(Self {
            mr_td: encode(&td.mr_td.0),
            rtmr: td.rtmr.map(|measurement| encode(&measurement.0)),
            mr_config_id: encode(&td.mr_config_id.0),
            mr_owner: encode(&td.mr_owner.0),
            mr_owner_config: encode(&td.mr_owner_config.0),
            mr_seam: encode(&td.mr_seam.0),
            mr_signer_seam: encode(&td.mr_signer_seam.0),
            seam_attributes: encode(&td.seam_attributes),
            debug: td.td_attributes.is_debug(),
            td_attributes: td.td_attributes.0.get(),
            xfam: td.xfam.get(),
            tee_tcb_svn: encode(&td.tee_tcb_svn.0),
            tee_tcb_svn_2: body.td_15().map(|td| encode(&td.tee_tcb_svn_2.0)),
            mr_service_td: body.td_15().map(|td| encode(&td.mr_service_td.0)),
            report_data: encode(&td.report_data.0),
            extended: match body {
                QuoteBody::Td15Ex(report) => Some(TdExtension::new(report, encode)),
                _ => None,
            },
        })
    }
}

impl TdExtension {
    fn new(report: &TdReport15Ex, encode: Encode<'_>) -> Self {
        Self {
            vm_id: report.vm_id,
            td_id: encode(&report.td_id),
            device_info: encode(&report.device_info.0),
            initial_service_td_hash: encode(&report.initial_service_td_hash.0),
            initial_service_td_attributes: report.initial_service_td_attributes.0.get(),
            initial_cpu_svn: encode(&report.initial_cpu_svn.0),
            initial_tee_tcb_svn: encode(&report.initial_tee_tcb_svn.0),
            initial_tee_fmspc: encode(&report.initial_tee_fmspc),
            current_service_td_hash: encode(&report.current_service_td_hash.0),
            current_service_td_attributes: report.current_service_td_attributes.0.get(),
        }
    }
}
