//! The status of a platform, from its PCK certificate and the collateral.

use collateral::NodeStatus;
use serde::Serialize;
use std::fmt;
use verify::{PckCertificate, SgxExtension, TcbStatus};

use super::super::cache_view::CacheView;
use super::super::item_label::ItemLabel;
use super::condition::{Condition, Problem};
use super::evaluated_tcb::TcbStatusReport;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct PlatformStatus {
    qe_id: String,
    fmspc: String,
    ca: String,
    cpu_svn: String,
    pce_svn: u16,
    pck_certificate: PckStatus,
    /// `null`: no TCB info is cached.
    tcb: Option<TcbStatusReport>,
    /// By the early TCB evaluation; `null` if that is not cached.
    early: Option<TcbStatusReport>,
    /// The earliest end of validity of the records behind this status.
    valid_until: Option<String>,
    #[serde(skip)]
    first_to_expire: String,
    /// Items that are not cached.
    missing: Vec<String>,
    #[serde(skip)]
    fetch_missing: String,
    #[serde(skip)]
    fetch_again: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PckStatus {
    serial: String,
    /// `null`: no CRL is cached.
    revoked: Option<bool>,
    expired: bool,
}

impl PlatformStatus {
    pub(super) fn of(node: NodeStatus, view: &CacheView) -> Self {
        let now = view.cache.fetcher().now();
        let NodeStatus { qe_id, certificate, revoked, tcb, early, records, missing } = node;
        let PckCertificate { extension, ca, validity, serial, .. } = certificate;
        let SgxExtension { cpu_svn, pce_svn, fmspc, .. } = extension;
        let first = records.iter().min_by_key(|record| record.validity.until);
        let expired = now > validity.until;
        Self {
            qe_id: hex::encode(qe_id),
            fmspc: hex::encode(fmspc),
            ca: ca.to_string(),
            cpu_svn: cpu_svn.to_string(),
            pce_svn,
            pck_certificate: PckStatus { serial: hex::encode(serial), revoked, expired },
            tcb: tcb.map(TcbStatusReport::of),
            early: early.map(TcbStatusReport::of),
            valid_until: first.map(|record| printable::rfc3339(record.validity.until)),
            first_to_expire: first.map(|it| ItemLabel::from(&it.item).what).unwrap_or_default(),
            fetch_missing: view.fetch_command(&format!("--fmspc {} --ca {ca}", hex::encode(fmspc))),
            fetch_again: view.fetch_command("--force"),
            missing: missing.iter().map(|item| ItemLabel::from(item).to_string()).collect(),
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let revoked = (self.pck_certificate.revoked == Some(true)).then(|| self.revoked());
        let missing = (!self.missing.is_empty()).then(|| self.lacking());
        let current = self.tcb.as_ref().and_then(|tcb| self.of_tcb(tcb));
        let coming = self.early.as_ref().filter(|_| current.is_none());
        let coming = coming.and_then(|tcb| self.of_early(tcb));
        [revoked, current, coming, missing].into_iter().flatten().collect()
    }

    fn name(&self) -> String {
        format!("the platform with QE {}", self.qe_id)
    }

    fn revoked(&self) -> Problem {
        let detail = format!("the PCK certificate of {} is revoked", self.name());
        let fix = format!(
            "follow the vendor's advisory; after its update of BIOS or microcode, restart the quote \
             service and fetch again: {}",
            self.fetch_again
        );
        Problem::new(Condition::Invalid, detail, &fix)
    }

    fn lacking(&self) -> Problem {
        let missing = self.missing.join(", ");
        let detail = format!("not cached for {}: {missing}", self.name());
        Problem::new(Condition::Attention, detail, &self.fetch_missing)
    }

    fn of_tcb(&self, tcb: &TcbStatusReport) -> Option<Problem> {
        let condition = condition(tcb.status);
        let fix = match condition {
            Condition::Good => return None,
            Condition::Attention => {
                "configure this machine as the advisories say, for instance without hyper-threading"
                    .to_owned()
            }
            Condition::OutOfDate | Condition::Invalid => format!(
                "update what falls short (BIOS, microcode, or Intel's enclaves for PCESVN), restart the quote service, \
                 and fetch again: {}",
                self.fetch_again
            ),
        };
        let short = tcb.short();
        let short = if short.is_empty() { short } else { format!(": {short}") };
        Some(Problem::new(condition, format!("{} is {tcb}{short}", self.name()), &fix))
    }

    fn of_early(&self, tcb: &TcbStatusReport) -> Option<Problem> {
        if condition(tcb.status) < Condition::OutOfDate {
            return None;
        }
        let detail = format!("{} will be {tcb}: {}", self.name(), tcb.short());
        let fix = "update what falls short before this evaluation becomes the standard one";
        Some(Problem::new(Condition::Attention, detail, fix))
    }
}

/// The condition of a TCB status for a machine's operator. Hardening concerns enclave authors.
fn condition(status: Option<TcbStatus>) -> Condition {
    match status {
        Some(TcbStatus::UpToDate | TcbStatus::SWHardeningNeeded) => Condition::Good,
        Some(TcbStatus::ConfigurationNeeded | TcbStatus::ConfigurationAndSWHardeningNeeded) => {
            Condition::Attention
        }
        Some(
            TcbStatus::OutOfDate
            | TcbStatus::OutOfDateConfigurationNeeded
            | TcbStatus::TDRelaunchAdvised
            | TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
        )
        | None => Condition::OutOfDate,
        Some(TcbStatus::Revoked) => Condition::Invalid,
    }
}

impl fmt::Display for PlatformStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { qe_id, fmspc, ca, cpu_svn, pce_svn, pck_certificate, .. } = self;
        writeln!(f, "platform     QE {qe_id}, FMSPC {fmspc}, {ca} CA")?;
        writeln!(f, "certified at CPUSVN {cpu_svn}, PCESVN {pce_svn}")?;
        let revoked = match pck_certificate.revoked {
            Some(true) => "REVOKED",
            Some(false) => "not revoked",
            None => "revocation unknown: there is no CRL",
        };
        let expired = if pck_certificate.expired { "EXPIRED, " } else { "" };
        writeln!(f, "certificate  {}, {expired}{revoked}", pck_certificate.serial)?;
        match &self.tcb {
            Some(tcb) => {
                writeln!(f, "TCB status   {tcb}")?;
                tcb.shortfalls.iter().try_for_each(|short| writeln!(f, "short        {short}"))?;
            }
            None => writeln!(f, "TCB status   unknown: there is no TCB info")?,
        }
        if let Some(early) = &self.early {
            writeln!(f, "coming       {early}")?;
        }
        let until = self.valid_until.as_deref().unwrap_or_default();
        writeln!(f, "valid until  {until} ({})", self.first_to_expire)
    }
}
