//! The file with roots besides Intel's, and the messages about it.

use sgx::Quote3Error;

use crate::platform::{Platform, ROOTS};
use crate::printed::Printed;
use crate::{now, program};

#[test]
fn intels_root_alone_is_trusted_without_the_file() {
    let platform = Platform::new();
    let program = program("verify");
    let mut command = program.command();
    // Variables that name a root elsewhere.
    command.env("QUOTE_HELPER_TRUSTED_ROOT", platform.path("root.pem"));
    command.env("QUOTE_HELPER_COLLATERAL_TRUSTED_ROOT", platform.path("root.pem"));
    command.arg(platform.path("")).arg(now().to_string());
    Printed::by(&mut command).fails(Quote3Error::PCK_CERT_CHAIN_ERROR);
}

#[test]
fn a_file_that_others_can_change_is_refused_aloud() {
    let (program, platform) = (program("verify"), Platform::new());
    let directory = "/etc/quote-helper";
    for change in [
        format!("chmod 664 {ROOTS}"),
        format!("chmod 646 {ROOTS}"),
        format!("chown 1 {ROOTS}"),
        format!("chmod 775 {directory}"),
        format!("chown 1 {directory}"),
        "chmod 777 /etc".to_owned(),
        format!("mv {ROOTS} /etc/other.pem && ln -s /etc/other.pem {ROOTS}"),
        format!("mv {directory} /etc/other && ln -s other {directory}"),
        format!("rm {ROOTS} && mkfifo {ROOTS}"),
        format!("echo nothing >{ROOTS}"),
        format!("head -c 70000 /dev/zero >>{ROOTS}"),
    ] {
        let command = platform.command_after(&change, &program, now());
        let Some(mut command) = command else { return };
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{change}: {errors}");
        assert_eq!(errors.matches("is ignored: ").count(), 1, "{change}: {errors}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains("error e022\n"), "{change}: {printed}");
    }
}

#[test]
fn the_file_is_announced_and_messages_go_to_the_callback() {
    let (trace, platform) = (program("trace"), Platform::new());
    let Some(mut command) = platform.command(&trace, now()) else { return };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("0 INSECURE"), "{lines:?}");
    assert!(lines[1].starts_with("0 tee_verify_quote returns SGX_QL_ERROR_INVALID_PARAMETER"));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");

    let verify = program("verify");
    let mut command = platform.command(&verify, now()).unwrap();
    let errors = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(errors.starts_with("libsgx_dcap_quoteverify: INSECURE"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
