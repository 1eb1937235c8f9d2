//! TCB levels: which one a platform reaches, and its status together with that of the QE.

use std::cmp::Reverse;

use serde_json::json;
use verify::{Step, TcbStatus};

use crate::differential::evidence::{Evidence, level, qe_level};
use crate::differential::{Answer, INTEL_OK, UP_TO_DATE, case, refused, run, undecided};

const OUT_OF_DATE: Answer = Answer::Accepts(TcbStatus::OutOfDate);
const INTEL_OUT_OF_DATE: Result<TcbStatus, &str> = Ok(TcbStatus::OutOfDate);

#[test]
fn each_of_the_components_counts() {
    let mut cases = Vec::new();
    for number in 0..16 {
        let name = |what: &str| format!("component {} {what}", number + 1);
        let change = move |svn: u8, byte: u8| {
            move |e: &mut Evidence| {
                (e.platform.components[number], e.platform.cpu_svn[number]) = (svn, byte);
            }
        };
        cases.extend([
            case(name("higher"), change(200, 200), INTEL_OK, UP_TO_DATE),
            case(name("low"), change(4, 4), INTEL_OUT_OF_DATE, OUT_OF_DATE),
            case(name("low, CPUSVN high"), change(4, 255), INTEL_OUT_OF_DATE, OUT_OF_DATE),
            // dcap-qvl compares the bytes of CPUSVN, so the lower of both counts.
            case(name("high, CPUSVN low"), change(5, 4), INTEL_OK, OUT_OF_DATE),
            case(name("revoked"), change(2, 255), Err("TCB_REVOKED"), refused(Step::TcbLevel)),
            case(name("below"), change(0, 255), Err("TCB_NOT_SUPPORTED"), refused(Step::TcbLevel)),
        ]);
    }
    let pce = |svn| move |e: &mut Evidence| e.platform.pce_svn = svn;
    cases.extend([
        case("PCESVN higher", pce(0x7FFF), INTEL_OK, UP_TO_DATE),
        case("PCESVN low", pce(9), INTEL_OUT_OF_DATE, OUT_OF_DATE),
        case("PCESVN revoked", pce(7), Err("TCB_REVOKED"), refused(Step::TcbLevel)),
        case("PCESVN below", pce(4), Err("TCB_NOT_SUPPORTED"), refused(Step::TcbLevel)),
    ]);
    run(&cases);
}

#[test]
fn statuses_of_platform_and_qe_are_put_together() {
    use TcbStatus::{
        ConfigurationAndSWHardeningNeeded, ConfigurationNeeded, OutOfDate,
        OutOfDateConfigurationNeeded, Revoked, SWHardeningNeeded, UpToDate,
    };
    // Platform, and what it is with a QE that is out of date.
    let statuses = [
        (UpToDate, OutOfDate),
        (SWHardeningNeeded, OutOfDate),
        (ConfigurationNeeded, OutOfDateConfigurationNeeded),
        (ConfigurationAndSWHardeningNeeded, OutOfDateConfigurationNeeded),
        (OutOfDate, OutOfDate),
        (OutOfDateConfigurationNeeded, OutOfDateConfigurationNeeded),
    ];
    let mut cases = Vec::new();
    for (platform, with_old_qe) in statuses {
        let revoked = (Err("TCB_REVOKED"), refused(Step::TcbLevel));
        // A QE has none of the other statuses, which dcap-qvl takes for `UpToDate`.
        let none = (Err("SGX_ENCLAVE_IDENTITY_INVALID"), undecided(Step::QeIdentity));
        for (qe, (intel, ours)) in [
            (UpToDate, (Ok(platform), Answer::Accepts(platform))),
            (OutOfDate, (Ok(with_old_qe), Answer::Accepts(with_old_qe))),
            (Revoked, revoked),
            (ConfigurationNeeded, none),
            (OutOfDateConfigurationNeeded, none),
            (SWHardeningNeeded, none),
            (ConfigurationAndSWHardeningNeeded, none),
        ] {
            let change = move |e: &mut Evidence| set_statuses(e, platform, qe);
            cases.push(case(format!("platform {platform}, QE {qe}"), change, intel, ours));
        }
    }
    for qe in [UpToDate, OutOfDate, Revoked] {
        let change = move |e: &mut Evidence| set_statuses(e, Revoked, qe);
        let name = format!("platform revoked, QE {qe}");
        cases.push(case(name, change, Err("TCB_REVOKED"), refused(Step::TcbLevel)));
    }
    run(&cases);
}

fn set_statuses(evidence: &mut Evidence, platform: TcbStatus, qe: TcbStatus) {
    evidence.tcb_info["tcbLevels"] = json!([level([5; 16], 10, platform)]);
    evidence.qe_identity["tcbLevels"] = json!([qe_level(0, qe)]);
}

/// A platform and the levels it is compared with, small numbers that are often equal.
struct Draw {
    components: [u8; 16],
    pce_svn: u16,
    levels: Vec<([u8; 16], u16, TcbStatus)>,
}

impl Draw {
    /// The same for the same number.
    fn new(number: u64) -> Self {
        let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut below = move |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % limit
        };
        let mut svns = |limit| {
            // Two components vary, or else hardly any platform reaches a level.
            let mut svns = [1; 16];
            svns[below(2) as usize] = below(limit) as u8;
            svns[15] = below(limit) as u8;
            (svns, below(limit) as u16)
        };
        let (components, pce_svn) = svns(5);
        let mut levels = Vec::new();
        for status in TcbStatus::published() {
            let (components, pce_svn) = svns(4);
            if levels.iter().all(|(other, pce, _)| (components, pce_svn) != (*other, *pce)) {
                levels.push((components, pce_svn, status));
            }
        }
        Self { components, pce_svn, levels }
    }

    /// Intel's rule: of the levels in descending order of components and PCESVN the first one of
    /// which nothing is higher than the platform's.
    fn by_intels_rule(&self) -> Option<TcbStatus> {
        let mut levels = self.levels.clone();
        levels.sort_by_key(|(components, pce_svn, _)| Reverse((*components, *pce_svn)));
        let reaches = |(components, pce_svn, _): &&([u8; 16], u16, TcbStatus)| {
            let mut pairs = self.components.iter().zip(components);
            pairs.all(|(has, needs)| has >= needs) && self.pce_svn >= *pce_svn
        };
        levels.iter().find(reaches).map(|(_, _, status)| *status)
    }
}

#[test]
fn any_levels_in_any_order() {
    let cases = (0..160).map(|number| {
        let draw = Draw::new(number);
        let (intel, ours) = match draw.by_intels_rule() {
            None => (Err("TCB_NOT_SUPPORTED"), refused(Step::TcbLevel)),
            Some(TcbStatus::Revoked) => (Err("TCB_REVOKED"), refused(Step::TcbLevel)),
            Some(status) => (Ok(status), Answer::Accepts(status)),
        };
        let change = move |e: &mut Evidence| {
            (e.platform.components, e.platform.cpu_svn) = (draw.components, draw.components);
            e.platform.pce_svn = draw.pce_svn;
            let levels = draw.levels.iter();
            let levels = levels.map(|(svns, pce_svn, status)| level(*svns, *pce_svn, *status));
            e.tcb_info["tcbLevels"] = levels.collect();
        };
        case(format!("draw {number}"), change, intel, ours)
    });
    run(&cases.collect::<Vec<_>>());
}
