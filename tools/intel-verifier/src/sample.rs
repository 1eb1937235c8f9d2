//! A public quote and its collateral, as Intel's crate takes them.

use std::ffi::c_char;
use std::fs;
use std::path::Path;

use intel_tee_quote_verification_rs as intel;
use serde_json::Value;

/// The collateral expiration status, 0 or 1, and the verdict.
type Outcome = Result<(u32, intel::sgx_ql_qv_result_t), intel::quote3_error_t>;

#[derive(Clone)]
pub struct Sample {
    pub quote: Vec<u8>,
    pub collateral: intel::QuoteCollateral,
}

impl Sample {
    /// Reads the files NAME and NAME_collateral.json of the package dcap-qvl.
    pub fn read(directory: &str, name: &str, tee_type: u32) -> Self {
        let directory = Path::new(directory);
        let json = fs::read(directory.join(format!("{name}_collateral.json"))).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        let field = |name: &str| json[name].as_str().unwrap();
        let signed = |name: &str, field_name: &str| {
            let signature = field(&format!("{field_name}_signature"));
            c_string(&format!(r#"{{"{name}":{},"signature":"{signature}"}}"#, field(field_name)))
        };
        let collateral = intel::QuoteCollateral {
            // Version 3.0: CRLs are hexadecimal DER.
            major_version: 3,
            minor_version: 0,
            tee_type,
            pck_crl_issuer_chain: c_string(field("pck_crl_issuer_chain")),
            root_ca_crl: c_string(field("root_ca_crl")),
            pck_crl: c_string(field("pck_crl")),
            tcb_info_issuer_chain: c_string(field("tcb_info_issuer_chain")),
            tcb_info: signed("tcbInfo", "tcb_info"),
            qe_identity_issuer_chain: c_string(field("qe_identity_issuer_chain")),
            qe_identity: signed("enclaveIdentity", "qe_identity"),
        };
        Self { quote: fs::read(directory.join(name)).unwrap(), collateral }
    }

    /// Verifies at this time, in seconds since 1970.
    pub fn verify(&self, date: i64) -> Outcome {
        // SAFETY: there is no descriptor whose pointer could be wrong.
        unsafe { intel::tee_verify_quote(&self.quote, Some(&self.collateral), date, None, None) }
    }

    /// The supplemental data of a verification at this time, which must succeed.
    pub fn supplemental_data(&self, date: i64) -> intel::sgx_ql_qv_supplemental_t {
        let mut data = intel::sgx_ql_qv_supplemental_t::default();
        let mut descriptor = intel::tee_supp_data_descriptor_t {
            major_version: 0,
            data_size: size_of_val(&data) as u32,
            p_data: (&raw mut data).cast(),
        };
        let (quote, collateral) = (&self.quote, Some(&self.collateral));
        // SAFETY: the descriptor points to `data`, and has its size.
        unsafe { intel::tee_verify_quote(quote, collateral, date, None, Some(&mut descriptor)) }
            .unwrap();
        data
    }
}

/// The text before the first NUL.
pub fn text(field: &[c_char]) -> String {
    field.iter().take_while(|&&byte| byte != 0).map(|&byte| char::from(byte as u8)).collect()
}

/// The text and a NUL.
fn c_string(text: &str) -> Vec<c_char> {
    text.bytes().chain([0]).map(|byte| byte as c_char).collect()
}
