//! The TCB level of a platform, and its shortfalls.

use verify::{TcbInfo, TcbPart, TcbStatus, TrustedRoots, check_pck_certificate, check_tcb_info};

use crate::collateral::pieces::{answer, date, recorded, recorded_text};
use crate::common::{SAMPLE_TIME, at, sample};

#[test]
fn a_certified_platform_at_its_highest_and_lowest_tcb() {
    let now = date("2025-08-20T00:00:00Z");
    let roots = TrustedRoots::intel();
    let chain = recorded_text("tcb-signing-chain.pem");
    let body = recorded("tcb-info-90806F000000.json");
    let info = check_tcb_info(&body, &chain, &roots, now).unwrap();
    let assess = |file| {
        let chain = recorded_text("pck-platform-ca-chain.pem");
        let pck = check_pck_certificate(&recorded(file), &chain, &roots, now).unwrap();
        assert_eq!(pck.extension.fmspc, info.fmspc);
        info.assess(&pck.extension.tcb_components, pck.extension.pce_svn)
    };
    let highest = assess("pck-90806F000000-highest.pem");
    assert_eq!(highest.reached.unwrap().status, TcbStatus::UpToDate);
    assert_eq!(highest.shortfalls, []);
    let lowest = assess("pck-90806F000000-lowest.pem");
    let reached = lowest.reached.unwrap();
    assert_eq!(
        (reached.status, reached.date),
        (TcbStatus::OutOfDate, date("2018-01-04T00:00:00Z"))
    );
    assert!(reached.advisory_ids.contains(&"INTEL-SA-00837".to_owned()));
    let shortfalls: Vec<String> = lowest.shortfalls.iter().map(ToString::to_string).collect();
    assert_eq!(
        shortfalls,
        [
            "TCB component 1 (BIOS: Early Microcode Update) is 5, needs 8",
            "TCB component 2 (OS/VMM: SGX Late Microcode Update) is 5, needs 8",
            "TCB component 5 (BIOS) is 3, needs 4",
            "PCESVN is 5, needs 11",
        ]
    );
}

#[test]
fn a_configuration_shows_in_the_component_that_stands_for_it() {
    let info = sample_tcb_info();
    let mut components = [11, 11, 2, 2, 255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let assessment = info.assess(&components, 13);
    let status = assessment.reached.unwrap().status;
    assert_eq!(status, TcbStatus::ConfigurationAndSWHardeningNeeded);
    let [shortfall] = &assessment.shortfalls[..] else { panic!("{:?}", assessment.shortfalls) };
    assert_eq!(shortfall.of, TcbPart::Component { number: 7, category: None, kind: None });
    assert_eq!((shortfall.has, shortfall.needs), (0, 12));
    assert_eq!(shortfall.to_string(), "TCB component 7 is 0, needs 12");
    components[6] = 12;
    let assessment = info.assess(&components, 13);
    assert_eq!(assessment.reached.unwrap().status, TcbStatus::SWHardeningNeeded);
    assert_eq!(assessment.shortfalls, []);
}

#[test]
fn each_component_counts_and_more_is_as_good() {
    let info = sample_tcb_info();
    let best = [11, 11, 2, 2, 255, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let status = |components: &[u8; 16], pce_svn| {
        info.assess(components, pce_svn).reached.map(|level| level.status)
    };
    assert_eq!(status(&best, 13), Some(TcbStatus::SWHardeningNeeded));
    assert_eq!(status(&[255; 16], u16::MAX), Some(TcbStatus::SWHardeningNeeded));
    for index in (0..16).filter(|index| best[*index] > 0) {
        let mut lower = best;
        lower[index] -= 1;
        assert_ne!(status(&lower, 13), Some(TcbStatus::SWHardeningNeeded), "component {index}");
        let assessment = info.assess(&lower, 13);
        let [shortfall] = &assessment.shortfalls[..] else { panic!("component {index}") };
        assert_eq!(shortfall.has + 1, shortfall.needs);
    }
    assert_ne!(status(&best, 12), Some(TcbStatus::SWHardeningNeeded));
}

#[test]
fn a_platform_below_all_levels_reaches_none() {
    let assessment = sample_tcb_info().assess(&[0; 16], 0);
    assert_eq!(assessment.reached, None);
    assert_eq!(assessment.shortfalls.len(), 8, "seven components and the PCE");
}

#[test]
fn nothing_is_short_at_a_lower_level_of_the_same_status() {
    let mut info = sample_tcb_info();
    info.tcb_levels[1].status = info.tcb_levels[0].status;
    let assessment = info.assess(&[11, 11, 2, 2, 255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 13);
    assert_eq!(assessment.reached.as_ref(), Some(&info.tcb_levels[1]));
    assert_eq!(assessment.shortfalls, []);
}

#[test]
fn without_a_current_level_there_is_nothing_to_fall_short_of() {
    let mut info = sample_tcb_info();
    info.tcb_levels.retain(|level| level.status == TcbStatus::OutOfDate);
    assert!(!info.tcb_levels.is_empty());
    let assessment = info.assess(&[0; 16], 0);
    assert_eq!((assessment.reached, assessment.shortfalls.len()), (None, 0));
    let assessment = info.assess(&[255; 16], 255);
    assert_eq!(assessment.reached.unwrap().status, TcbStatus::OutOfDate);
    assert_eq!(assessment.shortfalls, []);
}

fn sample_tcb_info() -> TcbInfo {
    let c = sample().collateral;
    let body = answer("tcbInfo", &c.tcb_info, &c.tcb_info_signature);
    let roots = TrustedRoots::intel();
    check_tcb_info(&body, &c.tcb_info_issuer_chain, &roots, at(SAMPLE_TIME)).unwrap()
}
