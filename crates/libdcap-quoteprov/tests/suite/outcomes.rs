//! Results of calls in C for all kinds of responses, and without one.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;
use test_support::c_programs::{Build, succeeded};

use sgx::Quote3Error;

use crate::PROGRAMS;
use crate::platform::{Platform, nobody};

pub(crate) const QUOTE_CONFIG: &str = "sgx_ql_get_quote_config";
pub(crate) const COLLATERAL: &str = "sgx_ql_get_quote_verification_collateral";
pub(crate) const QVE_IDENTITY: &str = "sgx_ql_get_qve_identity";
pub(crate) const ROOT_CA_CRL: &str = "sgx_ql_get_root_ca_crl";

/// The output of `outcomes.c`.
pub(crate) struct Printed {
    /// The result of each function, and its duration.
    pub(crate) calls: BTreeMap<String, (Quote3Error, Duration)>,
    /// The messages to the callback: level and text.
    pub(crate) told: Vec<(u32, String)>,
}

impl Printed {
    pub(crate) fn by(command: &mut Command) -> Self {
        let (mut calls, mut told) = (BTreeMap::new(), Vec::new());
        for line in succeeded(command).lines() {
            let (first, rest) = line.split_once(' ').unwrap();
            let (number, rest) = rest.split_once(' ').unwrap();
            let number = number.parse().unwrap();
            if first == "told" {
                told.push((number, rest.to_owned()));
            } else {
                let time = Duration::from_millis(rest.parse().unwrap());
                calls.insert(first.to_owned(), (Quote3Error(number), time));
            }
        }
        Self { calls, told }
    }

    pub(crate) fn error(&self, function: &str) -> Quote3Error {
        self.calls[function].0
    }

    /// The errors that the callback was told of.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &str> {
        self.told.iter().filter(|(level, _)| *level == 0).map(|(_, message)| &**message)
    }
}

/// The output when all requests get this answer.
fn outcome(answer: &'static str) -> Printed {
    let (program, platform) = (PROGRAMS.compile("outcomes", Build::Plain), Platform::new());
    Printed::by(
        platform.command(&program, answering(answer)).env("QUOTE_HELPER_COLLATERAL_RETRIES", "0"),
    )
}

/// Somebody who answers all questions so, and then hangs up.
fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || answer_one(&mut stream.unwrap(), answer));
        }
    });
    address
}

fn answer_one(stream: &mut TcpStream, answer: &str) {
    let (mut question, mut byte) = (Vec::new(), [0]);
    while !question.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        question.extend(byte);
    }
    let _ = stream.write_all(answer.as_bytes());
}

fn status(line: &str) -> &'static str {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").leak()
}

/// All functions return this.
fn all(printed: &Printed, error: Quote3Error) {
    for (function, (returned, _)) in &printed.calls {
        assert_eq!(*returned, error, "{function}: {:?}", printed.told);
    }
    assert_eq!(printed.calls.len(), 4);
}

#[test]
fn statuses_become_the_errors_of_intels_library() {
    let cases = [
        ("461 Not Found", Quote3Error::PLATFORM_UNKNOWN),
        ("462 No Certificate", Quote3Error::CERTS_UNAVAILABLE),
        ("403 Forbidden", Quote3Error::NETWORK),
        ("401 Unauthorized", Quote3Error::UNKNOWN_MESSAGE_RESPONSE),
        ("429 Too Many Requests", Quote3Error::UNKNOWN_MESSAGE_RESPONSE),
        ("500 Internal Server Error", Quote3Error::UNKNOWN_MESSAGE_RESPONSE),
        ("503 Service Unavailable", Quote3Error::SERVICE_UNAVAILABLE),
        ("302 Found", Quote3Error::UNKNOWN_MESSAGE_RESPONSE),
    ];
    for (line, error) in cases {
        all(&outcome(status(line)), error);
    }
}

#[test]
fn each_function_has_an_error_of_its_own_for_what_is_not_there() {
    let printed = outcome(status("404 Not Found"));
    assert_eq!(printed.error(QUOTE_CONFIG), Quote3Error::NO_PLATFORM_CERT_DATA);
    assert_eq!(printed.error(COLLATERAL), Quote3Error::NO_QUOTE_COLLATERAL_DATA);
    assert_eq!(printed.error(QVE_IDENTITY), Quote3Error::NO_QVE_IDENTITY_DATA);
    assert_eq!(printed.error(ROOT_CA_CRL), Quote3Error::NO_QUOTE_COLLATERAL_DATA);
}

#[test]
fn answers_that_say_nothing_are_messages_that_cannot_be_parsed() {
    let chain = "SGX-PCK-Certificate-Issuer-Chain: x\r\nSGX-PCK-CRL-Issuer-Chain: x\r\n\
                 SGX-Enclave-Identity-Issuer-Chain: x\r\n";
    let nonsense = format!("HTTP/1.1 200 OK\r\n{chain}Content-Length: 4\r\n\r\n\x30abc");
    all(&outcome(nonsense.leak()), Quote3Error::MESSAGE_PARSING);
}

#[test]
fn silence_is_a_network_error() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let platform = Platform::new();
    let printed = Printed::by(&mut platform.command(&program, nobody()));
    all(&printed, Quote3Error::NETWORK);
    let errors: Vec<_> = printed.errors().collect();
    assert!(errors[0].starts_with("sgx_ql_get_quote_config failed: "), "{errors:?}");
    assert!(errors[0].contains("cannot be reached"), "{errors:?}");
    in_time(&printed);
}

#[test]
fn a_certificate_that_is_not_trusted_is_an_untrusted_root() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let platform = Platform::new();
    for (host, ca_file, words) in [
        ("localhost", "root.pem", "neither it nor the CA that issued it is known here"),
        ("pccs.test", "tls.pem", "it is for \"pccs.test\", not for localhost"),
    ] {
        let service = platform.serve_tls(host);
        let url = format!("https://localhost:{}", service.address.port());
        let mut command = platform.command_without_sources(&program);
        command.env("QUOTE_HELPER_COLLATERAL_SOURCES", url);
        command.env("QUOTE_HELPER_COLLATERAL_CA_FILE", platform.path(ca_file));
        let printed = Printed::by(&mut command);
        all(&printed, Quote3Error::ROOT_CA_UNTRUSTED);
        let errors: Vec<_> = printed.errors().collect();
        assert!(errors[0].contains(words), "{errors:?}");
    }
}

#[test]
fn a_silent_service_is_not_waited_for_for_ever() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let platform = Platform::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let printed = Printed::by(&mut platform.command(&program, silent.local_addr().unwrap()));
    all(&printed, Quote3Error::NETWORK);
    in_time(&printed);
}

/// Each call is over when its time is: 10 seconds, and something for a machine that has much to do.
fn in_time(printed: &Printed) {
    for (function, (_, time)) in &printed.calls {
        assert!(*time < Duration::from_secs(13), "{function}: {time:?}");
    }
}
