//! The results of a C program for all responses of a service, and for none.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use test_support::c_programs::{Build, Program, succeeded};

use aesm::{Payload, Request, Response};
use quoting::{QUOTE_HELPER_PLATFORM, QUOTE_HELPER_STATE_DIR, SGX_AESM_ADDR};
use sgx::{AesmError, Quote3Error, QuoteExCall, SgxStatus};
use software_platform::{SoftwarePlatform, SubjectNames};

use crate::PROGRAMS;

/// The functions that ask a service, and as what.
const QUOTE_EX: [(&str, QuoteExCall); 6] = [
    ("sgx_get_supported_att_key_id_num", QuoteExCall::KeyIds),
    ("sgx_get_supported_att_key_ids", QuoteExCall::KeyIds),
    ("sgx_select_att_key_id", QuoteExCall::Select),
    ("sgx_init_quote_ex", QuoteExCall::Init),
    ("sgx_get_quote_size_ex", QuoteExCall::Size),
    ("sgx_get_quote_ex", QuoteExCall::Quote),
];
const DCAP_QL: [(&str, QuoteExCall); 3] = [
    ("sgx_qe_get_target_info", QuoteExCall::Init),
    ("sgx_qe_get_quote_size", QuoteExCall::Size),
    ("sgx_qe_get_quote", QuoteExCall::Quote),
];

/// The expected results, by `libsgx_quote_ex`'s status for each kind of call.
fn expected(status: impl Fn(QuoteExCall) -> SgxStatus) -> BTreeMap<String, u32> {
    let quote_ex = QUOTE_EX.map(|(function, call)| (function.to_owned(), status(call).0));
    let dcap_ql = DCAP_QL
        .map(|(function, call)| (function.to_owned(), Quote3Error::of_status(status(call)).0));
    quote_ex.into_iter().chain(dcap_ql).collect()
}

/// The results with `SGX_AESM_ADDR` set to this socket.
fn returned(program: &Program, socket: &Path) -> BTreeMap<String, u32> {
    // Side by side, because some wait until their time is over.
    let functions = QUOTE_EX.iter().chain(&DCAP_QL).map(|(function, _)| *function);
    thread::scope(|scope| {
        let calls: Vec<_> = functions
            .map(|function| {
                scope.spawn(move || (function.to_owned(), call(program, socket, function)))
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    })
}

fn call(program: &Program, socket: &Path, function: &str) -> u32 {
    let printed = succeeded(program.command().arg(function).env(SGX_AESM_ADDR, socket));
    printed.strip_prefix(function).unwrap().trim().parse().unwrap()
}

/// Lets somebody answer the requests at the socket, each on a thread of its own.
fn serve(socket: &Path, answer: impl Fn(&mut UnixStream, &Request<'_>) + Copy + Send + 'static) {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut size = [0; 4];
                stream.read_exact(&mut size).unwrap();
                let mut message = vec![0; u32::from_le_bytes(size) as usize];
                stream.read_exact(&mut message).unwrap();
                answer(&mut stream, &Request::decode(&message).unwrap());
            });
        }
    });
}

/// A reply of the request's own type with this error.
fn refuse(stream: &mut UnixStream, request: &Request<'_>, error: AesmError) {
    let payload = match request {
        Request::InitQuoteEx { .. } => {
            Payload::InitQuoteEx { target_info: None, pub_key_id_size: 0, pub_key_id: None }
        }
        Request::GetQuoteSizeEx { .. } => Payload::GetQuoteSizeEx { quote_size: 0 },
        Request::GetQuoteEx { .. } => Payload::GetQuoteEx { quote: None, qe_report_info: None },
        _ => Payload::GetSupportedAttKeyIdNum { att_key_id_num: 0 },
    };
    let _ = stream.write_all(&Response { error: Some(error), payload }.to_frame());
}

#[test]
fn every_error_of_a_service_becomes_the_official_status() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let directory = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        // In four heaps, so that those who wait for their time to be over do so at the same time.
        for first in 1..=4 {
            let (program, directory) = (&program, directory.path());
            scope.spawn(move || {
                for number in (first..=60).step_by(4) {
                    let error = AesmError::from_number(number).unwrap();
                    let socket = directory.join(format!("{number}.socket"));
                    serve(&socket, move |stream, request| refuse(stream, request, error));
                    let expected = expected(|call| SgxStatus::of_aesm(error, call));
                    assert_eq!(returned(program, &socket), expected, "{error}");
                }
            });
        }
    });
}

#[test]
fn whatever_else_comes_than_a_reply_has_a_status() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let directory = tempfile::tempdir().unwrap();
    let socket = |name: &str| directory.path().join(name);
    // A frame that is too large, none at all, and a message that is no reply.
    serve(&socket("large"), |stream, _| stream.write_all(&[0xff; 4]).unwrap());
    serve(&socket("empty"), |stream, _| stream.write_all(&[0; 4]).unwrap());
    serve(&socket("other"), |stream, _| stream.write_all(&[1, 0, 0, 0, 0]).unwrap());
    for name in ["large", "empty", "other"] {
        let expected = expected(|_| SgxStatus::UNEXPECTED);
        assert_eq!(returned(&program, &socket(name)), expected, "{name}");
    }
}

#[test]
fn a_service_that_dies_or_is_silent_has_a_status_when_the_time_is_over() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let directory = tempfile::tempdir().unwrap();
    let socket = |name: &str| directory.path().join(name);
    serve(&socket("closed"), |_, _| ());
    serve(&socket("cut"), |stream, _| stream.write_all(&[9, 0, 0, 0, 1]).unwrap());
    serve(&socket("silent"), |_, _| thread::sleep(Duration::from_secs(60)));
    // Closed before the request is there: writing to it must not end the program with SIGPIPE.
    let hangs_up = UnixListener::bind(socket("hangs up")).unwrap();
    thread::spawn(move || hangs_up.incoming().for_each(drop));
    let cases = [
        ("hangs up", SgxStatus::UNEXPECTED),
        ("closed", SgxStatus::UNEXPECTED),
        ("cut", SgxStatus::UNEXPECTED),
        ("silent", SgxStatus::SERVICE_TIMEOUT),
        ("nobody", SgxStatus::SERVICE_UNAVAILABLE),
    ];
    thread::scope(|scope| {
        for (name, status) in cases {
            let (program, socket) = (&program, socket(name));
            scope.spawn(move || {
                let start = Instant::now();
                assert_eq!(returned(program, &socket), expected(|_| status), "{name}");
                let time = start.elapsed();
                assert!((14..20).contains(&time.as_secs()), "{name}: {time:?}");
            });
        }
    });
}

#[test]
fn a_missing_service_is_not_waited_for() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let start = Instant::now();
    let returned = returned(&program, Path::new("/no/such/directory/aesm.socket"));
    assert_eq!(returned, expected(|_| SgxStatus::SERVICE_UNAVAILABLE));
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// In this environment the callback is told of each call that fails, in these words.
fn is_told(environment: &[(&str, &str)], words: [&str; 2]) {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let printed = succeeded(program.command().envs(environment.iter().copied()));
    let told: Vec<_> = printed.lines().filter_map(|line| line.strip_prefix("told 0 ")).collect();
    assert_eq!(told.len(), DCAP_QL.len(), "{printed}");
    for (message, (function, _)) in told.into_iter().zip(DCAP_QL) {
        assert!(message.starts_with(&format!("{function} failed: ")), "{message}");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}

#[test]
fn the_callback_is_told_what_happened_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().to_str().unwrap();
    let nobody = "/no/such/aesm.socket";
    is_told(&[(SGX_AESM_ADDR, nobody)], [nobody, "Is the service running"]);
    let software = [(QUOTE_HELPER_PLATFORM, "software"), (QUOTE_HELPER_STATE_DIR, empty)];
    is_told(&software, [empty, "quote-helper platform init"]);
    is_told(&[(QUOTE_HELPER_PLATFORM, "harder")], ["harder", "`dcap` or `software`"]);
    let dcap = [(QUOTE_HELPER_PLATFORM, "dcap"), (QUOTE_HELPER_STATE_DIR, empty)];
    is_told(&dcap, ["libsgx_qe3_logic.so.1", "libsgx-qe3-logic"]);
    // The software platform is there, and nobody has asked for it.
    let now = time::OffsetDateTime::now_utc();
    SoftwarePlatform::open_or_init(directory.path(), SubjectNames::Software, now).unwrap();
    let unset = [(QUOTE_HELPER_STATE_DIR, empty)];
    is_told(&unset, ["libsgx_qe3_logic.so.1", "QUOTE_HELPER_PLATFORM=software"]);
}

/// The program's standard error, where each call fails.
fn traced(program: &Program, trace: Option<&str>) -> String {
    let mut command = program.command();
    command.env(SGX_AESM_ADDR, "/no/such/aesm.socket");
    command.envs(trace.map(|value| ("QUOTE_HELPER_TRACE", value)));
    let output = command.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn each_call_that_fails_is_a_line_on_standard_error_if_the_environment_asks_for_it() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    let traced_lines = traced(&program, Some("stderr"));
    let expected = QUOTE_EX
        .map(|(function, _)| {
            ("libsgx_quote_ex", function, "SGX_ERROR_SERVICE_UNAVAILABLE (0x4001)")
        })
        .into_iter()
        .chain(DCAP_QL.map(|(function, _)| {
            ("libsgx_dcap_ql", function, "SGX_QL_SERVICE_UNAVAILABLE (0xe040)")
        }));
    let lines: Vec<_> = traced_lines.lines().collect();
    assert_eq!(lines.len(), QUOTE_EX.len() + DCAP_QL.len(), "{traced_lines}");
    for (line, (library, function, code)) in lines.into_iter().zip(expected) {
        let begin = format!("{library}: {function} returns {code}: cannot connect");
        assert!(line.starts_with(&begin), "{line}");
        assert!(line.contains("/no/such/aesm.socket") && line.contains("Is the service"), "{line}");
    }

    for silent in [None, Some("")] {
        assert_eq!(traced(&program, silent), "");
    }
    // One line for each library, and none for the calls.
    let wrong = traced(&program, Some("1"));
    assert_eq!(wrong.lines().count(), 2, "{wrong}");
    assert!(wrong.lines().all(|line| line.contains("set it to stderr")), "{wrong}");
}

#[test]
fn an_address_of_another_form_than_a_path_is_an_error_and_not_the_default_socket() {
    let program = PROGRAMS.compile("outcomes", Build::Plain);
    for address in ["./aesm.socket", "unix:/var/run/aesmd/aesm.socket"] {
        let expected = expected(|_| SgxStatus::INVALID_PARAMETER);
        assert_eq!(returned(&program, Path::new(address)), expected, "{address}");
        is_told(&[(SGX_AESM_ADDR, address)], [address, "no absolute path"]);
    }
}
