//! DcapQuoter over a real dynamic library, a fake QE that does wrong when told to.

use std::path::Path;
use std::process::Command;

use quoting::{DcapQuoter, QuoteRequest, Quoter, QuotingError, SGX_AESM_ADDR};
use sgx::{
    AesmError, AttestationKeyId, MrEnclave, QeReportInfo, Quote, Quote3Error, Report, ReportData,
};
use test_support::provider::{CORE, Provider, WRAPPER};

/// The size of the provider's quotes in bytes.
const QUOTE_SIZE: u32 = 1456;

fn open(provider: &Provider) -> DcapQuoter {
    DcapQuoter::open(&provider.library()).unwrap()
}

fn refusal(library: &Path) -> QuotingError {
    DcapQuoter::open(library).err().expect("a refusal")
}

fn request() -> QuoteRequest {
    let mut report = Report::default();
    report.body.report_data = ReportData([7; 64]);
    QuoteRequest { report, key_id: AttestationKeyId::ecdsa_p256(), qe_report_info: None }
}

/// Has the function with this place in [`CORE`] and [`WRAPPER`] called.
fn call(library: &Path, place: usize) -> Result<(), QuotingError> {
    let quoter = DcapQuoter::open(library)?;
    let key_id = AttestationKeyId::ecdsa_p256();
    match place {
        0 => Ok(()),
        1 => quoter.initialize(&key_id).map(drop),
        2 => quoter.quote_size(&key_id).map(drop),
        _ => quoter.quote(&request()).map(drop),
    }
}

#[test]
fn the_core_interface_gives_everything() {
    let provider = Provider::build();
    let quoter = open(&provider);
    let key_id = AttestationKeyId::ecdsa_p256();
    assert_eq!(quoter.attestation_key_ids().unwrap(), [key_id]);
    let key = quoter.initialize(&key_id).unwrap();
    assert_eq!(key.target_info.mr_enclave, MrEnclave([0x51; 32]));
    assert_eq!(key.public_key_id[..2], [1, 0]);
    assert_eq!(quoter.quote_size(&key_id).unwrap(), QUOTE_SIZE);

    let mut info = QeReportInfo { nonce: [9; 16], ..QeReportInfo::default() };
    info.target_info.mr_enclave = MrEnclave([8; 32]);
    let request = QuoteRequest { qe_report_info: Some(info), ..request() };
    let reply = quoter.quote(&request).unwrap();
    assert_eq!(Quote::parse(&reply.quote).unwrap().body, request.report.body.into());
    let answered = reply.qe_report_info.unwrap();
    assert_eq!((answered.nonce, answered.target_info), (info.nonce, info.target_info));
}

#[test]
fn the_core_interface_is_found_in_what_the_library_links_to() {
    let provider = Provider::without(&WRAPPER);
    let quoter = DcapQuoter::open(&provider.linking_library()).unwrap();
    assert_eq!(quoter.initialize(&request().key_id).unwrap().public_key_id[0], 1);
}

#[test]
fn the_wrapper_alone_gives_quotes() {
    for missing in CORE {
        let provider = Provider::without(&[missing]);
        let quoter = open(&provider);
        let key = quoter.initialize(&AttestationKeyId::ecdsa_p256()).unwrap();
        assert_eq!(key.target_info.mr_enclave, MrEnclave([0x51; 32]));
        assert_eq!(key.public_key_id, [0; 32]);
        let reply = quoter.quote(&request()).unwrap();
        let quote = Quote::parse(&reply.quote).unwrap();
        assert_eq!((quote.body, reply.qe_report_info), (request().report.body.into(), None));

        let request = QuoteRequest { qe_report_info: Some(QeReportInfo::default()), ..request() };
        let error = quoter.quote(&request).unwrap_err();
        assert_eq!(error.code(), AesmError::UnableToGenerateQeReport);
        assert!(error.to_string().contains("sgx_ql_get_quote"), "{error}");
    }
}

#[test]
fn a_library_that_cannot_be_used_is_named_with_its_package() {
    let missing = Path::new("libno-such-quote-library.so.1");
    let said = refusal(missing).to_string();
    assert!(said.contains("cannot load libno-such-quote-library.so.1: "), "{said}");
    assert!(said.contains("No such file or directory"), "{said}");
    assert!(said.contains("the package libsgx-dcap-ql and"), "{said}");
    // By its name alone, as the dynamic loader finds it.
    let said = refusal(Path::new("libc.so.6")).to_string();
    assert!(said.contains("libc.so.6 lacks sgx_qe_set_enclave_load_policy"), "{said}");
    assert_eq!(refusal(missing).code(), AesmError::InterfaceUnavailable);
}

#[test]
fn a_missing_function_is_named() {
    for (core, wrapper) in CORE.into_iter().zip(WRAPPER) {
        let provider = Provider::without(&[core, wrapper]);
        let error = refusal(&provider.library());
        assert_eq!(error.code(), AesmError::InterfaceUnavailable);
        let said = error.to_string();
        let expected = format!("libprovider.so lacks {wrapper} as well as {core}");
        assert!(said.contains(&expected), "{said}");
        assert!(said.contains("libsgx-dcap-ql"), "{said}");
    }
}

/// The number that each one becomes is the matter of the tests of `sgx`.
#[test]
fn every_error_of_every_function_is_passed_on_by_its_table() {
    for (provider, functions) in [(Provider::build(), CORE), (Provider::wrapper_only(), WRAPPER)] {
        for (place, function) in functions.into_iter().enumerate() {
            for number in (0xe001..=0xe0ff).chain([0x1, u32::MAX]) {
                provider.fault(&format!("{function} error {number}"));
                let error = call(&provider.library(), place).unwrap_err();
                assert_eq!(error.code(), Quote3Error(number).aesm(), "{function} {number:#x}");
                let said = error.to_string();
                let expected = format!("{function} failed: {}", Quote3Error(number));
                assert!(said.starts_with(&expected), "{said}");
            }
        }
    }
}

#[test]
fn opening_loads_no_enclave() {
    let provider = Provider::build();
    provider.fault("sgx_ql_init_quote once 0xe016");
    let quoter = open(&provider);
    let error = quoter.initialize(&AttestationKeyId::ecdsa_p256()).unwrap_err();
    assert_eq!(error.code(), AesmError::EnclaveLoad);
}

#[test]
fn a_key_that_is_not_ready_is_made() {
    let provider = Provider::build();
    assert_eq!(open(&provider).quote_size(&request().key_id).unwrap(), QUOTE_SIZE);
    assert_eq!(open(&provider).quote(&request()).unwrap().quote.len(), QUOTE_SIZE as usize);
}

#[test]
fn a_lost_key_is_made_again_once() {
    for function in ["sgx_ql_get_quote_size", "sgx_ql_get_quote"] {
        let provider = Provider::build();
        let quoter = open(&provider);
        let keys_made = || quoter.initialize(&request().key_id).unwrap().public_key_id[0];
        assert_eq!(keys_made(), 1);
        provider.fault(&format!("{function} once 0xe00f"));
        quoter.quote(&request()).unwrap();
        assert_eq!(keys_made(), 2);
        // Lost in the first try and again in the second one, after which nobody made it.
        provider.fault(&format!("{function} error 0xe00f"));
        let error = quoter.quote(&request()).unwrap_err();
        assert_eq!(error.code(), AesmError::AttKeyNotInitialized);
        assert_eq!(keys_made(), 4);
    }
}

#[test]
fn a_key_that_cannot_be_made_again_is_the_error() {
    let provider = Provider::build();
    provider.fault("sgx_ql_init_quote error 0xe012");
    let error = open(&provider).quote(&request()).unwrap_err();
    assert_eq!(error.code(), AesmError::OutOfEpc);
}

#[test]
fn a_size_out_of_bounds_is_refused() {
    let provider = Provider::build();
    let quoter = open(&provider);
    for size in [0, 65_537, u32::MAX] {
        provider.fault(&format!("sgx_ql_get_quote_size size {size}"));
        for error in [
            quoter.quote_size(&request().key_id).unwrap_err(),
            quoter.quote(&request()).unwrap_err(),
        ] {
            assert_eq!(error.code(), AesmError::Unexpected);
            let expected = format!("libprovider.so wants {size} bytes for a quote");
            assert!(error.to_string().contains(&expected), "{error}");
        }
    }
}

#[test]
fn a_quote_is_trimmed() {
    let provider = Provider::build();
    let quoter = open(&provider);
    for size in [QUOTE_SIZE + 1, 65_536] {
        provider.fault(&format!("sgx_ql_get_quote_size size {size}"));
        assert_eq!(quoter.quote_size(&request().key_id).unwrap(), size);
        assert_eq!(quoter.quote(&request()).unwrap().quote.len(), QUOTE_SIZE as usize);
    }
}

#[test]
fn something_else_than_the_quote_is_not_passed_on() {
    let provider = Provider::build();
    let quoter = open(&provider);
    for fault in ["short", "garbage", "other"] {
        provider.fault(&format!("sgx_ql_get_quote {fault}"));
        let error = quoter.quote(&request()).unwrap_err();
        assert_eq!(error.code(), AesmError::Unexpected, "{fault}");
        let expected = "libprovider.so returned a quote for another request: ";
        assert!(error.to_string().contains(expected), "{fault}: {error}");
    }
    provider.fault("sgx_ql_get_quote nonce");
    let info = QeReportInfo { nonce: [9; 16], ..QeReportInfo::default() };
    let with_qe_report = QuoteRequest { qe_report_info: Some(info), ..request() };
    let error = quoter.quote(&with_qe_report).unwrap_err();
    assert!(error.to_string().contains("not over the nonce and the quote"), "{error}");
    provider.heal();
    quoter.quote(&with_qe_report).unwrap();
}

#[test]
fn a_public_key_id_of_another_size_is_refused() {
    let provider = Provider::build();
    provider.fault("sgx_ql_init_quote size 48");
    let error = open(&provider).initialize(&request().key_id).unwrap_err();
    assert_eq!(error.code(), AesmError::Unexpected);
    assert!(error.to_string().contains("48 bytes, not 32"), "{error}");
}

#[test]
fn other_keys_are_not_supported() {
    let provider = Provider::build();
    let quoter = open(&provider);
    let mut key_id = AttestationKeyId::ecdsa_p256();
    key_id.algorithm_id = 3.into();
    let codes = [
        quoter.initialize(&key_id).unwrap_err().code(),
        quoter.quote_size(&key_id).unwrap_err().code(),
        quoter.quote(&QuoteRequest { key_id, ..request() }).unwrap_err().code(),
    ];
    assert_eq!(codes, [AesmError::UnsupportedAttKeyId; 3]);
}

/// The provider aborts when it is called twice at a time.
#[test]
fn calls_come_one_at_a_time() {
    let provider = Provider::build();
    let quoter = open(&provider);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    quoter.initialize(&request().key_id).unwrap();
                    quoter.quote(&request()).unwrap();
                }
            });
        }
    });
}

/// Runs itself again in a process that has the variable.
#[test]
fn a_library_that_would_ask_a_service_is_refused() {
    if std::env::var_os(SGX_AESM_ADDR).is_some() {
        // These functions never ask a service, those do.
        open(&Provider::build());
        let error = refusal(&Provider::wrapper_only().library());
        assert_eq!(error.code(), AesmError::InterfaceUnavailable);
        assert!(error.to_string().contains("SGX_AESM_ADDR is set"), "{error}");
        return;
    }
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "dcap::a_library_that_would_ask_a_service_is_refused"])
        .env(SGX_AESM_ADDR, "")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}
