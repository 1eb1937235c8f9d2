//! Results for each kind of response, and for none.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;
use test_support::c_programs::{Build, succeeded};

use sgx::Quote3Error;

use crate::PROGRAMS;
use crate::platform::{Platform, unused_address};

pub(crate) const QUOTE_CONFIG: &str = "sgx_ql_get_quote_config";
pub(crate) const COLLATERAL: &str = "sgx_ql_get_quote_verification_collateral";
pub(crate) const QVE_IDENTITY: &str = "sgx_ql_get_qve_identity";
pub(crate) const ROOT_CA_CRL: &str = "sgx_ql_get_root_ca_crl";

/// The output of `outcomes.c`.
pub(crate) struct Printed {
    /// The result and the duration of each function.
    pub(crate) calls: BTreeMap<String, (Quote3Error, Duration)>,
    /// The messages to the callback, with their levels.
    pub(crate) logged: Vec<(u32, String)>,
}

impl Printed {
    pub(crate) fn by(command: &mut Command) -> Self {
        let (mut calls, mut logged) = (BTreeMap::new(), Vec::new());
        for line in succeeded(command).lines() {
            let (first, rest) = line.split_once(' ').unwrap();
            let (number, rest) = rest.split_once(' ').unwrap();
            let number = number.parse().unwrap();
            if first == "told" {
                logged.push((number, rest.to_owned()));
            } else {
                let time = Duration::from_millis(rest.parse().unwrap());
                calls.insert(first.to_owned(), (Quote3Error(number), time));
            }
        }
        Self { calls, logged }
    }

    pub(crate) fn error(&self, function: &str) -> Quote3Error {
        self.calls[function].0
    }

    /// The messages of level error.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &str> {
        self.logged.iter().filter(|(level, _)| *level == 0).map(|(_, message)| &**message)
    }
}

/// The results when the service sends this response to all requests.
fn outcome(response: &'static str) -> Printed {
    let (program, platform) = (PROGRAMS.compile("outcomes", Build::Plain), Platform::new());
    Printed::by(
        platform
            .command(&program, respond_to_all(response))
            .env("QUOTE_HELPER_COLLATERAL_RETRIES", "0"),
    )
}

/// A server that sends this response to each request, and closes the connection.
fn respond_to_all(response: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || respond(&mut stream.unwrap(), response));
        }
    });
    address
}

fn respond(stream: &mut TcpStream, response: &str) {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        request.extend(byte);
    }
    let _ = stream.write_all(response.as_bytes());
}

fn status(line: &str) -> &'static str {
    response(line, "", "")
}

/// A response that tells the client not to send another request on this connection.
fn response(status: &str, headers: &str, body: &str) -> &'static str {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .leak()
}

/// Checks that all functions return this error.
fn assert_all(printed: &Printed, error: Quote3Error) {
    for (function, (returned, _)) in &printed.calls {
        assert_eq!(*returned, error, "{function}: {:?}", printed.logged);
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
        assert_all(&outcome(status(line)), error);
    }
}

#[test]
fn missing_items_have_an_error_for_each_function() {
    let printed = outcome(status("404 Not Found"));
    assert_eq!(printed.error(QUOTE_CONFIG), Quote3Error::NO_PLATFORM_CERT_DATA);
    assert_eq!(printed.error(COLLATERAL), Quote3Error::NO_QUOTE_COLLATERAL_DATA);
    assert_eq!(printed.error(QVE_IDENTITY), Quote3Error::NO_QVE_IDENTITY_DATA);
    assert_eq!(printed.error(ROOT_CA_CRL), Quote3Error::NO_QUOTE_COLLATERAL_DATA);
}

#[test]
fn unreadable_responses_are_parsing_errors() {
    let chain = "SGX-PCK-Certificate-Issuer-Chain: x\r\nSGX-PCK-CRL-Issuer-Chain: x\r\n\
                 SGX-Enclave-Identity-Issuer-Chain: x\r\n";
    assert_all(&outcome(response("200 OK", chain, "0abc")), Quote3Error::MESSAGE_PARSING);
}

#[test]
fn an_unreachable_service_is_a_network_error() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let platform = Platform::new();
    let printed = Printed::by(&mut platform.command(&program, unused_address()));
    assert_all(&printed, Quote3Error::NETWORK);
    let errors: Vec<_> = printed.errors().collect();
    assert!(errors[0].starts_with("sgx_ql_get_quote_config failed: "), "{errors:?}");
    assert!(errors[0].contains("cannot be reached"), "{errors:?}");
    in_time(&printed);
}

#[test]
fn an_untrusted_tls_certificate_is_an_untrusted_root() {
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
        assert_all(&printed, Quote3Error::ROOT_CA_UNTRUSTED);
        let errors: Vec<_> = printed.errors().collect();
        assert!(errors[0].contains(words), "{errors:?}");
    }
}

#[test]
fn a_silent_service_times_out() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let platform = Platform::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let printed = Printed::by(&mut platform.command(&program, silent.local_addr().unwrap()));
    assert_all(&printed, Quote3Error::NETWORK);
    in_time(&printed);
}

/// Checks the timeout of each call: 10 seconds, and some tolerance for a busy machine.
fn in_time(printed: &Printed) {
    for (function, (_, time)) in &printed.calls {
        assert!(*time < Duration::from_secs(13), "{function}: {time:?}");
    }
}
