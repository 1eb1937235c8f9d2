//! The requirements on a TD.

use sgx::{Measurement, TdReport10, TdReport15, TeeTcbSvn};

use super::MaskedBits;
use super::rule::{Rule, accepted, reaching, required};
use crate::{Attested, Step};

/// The requirements on a TD; an enclave meets none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TdPolicy {
    /// The TD has one of these MRTDs.
    pub mr_tds: Vec<Measurement>,
    /// The TD has one of these RTMR0s, RTMR1s, RTMR2s and RTMR3s.
    pub rtmrs: [Vec<Measurement>; 4],
    /// The TD has one of these MRCONFIGIDs.
    pub mr_config_ids: Vec<Measurement>,
    /// The TD has one of these MROWNERs.
    pub mr_owners: Vec<Measurement>,
    /// The TD has one of these MROWNERCONFIGs.
    pub mr_owner_configs: Vec<Measurement>,
    /// The TD has one of these MRSERVICETDs, which need TDX 1.5.
    pub mr_service_tds: Vec<Measurement>,
    /// The TDX module has one of these MRSEAMs.
    pub mr_seams: Vec<Measurement>,
    /// The TDX module has one of these MRSIGNERSEAMs. Without a requirement, too, it must be the
    /// published one.
    pub mr_signer_seams: Vec<Measurement>,
    /// The lowest TEE_TCB_SVN at the launch of the TD, byte by byte. The first two are the SVN and
    /// the major version of the TDX module: with a higher version any SVN is enough.
    pub minimum_tee_tcb_svn: Option<TeeTcbSvn>,
    /// TDATTRIBUTES have one of these values.
    pub td_attributes: Vec<MaskedBits>,
    /// XFAM has one of these values.
    pub xfams: Vec<MaskedBits>,
}

impl TdPolicy {
    pub(super) fn rules(&self) -> impl Iterator<Item = (Step, Option<Rule<'_>>)> {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = &self.rtmrs;
        let rules = [
            (Step::MrTd, one_of("MRTD", &self.mr_tds, |td| td.mr_td)),
            (Step::Rtmr0, one_of("RTMR0", rtmr0, |td| td.rtmr[0])),
            (Step::Rtmr1, one_of("RTMR1", rtmr1, |td| td.rtmr[1])),
            (Step::Rtmr2, one_of("RTMR2", rtmr2, |td| td.rtmr[2])),
            (Step::Rtmr3, one_of("RTMR3", rtmr3, |td| td.rtmr[3])),
            (Step::MrConfigId, one_of("MRCONFIGID", &self.mr_config_ids, |td| td.mr_config_id)),
            (Step::MrOwner, one_of("MROWNER", &self.mr_owners, |td| td.mr_owner)),
            (
                Step::MrOwnerConfig,
                one_of("MROWNERCONFIG", &self.mr_owner_configs, |td| td.mr_owner_config),
            ),
            (
                Step::MrServiceTd,
                required("MRSERVICETD", &self.mr_service_tds, |attested| {
                    td_15("MRSERVICETD", attested).map(|td| td.mr_service_td)
                }),
            ),
            (Step::MrSeam, one_of("MRSEAM", &self.mr_seams, |td| td.mr_seam)),
            (
                Step::MrSignerSeam,
                one_of("MRSIGNERSEAM", &self.mr_signer_seams, |td| td.mr_signer_seam),
            ),
            (
                Step::TeeTcbSvn,
                reaching(
                    "TEE_TCB_SVN",
                    self.minimum_tee_tcb_svn,
                    |attested| td("TEE_TCB_SVN", attested).map(|td| td.tee_tcb_svn),
                    reaches,
                ),
            ),
            (
                Step::ExpectedTdAttributes,
                bits("TDATTRIBUTES", &self.td_attributes, |td| td.td_attributes.0.get()),
            ),
            (Step::Xfam, bits("XFAM", &self.xfams, |td| td.xfam.get())),
        ];
        rules.into_iter()
    }
}

fn one_of<'a>(
    name: &'static str,
    expected: &'a [Measurement],
    field: fn(&TdReport10) -> Measurement,
) -> Option<Rule<'a>> {
    required(name, expected, move |attested| td(name, attested).map(field))
}

fn bits<'a>(
    name: &'static str,
    expected: &'a [MaskedBits],
    field: fn(&TdReport10) -> u64,
) -> Option<Rule<'a>> {
    let actual = move |attested: &Attested| td(name, attested).map(field).map(MaskedBits::exactly);
    accepted(name, expected, actual, |expected, actual| expected.accepts(actual.value))
}

/// True if these SVNs are at least the minimum. The SVN of the TDX module starts over with a new
/// major version, so it is compared within one only.
fn reaches(actual: &TeeTcbSvn, minimum: &TeeTcbSvn) -> bool {
    let [svn, version, rest @ ..] = actual.0;
    let [minimum_svn, minimum_version, minimum_rest @ ..] = minimum.0;
    (version, svn) >= (minimum_version, minimum_svn)
        && rest.iter().zip(minimum_rest).all(|(actual, minimum)| *actual >= minimum)
}

fn td<'a>(field: &str, attested: &'a Attested) -> Result<&'a TdReport10, String> {
    attested.body.td().ok_or_else(|| {
        format!(
            "this is the quote of an enclave, which has no {field}; expect MRENCLAVE or MRSIGNER \
             instead"
        )
    })
}

fn td_15<'a>(field: &str, attested: &'a Attested) -> Result<&'a TdReport15, String> {
    td(field, attested)?;
    let report = attested.body.td_15();
    report.ok_or_else(|| format!("this is a quote of TDX 1.0, which has no {field}"))
}
