//! EREPORT and the check of REPORTs, against a recording of the SDK's simulation mode.

use sgx::{Attributes, IntoBytes, MrEnclave, Report, ReportBody, ReportData, TargetInfo};
use software_platform::{Cpu, EnclaveIdentity, ReportError, SoftwareEnclave};

#[test]
fn accepts_the_recorded_report_and_makes_the_same_bytes() {
    let (target_info, report) = recording();
    let target = enclave_with(&target_info);
    assert!(target.target_info() == target_info);
    assert_eq!(target.verify_report(&report), Ok(()));

    let reporter = SoftwareEnclave::new(identity_in(&report.body));
    assert!(reporter.report(&target_info, report.body.report_data) == report);
}

#[test]
fn refuses_every_flipped_bit() {
    let (target_info, report) = recording();
    let target = enclave_with(&target_info);
    for bit in 0..size_of::<Report>() * 8 {
        let mut bytes = report.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let flipped = sgx::parse("REPORT", &bytes).unwrap();
        assert_eq!(target.verify_report(&flipped), Err(ReportError), "bit {bit}");
    }
}

#[test]
fn refuses_a_report_for_another_target() {
    let (target_info, report) = recording();
    let own = identity_of_target(&target_info);
    let mut other_config_id = own;
    other_config_id.config_id[63] ^= 1;
    let others = [
        EnclaveIdentity { mr_enclave: MrEnclave([1; 32]), ..own },
        EnclaveIdentity { attributes: Attributes::new(0x11, 0xe6), ..own },
        EnclaveIdentity { misc_select: own.misc_select ^ 1, ..own },
        EnclaveIdentity { config_svn: own.config_svn ^ 1, ..own },
        other_config_id,
    ];
    for identity in others {
        assert_eq!(SoftwareEnclave::new(identity).verify_report(&report), Err(ReportError));
    }
}

#[test]
fn refuses_a_report_of_another_cpu() {
    let target = SoftwareEnclave::new(EnclaveIdentity::default());
    for cpu in [Cpu::Downgraded, Cpu::Upgraded] {
        let reporter = SoftwareEnclave::on(cpu, EnclaveIdentity::default());
        let report = reporter.report(&target.target_info(), ReportData::default());
        assert_eq!(target.verify_report(&report), Err(ReportError));
        assert_eq!(report.body.cpu_svn, cpu.cpu_svn());
    }
}

fn recording() -> (TargetInfo, Report) {
    let target_info = hex::decode(include_str!("../vectors/simulation-target-info.hex").trim());
    let report = hex::decode(include_str!("../vectors/simulation-report.hex").trim());
    (
        sgx::parse("target info", &target_info.unwrap()).unwrap(),
        sgx::parse("REPORT", &report.unwrap()).unwrap(),
    )
}

fn enclave_with(target_info: &TargetInfo) -> SoftwareEnclave {
    SoftwareEnclave::new(identity_of_target(target_info))
}

fn identity_of_target(target_info: &TargetInfo) -> EnclaveIdentity {
    EnclaveIdentity {
        mr_enclave: target_info.mr_enclave,
        attributes: target_info.attributes,
        misc_select: target_info.misc_select.get(),
        config_id: target_info.config_id,
        config_svn: target_info.config_svn.get(),
        ..EnclaveIdentity::default()
    }
}

fn identity_in(body: &ReportBody) -> EnclaveIdentity {
    EnclaveIdentity {
        mr_enclave: body.mr_enclave,
        mr_signer: body.mr_signer,
        isv_prod_id: body.isv_prod_id.get(),
        isv_svn: body.isv_svn.get(),
        attributes: body.attributes,
        misc_select: body.misc_select.get(),
        config_id: body.config_id.0,
        config_svn: body.config_svn.get(),
        isv_family_id: body.isv_family_id.0,
        isv_ext_prod_id: body.isv_ext_prod_id.0,
    }
}
