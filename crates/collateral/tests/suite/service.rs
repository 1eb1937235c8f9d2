//! Requests to services, and their responses.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use collateral::settings::{Serves, ServiceSettings, ServiceUrl};
use collateral::{CollateralId, Document, PcsKind, PcsSource, Source, SourceError, TcbUpdate};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use verify::{EnclaveId, PckCa, Tee};

use crate::common::{documents, items, platform};

/// A server that gives these answers, one for each connection, and tells what it was asked.
fn server(answers: Vec<String>) -> (ServiceUrl, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, questions) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = Vec::new();
            let mut buffer = [0; 4096];
            while !question.ends_with(b"\r\n\r\n") {
                let size = stream.read(&mut buffer).unwrap();
                question.extend(&buffer[..size]);
            }
            sender.send(String::from_utf8(question).unwrap()).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (ServiceUrl::parse(&url).unwrap(), questions)
}

fn answer(headers: &str, body: &str) -> String {
    let size = body.len();
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {size}\r\nConnection: close\r\n\r\n{body}")
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

/// The first line of the question that this service is asked about the item, without HTTP's words.
fn question(
    settings: impl Fn(ServiceUrl) -> ServiceSettings,
    item: &CollateralId,
) -> (String, String) {
    let (url, questions) = server(vec![answer("", "")]);
    let source = PcsSource::open(settings(url)).unwrap();
    let _ = source.fetch(item, soon());
    let question = questions.recv_timeout(Duration::from_secs(5)).unwrap();
    let (line, headers) = question.split_once("\r\n").unwrap();
    (line.replace("GET ", "").replace(" HTTP/1.1", ""), headers.to_lowercase())
}

fn of_kind(kind: PcsKind) -> impl Fn(ServiceUrl) -> ServiceSettings {
    move |url| ServiceSettings { kind, ..ServiceSettings::at(url, Serves::Everything) }
}

fn pccs(url: ServiceUrl) -> ServiceSettings {
    ServiceSettings::at(url, Serves::Everything)
}

#[test]
fn each_item_has_its_path() {
    let (fmspc, set) = ([0, 0x90, 0x6e, 0xd5, 0, 0], TcbUpdate::Standard);
    let table = [
        (
            CollateralId::PckCrl(PckCa::Processor),
            "/sgx/certification/v4/pckcrl?ca=processor&encoding=der",
        ),
        (CollateralId::RootCaCrl, "/sgx/certification/v4/rootcacrl"),
        (
            CollateralId::TcbInfo { tee: Tee::Sgx, fmspc, set },
            "/sgx/certification/v4/tcb?fmspc=00906ED50000",
        ),
        (
            CollateralId::TcbInfo { tee: Tee::Tdx, fmspc, set: TcbUpdate::Early },
            "/tdx/certification/v4/tcb?fmspc=00906ED50000&update=early",
        ),
        (
            CollateralId::EnclaveIdentity { enclave: EnclaveId::Qe, set: TcbUpdate::Number(17) },
            "/sgx/certification/v4/qe/identity?tcbEvaluationDataNumber=17",
        ),
        (
            CollateralId::EnclaveIdentity { enclave: EnclaveId::Qve, set },
            "/sgx/certification/v4/qve/identity",
        ),
        (
            CollateralId::EnclaveIdentity { enclave: EnclaveId::TdQe, set },
            "/tdx/certification/v4/qe/identity",
        ),
    ];
    for (item, path) in table {
        assert_eq!(question(pccs, &item).0, path);
    }
}

#[test]
fn each_service_is_asked_for_a_pck_certificate_in_its_way() {
    let item = items().remove(0);
    let CollateralId::PckCertificate(asked) = &item else { unreachable!() };
    let ppid = hex::encode_upper(*asked.encrypted_ppid.clone().unwrap());
    let (qe_id, cpu_svn) = (hex::encode_upper(asked.qe_id), hex::encode_upper(asked.cpu_svn.0));
    let tcb = format!("encrypted_ppid={ppid}&cpusvn={cpu_svn}&pcesvn=0D00&pceid=0000");
    let path = "/sgx/certification/v4/pckcert";
    assert_eq!(question(pccs, &item).0, format!("{path}?qeid={qe_id}&{tcb}"));
    assert_eq!(question(of_kind(PcsKind::Pcs), &item).0, format!("{path}?{tcb}"));
    let in_azure = |url| ServiceSettings {
        kind: PcsKind::Thim,
        headers: vec![("Metadata".to_owned(), "true".to_owned())],
        parameters: vec![("api-version".to_owned(), "2021-07-22-preview".to_owned())],
        ..pccs(url)
    };
    let (line, headers) = question(in_azure, &item);
    assert_eq!(line, format!("{path}?qeid={qe_id}&{tcb}&api-version=2021-07-22-preview"));
    assert!(headers.contains("metadata: true\r\n"), "{headers}");
}

#[test]
fn the_api_key_goes_along_with_questions_that_need_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    fs::write(&file, "0123456789abcdef\n").unwrap();
    let with_key = |url| ServiceSettings { api_key_file: Some(file.clone()), ..pccs(url) };
    let header = "ocp-apim-subscription-key: 0123456789abcdef\r\n";
    assert!(question(with_key, &items()[0]).1.contains(header));
    assert!(!question(with_key, &items()[3]).1.contains("0123456789abcdef"));
    fs::write(&file, "another").unwrap();
    let headers = question(with_key, &items()[0]).1;
    assert!(headers.contains("ocp-apim-subscription-key: another\r\n"), "{headers}");
}

#[test]
fn the_answers_of_all_services_are_read() {
    let documents = documents(&platform([7; 32]), OffsetDateTime::now_utc(), 1);
    let [pck, pck_crl, root_ca_crl, tcb_info, qe_identity] = [0, 1, 2, 3, 4].map(|number| {
        let (_, document): &(String, Document) = &documents[number];
        document
    });
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let chain = |name: &str, document: &Document| {
        format!("{name}: {}\r\n", encoded(&document.issuer_chain))
    };
    let text = |document: &Document| String::from_utf8(document.body.clone()).unwrap();
    let azure = format!(
        "{{\"tcbm\":\"00\",\"pckCert\":\"{}\",\"sgx-Pck-Certificate-Issuer-Chain\":\"{}\"}}",
        encoded(&text(pck)),
        encoded(&pck.issuer_chain)
    );
    let pem = pem::encode(&pem::Pem::new("X509 CRL", pck_crl.body.clone()));
    let crl_chain = chain("SGX-PCK-CRL-Issuer-Chain", pck_crl);
    let table = [
        (pck, 0, answer(&chain("SGX-PCK-Certificate-Issuer-Chain", pck), &text(pck))),
        (pck, 0, answer("Content-Type: application/json\r\n", &azure)),
        (pck_crl, 1, answer(&crl_chain, &hex::encode(&pck_crl.body))),
        (pck_crl, 1, answer(&crl_chain, &pem)),
        (root_ca_crl, 2, answer("", &hex::encode_upper(&root_ca_crl.body))),
        (tcb_info, 3, answer(&chain("TCB-Info-Issuer-Chain", tcb_info), &text(tcb_info))),
        (tcb_info, 3, answer(&chain("SGX-TCB-Info-Issuer-Chain", tcb_info), &text(tcb_info))),
        (
            qe_identity,
            4,
            answer(&chain("SGX-Enclave-Identity-Issuer-Chain", qe_identity), &text(qe_identity)),
        ),
    ];
    for (expected, item, answer) in table {
        let (url, _questions) = server(vec![answer]);
        let fetched = PcsSource::at(&url).fetch(&items()[item], soon()).unwrap();
        assert_eq!(fetched, *expected, "{}", items()[item]);
    }
}

#[test]
fn a_service_is_asked_only_for_what_it_serves() {
    let url = ServiceUrl::parse("http://127.0.0.1:9").unwrap();
    let ask = |serves, item: &CollateralId| {
        let source = PcsSource::open(ServiceSettings::at(url.clone(), serves)).unwrap();
        source.fetch(item, soon()).unwrap_err()
    };
    let is_not_offered = |error: &SourceError| matches!(error, SourceError::NotOffered(_));
    assert!(is_not_offered(&ask(Serves::PckCertificates, &items()[3])));
    assert!(is_not_offered(&ask(Serves::Collateral, &items()[0])));
    assert!(!is_not_offered(&ask(Serves::Collateral, &items()[3])));
    let CollateralId::PckCertificate(mut question) = items().remove(0) else { unreachable!() };
    question.encrypted_ppid = None;
    let pcs = ServiceSettings { kind: PcsKind::Pcs, ..pccs(url) };
    let error =
        PcsSource::open(pcs).unwrap().fetch(&CollateralId::PckCertificate(question), soon());
    assert!(is_not_offered(&error.unwrap_err()));
}
