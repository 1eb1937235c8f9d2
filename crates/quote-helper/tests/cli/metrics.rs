//! `--metrics-listen`.

use std::io::Write;
use std::os::unix::net::UnixStream;

use crate::support::Machine;

#[test]
fn what_was_asked_for_is_counted() {
    let machine = Machine::new();
    let serve = machine.serve();
    machine.quote("07");
    machine.quote("08");
    // Of a later version of the protocol, maybe: closed without a reply.
    let mut stream = UnixStream::connect(machine.socket()).unwrap();
    stream.write_all(&[2, 0, 0, 0, 0xFF, 0xFF]).unwrap();
    std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap();

    let answer = serve.metrics();
    let (headers, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(headers.starts_with("HTTP/1.1 200 OK"), "{headers}");
    assert!(headers.contains("content-type: application/openmetrics-text; version=1.0.0"));
    for line in [
        r#"quote_helper_request_seconds_count{operation="GetQuoteEx",outcome="SUCCESS"} 2"#,
        r#"quote_helper_request_seconds_count{operation="InitQuoteEx",outcome="SUCCESS"} 2"#,
        "quote_helper_unanswered_requests_total 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is missing:\n{text}");
    }
    assert!(text.contains(r#"quote_helper_service_info{platform="software",version=""#));
    is_open_metrics(text);
}

/// The form of OpenMetrics, as far as a line tells: comments of three kinds, or a sample of a family
/// that was announced; and the end.
fn is_open_metrics(text: &str) {
    let samples = text.strip_suffix("# EOF\n").expect("# EOF is the last line");
    let mut family = "";
    for line in samples.lines() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["#", "HELP" | "TYPE" | "UNIT", name, _, ..] => family = name,
            [series, value] => {
                assert!(series.starts_with(family) && !family.is_empty(), "{line}");
                value.parse::<f64>().unwrap_or_else(|error| panic!("{error}: {line}"));
            }
            _ => panic!("{line}"),
        }
    }
}
