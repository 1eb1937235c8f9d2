//! The JSON form of who is quoted.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use sgx::{QuoteBody, ReportBody, TdReport10};

/// Writes the member `enclave` or `td`; byte strings are in hexadecimal.
pub(super) fn serialize<S: Serializer>(body: &QuoteBody, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    if let Some(enclave) = body.enclave() {
        map.serialize_entry("enclave", &Enclave::new(enclave))?;
    }
    if let Some(td) = body.td() {
        map.serialize_entry("td", &Td::new(td, body))?;
    }
    map.end()
}

#[derive(Serialize)]
struct Enclave {
    mr_enclave: String,
    mr_signer: String,
    isv_prod_id: u16,
    isv_svn: u16,
    debug: bool,
    attributes_flags: u64,
    attributes_xfrm: u64,
    misc_select: u32,
    cpu_svn: String,
    report_data: String,
}

impl Enclave {
    fn new(body: &ReportBody) -> Self {
        Self {
            mr_enclave: body.mr_enclave.to_string(),
            mr_signer: body.mr_signer.to_string(),
            isv_prod_id: body.isv_prod_id.get(),
            isv_svn: body.isv_svn.get(),
            debug: body.attributes.is_debug(),
            attributes_flags: body.attributes.flags.get(),
            attributes_xfrm: body.attributes.xfrm.get(),
            misc_select: body.misc_select.get(),
            cpu_svn: body.cpu_svn.to_string(),
            report_data: body.report_data.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Td {
    mr_td: String,
    rtmr: [String; 4],
    mr_config_id: String,
    mr_owner: String,
    mr_owner_config: String,
    mr_seam: String,
    mr_signer_seam: String,
    debug: bool,
    td_attributes: u64,
    xfam: u64,
    tee_tcb_svn: String,
    /// Null in TDX 1.0.
    tee_tcb_svn_2: Option<String>,
    /// Null in TDX 1.0.
    mr_service_td: Option<String>,
    report_data: String,
}

impl Td {
    fn new(td: &TdReport10, body: &QuoteBody) -> Self {
        Self {
            mr_td: td.mr_td.to_string(),
            rtmr: td.rtmr.map(|measurement| measurement.to_string()),
            mr_config_id: td.mr_config_id.to_string(),
            mr_owner: td.mr_owner.to_string(),
            mr_owner_config: td.mr_owner_config.to_string(),
            mr_seam: td.mr_seam.to_string(),
            mr_signer_seam: td.mr_signer_seam.to_string(),
            debug: td.td_attributes.is_debug(),
            td_attributes: td.td_attributes.0.get(),
            xfam: td.xfam.get(),
            tee_tcb_svn: td.tee_tcb_svn.to_string(),
            tee_tcb_svn_2: body.td_15().map(|td| td.tee_tcb_svn_2.to_string()),
            mr_service_td: body.td_15().map(|td| td.mr_service_td.to_string()),
            report_data: td.report_data.to_string(),
        }
    }
}
