//! Where quotes would come from here.

use quoting::{ChosenPlatform, DCAP_LIBRARY, Reason, SGX_ENCLAVE_DEVICE};

use super::finding::Finding;

/// What `--platform auto` means on this machine.
pub(crate) fn finding(chosen: ChosenPlatform) -> Finding {
    let name = "platform";
    let because = match chosen {
        ChosenPlatform::Dcap => {
            return Finding::ok(
                name,
                format!(
                    "--platform auto is dcap here: {SGX_ENCLAVE_DEVICE} and {DCAP_LIBRARY} are \
                     there"
                ),
            );
        }
        ChosenPlatform::Software(Reason::NoDevice) => format!("there is no {SGX_ENCLAVE_DEVICE}"),
        ChosenPlatform::Software(Reason::NoLibrary) => format!("there is no {DCAP_LIBRARY}"),
        ChosenPlatform::Software(Reason::Asked) => "it was asked for".to_owned(),
    };
    Finding::warning(
        name,
        format!("--platform auto is software here, since {because}: its quotes are INSECURE"),
        "nothing, to try, develop and test; for real quotes mend what is named above, and pass \
         --platform dcap so that nothing else is ever served",
    )
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn the_software_platform_is_a_loud_notice_with_its_reason() {
        assert_eq!(finding(ChosenPlatform::Dcap).status, Status::Ok);
        for (reason, named) in
            [(Reason::NoDevice, "/dev/sgx_enclave"), (Reason::NoLibrary, "libsgx_dcap_ql.so.1")]
        {
            let finding = finding(ChosenPlatform::Software(reason));
            assert_eq!(finding.status, Status::Warning);
            assert!(finding.detail.contains(named) && finding.detail.contains("INSECURE"));
        }
    }
}
