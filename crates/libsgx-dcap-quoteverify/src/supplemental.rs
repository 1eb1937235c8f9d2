//! Supplemental data: the facts for a verifier's own policy.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA384, digest};
use sgx::Quote3Error;
use verify::{AttestedTcb, CollateralDates, Examination, SgxExtension, SgxType};

use crate::c_types::Supplemental;
use crate::failure::Failure;
use crate::qv_result::QvResult;

/// Major and minor version of supplemental data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    pub(crate) major: u16,
    pub(crate) minor: u16,
}

impl Version {
    /// The latest, and the one with all fields.
    pub(crate) const LATEST: Self = Self { major: 3, minor: 5 };
    /// The one in the data of the functions that are older than versions. The fields are the same.
    pub(crate) const UNREQUESTED: Self = Self { major: 3, minor: 0 };

    /// The latest version of this size.
    pub(crate) fn of_size(size: u32) -> Self {
        match size {
            Supplemental::SIZE_UP_TO_3_4 => Self { major: 3, minor: 4 },
            _ => Self::LATEST,
        }
    }

    /// The number in a C program: the minor version is the higher half.
    pub(crate) fn number(self) -> u32 {
        u32::from(self.minor) << 16 | u32::from(self.major)
    }
}

/// `PCK_FLAG_TRUE`
const TRUE: u32 = 1;
/// `PCK_FLAG_UNDEFINED`
const UNDEFINED: u32 = 2;

/// The data for a quote that holds, each field as Intel's library fills it: it never sets
/// `tee_type` and `qe_iden_tcb_eval_ref_num`, and has only the first byte of the PCE id.
pub(crate) fn supplemental(
    version: Version,
    facts: &Examination,
    dates: CollateralDates,
    advisories: &Advisories,
) -> Result<Supplemental, Failure> {
    let (pck, tcb, current) = (facts.pck(), &facts.attested.tcb, facts.current_tcb());
    let qe_dates = facts.qe_identity_dates();
    let platform_tcb_date = seconds(facts.platform_tcb_date);
    let qe_tcb_date = seconds(facts.qe.date);
    let sgx_type = sgx_type(pck.sgx_type)?;
    let packages = Packages::of(pck, sgx_type)?;
    Ok(Supplemental {
        major_version: version.major,
        minor_version: version.minor,
        padding: [0; 4],
        earliest_issue_date: seconds(dates.earliest_issue),
        latest_issue_date: seconds(dates.latest_issue),
        earliest_expiration_date: seconds(dates.earliest_expiration),
        tcb_level_date_tag: platform_tcb_date.min(qe_tcb_date),
        pck_crl_num: crl_number(facts.pck_crl_number(), "the number of the PCK CRL")?,
        root_ca_crl_num: crl_number(facts.root_ca_crl_number(), "the number of the root's CRL")?,
        tcb_eval_ref_num: tcb.evaluation_data_number,
        root_key_id: root_key_id(facts)?,
        pck_ppid: pck.ppid,
        tcb_cpusvn: pck.cpu_svn.0,
        tcb_pce_isvsvn: pck.pce_svn,
        pce_id: pck.pce_id.first().copied().unwrap_or_default().into(),
        tee_type: 0,
        sgx_type,
        platform_instance_id: packages.instance_id,
        padding_of_flags: [0; 3],
        dynamic_platform: packages.dynamic,
        cached_keys: packages.cached_keys,
        smt_enabled: packages.smt,
        sa_list: list(&advisories.at_launch),
        padding_of_qe_identity: [0; 2],
        qe_iden_earliest_issue_date: seconds(qe_dates.earliest_issue),
        qe_iden_latest_issue_date: seconds(qe_dates.latest_issue),
        qe_iden_earliest_expiration_date: seconds(qe_dates.earliest_expiration),
        qe_iden_tcb_level_date_tag: qe_tcb_date,
        qe_iden_tcb_eval_ref_num: 0,
        qe_iden_status: QvResult::of(facts.qe.status).0,
        platform_tcb_level_date_tag: platform_tcb_date,
        tcb_date_current: seconds(current.date),
        tcb_status_current: QvResult::of(current.status).0,
        sa_list_current: list(&advisories.current),
        padding_at_end: [0; 2],
    })
}

/// Seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn crl_number(number: u64, what: &'static str) -> Result<u32, Failure> {
    u32::try_from(number).map_err(|_| Failure::OutOfRange(what))
}

/// SHA-384 of the root's public key: 4, x, y.
fn root_key_id(facts: &Examination) -> Result<[u8; 48], Failure> {
    let key = facts.root_public_key();
    let hash = key.map(|key| digest(&SHA384, &key));
    let id = hash.and_then(|hash| hash.as_ref().try_into().ok());
    id.ok_or(Failure::OutOfRange("the root's public key"))
}

fn sgx_type(sgx_type: SgxType) -> Result<u8, Failure> {
    match sgx_type {
        SgxType::Standard => Ok(0),
        SgxType::Scalable => Ok(1),
        SgxType::ScalableWithIntegrity => Ok(2),
        SgxType::Unknown(number) => {
            u8::try_from(number).map_err(|_| Failure::OutOfRange("the SGX type"))
        }
    }
}

/// The packages of a platform, as far as Intel's library tells of them: only of scalable platforms,
/// and the first two flags never as false.
struct Packages {
    instance_id: [u8; 16],
    dynamic: u32,
    cached_keys: u32,
    smt: u32,
}

impl Packages {
    fn of(pck: &SgxExtension, sgx_type: u8) -> Result<Self, Failure> {
        if !matches!(sgx_type, 1 | 2) {
            let (instance_id, smt) = ([0; 16], UNDEFINED);
            return Ok(Self { instance_id, dynamic: UNDEFINED, cached_keys: UNDEFINED, smt });
        }
        let true_or_undefined = |flag| if flag == Some(true) { TRUE } else { UNDEFINED };
        Ok(Self {
            instance_id: pck.platform_instance_id.ok_or(Failure::Unreadable {
                what: "the platform instance id",
                error: Quote3Error::PCK_CERT_UNSUPPORTED_FORMAT,
            })?,
            dynamic: true_or_undefined(pck.features.dynamic_platform),
            cached_keys: true_or_undefined(pck.features.cached_keys),
            smt: pck.features.smt.unwrap_or_default().into(),
        })
    }
}

/// Ids of advisories without repetitions, sorted and separated by commas. They fit into
/// supplemental data.
pub(crate) struct Advisories {
    at_launch: String,
    current: String,
}

impl Advisories {
    /// The most bytes of a list: a zero byte follows.
    const MAX_SIZE: usize = 449;

    /// The advisories behind the statuses.
    pub(crate) fn new(facts: &Examination) -> Result<Self, Failure> {
        let at_launch = Self::joined(&facts.attested.tcb)?;
        Ok(Self { at_launch, current: Self::joined(facts.current_tcb())? })
    }

    fn joined(tcb: &AttestedTcb) -> Result<String, Failure> {
        let ids: BTreeSet<_> = tcb.advisory_ids.iter().map(String::as_str).collect();
        let text = ids.into_iter().collect::<Vec<_>>().join(",");
        if text.len() > Self::MAX_SIZE {
            return Err(Failure::argument("the advisories have 450 bytes or more"));
        }
        Ok(text)
    }
}

fn list(text: &str) -> [u8; 450] {
    let mut list = [0; 450];
    for (place, byte) in list.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    list
}
