//! The use of `--platform dcap` on this machine.

use quoting::{DCAP_LIBRARY, SGX_ENCLAVE_DEVICE};

use crate::finding::Finding;

/// The finding about `--platform dcap`, the default, with or without the enclave device and Intel's
/// quoting library.
pub(crate) fn finding(device: bool, library: bool) -> Finding {
    let missing: Vec<_> = [(device, SGX_ENCLAVE_DEVICE), (library, DCAP_LIBRARY)]
        .into_iter()
        .filter_map(|(there, name)| (!there).then_some(name))
        .collect();
    if missing.is_empty() {
        let detail = format!(
            "--platform dcap, the default, can quote here: {SGX_ENCLAVE_DEVICE} and {DCAP_LIBRARY} \
             are there"
        );
        return Finding::ok("platform", detail);
    }
    Finding::warning(
        "platform",
        format!(
            "--platform dcap, the default, makes no quotes here: {} missing",
            match *missing {
                [name] => format!("{name} is"),
                _ => format!("{} are", missing.join(" and ")),
            }
        ),
        "install what is missing; to try, develop and test without SGX, pass --platform software, \
         whose quotes are INSECURE",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    #[test]
    fn missing_parts_are_named_and_the_software_platform_is_insecure() {
        assert_eq!(finding(true, true).status, Status::Ok);
        for (device, library, named) in [
            (false, true, "/dev/sgx_enclave is missing"),
            (true, false, "libsgx_qe3_logic.so.1 is missing"),
            (false, false, "/dev/sgx_enclave and libsgx_qe3_logic.so.1 are missing"),
        ] {
            let finding = finding(device, library);
            assert_eq!(finding.status, Status::Warning);
            assert!(finding.detail.contains(named), "{}", finding.detail);
            assert!(finding.fix.is_some_and(|fix| fix.contains("INSECURE")));
        }
    }
}
