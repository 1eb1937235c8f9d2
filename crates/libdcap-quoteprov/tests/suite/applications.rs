//! C programs that call the library as Intel's libraries and verifiers do.

use collateral::{CollateralId, Document};
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::QuoteVerifier;
use sgx::Collateral;
use test_support::c_programs::{Build, succeeded};
use time::OffsetDateTime;
use verify::{Decision, Policy, TrustedRoots};

use crate::PROGRAMS;
use crate::platform::Platform;

/// Runs the program, compiled in both ways, each time with a service and an empty cache.
fn runs(name: &str, check: impl Fn(&Platform)) {
    for build in [Build::Plain, Build::Sanitized] {
        runs_built(name, build, &check);
    }
}

fn runs_built(name: &str, build: Build, check: impl Fn(&Platform)) {
    let (program, platform) = (PROGRAMS.compile(name, build), Platform::new());
    let service = platform.serve();
    succeeded(&mut platform.command(&program, service.address));
    check(&platform);
}

#[test]
fn linked_functions_return_valid_collateral() {
    runs("provide", verifies);
}

#[test]
fn functions_found_by_dlopen_return_valid_collateral() {
    runs("provide_loaded", verifies);
}

#[test]
fn invalid_arguments_are_errors() {
    runs("arguments", |_| ());
}

#[test]
fn threads_and_forked_children_fetch_concurrently() {
    // AddressSanitizer's allocator does not support a fork while another thread allocates.
    runs_built("forks", Build::Plain, |_| ());
}

/// Checks the files that `provide.c` has written: the PCK certificate, and collateral that
/// verifies.
fn verifies(platform: &Platform) {
    let certificate = platform.software.pck_certificate();
    assert_eq!(platform.read("cert_data"), certificate.chain_pem().as_bytes());
    let subject = platform.software.pck_subject();
    assert_eq!(platform.read("cert_cpu_svn"), subject.cpu_svn.0);
    assert_eq!(platform.read("cert_pce_isv_svn"), subject.pce_svn.to_le_bytes());
    assert_eq!(platform.read("version"), [3, 0, 0, 0]);
    assert_eq!(platform.read("root_ca_crl"), platform.read("root_ca_crl_alone"));
    accepts(platform, |crl| hex::decode(crl).unwrap());
}

/// Checks that `verify` and dcap-qvl accept a quote with the collateral in the platform's
/// directory. `der` decodes its CRLs.
pub(crate) fn accepts(platform: &Platform, der: impl Fn(Vec<u8>) -> Vec<u8>) {
    let quote = platform.quote();
    let now = OffsetDateTime::now_utc();
    let collateral = written(platform, &quote, der);
    let root = platform.software.root_certificate().der();
    let roots = TrustedRoots::parse(root).unwrap();
    let verdict = verify::verify(&quote, &collateral, &roots, now.into(), &Policy::default());
    assert_eq!(verdict.decision, Decision::Trusted, "{verdict:?}");

    let collateral: QuoteCollateralV3 =
        serde_json::from_value(serde_json::to_value(&collateral).unwrap()).unwrap();
    let now = now.unix_timestamp().try_into().unwrap();
    let verified = QuoteVerifier::new(root.to_vec()).verify(&quote, &collateral, now).unwrap();
    assert_eq!(verified.status, "UpToDate");
}

fn written(platform: &Platform, quote: &[u8], der: impl Fn(Vec<u8>) -> Vec<u8>) -> Collateral {
    let document = |body: Vec<u8>, chain: &str| {
        let issuer_chain = String::from_utf8(platform.read(chain)).unwrap();
        Ok::<_, std::convert::Infallible>(Document { body, issuer_chain })
    };
    let get = |item: &CollateralId| match item {
        CollateralId::PckCrl(_) => document(der(platform.read("pck_crl")), "pck_crl_issuer_chain"),
        CollateralId::RootCaCrl => {
            document(der(platform.read("root_ca_crl")), "pck_crl_issuer_chain")
        }
        CollateralId::TcbInfo { .. } => {
            document(platform.read("tcb_info"), "tcb_info_issuer_chain")
        }
        CollateralId::EnclaveIdentity { .. } => {
            document(platform.read("qe_identity"), "qe_identity_issuer_chain")
        }
        CollateralId::PckCertificate(_) => unreachable!("the quote carries its chain"),
    };
    collateral::for_quote(quote, collateral::TcbUpdate::Standard, get).unwrap()
}

/// The smallest stack of a calling thread, in KiB, as docs/c-libraries.md promises.
const SMALLEST_STACK: u32 = 256;

#[test]
fn a_small_stack_suffices() {
    let (program, platform) = (PROGRAMS.compile("small_stack", Build::Plain), Platform::new());
    let service = platform.serve();
    let mut command = platform.command(&program, service.address);
    succeeded(command.arg(SMALLEST_STACK.to_string()));
}

#[test]
fn the_header_is_for_c_and_cpp() {
    PROGRAMS.compilers_accept(&PROGRAMS.source("layouts.c"), &[]);
}
