//! The promises of every Quoter, in this process or over the service.

use std::time::Duration;

use crate::support::{
    Service, application, quote_request, report, sha256, software_platform, software_quoter,
};
use quoting::{AesmQuoter, QuoteRequest, Quoter, SoftwareQuoter};
use sgx::{AesmError, AttestationKeyId, QeReportInfo, Quote};

/// Runs the whole suite over one Quoter.
fn behaves(quoter: &dyn Quoter) {
    has_an_ecdsa_key(quoter);
    quotes_a_report(quoter);
    proves_where_a_quote_comes_from(quoter);
    refuses_a_report_for_another(quoter);
    refuses_an_unknown_key(quoter);
}

fn has_an_ecdsa_key(quoter: &dyn Quoter) {
    assert_eq!(quoter.attestation_key_ids().unwrap(), [AttestationKeyId::ecdsa_p256()]);
    let key_id = AttestationKeyId::ecdsa_p256();
    assert_eq!(quoter.initialize(&key_id).unwrap(), quoter.initialize(&key_id).unwrap());
}

fn quotes_a_report(quoter: &dyn Quoter) {
    let request = quote_request(quoter);
    let reply = quoter.quote(&request).unwrap();
    assert_eq!(reply.quote.len(), quoter.quote_size(&request.key_id).unwrap() as usize);
    assert_eq!(Quote::parse(&reply.quote).unwrap().body, request.report.body.into());
    assert_eq!(reply.qe_report_info, None);
}

fn proves_where_a_quote_comes_from(quoter: &dyn Quoter) {
    let target_info = application().target_info();
    let info = QeReportInfo { nonce: [3; 16], target_info, ..QeReportInfo::default() };
    let request = QuoteRequest { qe_report_info: Some(info), ..quote_request(quoter) };
    let reply = quoter.quote(&request).unwrap();
    let answered = reply.qe_report_info.unwrap();
    assert_eq!((answered.nonce, answered.target_info), (info.nonce, info.target_info));
    application().verify_report(&answered.qe_report).unwrap();
    let hash = sha256(&[&info.nonce[..], &reply.quote].concat());
    assert_eq!(answered.qe_report.body.report_data.0, [hash, [0; 32]].concat()[..]);
}

fn refuses_a_report_for_another(quoter: &dyn Quoter) {
    let report = report(&application().target_info());
    let error = quoter.quote(&QuoteRequest { report, ..quote_request(quoter) }).unwrap_err();
    assert_eq!(error.code(), AesmError::InvalidReport);
}

fn refuses_an_unknown_key(quoter: &dyn Quoter) {
    let mut key_id = AttestationKeyId::ecdsa_p256();
    key_id.algorithm_id = 3.into();
    let codes = [
        quoter.initialize(&key_id).unwrap_err().code(),
        quoter.quote_size(&key_id).unwrap_err().code(),
        quoter.quote(&QuoteRequest { key_id, ..quote_request(quoter) }).unwrap_err().code(),
    ];
    assert_eq!(codes, [AesmError::UnsupportedAttKeyId; 3]);
}

#[test]
fn the_software_quoter_behaves() {
    behaves(&SoftwareQuoter::new(software_platform()));
}

#[test]
fn the_aesm_quoter_behaves() {
    let service = Service::ordinary();
    behaves(&AesmQuoter::new(&service.socket, Duration::from_secs(10)));
}

#[test]
fn the_aesm_quoter_outlives_its_service() {
    let quoter = software_quoter();
    let mut service = Service::start(quoter.clone(), service::Limits::default());
    let client = AesmQuoter::new(&service.socket, Duration::from_secs(10))
        .reconnect_timeout(Duration::from_secs(10));
    let request = quote_request(&client);
    service.begin_stop();
    service.wait_for_stop();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| client.quote(&request));
        std::thread::sleep(Duration::from_millis(100));
        let _again = Service::start_at(&service.socket, quoter, service::Limits::default());
        waiting.join().unwrap().unwrap();
    });
}
