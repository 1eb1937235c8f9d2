//! The TCB of a machine, compared with the published levels.

use std::fmt;

use serde::Serialize;
use software_platform::{MICROCODE_COMPONENT, SoftwarePlatform, TcbLevel};
use time::OffsetDateTime;

/// The TCB status of a machine, and its reasons.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::commands::platform) struct TcbState {
    tcb_status: String,
    advisory_ids: Vec<String>,
    /// The component below the newest TCB level, if there is one.
    shortfall: Option<Shortfall>,
    microcode_updates: u8,
    cpu_svn: String,
    pce_svn: u16,
    tcb_evaluation_data_number: u32,
    /// The TCB levels, newest first.
    tcb_levels: Vec<Level>,
    pck_certificate: PckCertificate,
    collateral: Dates,
}

/// A TCB component that is too low.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Shortfall {
    component: u8,
    #[serde(rename = "type")]
    component_type: &'static str,
    has: u8,
    needs: u8,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Level {
    cpu_svn: String,
    pce_svn: u16,
    tcb_date: String,
    tcb_status: String,
    advisory_ids: Vec<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PckCertificate {
    serial: String,
    revoked: bool,
}

/// The dates of collateral issued now.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Dates {
    issue_date: String,
    next_update: String,
    expired: bool,
}

impl TcbState {
    pub(super) fn of(platform: &SoftwarePlatform, now: OffsetDateTime) -> anyhow::Result<Self> {
        let (subject, level) = (platform.pck_subject(), platform.tcb_level());
        let (published, issue) = (platform.published_tcb(), platform.issue(now));
        let serial = platform.pck_certificate().serial();
        Ok(Self {
            tcb_status: level.status.to_string(),
            advisory_ids: level.advisory_ids,
            shortfall: shortfall(platform),
            microcode_updates: platform.microcode().updates(),
            cpu_svn: subject.cpu_svn.to_string(),
            pce_svn: subject.pce_svn,
            tcb_evaluation_data_number: issue.tcb_evaluation_data_number,
            tcb_levels: issue.tcb_levels.iter().map(Level::of).collect::<Result<_, _>>()?,
            pck_certificate: PckCertificate {
                serial: hex::encode(serial),
                revoked: published.is_revoked(serial),
            },
            collateral: Dates {
                issue_date: printable::rfc3339(issue.now.into()),
                next_update: printable::rfc3339(issue.next_update()?.into()),
                expired: published.is_expired(),
            },
        })
    }
}

/// The shortfall of microcode, the first component, below the newest TCB level.
fn shortfall(platform: &SoftwarePlatform) -> Option<Shortfall> {
    let newest = platform.published_tcb().newest_microcode();
    let [[has, ..], [needs, ..]] =
        [platform.microcode(), newest].map(|microcode| microcode.cpu_svn().0);
    let component_type = MICROCODE_COMPONENT;
    (has < needs).then_some(Shortfall { component: 1, component_type, has, needs })
}

impl Level {
    fn of(level: &TcbLevel) -> anyhow::Result<Self> {
        Ok(Self {
            cpu_svn: level.cpu_svn.to_string(),
            pce_svn: level.pce_svn,
            tcb_date: printable::rfc3339(level.date.into()),
            tcb_status: level.status.to_string(),
            advisory_ids: level.advisory_ids.clone(),
        })
    }
}

impl fmt::Display for TcbState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "TCB status      {}", self.tcb_status)?;
        if let Some(Shortfall { component, component_type, has, needs }) = self.shortfall {
            let short = format!("TCB component {component} ({component_type})");
            writeln!(f, "short           {short} is {has}, needs {needs}")?;
        }
        writeln!(f, "advisories      {}", list(&self.advisory_ids))?;
        writeln!(f, "microcode       updates: {}", self.microcode_updates)?;
        writeln!(f, "CPUSVN          {}", self.cpu_svn)?;
        writeln!(f, "PCESVN          {}", self.pce_svn)?;
        let revoked = if self.pck_certificate.revoked { "REVOKED" } else { "not revoked" };
        writeln!(f, "PCK certificate {}, {revoked}", self.pck_certificate.serial)?;
        let Dates { issue_date, next_update, expired } = &self.collateral;
        let expired = if *expired { "EXPIRED, " } else { "" };
        writeln!(f, "collateral      {expired}from {issue_date} until {next_update}")?;
        writeln!(f, "TCB evaluation  {}", self.tcb_evaluation_data_number)?;
        for level in &self.tcb_levels {
            writeln!(f, "TCB level       {level}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu_svn, tcb_date, tcb_status, .. } = self;
        write!(f, "{cpu_svn} of {tcb_date}: {tcb_status}")
    }
}

fn list(advisory_ids: &[String]) -> String {
    if advisory_ids.is_empty() { "none".to_owned() } else { advisory_ids.join(" ") }
}
