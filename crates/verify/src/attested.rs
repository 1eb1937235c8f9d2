//! What the evidence proves.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dcap_qvl::QuoteClaims;
use serde::{Serialize, Serializer};
use sgx::{CpuSvn, Describe, Description, ReportBody};

use crate::collateral;
use crate::{TcbStatus, TrustedRoot, UnknownTcbStatus};

/// What a quote proves together with its collateral: true under `root` at the given time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attested {
    /// Who the application enclave is. In JSON byte strings are in hexadecimal.
    #[serde(serialize_with = "enclave")]
    pub enclave: ReportBody,
    /// How current its platform is.
    pub tcb: Tcb,
    /// Which platform it runs on.
    pub platform: Platform,
    /// The root that the evidence leads to.
    pub root: TrustedRoot,
    /// When the first piece of the collateral expires. In JSON RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    pub collateral_expires: SystemTime,
}

/// TCB status of the platform and its Quoting Enclave, the worse of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tcb {
    /// The status.
    pub status: TcbStatus,
    /// Intel's security advisories behind it, such as `INTEL-SA-00615`.
    pub advisory_ids: Vec<String>,
    /// The number of the TCB recovery event that the collateral knows of (`tcbEvaluationDataNumber`).
    pub evaluation_data_number: u32,
}

/// The platform as its PCK certificate describes it. In JSON byte strings are in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// FMSPC, 6 bytes: the kind of platform (family, model, stepping, platform type, custom SKU).
    #[serde(with = "hex")]
    pub fmspc: [u8; 6],
    /// PCE id, 2 bytes.
    #[serde(with = "hex")]
    pub pce_id: Vec<u8>,
    /// CPUSVN that the PCK key is derived for.
    #[serde(serialize_with = "text")]
    pub cpu_svn: CpuSvn,
    /// ISVSVN of the PCE that the PCK key is derived for.
    pub pce_svn: u16,
    /// PPID, 16 bytes: identifies the processor package. No secret, but it tells machines apart.
    #[serde(with = "hex")]
    pub ppid: Vec<u8>,
}

impl Attested {
    /// Fails on claims that no SGX quote can have.
    pub(crate) fn new(
        enclave: ReportBody,
        claims: &QuoteClaims,
        root: &TrustedRoot,
    ) -> Result<Self, String> {
        let status = claims.tcb.status.to_string();
        let expires = Duration::from_secs(claims.earliest_expiration_date);
        let pck = &claims.platform.pck;
        Ok(Self {
            enclave,
            tcb: Tcb {
                status: status.parse().map_err(|error: UnknownTcbStatus| error.to_string())?,
                advisory_ids: claims.tcb.advisory_ids.clone(),
                evaluation_data_number: claims.tcb.eval_data_number,
            },
            platform: Platform {
                fmspc: pck.fmspc,
                pce_id: pck.pce_id.clone(),
                cpu_svn: CpuSvn(pck.cpu_svn),
                pce_svn: pck.pce_svn,
                ppid: pck.ppid.clone(),
            },
            root: root.clone(),
            collateral_expires: UNIX_EPOCH
                .checked_add(expires)
                .ok_or("the collateral expires at no date that can be counted")?,
        })
    }
}

impl Describe for Attested {
    fn describe(&self) -> Description {
        let advisories = match &self.tcb.advisory_ids[..] {
            [] => "none".to_owned(),
            ids => ids.join(" "),
        };
        Description::default()
            .text("TCB status", self.tcb.status)
            .text("advisories", advisories)
            .text(
                "collateral expires",
                collateral::rfc3339(self.collateral_expires).unwrap_or_default(),
            )
            .text("root", &self.root.subject)
            .bytes("root SHA-256", &self.root.sha256)
            .fields("platform", &self.platform)
            .fields("enclave", &self.enclave)
    }
}

impl Describe for Platform {
    fn describe(&self) -> Description {
        Description::default()
            .bytes("FMSPC", &self.fmspc)
            .bytes("PCE id", &self.pce_id)
            .text("CPUSVN", self.cpu_svn)
            .text("PCESVN", self.pce_svn)
            .bytes("PPID", &self.ppid)
    }
}

/// The JSON form of a report body.
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

fn enclave<S: Serializer>(body: &ReportBody, serializer: S) -> Result<S::Ok, S::Error> {
    let enclave = Enclave {
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
    };
    enclave.serialize(serializer)
}

fn text<S: Serializer>(value: &CpuSvn, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn rfc3339<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let text = collateral::rfc3339(*at).ok_or_else(|| serde::ser::Error::custom("not a date"))?;
    serializer.serialize_str(&text)
}
