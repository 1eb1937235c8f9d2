//! The requirements on an enclave.

use std::fmt::Display;

use sgx::{ConfigId, IsvExtProdId, IsvFamilyId, MrEnclave, MrSigner, ReportBody};

use super::SignedProduct;
use super::rule::{Rule, accepted, at_least, required};
use crate::{Attested, Step};

/// The requirements on an enclave; a TD meets none of them. Those that need KSS are met by zeros
/// without it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnclavePolicy {
    /// The enclave has one of these MRENCLAVEs.
    pub mr_enclaves: Vec<MrEnclave>,
    /// The enclave has one of these MRSIGNERs.
    pub mr_signers: Vec<MrSigner>,
    /// The enclave has one of these ISVPRODIDs.
    pub isv_prod_ids: Vec<u16>,
    /// The lowest ISVSVN.
    pub minimum_isv_svn: Option<u16>,
    /// The enclave has one of these ISVEXTPRODIDs, which need KSS.
    pub isv_ext_prod_ids: Vec<IsvExtProdId>,
    /// The enclave has one of these ISVFAMILYIDs, which need KSS.
    pub isv_family_ids: Vec<IsvFamilyId>,
    /// The enclave has one of these CONFIGIDs, which need KSS.
    pub config_ids: Vec<ConfigId>,
    /// The lowest CONFIGSVN, which needs KSS.
    pub minimum_config_svn: Option<u16>,
    /// The enclave is one of these products, in this security version or a higher one.
    pub signed_products: Vec<SignedProduct>,
}

impl EnclavePolicy {
    pub(super) fn rules(&self) -> impl Iterator<Item = (Step, Option<Rule<'_>>)> {
        let products = &self.signed_products;
        let rules = [
            (Step::MrEnclave, one_of("MRENCLAVE", &self.mr_enclaves, |e| e.mr_enclave)),
            (Step::MrSigner, one_of("MRSIGNER", &self.mr_signers, |e| e.mr_signer)),
            (Step::IsvProdId, one_of("ISVPRODID", &self.isv_prod_ids, |e| e.isv_prod_id.get())),
            (Step::IsvSvn, minimum("ISVSVN", self.minimum_isv_svn, |e| e.isv_svn.get())),
            (
                Step::IsvExtProdId,
                one_of("ISVEXTPRODID", &self.isv_ext_prod_ids, |e| e.isv_ext_prod_id),
            ),
            (Step::IsvFamilyId, one_of("ISVFAMILYID", &self.isv_family_ids, |e| e.isv_family_id)),
            (Step::ConfigId, one_of("CONFIGID", &self.config_ids, |e| e.config_id)),
            (
                Step::ConfigSvn,
                minimum("CONFIGSVN", self.minimum_config_svn, |e| e.config_svn.get()),
            ),
            (
                Step::SigStruct,
                accepted(
                    "the enclave",
                    products,
                    |attested| enclave("MRSIGNER", attested).map(SignedProduct::of_enclave),
                    SignedProduct::accepts,
                ),
            ),
        ];
        rules.into_iter()
    }
}

fn one_of<'a, T: PartialEq + Display>(
    name: &'static str,
    expected: &'a [T],
    field: fn(&ReportBody) -> T,
) -> Option<Rule<'a>> {
    required(name, expected, move |attested| enclave(name, attested).map(field))
}

fn minimum(
    name: &'static str,
    minimum: Option<u16>,
    field: fn(&ReportBody) -> u16,
) -> Option<Rule<'static>> {
    at_least(name, minimum, move |attested| enclave(name, attested).map(field))
}

fn enclave<'a>(field: &str, attested: &'a Attested) -> Result<&'a ReportBody, String> {
    attested.body.enclave().ok_or_else(|| {
        format!("this is the quote of a TD, which has no {field}; expect MRTD or RTMRs instead")
    })
}
