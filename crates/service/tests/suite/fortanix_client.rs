//! Fortanix's client, as it is published, gets quotes from the service.

use crate::support::{Service, application, report};
use aesm_client::unix::AesmClientExt;
use aesm_client::{AesmClient, AesmError, Error};
use sgx::{AttestationKeyId, FromBytes, IntoBytes, Quote, Report, TargetInfo};

fn key_id() -> Vec<u8> {
    AttestationKeyId::ecdsa_p256().as_bytes().to_vec()
}

#[test]
fn it_lists_the_key_and_gets_a_quote_with_proof() {
    let service = Service::ordinary();
    let client = AesmClient::with_path(&service.socket);
    client.try_connect().unwrap();
    assert_eq!(client.get_supported_att_key_ids().unwrap(), [key_id()]);
    let info = client.init_quote_ex(key_id()).unwrap();
    assert_eq!(info.pub_key_id().len(), 32);
    let target_info = TargetInfo::read_from_bytes(info.target_info()).unwrap();

    let nonce = [6; 16];
    let report = report(&target_info);
    let own_target_info = application().target_info().as_bytes().to_vec();
    let result = client
        .get_quote_ex(key_id(), report.as_bytes().to_vec(), Some(own_target_info), nonce.to_vec())
        .unwrap();

    let quote = Quote::parse(result.quote()).unwrap();
    assert_eq!(quote.body, report.body.into());
    let qe_report = Report::read_from_bytes(result.qe_report()).unwrap();
    application().verify_report(&qe_report).unwrap();
    let hash = crate::support::sha256(&[&nonce[..], result.quote()].concat());
    assert_eq!(qe_report.body.report_data.0, [&hash[..], &[0; 32]].concat()[..]);
}

#[test]
fn it_understands_the_errors() {
    let service = Service::ordinary();
    let client = AesmClient::with_path(&service.socket);
    let unknown = client.init_quote_ex(vec![1; 256]).unwrap_err();
    let unknown = matches!(unknown, Error::AesmCode(AesmError::UnsupportedAttKeyId_38));
    assert!(unknown);
    let foreign = report(&application().target_info()).as_bytes().to_vec();
    let refused = client.get_quote_ex(key_id(), foreign, None, vec![0; 16]);
    assert!(matches!(refused, Err(Error::AesmCode(_))));
}

#[test]
fn epid_requests_are_errors_and_not_crashes() {
    let service = Service::ordinary();
    let client = AesmClient::with_path(&service.socket);
    assert!(client.init_quote().is_err());
    assert!(client.get_supported_att_key_ids().is_ok());
}
