//! `--metrics-listen`.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, UNIX_EPOCH};

use rustix::process::Signal;

use crate::support::{Machine, SERVE, Serve, eventually, http_get};

#[test]
fn requests_are_counted() {
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

/// A family whose name ends with its unit says so.
#[test]
fn units_are_declared() {
    let machine = Machine::new();
    let metrics = machine.serve().metrics();
    for unit in [
        "# UNIT quote_helper_request_seconds seconds",
        "# UNIT quote_helper_canary_seconds seconds",
        "# UNIT quote_helper_expiry_timestamp_seconds seconds",
        "# UNIT quote_helper_epc_bytes bytes",
    ] {
        let family = unit.split(' ').nth(2).unwrap();
        let is_shown = metrics.contains(&format!("# TYPE {family} "));
        assert_eq!(metrics.contains(unit), is_shown, "{unit}\n{metrics}");
    }
    assert!(metrics.contains("# UNIT quote_helper_epc_bytes bytes"));
}

/// The sample of this series, if there is one.
fn sample(serve: &Serve, series: &str) -> Option<f64> {
    let metrics = serve.metrics();
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap())
}

/// For how many days something is still valid.
fn days_left(serve: &Serve, what: &str) -> Option<f64> {
    let at = sample(serve, &format!("quote_helper_expiry_timestamp_seconds{{what=\"{what}\"}}"))?;
    Some((at - UNIX_EPOCH.elapsed().unwrap().as_secs_f64()) / 86_400.0)
}

fn has_status(serve: &Serve, status: &str) -> bool {
    sample(serve, &format!("quote_helper_tcb_status{{status=\"{status}\"}}")) == Some(1.0)
}

#[test]
fn expiry_dates_and_expired_items_are_exported() {
    let collateral = ["pck-crl", "root-ca-crl", "tcb-info", "qe-identity"];
    let machine = Machine::new();
    let serve = machine.serve();
    eventually("it is known", || days_left(&serve, "qe-identity").is_some());
    for what in collateral {
        let days = days_left(&serve, what).unwrap();
        assert!((29.9..30.1).contains(&days), "{what}: {days}");
    }
    assert!(days_left(&serve, "pck-certificate").unwrap() > 365.0);
    machine.succeed("platform tcb --expire --state-dir state");
    eventually("it has expired", || days_left(&serve, "qe-identity").unwrap() < 0.0);
    assert!(collateral.iter().all(|what| days_left(&serve, what).unwrap() < 0.0));
}

#[test]
fn the_tcb_status_follows_the_tcb() {
    let machine = Machine::new();
    let serve = machine.serve();
    eventually("it is known", || has_status(&serve, "UpToDate"));
    assert!(!has_status(&serve, "OutOfDate"));
    machine.succeed("platform tcb --raise --state-dir state");
    eventually("it is out of date", || has_status(&serve, "OutOfDate"));
    assert!(!has_status(&serve, "UpToDate"));
    machine.succeed("platform tcb --revoke --state-dir state");
    eventually("it is revoked", || has_status(&serve, "Revoked"));
}

/// Over a Unix socket, which is for the service's own user, and is replaced after a crash.
#[test]
fn metrics_and_health_are_served_over_a_unix_socket() {
    let machine = Machine::new();
    let socket = machine.path("metrics.socket");
    let line =
        SERVE.replace("--metrics-listen 127.0.0.1:0", "--metrics-listen unix:metrics.socket");
    let get = |path: &str| http_get(UnixStream::connect(&socket).unwrap(), path);
    for _ in 0..2 {
        let serve = Serve::start(&mut machine.command(&line));
        assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(get("/metrics").contains("quote_helper_service_info"));
        assert!(get("/livez").ends_with("\r\n\r\nalive\n"));
        serve.signal(Signal::KILL);
        serve.wait();
        assert!(socket.exists());
    }
    let serve = Serve::start(&mut machine.command(&line));
    serve.signal(Signal::TERM);
    serve.wait();
    assert!(!socket.exists(), "it is removed at the end");
}

/// Stalled clients of the metrics do not keep the service from ending.
#[test]
fn a_client_of_the_metrics_does_not_delay_the_stop() {
    let machine = Machine::new();
    let line =
        SERVE.replace("--metrics-listen 127.0.0.1:0", "--metrics-listen unix:metrics.socket");
    let serve = Serve::start(&mut machine.command(&line));
    let mut stalled = UnixStream::connect(machine.path("metrics.socket")).unwrap();
    stalled.write_all(b"GET /met").unwrap();
    let begin = std::time::Instant::now();
    serve.signal(Signal::TERM);
    assert!(serve.wait().0.success());
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

/// The form of OpenMetrics, as far as a line tells: comments of three kinds, or a sample of a
/// family that was announced; and the end.
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

/// The whole answer to a request with these headers.
fn asked(serve: &Serve, path: &str, headers: &str) -> String {
    let mut stream = std::net::TcpStream::connect(serve.metrics_address()).unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    answer
}

#[test]
fn the_format_is_the_one_that_the_client_accepts() {
    let serve = Machine::new().serve();
    for headers in ["", "Accept: */*\r\n", "Accept: text/plain;version=0.0.4\r\n"] {
        let answer = asked(&serve, "/metrics", headers);
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
        assert!(head.contains("vary: accept"), "{head}");
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
        assert!(text.contains("\n# TYPE quote_helper_policy_refusals_total counter\n"), "{text}");
    }
    let open =
        asked(&serve, "/metrics", "Accept: application/openmetrics-text;q=0.9,*/*;q=0.1\r\n");
    let (head, text) = open.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    is_open_metrics(text);
}

#[test]
fn the_root_and_unknown_paths_list_the_routes() {
    let serve = Machine::new().serve();
    let root = asked(&serve, "/", "");
    assert!(root.starts_with("HTTP/1.0 200 OK") && root.contains("text/plain"), "{root}");
    let page = asked(&serve, "/", "Accept: text/html,*/*;q=0.8\r\n");
    assert!(page.contains("text/html") && page.contains("<a href=\"/metrics\">"), "{page}");
    let unknown = asked(&serve, "/metric", "");
    assert!(unknown.starts_with("HTTP/1.0 404") && unknown.contains("nothing at /metric;"));
    for answer in [&root, &page, &unknown] {
        for path in ["/metrics", "/livez", "/readyz"] {
            assert!(answer.contains(path), "{path}: {answer}");
        }
    }
}
