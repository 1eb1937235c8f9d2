//! C programs that verify quotes of the software platform, whose root a file makes trusted.

use std::collections::BTreeMap;
use std::process::Command;

use sgx::Quote3Error;
use software_platform::TcbStatus;
use test_support::c_programs::{Build, Program, succeeded};
use test_support::sample::{SAMPLE_TIME, Sample, sample, tdx_sample};
use time::OffsetDateTime;

use crate::PROGRAMS;
use crate::platform::{Platform, ROOTS, write_evidence};

const OK: u32 = 0;
const OUT_OF_DATE: u32 = 0xa002;
const UNSPECIFIED: u32 = 0xa006;

/// The smallest stack of a calling thread, in KiB, as docs/c-libraries.md promises.
const SMALLEST_STACK: u32 = 256;

/// The output of `verify.c`.
struct Printed(BTreeMap<String, String>);

impl Printed {
    fn by(command: &mut Command) -> Self {
        let lines = succeeded(command);
        let pair = |line: &str| {
            let (name, value) = line.split_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        };
        Self(lines.lines().map(pair).collect())
    }

    fn hexadecimal(&self, name: &str) -> u32 {
        u32::from_str_radix(&self.0[name], 16).unwrap()
    }

    fn error(&self) -> Quote3Error {
        Quote3Error(self.hexadecimal("error"))
    }

    fn result(&self) -> u32 {
        self.hexadecimal("result")
    }

    fn number(&self, name: &str) -> i64 {
        self.0[name].parse().unwrap()
    }

    /// Asserts a verification with this result.
    fn succeeds(&self, result: u32) {
        assert_eq!((self.error(), self.result()), (Quote3Error::SUCCESS, result));
        assert_eq!(self.hexadecimal("version"), 0x0004_0003);
    }

    /// Asserts a failure with this number, which leaves no result and no supplemental data.
    fn fails(&self, error: Quote3Error) {
        assert_eq!((self.error(), self.result()), (error, UNSPECIFIED), "{:?}", self.0);
        assert_eq!(self.number("expired"), 1);
        assert_eq!((self.hexadecimal("version"), self.number("earliest_issue_date")), (0, 0));
    }
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn program(name: &str) -> Program {
    PROGRAMS.compile(name, Build::Plain)
}

/// The output of `verify.c` for this platform; `None` where nothing can be tested.
fn verified(platform: &Platform) -> Option<Printed> {
    verified_at(platform, now())
}

fn verified_at(platform: &Platform, date: i64) -> Option<Printed> {
    let program = program("verify");
    Some(Printed::by(&mut platform.command(&program, date)?))
}

fn verified_sample(sample: &Sample, date: u64) -> Printed {
    let directory = tempfile::tempdir().unwrap();
    write_evidence(directory.path(), &sample.quote, &sample.collateral);
    let program = program("verify");
    Printed::by(program.command().arg(directory.path()).arg(date.to_string()))
}

#[test]
fn the_header_is_for_c_and_cpp() {
    PROGRAMS.compilers_accept(&PROGRAMS.source("layouts.c"), &[]);
}

#[test]
fn production_quotes_hold_under_the_root_that_is_built_in() {
    for sample in [sample(), tdx_sample()] {
        let verifier = verify::Verifier::new(verify::TrustedRoots::intel());
        let facts = verifier.examine(&sample.quote, &sample.collateral).unwrap();
        let printed = verified_sample(&sample, SAMPLE_TIME);
        assert_eq!(printed.error(), Quote3Error::SUCCESS);
        assert_eq!(printed.number("expired"), 0);
        assert_eq!(printed.0["pck_ppid"], hex::encode(facts.pck().ppid));
        assert_eq!(printed.0["tcb_cpusvn"], hex::encode(facts.pck().cpu_svn.0));
        assert_eq!(printed.0["sa_list"], facts.attested.tcb.advisory_ids.join(","));
        assert!(printed.number("earliest_expiration_date") > SAMPLE_TIME.cast_signed());
    }
}

#[test]
fn supplemental_data_has_the_facts_of_the_platform() {
    let platform = Platform::new();
    let Some(printed) = verified(&platform) else { return };
    printed.succeeds(OK);
    assert_eq!(printed.number("expired"), 0);
    let subject = platform.software.pck_subject();
    assert_eq!(printed.0["pck_ppid"], hex::encode(subject.ppid));
    assert_eq!(printed.0["tcb_cpusvn"], hex::encode(subject.cpu_svn.0));
    assert_eq!(printed.number("tcb_pce_isvsvn"), i64::from(subject.pce_svn));
    assert_eq!(printed.number("tcb_eval_ref_num"), 1);
    let created = platform.software.tcb_level().date.unix_timestamp();
    assert_eq!(printed.number("tcb_level_date_tag"), created);
    assert_eq!(printed.number("platform_tcb_level_date_tag"), created);
    assert_eq!(printed.number("qe_iden_status"), 0);
    assert!(printed.number("earliest_issue_date") <= printed.number("latest_issue_date"));
    assert!(printed.number("latest_issue_date") <= now());
    assert!(now() < printed.number("earliest_expiration_date"));
}

#[test]
fn expiry_is_told_apart_from_failure() {
    let platform = Platform::new();
    let Some(printed) = verified(&platform) else { return };
    let expiry = printed.number("earliest_expiration_date");
    for (date, expired) in [(expiry - 1, 0), (expiry, 1), (expiry + 1, 1), (1, 0)] {
        let printed = verified_at(&platform, date).unwrap();
        printed.succeeds(OK);
        assert_eq!(printed.number("expired"), expired, "{date}");
    }
}

#[test]
fn the_status_of_the_platform_is_the_result() {
    let published = |status| {
        Platform::issuing(move |_, issue| {
            for level in &mut issue.tcb_levels {
                level.status = status;
                level.advisory_ids = vec!["INTEL-SA-2".to_owned(), "INTEL-SA-1".to_owned()];
            }
        })
    };
    let Some(printed) = verified(&published(TcbStatus::OutOfDate)) else { return };
    printed.succeeds(OUT_OF_DATE);
    assert_eq!(printed.0["sa_list"], "INTEL-SA-1,INTEL-SA-2");
    verified(&published(TcbStatus::Revoked)).unwrap().fails(Quote3Error::TCB_REVOKED);
}

#[test]
fn evidence_that_does_not_hold_has_the_numbers_of_intels_library() {
    let revoked = Platform::issuing(|software, issue| {
        issue.revoked_pck_serials.push(*software.pck_certificate().serial());
    });
    let Some(printed) = verified(&revoked) else { return };
    printed.fails(Quote3Error::PCK_REVOKED);

    let foreign = Platform::issuing(|_, issue| issue.fmspc = [1; 6]);
    verified(&foreign).unwrap().fails(Quote3Error::TCBINFO_MISMATCH);
    let too_high = Platform::issuing(|_, issue| {
        issue.tcb_levels.iter_mut().for_each(|level| level.pce_svn = u16::MAX);
    });
    verified(&too_high).unwrap().fails(Quote3Error::TCB_NOT_SUPPORTED);

    let mut platform = Platform::new();
    let right = platform.collateral.clone();
    let mut fails = |change: &dyn Fn(&mut sgx::Collateral), error| {
        platform.collateral = right.clone();
        change(&mut platform.collateral);
        platform.write_evidence();
        verified(&platform).unwrap().fails(error);
    };
    fails(&|it| it.tcb_info_signature[9] ^= 1, Quote3Error::TCBINFO_CHAIN_ERROR);
    fails(&|it| it.qe_identity_signature[9] ^= 1, Quote3Error::QEIDENTITY_CHAIN_ERROR);
    fails(&|it| it.tcb_info = "7".to_owned(), Quote3Error::TCBINFO_UNSUPPORTED_FORMAT);
    fails(&|it| it.qe_identity = "{}".to_owned(), Quote3Error::QEIDENTITY_UNSUPPORTED_FORMAT);
    fails(&|it| it.tcb_info_issuer_chain.clear(), Quote3Error::PCK_CERT_CHAIN_ERROR);
    fails(
        &|it| it.qe_identity_issuer_chain = it.qe_identity_issuer_chain.repeat(2),
        Quote3Error::PCK_CERT_UNSUPPORTED_FORMAT,
    );
    fails(
        &|it| it.pck_crl_issuer_chain = it.pck_crl_issuer_chain.replace("MII", "NII"),
        Quote3Error::PCK_CERT_CHAIN_ERROR,
    );
    fails(&|it| it.root_ca_crl.truncate(200), Quote3Error::CRL_UNSUPPORTED_FORMAT);
    fails(&|it| it.pck_crl = vec![0x30, 0], Quote3Error::CRL_UNSUPPORTED_FORMAT);
    fails(&|it| *it.root_ca_crl.last_mut().unwrap() ^= 1, Quote3Error::RESULT_INVALID_SIGNATURE);
    fails(&|it| *it.pck_crl.last_mut().unwrap() ^= 1, Quote3Error::RESULT_INVALID_SIGNATURE);
}

#[test]
fn collateral_that_services_have_written_anew_is_accepted() {
    let mut platform = Platform::new();
    let right = platform.collateral.clone();
    let mut succeeds = |change: &dyn Fn(&mut sgx::Collateral)| {
        platform.collateral = right.clone();
        change(&mut platform.collateral);
        assert_ne!(platform.collateral, right);
        platform.write_evidence();
        verified(&platform).is_none_or(|printed| printed.result() == OK)
    };
    let spaced = |json: &str| json.replace("\",\"", "\" ,\n \"").replace(":[", " : [\t");
    assert!(succeeds(&|it| it.tcb_info = spaced(&it.tcb_info)));
    assert!(succeeds(&|it| it.qe_identity = spaced(&it.qe_identity)));
    let certificates = |chain: &str| pem::parse_many(chain).unwrap();
    let reversed = |chain: &str| certificates(chain).iter().rev().map(pem::encode).collect();
    assert!(succeeds(&|it| it.tcb_info_issuer_chain = reversed(&it.tcb_info_issuer_chain)));
    assert!(succeeds(&|it| it.qe_identity_issuer_chain.insert_str(0, "a text\n")));
    let root = |chain: &str| pem::encode(&certificates(chain)[1]);
    assert!(succeeds(&|it| it.pck_crl_issuer_chain = root(&it.pck_crl_issuer_chain)));
}

#[test]
fn a_changed_quote_has_the_numbers_of_intels_library() {
    let platform = Platform::new();
    let quote = platform.quote();
    let changes = [
        (0, Quote3Error::QUOTE_FORMAT_UNSUPPORTED),
        (2, Quote3Error::QUOTE_FORMAT_UNSUPPORTED),
        (12, Quote3Error::QUOTE_FORMAT_UNSUPPORTED),
        (100, Quote3Error::RESULT_INVALID_SIGNATURE),
        (440, Quote3Error::RESULT_INVALID_SIGNATURE),
        // The attestation key, and the QE report.
        (500, Quote3Error::UNEXPECTED),
        (600, Quote3Error::QE_REPORT_INVALID_SIGNATURE),
    ];
    for (place, error) in changes {
        let mut changed = quote.clone();
        changed[place] ^= 0x10;
        platform.write("quote.bin", &changed);
        let Some(printed) = verified(&platform) else { return };
        printed.fails(error);
    }
}

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

#[test]
fn wrong_arguments_have_the_documented_codes() {
    let platform = Platform::new();
    for build in [Build::Plain, Build::Sanitized] {
        let program = PROGRAMS.compile("arguments", build);
        let Some(mut command) = platform.command(&program, now()) else { return };
        succeeded(&mut command);
    }
}

#[test]
fn collateral_is_fetched_through_the_cache() {
    let platform = Platform::new();
    let service = platform.serve();
    for build in [Build::Plain, Build::Sanitized] {
        let program = PROGRAMS.compile("fetch", build);
        let Some(mut command) = platform.command(&program, now()) else { return };
        command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
        succeeded(&mut command);
    }
    // The cache has everything now.
    let address = service.address;
    drop(service);
    let program = program("fetch");
    let mut command = platform.command(&program, now()).unwrap();
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{address}"));
    succeeded(&mut command);
}

#[test]
fn collateral_is_fetched_by_the_library_that_the_application_names() {
    let platform = Platform::new();
    let service = platform.serve();
    let library = test_support::shared_object::shared_object(
        "libdcap-quoteprov",
        test_support::shared_object::Profile::Dev,
    );
    let program = program("fetch");
    let Some(mut command) = platform.command(&program, now()) else { return };
    command.arg(&library);
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
    succeeded(&mut command);
}

#[test]
fn threads_and_forked_children_verify_concurrently() {
    let platform = Platform::new();
    let service = platform.serve();
    // AddressSanitizer's allocator does not support a fork while another thread allocates.
    let program = program("forks");
    let Some(mut command) = platform.command(&program, now()) else { return };
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
    succeeded(&mut command);
}

#[test]
fn a_small_stack_suffices() {
    let platform = Platform::new();
    let service = platform.serve();
    let program = program("small_stack");
    let Some(mut command) = platform.command(&program, now()) else { return };
    command.arg(SMALLEST_STACK.to_string());
    command.env("QUOTE_HELPER_COLLATERAL_SOURCES", format!("http://{}", service.address));
    succeeded(&mut command);
}

#[test]
fn a_privileged_program_ignores_variables() {
    let Some(program) = PROGRAMS.compile_privileged("privileged") else { return };
    let with_variables = |mut command: Command| {
        command
            .env("QUOTE_HELPER_COLLATERAL_SOURCES", "http://caller.example")
            .env("QUOTE_HELPER_COLLATERAL_CACHE_DIR", "/tmp/caller");
        command
    };
    let ordinary = succeeded(&mut with_variables(program.ordinary()));
    assert!(ordinary.contains("http://caller.example"), "{ordinary}");
    let privileged = succeeded(&mut with_variables(program.command()));
    assert!(!privileged.contains("caller"), "{privileged}");
}
